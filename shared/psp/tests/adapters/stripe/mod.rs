//! The Stripe adapter: what it sends, what it reads, whose webhooks it believes.

/// An answer of Stripe as it stands beside the adapter.
macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../src/stripe/fixtures/", $name, ".json"))).unwrap()
    };
}

mod calls;
mod reading;
mod voids;
mod webhook;

use crate::outcomes::{Kind, Subject};
use app::ports::Psp;
use psp::{Account, Secret};
use serde_json::{Value, json};
use std::sync::Arc;

pub const PAYMENT: &str = "pi_3Collana0000001";

pub fn open(url: &str) -> Arc<dyn Psp> {
    open_with(url, json!({}))
}

pub fn open_with(url: &str, more: Value) -> Arc<dyn Psp> {
    open_signing(url, more, &[("webhookSecret", "whsec_new"), ("previousWebhookSecret", "whsec_previous")])
}

pub fn open_signing(url: &str, more: Value, webhook_secrets: &[(&str, &str)]) -> Arc<dyn Psp> {
    let mut settings = more.as_object().unwrap().clone();
    settings.insert("baseUrl".to_owned(), json!(url));
    let credentials = [&[("secretKey", "sk_test_secret")], webhook_secrets].concat();
    let credentials = credentials.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    let account = Account { settings, credentials, allow_loopback: true };
    psp::open("stripe", account, psp::http_client().unwrap()).ok().unwrap()
}

/// The fixture with these properties instead of its own.
pub fn with(mut fixture: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        fixture[name] = value.clone();
    }
    fixture
}

/// A PaymentIntent as a money call answers it: the charge is not expanded.
pub fn intent(changes: Value) -> Value {
    with(with(fixture!("payment_intent"), json!({"latest_charge": "ch_3Collana0000001"})), changes)
}

pub fn refund(changes: Value) -> Value {
    with(fixture!("refund"), changes)
}

pub fn error(status: u16, changes: Value) -> (u16, Value) {
    (status, json!({"error": with(fixture!("error")["error"].clone(), changes)}))
}

pub fn subjects() -> Vec<Subject> {
    let captured = json!({"status": "succeeded", "amount_capturable": 0, "amount_received": 1500});
    let subject = |name, kind, done, amount, other| Subject {
        name,
        open,
        payment: PAYMENT,
        kind,
        done: (200, done),
        amount: (amount, json!(other)),
        currency: json!("chf"),
        refusal: error(400, json!({})),
        decision: error(402, json!({"type": "card_error", "code": "card_declined"})),
        key_reused: error(400, json!({"type": "idempotency_error", "code": null})),
    };
    vec![
        subject("stripe capture", Kind::Capture, intent(captured), "/amount_received", 4990),
        subject("stripe refund", Kind::Refund, refund(json!({})), "/amount", 1501),
    ]
}

/// The fields of a form, as `name=value`.
pub fn decoded(body: &str) -> Vec<String> {
    body.split('&').map(|pair| pair.replace("%5B", "[").replace("%5D", "]").replace('+', " ")).collect()
}
