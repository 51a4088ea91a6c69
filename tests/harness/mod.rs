//! What every test over HTTP needs: a running system, a caller with a key, answers that are easy to look at.

mod answer;
pub mod canary;
pub mod config;
pub mod description;
pub mod fake_psp;
pub mod random;
pub mod raw;
pub mod server;
pub mod stripe;
pub mod webhook;

pub use answer::Answer;
pub use server::{Server, data_folder};

use ::api::routes::{ROUTES, Route};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

/// A caller of the API of one space, and the sandbox PSP behind it.
#[derive(Clone)]
pub struct Api {
    pub url: String,
    pub key: String,
    pub sandbox: String,
    pub space: u64,
    pub http: Client,
    /// Kept alive as long as somebody calls it; none for a stack that runs elsewhere.
    pub server: Option<std::sync::Arc<Server>>,
}

impl Api {
    /// The stack that the environment names, or a dev server of this test's own.
    pub async fn start() -> Self {
        match environment("API_URL") {
            Some(url) => {
                let needed = |name: &str| environment(name).unwrap_or_else(|| panic!("API_URL is set, {name} is not"));
                let space = environment("API_SPACE").and_then(|space| space.parse().ok()).unwrap_or(1);
                Self { url, key: needed("API_KEY"), sandbox: needed("SANDBOX_URL"), space, http: client(), server: None }
            }
            None => Self::local(&[]).await,
        }
    }

    /// A dev server of this test's own, with these arguments.
    pub async fn local(arguments: &[&str]) -> Self {
        Self::of(Server::start(arguments).await)
    }

    pub fn of(server: Server) -> Self {
        let text = |name: &str| server.ready[name].as_str().unwrap_or_default().to_owned();
        let (url, key, sandbox) = (text("url"), text("apiKey"), text("sandbox"));
        let space = server.ready["space"].as_u64().unwrap_or(1);
        Self { url, key, sandbox, space, http: client(), server: Some(server.into()) }
    }

    /// The same system, called with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, None, &body.to_string()).await
    }

    /// A command under an idempotency key.
    pub async fn command(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.post_text(path, Some(key), &body.to_string()).await
    }

    /// A body as it is written here, so that numbers keep their digits.
    pub async fn post_text(&self, path: &str, key: Option<&str>, body: &str) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json").body(body.to_owned());
        Answer::of(if let Some(key) = key { request.header("idempotency-key", key) } else { request }).await
    }

    /// A payment as a shop's plugin makes it: authorized, not captured.
    pub async fn payment(&self, amount: &str, currency: &str) -> Payment {
        self.payment_of(&json!({"amount": amount, "currency": currency, "merchantReference": "SO-1", "captureMode": "manual"})).await
    }

    pub async fn payment_of(&self, body: &Value) -> Payment {
        let answer = Answer::of(self.http.post(format!("{}/payments", self.sandbox)).body(body.to_string())).await.expect(201);
        Payment { id: answer.text("/id"), amount: answer.text("/amount"), currency: answer.text("/currency") }
    }

    /// The payment as the sandbox shows it to people; looking counts as no call.
    pub async fn at_sandbox(&self, payment: &Payment) -> Answer {
        Answer::of(self.http.get(format!("{}/payments/{}", self.sandbox, payment.id))).await.expect(200)
    }

    /// Makes the sandbox fail for one payment.
    pub async fn fault(&self, payment: &Payment, on: &str, fault: &str, times: u32) {
        let body = json!({"on": on, "fault": fault, "times": times, "payment": payment.id});
        let answer = Answer::of(self.http.post(format!("{}/faults", self.sandbox)).body(body.to_string())).await;
        assert!((200..300).contains(&answer.status), "{answer}");
    }

    /// Keeps the sandbox from being read for this payment, so that no webhook settles what a test wants to see open.
    pub async fn unreadable(&self, payment: &Payment) {
        self.fault(payment, "read", "error-503", 50).await;
    }

    pub async fn import(&self, payment: &Payment) -> Answer {
        self.post("/v1/transactions/import", &payment.command()).await
    }

    /// An authorized payment of this amount, imported: its transaction's path, and the payment.
    pub async fn imported(&self, amount: &str, currency: &str) -> (String, Payment) {
        let payment = self.payment(amount, currency).await;
        let answer = self.import(&payment).await.expect(201);
        assert_eq!(answer.text("/importState"), "IMPORT_COMPLETED", "{answer}");
        (format!("/v1/transactions/{}", answer.number("/id")), payment)
    }

    /// Captures and expects success.
    pub async fn captured(&self, transaction: &str, amount: &str) -> Answer {
        let answer = self.command(&format!("{transaction}/captures"), &unique("capture"), &json!({"amount": amount})).await.expect(201);
        assert_eq!(answer.text("/state"), "SUCCESSFUL", "{answer}");
        answer
    }

    /// What somebody does at the PSP by hand: a capture, refund or void of the sandbox's own, with the key of this space's connection.
    /// Only where that can be guessed.
    pub async fn office(&self, payment: &Payment, kind: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}/v1/payments/{}/{kind}s", self.sandbox, payment.id)).bearer_auth("sk_sandbox_1_sandbox");
        Answer::of(request.header("idempotency-key", unique("office")).body(body.to_string())).await.expect(201)
    }

    /// A capture, refund or void that waits for a person: it never got to the PSP, and somebody did something else there by hand under
    /// its reference. Its path, and the payment, of which 49.90 are authorized. For systems whose PSP tells them nothing (`quiet`).
    pub async fn manual_check(&self, kind: &str) -> (String, Payment) {
        let (transaction, payment) = self.imported("49.90", "EUR").await;
        if kind == "refund" {
            self.captured(&transaction, "30.00").await;
        }
        self.fault(&payment, kind, "lost-request", 1).await;
        let order = if kind == "void" { json!({}) } else { json!({"amount": "20.00"}) };
        let lost = self.command(&format!("{transaction}/{kind}s"), "lost", &order).await.expect(201);
        assert_eq!(lost.text("/state"), "UNKNOWN", "{lost}");
        let reference = format!("{}-{}-{}", self.space, lost.number("/transactionId"), lost.number("/id"));
        let five = json!({"amount": "5.00", "currency": "EUR"});
        match kind {
            "void" => {
                self.office(&payment, "capture", &five).await;
                self.office(&payment, "void", &json!({"reference": reference})).await;
            }
            _ => drop(self.office(&payment, kind, &with(&five, "reference", reference)).await),
        }
        self.post(&format!("{transaction}/reconcile"), &json!({})).await.expect(200);
        let path = lost.header("location").to_owned();
        let operation = self.get(&path).await;
        assert_eq!(operation.text("/state"), "MANUAL_CHECK", "a {kind} that is another at the PSP: {operation}");
        (path, payment)
    }

    /// Reads again until it is so, or fails with what was read last.
    pub async fn until(&self, path: &str, so: impl Fn(&Answer) -> bool) -> Answer {
        for _ in 0..100 {
            let answer = self.get(path).await;
            if so(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("waited 10 s in vain; last: {}", self.get(path).await)
    }
}

/// The commands that move money, as they follow a transaction's path: `captures` and the others. From the list of routes, so
/// that a new one is in every test that goes over them.
pub fn commands() -> impl Iterator<Item = &'static str> {
    let moves_money = |route: &&Route| route.scope.is_some_and(|scope| matches!(scope.as_str(), "capture" | "refund" | "void"));
    let names = ROUTES.iter().filter(moves_money).filter_map(|route| route.path.strip_prefix("/v1/transactions/{id}/"));
    names.inspect(|name| assert!(!name.contains('/'), "{name}"))
}

/// A payment at the sandbox.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: String,
    pub amount: String,
    pub currency: String,
}

impl Payment {
    /// The import command for it.
    pub fn command(&self) -> Value {
        json!({
            "connection": "sandbox",
            "pspReference": self.id,
            "merchantReference": "SO-1",
            "amount": self.amount,
            "currency": self.currency,
        })
    }
}

/// The command with one property put in or replaced.
pub fn with(command: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut command = command.clone();
    command[name] = value.into();
    command
}

/// The amounts of a transaction's captures, as their digits stand in the answer.
pub fn captured_of(whole: &Answer) -> Vec<String> {
    let captures = whole.text.split("\"captures\":").nth(1).and_then(|rest| rest.split("\"refunds\":").next()).unwrap_or_default();
    Answer { status: whole.status, headers: HeaderMap::new(), text: captures.to_owned(), body: Value::Null }.digits("amount")
}

/// The JSON with blanks behind it, so many bytes in all.
pub fn padded(json: &str, bytes: usize) -> String {
    json.to_owned() + &" ".repeat(bytes - json.len())
}

/// A key that no other command of this run has.
pub fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[expect(clippy::disallowed_methods, reason = "the environment says which system is tested")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub fn client() -> Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("protocol versions");
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(Duration::from_secs(40)).build().expect("a client")
}

/// Leaves a test that needs a server of its own when the suite runs against a stack elsewhere.
#[macro_export]
macro_rules! local_only {
    () => {
        if $crate::harness::environment("API_URL").is_some() {
            eprintln!("skipped: needs a dev server of its own");
            return;
        }
    };
}
