//! The sandbox's JSON, in its words.

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) mode: String,
    pub(super) status: PaymentStatus,
    pub(super) amount: String,
    pub(super) currency: String,
    /// Released of the authorization by voids.
    pub(super) voided: String,
    pub(super) authorized_on: Option<String>,
    pub(super) expires_on: Option<String>,
    pub(super) captures: Vec<Movement>,
    pub(super) refunds: Vec<Movement>,
    pub(super) voids: Vec<Movement>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PaymentStatus {
    Pending,
    Authorized,
    Captured,
    Voided,
    Failed,
    Expired,
}

/// A capture, refund or void.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Movement {
    pub(super) id: String,
    /// Our operation reference, where it was made through us.
    pub(super) reference: Option<String>,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) status: MovementStatus,
    pub(super) failure_code: Option<String>,
    pub(super) created_on: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum MovementStatus {
    Pending,
    Succeeded,
    Failed,
}

#[derive(Serialize)]
pub(super) struct CaptureRequest<'a> {
    pub(super) amount: String,
    pub(super) currency: &'a str,
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    pub(super) reference: &'a str,
}

#[derive(Serialize)]
pub(super) struct RefundRequest<'a> {
    pub(super) amount: String,
    pub(super) currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    pub(super) reference: &'a str,
}

#[derive(Serialize)]
pub(super) struct VoidRequest<'a> {
    pub(super) reference: &'a str,
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: Error,
}

#[derive(Deserialize)]
pub(super) struct Error {
    pub(super) code: String,
}

#[derive(Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) data: Option<EventData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventData {
    pub(super) payment_id: Option<String>,
}
