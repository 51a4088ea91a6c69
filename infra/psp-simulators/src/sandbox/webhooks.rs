//! Webhooks: one per change, stored with the change, signed as Standard Webhooks asks.
//! Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

use crate::sandbox::Broken;
use crate::sandbox::engine::{Engine, draw_id};
use crate::sandbox::payment::{Operation, OperationStatus, Payment};
use crate::sandbox::storage::{Changes, StoredWebhook};
use crate::sandbox::view;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use std::time::Duration;

const POST_TIMEOUT: Duration = Duration::from_secs(15);

/// Tells the merchant that the payer was authorized, or was not.
pub fn tell_payment(engine: &Engine, changes: &Changes<'_>, payment: &Payment, what: &'static str) -> Result<(), Broken> {
    store(engine, changes, payment, &format!("payment.{what}"), None)
}

/// Tells the merchant how an operation ended; nothing yet of one that is still pending.
pub fn tell_operation(engine: &Engine, changes: &Changes<'_>, payment: &Payment, operation: &Operation) -> Result<(), Broken> {
    let result = match operation.status {
        OperationStatus::Pending => return Ok(()),
        OperationStatus::Succeeded => "succeeded",
        OperationStatus::Failed => "failed",
    };
    store(engine, changes, payment, &format!("{}.{result}", operation.kind.as_str()), Some(&operation.id))
}

fn store(engine: &Engine, changes: &Changes<'_>, payment: &Payment, kind: &str, operation: Option<&str>) -> Result<(), Broken> {
    if engine.merchant(&payment.account).is_none_or(|m| m.account.webhook_url.is_none()) {
        return Ok(());
    }
    let data = match operation {
        Some(operation) => json!({ "paymentId": payment.id, "operationId": operation }),
        None => json!({ "paymentId": payment.id }),
    };
    let body = json!({ "type": kind, "timestamp": view::rfc3339(engine.now())?, "data": data }).to_string();
    changes.add_webhook(draw_id("msg")?, &StoredWebhook { account: payment.account.clone(), body })
}

/// One attempt at delivery; `None` if the account has lost its URL meanwhile.
pub fn request(engine: &Engine, id: &str, webhook: StoredWebhook) -> Option<reqwest::RequestBuilder> {
    let merchant = engine.merchant(&webhook.account)?;
    let url = merchant.account.webhook_url.as_ref()?;
    let seconds = engine.now().div_euclid(1000);
    let signature = merchant.signing_key.sign(id, seconds, &webhook.body);
    let request = engine.http.post(url).timeout(POST_TIMEOUT).header("content-type", "application/json");
    let signed = request.header("webhook-id", id).header("webhook-timestamp", seconds.to_string()).header("webhook-signature", signature);
    Some(signed.body(webhook.body))
}

/// What webhooks of one account are signed with.
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// `whsec_` and base64.
    pub fn parse(secret: &str) -> Option<Self> {
        let bytes = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        Hmac::new_from_slice(&bytes).ok().map(Self)
    }

    fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_whsec_and_base64() {
        assert!(SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_some());
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64", ""] {
            assert!(SigningKey::parse(secret).is_none(), "{secret:?}");
        }
    }
}
