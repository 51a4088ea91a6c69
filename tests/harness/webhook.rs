//! Webhooks as the sandbox sends them, signed by the reference implementation of Standard Webhooks.

use super::config::webhook_secret;
use super::{Answer, Api, Payment, unique};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use sha2::Sha256;

/// A webhook that is about to be sent; a header that is empty is left out.
#[derive(Clone)]
pub struct Webhook {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Webhook {
    /// Signed now for an account (`<space>-<connection>`), under an event id of its own.
    pub fn signed(account: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::signed_at(&webhook_secret(account), &unique("msg"), now(), body)
    }

    pub fn signed_at(secret: &str, id: &str, timestamp: i64, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let reference = standardwebhooks::Webhook::new(secret).expect("a secret");
        // The reference implementation signs nothing but text.
        let signature = reference.sign(id, timestamp, &body).unwrap_or_else(|_| signature_of(secret, id, timestamp, &body));
        Self { id: id.to_owned(), timestamp: timestamp.to_string(), signature, content_type: "application/json", body }
    }

    /// To the endpoint of a connection: `1/sandbox`.
    pub async fn send(&self, api: &Api, place: &str) -> Answer {
        let headers = [("webhook-id", &self.id), ("webhook-timestamp", &self.timestamp), ("webhook-signature", &self.signature)];
        let request = api.http.post(format!("{}/v1/webhooks/{place}", api.url)).header(CONTENT_TYPE, self.content_type);
        // With a request id of the test's own, equal answers are equal to the byte.
        let request = request.header("x-request-id", "webhook").body(self.body.clone());
        let present = headers.into_iter().filter(|(_, value)| !value.is_empty());
        Answer::of(present.fold(request, |request, (name, value)| request.header(name, value))).await
    }
}

fn signature_of(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The body of an event about a payment.
pub fn event(kind: &str, payment: &Payment) -> String {
    json!({"type": kind, "timestamp": "2026-11-22T10:00:00Z", "data": {"paymentId": payment.id}}).to_string()
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "signatures are compared with the machine's clock")]
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a clock in range")
}
