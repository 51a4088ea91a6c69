//! Webhooks as a merchant receives them, checked with the reference implementation of Standard Webhooks.

use crate::server::{Server, WEBHOOK_SECRET};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use psp_simulators::Storage;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// Receives webhooks; answers with the given statuses first, then with 200.
pub struct Receiver {
    pub url: String,
    arrived: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
}

pub struct Webhook {
    pub headers: HeaderMap,
    pub raw: Bytes,
}

impl Webhook {
    pub fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().unwrap()
    }

    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap()
    }

    /// `capture.succeeded`.
    pub fn kind(&self) -> String {
        self.body()["type"].as_str().unwrap().to_owned()
    }
}

impl Receiver {
    pub async fn start(statuses: &[u16]) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let statuses = Arc::new(Mutex::new(VecDeque::from(statuses.to_vec())));
        let receive = move |headers: HeaderMap, body: Bytes| async move {
            let status = statuses.lock().unwrap().pop_front().unwrap_or(200);
            sender.send((headers, body)).unwrap();
            StatusCode::from_u16(status).unwrap()
        };
        let router = axum::Router::new().route("/hooks", axum::routing::post(receive));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrived }
    }

    pub async fn next(&mut self) -> Webhook {
        let arrival = tokio::time::timeout(Duration::from_secs(10), self.arrived.recv()).await;
        let (headers, raw) = arrival.expect("a webhook in time").unwrap();
        Webhook { headers, raw }
    }

    /// The kinds of the next `n` webhooks, sorted: their order is not promised.
    async fn kinds(&mut self, n: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..n {
            kinds.push(self.next().await.kind());
        }
        kinds.sort();
        kinds
    }

    pub async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(700), self.arrived.recv()).await.is_err()
    }
}

#[expect(clippy::disallowed_methods, reason = "the reference implementation compares with the machine's clock")]
fn machine_time() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_webhook_is_signed_as_standard_webhooks_are() {
    let mut receiver = Receiver::start(&[]).await;
    let server = Server::start_with(Storage::Memory, Some(&receiver.url), machine_time()).await;
    let id = server.payment("49.90").await;
    let webhook = receiver.next().await;
    let standard = standardwebhooks::Webhook::new(WEBHOOK_SECRET).unwrap();
    standard.verify(&webhook.raw, &webhook.headers).unwrap();
    assert!(webhook.id().starts_with("msg_"), "{}", webhook.id());
    assert_eq!((webhook.kind(), &webhook.body()["data"]), ("payment.authorized".to_owned(), &json!({ "paymentId": id })));

    let altered = String::from_utf8(webhook.raw.to_vec()).unwrap().replace("authorized", "failed");
    assert!(standard.verify(altered.as_bytes(), &webhook.headers).is_err());
    let foreign = standardwebhooks::Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    assert!(foreign.verify(&webhook.raw, &webhook.headers).is_err());
}

#[tokio::test]
async fn each_change_is_told_also_those_of_the_merchant() {
    let mut receiver = Receiver::start(&[]).await;
    let server = Server::start_with(Storage::Memory, Some(&receiver.url), crate::server::START).await;
    let id = server.payment("49.90").await;
    assert_eq!(receiver.next().await.kind(), "payment.authorized");

    let capture = server.capture(&id, "20.00", "c1").await;
    let told = receiver.next().await;
    let data = json!({ "paymentId": id, "operationId": capture.text("id") });
    assert_eq!(told.body(), json!({ "type": "capture.succeeded", "timestamp": "2026-11-15T10:00:00Z", "data": data }));

    server.refund(&id, "5.00", "r1").await;
    assert_eq!(receiver.next().await.kind(), "refund.succeeded");
    server.fault(&id, "capture", "refuse").await;
    server.capture(&id, "1.00", "c2").await;
    assert_eq!(receiver.next().await.kind(), "capture.failed");
    server.void(&id, "v1").await;
    assert_eq!(receiver.next().await.kind(), "void.succeeded");

    server.capture(&id, "20.00", "c1").await;
    server.capture(&id, "20.00", "c3").await;
    server.read(&id).await.unwrap();
    assert!(receiver.is_quiet().await, "replays, refusals by rule and reads change nothing");
}

#[tokio::test]
async fn payments_under_way_and_automatic_ones_are_told_when_they_end() {
    let mut receiver = Receiver::start(&[]).await;
    let server = Server::start_with(Storage::Memory, Some(&receiver.url), crate::server::START).await;
    let mut pending = Vec::new();
    for mode in ["manual", "automatic", "manual"] {
        let order = json!({ "amount": "10", "currency": "EUR", "status": "pending", "captureMode": mode });
        pending.push(server.shop("/payments", order).await.text("id").to_owned());
    }
    assert!(receiver.is_quiet().await);
    server.shop(&format!("/payments/{}/authorize", pending[0]), json!({})).await;
    assert_eq!(receiver.kinds(1).await, ["payment.authorized"]);
    server.shop(&format!("/payments/{}/authorize", pending[1]), json!({})).await;
    assert_eq!(receiver.kinds(2).await, ["capture.succeeded", "payment.authorized"]);
    server.shop(&format!("/payments/{}/fail", pending[2]), json!({})).await;
    assert_eq!(receiver.kinds(1).await, ["payment.failed"]);
}

#[tokio::test]
async fn a_pending_operation_is_told_when_it_settles() {
    let mut receiver = Receiver::start(&[]).await;
    let server = Server::start_with(Storage::Memory, Some(&receiver.url), crate::server::START).await;
    let id = server.payment("49.90").await;
    receiver.next().await;
    server.fault(&id, "capture", "pending").await;
    let capture = server.capture(&id, "20.00", "c1").await;
    assert!(receiver.is_quiet().await, "not before it settles");
    server.pass(300);
    let told = receiver.next().await;
    assert_eq!((told.kind(), &told.body()["data"]["operationId"]), ("capture.succeeded".to_owned(), &capture.body["id"]));
    assert_eq!(server.state(&id).await, "authorized captured 20.00 refunded 0.00 voided 0.00", "told after it was done");
}

#[tokio::test]
async fn a_refused_delivery_is_repeated_with_the_same_id() {
    let mut receiver = Receiver::start(&[500, 302]).await;
    let server = Server::start_with(Storage::Memory, Some(&receiver.url), crate::server::START).await;
    server.payment("49.90").await;
    let first = receiver.next().await;
    for _ in 0..2 {
        let again = receiver.next().await;
        assert_eq!((again.id(), &again.raw), (first.id(), &first.raw));
    }
    assert!(receiver.is_quiet().await, "delivered once it was accepted");
}

#[tokio::test]
async fn a_dropped_sandbox_tells_nothing_more() {
    let mut receiver = Receiver::start(&[500; 20]).await;
    let clock = Arc::new(|| crate::server::START);
    let accounts = crate::server::accounts(Some(&receiver.url));
    let sandbox = psp_simulators::Sandbox::open(Storage::Memory, accounts, clock, crate::server::http()).unwrap();
    let router = sandbox.router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/payments", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(async { stopped.await.unwrap() }).into_future());
    let order = crate::server::http().post(url).body(r#"{"amount":"1","currency":"EUR"}"#);
    assert_eq!(order.send().await.unwrap().status(), 201);
    receiver.next().await;
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    drop(sandbox);
    while receiver.arrived.try_recv().is_ok() {}
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(receiver.is_quiet().await, "the attempts after 200 ms and 1 s are not made");
}
