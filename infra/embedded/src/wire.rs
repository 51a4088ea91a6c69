//! Where a test stands between the SDK and the engine: it is given each call, and decides whether, when and how often the engine
//! carries it out, and what the SDK is told.

use crate::connector::dispatch;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// Carries calls to the engine, or does not.
pub trait Wire: Send + Sync + 'static {
    fn carry(&self, call: Call) -> Carried;
}

pub type Carried = Pin<Box<dyn Future<Output = Result<WireAnswer, NoAnswer>> + Send>>;

/// What the SDK sends. A clone is the same call once more: a transaction is known again by its token, as AWS does.
#[derive(Clone)]
pub struct Call {
    /// `GetItem`, `TransactWriteItems` …
    pub operation: String,
    pub body: String,
    token: Option<String>,
    database: Database,
    done: Tokens,
}

/// Of the transactions that were carried out. The engine would keep them, too, and look through all of them for each call.
type Tokens = Arc<Mutex<HashSet<String>>>;

/// What the SDK is answered.
#[derive(Clone, Debug)]
pub struct WireAnswer {
    pub status: u16,
    pub body: String,
    /// Carried out before; nothing has happened this time.
    pub is_repeated: bool,
}

/// The SDK hears nothing, and gives up.
#[derive(Clone, Copy, Debug)]
pub struct NoAnswer;

impl Call {
    /// Lets the engine carry it out, now.
    pub fn execute(&self) -> WireAnswer {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if self.token.as_ref().is_some_and(|token| done.contains(token)) {
            return WireAnswer { status: 200, body: "{}".to_owned(), is_repeated: true };
        }
        let (status, body) = dispatch(&self.database, &self.operation, &self.body);
        if status == 200 {
            done.extend(self.token.clone());
        }
        WireAnswer { status, body, is_repeated: false }
    }
}

/// Takes the token out of a request, in which the SDK writes it last.
fn take_token(body: &mut String) -> Option<String> {
    const FIELD: &str = r#","ClientRequestToken":""#;
    let at = body.rfind(FIELD)?;
    let token = body[at + FIELD.len()..].strip_suffix(r#""}"#)?.to_owned();
    body.truncate(at);
    body.push('}');
    Some(token)
}

#[derive(Clone)]
pub(crate) struct Wired {
    database: Database,
    wire: Arc<dyn Wire>,
    done: Tokens,
}

impl std::fmt::Debug for Wired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("embedded DynamoDB over a wire")
    }
}

impl Wired {
    pub fn new(database: Database, wire: Arc<dyn Wire>) -> Self {
        Self { database, wire, done: Tokens::default() }
    }
}

impl HttpConnector for Wired {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let mut body = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default().to_owned();
        let token = take_token(&mut body);
        let carried = self.wire.carry(Call { operation, body, token, database: self.database.clone(), done: Arc::clone(&self.done) });
        HttpConnectorFuture::new(async move {
            let WireAnswer { status, body, .. } = carried.await.map_err(|NoAnswer| ConnectorError::timeout("no answer".into()))?;
            let status = http::StatusCode::from_u16(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            let mut response = HttpResponse::new(status.into(), SdkBody::from(body));
            response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
            Ok(response)
        })
    }
}

impl HttpClient for Wired {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
