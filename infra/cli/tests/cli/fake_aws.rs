//! As much of AWS as the tool speaks to, on loopback: DynamoDB over the embedded engine, the parameter store, the identity.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone)]
pub struct FakeAws {
    pub url: String,
    database: Database,
    parameters: Arc<Mutex<BTreeMap<String, String>>>,
    forbidden: Arc<Mutex<Vec<String>>>,
}

pub const TABLE: &str = "collana-test";

impl FakeAws {
    /// An account in which nothing was deployed.
    pub async fn empty() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { url, database: Database::memory().unwrap(), parameters: Arc::default(), forbidden: Arc::default() };
        let router = Router::new().fallback(serve).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// An account with a stack of the stage `ci`.
    pub async fn deployed() -> Self {
        let fake = Self::empty().await;
        fake.put("/collana/ci/stack", &json!({"table": TABLE, "url": "https://api.example.com", "allowLoopback": true}).to_string());
        let mut definition = embedded::definition();
        let expiry = definition.as_object_mut().unwrap().remove("TimeToLiveSpecification").unwrap();
        fake.make_table(definition);
        fake.database("UpdateTimeToLive", &json!({"TableName": TABLE, "TimeToLiveSpecification": expiry}).to_string()).unwrap();
        fake
    }

    pub fn make_table(&self, mut definition: Value) {
        definition["TableName"] = TABLE.into();
        definition["BillingMode"] = "PAY_PER_REQUEST".into();
        self.database("CreateTable", &definition.to_string()).unwrap();
    }

    pub fn put(&self, name: &str, value: &str) {
        self.parameters.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// Answers this operation of either service as IAM does where a policy lacks it.
    pub fn forbid(&self, operation: &str) {
        self.forbidden.lock().unwrap().push(operation.to_owned());
    }

    pub fn allow_all(&self) {
        self.forbidden.lock().unwrap().clear();
    }

    /// Something of space 1 that was due at this moment.
    pub fn make_due(&self, millis: i64) {
        let text = |text: &str| json!({"S": text});
        let due = text(&format!("{millis:015}"));
        let item = json!({"pk": text("S#1#T#7"), "sk": text("HEAD"), "dueShard": text("D#7"), "due": due});
        self.database("PutItem", &json!({"TableName": TABLE, "Item": item}).to_string()).unwrap();
    }

    pub fn parameter(&self, name: &str) -> Option<Value> {
        self.parameters.lock().unwrap().get(name).map(|text| serde_json::from_str(text).unwrap())
    }

    pub fn remove(&self, name: &str) {
        self.parameters.lock().unwrap().remove(name).unwrap();
    }

    /// The options and variables by which the tool finds it.
    pub fn tool(&self) -> crate::tool::Tool {
        crate::tool::Tool::at(&["--stage", "ci", "--endpoint-url", &self.url])
            .with("AWS_ACCESS_KEY_ID", "test")
            .with("AWS_SECRET_ACCESS_KEY", crate::tool::CANARY)
            .with("AWS_REGION", "eu-central-1")
    }

    fn database(&self, operation: &str, body: &str) -> Result<String, DynoxideError> {
        let database = &self.database;
        match operation {
            "CreateTable" => run(body, |request| database.create_table(request)),
            "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
            "DescribeTable" => run(body, |request| database.describe_table(request)),
            "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            other => panic!("the tool asked DynamoDB for {other}"),
        }
    }

    fn parameter_store(&self, operation: &str, body: &str) -> (StatusCode, String) {
        let request: Value = serde_json::from_str(body).unwrap();
        let name = request["Name"].as_str().unwrap();
        let mut parameters = self.parameters.lock().unwrap();
        let answer = match operation {
            "GetParameter" => parameters.get(name).map(|value| json!({"Parameter": {"Name": name, "Value": value}})),
            "PutParameter" => {
                assert_eq!(request["Type"], "SecureString", "credentials are encrypted");
                parameters.insert(name.to_owned(), request["Value"].as_str().unwrap().to_owned());
                Some(json!({"Version": 1}))
            }
            "DeleteParameter" => parameters.remove(name).map(|_| json!({})),
            other => panic!("the tool asked the parameter store for {other}"),
        };
        match answer {
            Some(answer) => (StatusCode::OK, answer.to_string()),
            None => (StatusCode::BAD_REQUEST, json!({"__type": "ParameterNotFound"}).to_string()),
        }
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(body: &str, action: impl FnOnce(Q) -> Result<A, DynoxideError>) -> Result<String, DynoxideError> {
    Ok(serde_json::to_string(&action(serde_json::from_str(body).unwrap())?).unwrap())
}

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
<Arn>arn:aws:iam::000000000000:user/operator</Arn><UserId>operator</UserId><Account>000000000000</Account>\
</GetCallerIdentityResult></GetCallerIdentityResponse>";

async fn serve(State(fake): State<FakeAws>, headers: HeaderMap, body: Bytes) -> Response {
    let body = std::str::from_utf8(&body).unwrap();
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    if fake.forbidden.lock().unwrap().iter().any(|forbidden| forbidden == operation) {
        return (StatusCode::BAD_REQUEST, json!({"__type": "AccessDeniedException", "message": "not allowed"}).to_string()).into_response();
    }
    match target.split_once('.') {
        Some(("DynamoDB_20120810", operation)) => match fake.database(operation, body) {
            Ok(answer) => answer.into_response(),
            Err(error) => (StatusCode::from_u16(error.status_code()).unwrap(), error.to_json()).into_response(),
        },
        Some(("AmazonSSM", operation)) => fake.parameter_store(operation, body).into_response(),
        _ if body.contains("Action=GetCallerIdentity") => IDENTITY.into_response(),
        _ => panic!("the tool asked AWS for {target:?}: {body}"),
    }
}
