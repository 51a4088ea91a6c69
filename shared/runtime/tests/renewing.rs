//! A PSP that stops accepting what was kept: settings and credentials are read again, once, and never more often than the
//! bound allows. And a vault that is away: what was kept is used on.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use app::ports::psp::{Attempt, RawWebhook};
use app::ports::settings::{Connection, ConnectionSettings};
use app::ports::store::StoreError;
use app::ports::{Clock, Connections, NoConnection, Psp, Reading, WebhookEvent, WebhookRefused};
use domain::Outcome;
use domain::id::{ConnectionName, SpaceId};
use domain::operation::CaptureOrder;
use domain::outcome::Doubt;
use domain::time::Span;
use psp::Secret;
use runtime::connections::Accounts;
use runtime::secrets::{Credentials, ReadCredentials};
use std::sync::{Arc, Mutex};
use testkit::TestClock;
use testkit::builders::{self, NOW, psp_reference, space, transaction_id};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A sandbox's account on a socket of this machine: it accepts one key, and answers each call as having done it.
struct FakePsp {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    accepts: String,
    /// What happens while a call is answered.
    meanwhile: Option<Box<dyn Fn() + Send>>,
    /// Of each call the method, the key and the idempotency key.
    calls: Vec<[String; 3]>,
}

impl FakePsp {
    async fn accepting(key: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { accepts: key.to_owned(), ..State::default() }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                while !is_whole(&bytes) {
                    assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the request broke off");
                }
                let (status, body) = shared.lock().unwrap().answer(&String::from_utf8(bytes).unwrap());
                let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).await.unwrap();
            }
        });
        Self { url, state }
    }

    fn accepts(&self, key: &str) {
        self.state.lock().unwrap().accepts = key.to_owned();
    }

    /// What was called since the last look.
    fn calls(&self) -> Vec<[String; 3]> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// The keys that those calls came with.
    fn keys(&self) -> Vec<String> {
        self.calls().into_iter().map(|[_, key, _]| key).collect()
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    body.len() >= header(head, "content-length").parse().unwrap_or(0)
}

fn header(head: &str, name: &str) -> String {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find(|(header, _)| header.eq_ignore_ascii_case(name)).map_or(String::new(), |(_, value)| value.to_owned())
}

impl State {
    fn answer(&mut self, request: &str) -> (u16, String) {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let key = header(head, "authorization").replace("Bearer ", "");
        let method = head.split(' ').next().unwrap().to_owned();
        self.calls.push([method, key.clone(), header(head, "idempotency-key")]);
        self.meanwhile.iter().for_each(|meanwhile| meanwhile());
        if key != self.accepts {
            return (401, String::new());
        }
        let asked: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let amount = asked["amount"].as_str().unwrap_or("100.00");
        let done = serde_json::json!({
            "id": "sbx_1", "reference": asked["reference"], "amount": amount, "currency": "EUR", "status": "succeeded",
        });
        match head.starts_with("GET ") {
            true => (404, r#"{"error":{"code":"not-found"}}"#.to_owned()),
            false => (201, done.to_string()),
        }
    }
}

/// Settings and credentials as an operator writes them, and how often they were read.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Operator>>);

#[derive(Default)]
struct Operator {
    url: String,
    credentials: Credentials,
    is_away: bool,
    is_removed: bool,
    /// What happens while credentials are read.
    meanwhile: Option<Box<dyn Fn() + Send>>,
    reads: usize,
}

impl Written {
    fn write(&self, secret_key: &str, webhook_secret: &str) {
        let credentials = [("secretKey", secret_key), ("webhookSecret", webhook_secret)];
        self.0.lock().unwrap().credentials = credentials.map(|(name, text)| (name.to_owned(), Secret::new(text))).into();
    }

    fn is_away(&self, is_away: bool) {
        self.0.lock().unwrap().is_away = is_away;
    }

    fn reads(&self) -> usize {
        self.0.lock().unwrap().reads
    }
}

impl ConnectionSettings for Written {
    async fn find_connection(&self, space: SpaceId, name: &ConnectionName) -> Result<Option<Connection>, StoreError> {
        let operator = self.0.lock().unwrap();
        let settings = format!(r#"{{"baseUrl":"{}"}}"#, operator.url);
        Ok((!operator.is_removed).then(|| Connection { space, name: name.clone(), psp: "sandbox".to_owned(), settings }))
    }
}

impl ReadCredentials for Written {
    async fn credentials(&self, _: SpaceId, _: &ConnectionName) -> Result<Credentials, String> {
        let mut operator = self.0.lock().unwrap();
        operator.reads += 1;
        operator.meanwhile.iter().for_each(|meanwhile| meanwhile());
        if operator.is_away { Err("nobody there".to_owned()) } else { Ok(operator.credentials.clone()) }
    }
}

struct Scene {
    psp: FakePsp,
    written: Written,
    clock: TestClock,
    accounts: Accounts<Written, Written, TestClock>,
}

const SECRET: &str = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZA==";
const NEXT_SECRET: &str = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldw==";

impl Scene {
    /// An account whose PSP and operator agree on the key `old`; it has been opened once.
    async fn set() -> Self {
        let (psp, written, clock) = (FakePsp::accepting("old").await, Written::default(), TestClock::at(NOW));
        written.0.lock().unwrap().url = psp.url.clone();
        written.write("old", SECRET);
        let http = psp::http_client().unwrap();
        let accounts = Accounts::new(written.clone(), written.clone(), clock.clone(), http, true);
        let scene = Self { psp, written, clock, accounts };
        scene.open().await;
        assert_eq!(scene.written.reads(), 1);
        scene
    }

    async fn open(&self) -> Arc<dyn Psp> {
        self.try_open().await.ok().unwrap()
    }

    async fn try_open(&self) -> Result<Arc<dyn Psp>, NoConnection> {
        self.accounts.open(space(1), &builders::connection()).await
    }

    async fn read(&self) -> Reading {
        self.open().await.read(&psp_reference("sb_1")).await
    }

    async fn capture(&self, attempt: Attempt) -> Outcome {
        self.open().await.capture(&order(), attempt).await
    }

    /// So much time passes by the clock, whenever it is called.
    fn passing(&self, millis: i64) -> Option<Box<dyn Fn() + Send>> {
        let clock = self.clock.clone();
        Some(Box::new(move || clock.advance(Span::from_millis(millis))))
    }

    /// Whether a webhook counts that is signed with this secret.
    async fn receive(&self, secret: &str) -> bool {
        self.hear(secret).await.is_ok()
    }

    async fn hear(&self, secret: &str) -> Result<WebhookEvent, WebhookRefused> {
        let (id, seconds, body) = ("msg_1", self.clock.now().seconds(), r#"{"type":"payout.paid"}"#);
        let signature = standardwebhooks::Webhook::new(secret).unwrap().sign(id, seconds, body.as_bytes()).unwrap();
        let headers = [("webhook-id", id.to_owned()), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signature)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
        let raw = RawWebhook { headers, body: body.as_bytes().to_vec() };
        self.open().await.webhook(&raw, self.clock.now()).await
    }
}

fn order() -> CaptureOrder {
    let begun = builders::begun(space(1), transaction_id(1), &builders::import_command("sb_1"));
    let imported = builders::completed(&begun, &builders::payment("sb_1")).transaction;
    let change = builders::capture_requested(&imported, "k", &builders::capture_of("10.00"));
    CaptureOrder::of(&change.transaction, &change.created[0]).unwrap()
}

fn call(method: &str, key: &str, idempotency_key: &str) -> [String; 3] {
    [method, key, idempotency_key].map(str::to_owned)
}

#[tokio::test]
async fn a_rotated_key_is_read_again_and_the_call_repeated_with_the_same_idempotency_key() {
    let scene = Scene::set().await;
    scene.psp.accepts("new");
    scene.written.write("new", SECRET);
    assert!(matches!(scene.capture(Attempt::First).await, Outcome::Succeeded { .. }));
    assert_eq!(scene.psp.calls(), [call("POST", "old", "psp-key-k"), call("POST", "new", "psp-key-k")]);
    assert_eq!(scene.written.reads(), 2);
    // From then on it is what everybody uses.
    assert_eq!(scene.read().await, Reading::NotFound);
    assert_eq!((scene.psp.keys(), scene.written.reads()), (vec!["new".to_owned()], 2));
}

#[tokio::test]
async fn what_was_opened_before_the_rotation_uses_what_others_have_read_since() {
    let scene = Scene::set().await;
    scene.psp.accepts("new");
    scene.written.write("new", SECRET);
    let psp = scene.open().await;
    assert_eq!(psp.read(&psp_reference("sb_1")).await, Reading::NotFound);
    assert!(matches!(psp.capture(&order(), Attempt::First).await, Outcome::Succeeded { .. }));
    assert_eq!((scene.psp.keys(), scene.written.reads()), (["old", "new", "old", "new"].map(str::to_owned).to_vec(), 2));
}

#[tokio::test]
async fn where_nothing_has_changed_the_first_answer_stands() {
    let scene = Scene::set().await;
    scene.psp.accepts("new");
    let outcome = scene.capture(Attempt::First).await;
    assert!(matches!(&outcome, Outcome::Refused(failure) if failure.code == "credentials-refused-by-psp"), "{outcome:?}");
    assert_eq!((scene.psp.keys(), scene.written.reads()), (vec!["old".to_owned()], 2));
    // What was in doubt before is not a failure now.
    assert_eq!(scene.capture(Attempt::AfterDoubt).await, Outcome::Unknown(Doubt::CredentialsRefused));
    assert_eq!(scene.read().await, Reading::CredentialsRefused);
}

#[tokio::test]
async fn new_credentials_that_do_not_count_either_are_not_tried_twice() {
    let scene = Scene::set().await;
    scene.psp.accepts("newest");
    scene.written.write("new", SECRET);
    assert_eq!(scene.capture(Attempt::AfterDoubt).await, Outcome::Unknown(Doubt::CredentialsRefused));
    assert_eq!(scene.psp.keys(), ["old", "new"]);
    assert_eq!(scene.capture(Attempt::AfterDoubt).await, Outcome::Unknown(Doubt::CredentialsRefused));
    assert_eq!((scene.psp.keys(), scene.written.reads()), (vec!["new".to_owned()], 2));
}

#[tokio::test]
async fn what_cannot_be_read_again_leaves_the_first_answer() {
    let scene = Scene::set().await;
    scene.psp.accepts("new");
    scene.written.is_away(true);
    assert_eq!(scene.read().await, Reading::CredentialsRefused);
    assert_eq!(scene.read().await, Reading::CredentialsRefused);
    assert_eq!(scene.written.reads(), 2, "a failure counts as the one time");
}

#[tokio::test]
async fn a_new_webhook_secret_is_read_when_a_signature_does_not_verify() {
    let scene = Scene::set().await;
    assert!(scene.receive(SECRET).await);
    assert_eq!(scene.written.reads(), 1);
    scene.written.write("old", NEXT_SECRET);
    assert!(scene.receive(NEXT_SECRET).await, "no webhook is lost by the rotation");
    assert!(!scene.receive(SECRET).await, "what was taken away does not count any more");
    assert_eq!(scene.written.reads(), 2);
}

#[tokio::test]
async fn a_flood_of_forged_webhooks_reads_no_more_often_than_the_bound() {
    let scene = Scene::set().await;
    // 300 at once in each of ten steps of ten seconds: the bound is 30 s, so four times within 90 s.
    for step in 0..10 {
        let flood = futures_util::future::join_all((0..300).map(|_| scene.receive(NEXT_SECRET))).await;
        assert!(flood.iter().all(|is_accepted| !is_accepted));
        assert_eq!(scene.written.reads(), 2 + step / 3, "after {step}0 s");
        scene.clock.advance(Span::from_seconds(10));
    }
    assert!(scene.receive(SECRET).await, "who signs right is not held up");
}

#[tokio::test]
async fn calls_at_the_same_time_are_all_repeated_after_one_reading() {
    let scene = Scene::set().await;
    scene.psp.accepts("new");
    scene.written.write("new", SECRET);
    let readings = futures_util::future::join_all((0..20).map(|_| scene.read())).await;
    assert!(readings.iter().all(|reading| *reading == Reading::NotFound), "{readings:?}");
    assert_eq!(scene.written.reads(), 2);
}

#[tokio::test]
async fn the_bound_outlives_the_time_for_which_a_connection_is_kept() {
    let scene = Scene::set().await;
    scene.clock.advance(Span::from_seconds(290));
    assert!(!scene.receive(NEXT_SECRET).await);
    assert_eq!(scene.written.reads(), 2);
    scene.clock.advance(Span::from_seconds(15));
    assert!(!scene.receive(NEXT_SECRET).await);
    assert_eq!(scene.written.reads(), 3, "the time was over: opened anew, and not read again at once");
}

#[tokio::test]
async fn a_refusal_that_took_long_reads_nothing_again() {
    let scene = Scene::set().await;
    scene.psp.accepts("new");
    scene.written.write("new", SECRET);
    scene.psp.state.lock().unwrap().meanwhile = scene.passing(1_001);
    assert_eq!(scene.capture(Attempt::AfterDoubt).await, Outcome::Unknown(Doubt::CredentialsRefused));
    assert_eq!((scene.psp.keys(), scene.written.reads()), (vec!["old".to_owned()], 1));
    // The next one that is refused at once has them read.
    scene.psp.state.lock().unwrap().meanwhile = None;
    assert!(matches!(scene.capture(Attempt::AfterDoubt).await, Outcome::Succeeded { .. }));
}

#[tokio::test]
async fn after_a_reading_that_took_long_nothing_is_repeated_and_what_was_read_is_for_the_next() {
    let scene = Scene::set().await;
    scene.psp.accepts("new");
    scene.written.write("new", SECRET);
    scene.written.0.lock().unwrap().meanwhile = scene.passing(1_001);
    assert_eq!(scene.capture(Attempt::AfterDoubt).await, Outcome::Unknown(Doubt::CredentialsRefused));
    assert_eq!((scene.psp.keys(), scene.written.reads()), (vec!["old".to_owned()], 2));
    assert!(matches!(scene.capture(Attempt::AfterDoubt).await, Outcome::Succeeded { .. }));
    assert_eq!((scene.psp.keys(), scene.written.reads()), (vec!["new".to_owned()], 2));
}

#[tokio::test]
async fn a_webhook_that_cannot_be_verified_because_nothing_can_be_read_is_not_called_forged() {
    let scene = Scene::set().await;
    scene.written.write("old", NEXT_SECRET);
    scene.written.is_away(true);
    // Within the bound nothing is read a second time, and still nobody can tell.
    for _ in 0..2 {
        assert_eq!(scene.hear(NEXT_SECRET).await, Err(WebhookRefused::TryLater("nobody there".to_owned())));
        assert_eq!(scene.written.reads(), 2);
    }
    assert!(scene.receive(SECRET).await, "what verifies is taken meanwhile");
    scene.written.is_away(false);
    scene.clock.advance(Span::from_seconds(30));
    assert!(scene.receive(NEXT_SECRET).await);
    assert_eq!(scene.hear(SECRET).await, Err(WebhookRefused::Forged));
}

#[tokio::test]
async fn what_was_kept_is_used_on_for_an_hour_where_it_cannot_be_read_again() {
    let scene = Scene::set().await;
    scene.written.is_away(true);
    scene.clock.advance(Span::from_seconds(301));
    for reads in 2..5 {
        for _ in 0..10 {
            assert!(matches!(scene.capture(Attempt::First).await, Outcome::Succeeded { .. }));
        }
        assert_eq!(scene.written.reads(), reads, "tried again every 30 s");
        scene.clock.advance(Span::from_seconds(30));
    }
    scene.clock.advance(Span::from_seconds(3_600 - 301 - 90 - 5));
    assert!(scene.receive(SECRET).await);
    scene.clock.advance(Span::from_seconds(6));
    assert!(matches!(scene.try_open().await, Err(NoConnection::Unusable(detail)) if detail == "nobody there"));
    scene.written.is_away(false);
    assert!(scene.receive(SECRET).await);
}

#[tokio::test]
async fn as_soon_as_it_can_be_read_again_it_is() {
    let scene = Scene::set().await;
    scene.written.is_away(true);
    scene.clock.advance(Span::from_seconds(301));
    assert!(scene.receive(SECRET).await);
    scene.written.write("old", NEXT_SECRET);
    scene.written.is_away(false);
    scene.clock.advance(Span::from_seconds(30));
    assert!(scene.receive(NEXT_SECRET).await);
    assert_eq!(scene.written.reads(), 3);
    scene.clock.advance(Span::from_seconds(290));
    assert!(scene.receive(NEXT_SECRET).await);
    assert_eq!(scene.written.reads(), 3, "and kept as long as ever");
}

#[tokio::test]
async fn a_connection_that_was_taken_away_is_closed_whatever_was_kept() {
    let scene = Scene::set().await;
    scene.written.0.lock().unwrap().is_removed = true;
    scene.clock.advance(Span::from_seconds(301));
    assert!(matches!(scene.try_open().await, Err(NoConnection::NotFound)));
    scene.written.is_away(true);
    scene.written.0.lock().unwrap().is_removed = false;
    assert!(matches!(scene.try_open().await, Err(NoConnection::Unusable(_))), "it is forgotten");
}
