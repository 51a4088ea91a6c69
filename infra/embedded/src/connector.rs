//! Takes the SDK's wire request straight into the engine and brings its answer back.

use crate::meter::Meter;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Clone)]
pub(crate) struct Connector {
    database: Database,
    meter: Meter,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("embedded DynamoDB")
    }
}

impl Connector {
    pub fn new(database: Database, meter: Meter) -> Self {
        Self { database, meter }
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let body = body.ok_or_else(|| ConnectorError::user("a request without a readable body".into()))?;
        let body = self.meter.ask(operation, body);
        let (status, answer) = dispatch(&self.database, operation, &body);
        self.meter.count(operation, &answer);
        let status = http::StatusCode::from_u16(status).map_err(|error| ConnectorError::other(error.into(), None))?;
        let mut response = HttpResponse::new(status.into(), SdkBody::from(answer));
        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        Ok(response)
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request))
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Lets the engine carry out a call, and answers with its status and body.
pub(crate) fn dispatch(database: &Database, operation: &str, body: &str) -> (u16, String) {
    match execute(database, operation, body) {
        Ok(answer) => (200, answer),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

/// The operations that this product uses.
fn execute(database: &Database, operation: &str, body: &str) -> Result<String, DynoxideError> {
    match operation {
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        other => Err(DynoxideError::ValidationException(format!("the embedded DynamoDB is not given {other}"))),
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(body: &str, action: impl FnOnce(Q) -> Result<A, DynoxideError>) -> Result<String, DynoxideError> {
    let request = serde_json::from_str(body).map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    let answer = action(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
