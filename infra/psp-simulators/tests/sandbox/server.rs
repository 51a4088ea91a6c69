//! A sandbox on a free port, and short words to speak to it.

use psp_simulators::{Account, Sandbox, Storage};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2026-11-15T10:00:00Z.
pub const START: i64 = 1_794_736_800_000;
pub const DEMO: &str = "sk_demo";
pub const OTHER: &str = "sk_other";
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub struct Server {
    pub url: String,
    pub sandbox: Sandbox,
    pub now: Arc<AtomicI64>,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug, PartialEq)]
pub struct Seen {
    pub status: u16,
    pub body: Value,
    pub replayed: bool,
}

impl Seen {
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// `201` or `422 amount-too-large`.
    pub fn verdict(&self) -> String {
        match self.body["error"]["code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}

pub fn accounts(webhook_url: Option<&str>) -> Vec<Account> {
    [("demo", DEMO), ("other", OTHER)]
        .map(|(name, key)| Account {
            name: name.to_owned(),
            secret_key: key.to_owned(),
            webhook_url: webhook_url.map(str::to_owned),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
        })
        .into()
}

pub fn http() -> reqwest::Client {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(Storage::Memory, None, START).await
    }

    pub async fn start_with(storage: Storage, webhook_url: Option<&str>, now: i64) -> Self {
        let now = Arc::new(AtomicI64::new(now));
        let clock = Arc::clone(&now);
        let clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let sandbox = Sandbox::open(storage, accounts(webhook_url), clock, http()).unwrap();
        let router = axum::Router::new().nest("/sandbox", sandbox.router());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sandbox", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, sandbox, now, http: http() }
    }

    pub fn pass(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Seen> {
        let response = request.send().await?;
        let replayed = response.headers().get("idempotent-replayed").is_some_and(|v| v == "true");
        Ok(Seen { status: response.status().as_u16(), replayed, body: response.json().await? })
    }

    /// The shop's side, POST.
    pub async fn shop(&self, path: &str, body: Value) -> Seen {
        self.send(self.http.post(format!("{}{path}", self.url)).json(&body)).await.unwrap()
    }

    /// A body as it is written.
    pub async fn shop_raw(&self, path: &str, body: &'static str) -> Seen {
        self.send(self.http.post(format!("{}{path}", self.url)).body(body)).await.unwrap()
    }

    pub async fn look(&self, payment: &str) -> Seen {
        self.send(self.http.get(format!("{}/payments/{payment}", self.url))).await.unwrap()
    }

    /// Calls counted for the payment: read, capture, refund, void.
    pub async fn calls(&self, payment: &str) -> [u64; 4] {
        let seen = self.look(payment).await;
        ["read", "capture", "refund", "void"].map(|call| seen.body["calls"][call].as_u64().unwrap())
    }

    /// A manual payment in euro of the first account.
    pub async fn payment(&self, amount: &str) -> String {
        let seen = self.shop("/payments", json!({ "amount": amount, "currency": "EUR", "merchantReference": "SO-1" })).await;
        assert_eq!((seen.status, seen.text("status")), (201, "authorized"), "{seen:?}");
        seen.text("id").to_owned()
    }

    pub async fn fault(&self, payment: &str, on: &str, fault: &str) {
        let seen = self.shop("/faults", json!({ "on": on, "fault": fault, "payment": payment })).await;
        assert_eq!(seen.status, 200, "{seen:?}");
    }

    pub async fn read(&self, payment: &str) -> reqwest::Result<Seen> {
        self.send(self.http.get(format!("{}/v1/payments/{payment}", self.url)).bearer_auth(DEMO)).await
    }

    pub fn command(&self, payment: &str, what: &str, key: &str, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/payments/{payment}/{what}", self.url);
        self.http.post(url).bearer_auth(DEMO).header("idempotency-key", key).json(body)
    }

    pub async fn try_capture(&self, payment: &str, amount: &str, key: &str) -> reqwest::Result<Seen> {
        self.send(self.command(payment, "captures", key, &json!({ "amount": amount, "currency": "EUR", "reference": key }))).await
    }

    pub async fn capture(&self, payment: &str, amount: &str, key: &str) -> Seen {
        self.try_capture(payment, amount, key).await.unwrap()
    }

    pub async fn final_capture(&self, payment: &str, amount: &str, key: &str) -> Seen {
        self.send(self.command(payment, "captures", key, &json!({ "amount": amount, "currency": "EUR", "final": true }))).await.unwrap()
    }

    pub async fn refund(&self, payment: &str, amount: &str, key: &str) -> Seen {
        self.send(self.command(payment, "refunds", key, &json!({ "amount": amount, "currency": "EUR", "reference": key }))).await.unwrap()
    }

    pub async fn void(&self, payment: &str, key: &str) -> Seen {
        self.send(self.command(payment, "voids", key, &json!({ "reference": key }))).await.unwrap()
    }

    /// `authorized captured 20.00 refunded 0.00 voided 0.00`, as the merchant reads it.
    pub async fn state(&self, payment: &str) -> String {
        let seen = self.read(payment).await.unwrap();
        let [captured, refunded, voided] = ["captured", "refunded", "voided"].map(|name| seen.text(name));
        format!("{} captured {captured} refunded {refunded} voided {voided}", seen.text("status"))
    }
}
