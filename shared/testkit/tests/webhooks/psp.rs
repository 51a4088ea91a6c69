//! Connections to PSPs: the real adapters verify and parse webhooks, and what is read is what the test says.

use app::ports::psp::{Attempt, RawWebhook, Reading, WebhookEvent, WebhookRefused};
use app::ports::{Connections, NoConnection, Psp};
use async_trait::async_trait;
use domain::id::{ConnectionName, PspReference, SpaceId};
use domain::operation::{CaptureOrder, RefundOrder, VoidOrder};
use domain::outcome::Doubt;
use domain::payment::PspPayment;
use domain::{Capabilities, Outcome, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use psp::{Account, Secret};
use serde_json::json;
use sha2::Sha256;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use testkit::builders::space;

/// An account at a PSP, and how it signs.
pub struct Signer {
    pub space: SpaceId,
    pub connection: ConnectionName,
    pub psp: &'static str,
    secret: String,
}

impl Signer {
    pub fn new(space_number: u64, connection: &str, psp: &'static str) -> Self {
        let text = format!("{space_number}-{connection}");
        // Standard Webhooks: base64 behind the prefix. Stripe takes the whole text as it stands.
        let secret = format!("whsec_{}", text.replace('-', "A").repeat(8).chars().take(32).collect::<String>());
        Self { space: space(space_number), connection: ConnectionName::parse(connection).unwrap(), psp, secret }
    }

    /// The same account with a secret of somebody else.
    pub fn with_secret_of(&self, other: &Signer) -> Self {
        Self { connection: self.connection.clone(), secret: other.secret.clone(), ..*self }
    }

    /// A webhook as the PSP sends it.
    pub fn sign(&self, event: &str, now: Timestamp, body: &str) -> RawWebhook {
        let seconds = now.seconds();
        let headers = match self.psp {
            "stripe" => vec![("stripe-signature".to_owned(), format!("t={seconds},v1={}", self.stripe_signature(seconds, body)))],
            _ => {
                let reference = standardwebhooks::Webhook::new(&self.secret).unwrap();
                let signature = reference.sign(event, seconds, body.as_bytes()).unwrap();
                let headers = [("webhook-id", event), ("webhook-timestamp", &seconds.to_string()), ("webhook-signature", &signature)];
                headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
            }
        };
        RawWebhook { headers, body: body.as_bytes().to_vec() }
    }

    fn stripe_signature(&self, seconds: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(format!("{seconds}.{body}").as_bytes());
        mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// What the PSP tells about a payment under this event id.
    pub fn body(&self, event: &str, payment: &str) -> String {
        match self.psp {
            "stripe" => json!({"id": event, "object": "event", "type": "payment_intent.amount_capturable_updated",
                "data": {"object": {"id": payment, "object": "payment_intent"}}}),
            _ => json!({"type": "payment.authorized", "timestamp": "2026-11-22T10:00:00Z", "data": {"paymentId": payment}}),
        }
        .to_string()
    }

    fn adapter(&self) -> Arc<dyn Psp> {
        let settings = json!({"baseUrl": "http://127.0.0.1:1"}).as_object().unwrap().clone();
        let credentials = [("secretKey", "sk_test_1"), ("webhookSecret", &self.secret)];
        let credentials = credentials.into_iter().map(|(name, text)| (name.to_owned(), Secret::new(text))).collect();
        let account = Account { settings, credentials, allow_loopback: true };
        psp::open(self.psp, account, psp::http_client().unwrap()).unwrap()
    }
}

/// What the PSPs hold, by its id.
pub type Payments = Arc<Mutex<HashMap<PspReference, PspPayment>>>;

/// All connections of an installation.
pub struct Accounts(HashMap<(SpaceId, ConnectionName), Arc<dyn Psp>>);

impl Accounts {
    pub fn open(signers: &[Signer], payments: &Payments) -> Self {
        let opened = |signer: &Signer| {
            let psp: Arc<dyn Psp> = Arc::new(Remote { adapter: signer.adapter(), payments: Arc::clone(payments) });
            ((signer.space, signer.connection.clone()), psp)
        };
        Self(signers.iter().map(opened).collect())
    }
}

impl Connections for Accounts {
    async fn open(&self, space: SpaceId, name: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        self.0.get(&(space, name.clone())).cloned().ok_or(NoConnection::NotFound)
    }
}

/// An account whose payments the test holds. No call that moves money gets an answer.
struct Remote {
    adapter: Arc<dyn Psp>,
    payments: Payments,
}

#[async_trait]
impl Psp for Remote {
    fn name(&self) -> &'static str {
        self.adapter.name()
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.adapter.capabilities()
    }

    async fn read(&self, reference: &PspReference) -> Reading {
        // On the way there, and on the way back, a worker can be killed and the payment can move on.
        tokio::task::yield_now().await;
        let found = self.payments.lock().unwrap().get(reference).cloned();
        tokio::task::yield_now().await;
        found.map_or(Reading::NotFound, |payment| Reading::Found(Box::new(payment)))
    }

    async fn capture(&self, _: &CaptureOrder, _: Attempt) -> Outcome {
        Outcome::Unknown(Doubt::NoAnswer)
    }

    async fn refund(&self, _: &RefundOrder, _: Attempt) -> Outcome {
        Outcome::Unknown(Doubt::NoAnswer)
    }

    async fn void(&self, _: &VoidOrder, _: Attempt) -> Outcome {
        Outcome::Unknown(Doubt::NoAnswer)
    }

    async fn webhook(&self, raw: &RawWebhook, now: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        self.adapter.webhook(raw, now).await
    }
}
