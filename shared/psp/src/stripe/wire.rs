//! Stripe's JSON, in its words. Only what is used; whatever may be absent in some state is optional.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) amount_capturable: Option<i64>,
    pub(super) amount_received: Option<i64>,
    pub(super) currency: String,
    pub(super) livemode: Option<bool>,
    pub(super) capture_method: Option<String>,
    pub(super) canceled_at: Option<i64>,
    pub(super) latest_charge: Option<Expandable<Charge>>,
    pub(super) last_payment_error: Option<Error>,
    pub(super) metadata: Option<Metadata>,
}

pub(super) type Metadata = BTreeMap<String, String>;

#[derive(Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) payment_intent: Option<Expandable<Identified>>,
    pub(super) payment_method_details: Option<PaymentMethodDetails>,
}

#[derive(Deserialize)]
pub(super) struct PaymentMethodDetails {
    pub(super) card: Option<CardDetails>,
}

#[derive(Deserialize)]
pub(super) struct CardDetails {
    pub(super) capture_before: Option<i64>,
    pub(super) multicapture: Option<Multicapture>,
}

#[derive(Deserialize)]
pub(super) struct Multicapture {
    pub(super) status: String,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) payment_intent: Option<Expandable<Identified>>,
    pub(super) created: Option<i64>,
    pub(super) failure_reason: Option<String>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(super) struct RefundList {
    pub(super) data: Vec<Refund>,
    pub(super) has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct CheckoutSession {
    pub(super) status: Option<String>,
    pub(super) payment_intent: Option<Expandable<Identified>>,
}

/// A reference to another object: its id, or the object itself where it was expanded.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

#[derive(Deserialize)]
pub(super) struct Identified {
    pub(super) id: String,
}

impl Expandable<Identified> {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => &object.id,
        }
    }
}

impl Expandable<Charge> {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(charge) => &charge.id,
        }
    }

    pub(super) fn object(&self) -> Option<&Charge> {
        match self {
            Self::Id(_) => None,
            Self::Object(charge) => Some(charge),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: Error,
}

#[derive(Deserialize)]
pub(super) struct Error {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) param: Option<String>,
}

/// Of an event's object only ids are looked at: the rest is a snapshot in the webhook endpoint's own API version.
#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) data: Option<EventData>,
}

#[derive(Deserialize)]
pub(super) struct EventData {
    pub(super) object: Option<Value>,
}
