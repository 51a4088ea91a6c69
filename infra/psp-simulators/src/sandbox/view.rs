//! Payments and operations as both sides of the API show them.

use crate::sandbox::Broken;
use crate::sandbox::payment::{Calls, CaptureMode, KeyUse, Kind, Operation, OperationStatus, Payment, Phase};
use domain::{Minor, Money};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Amounts are decimal strings in major units with exactly the currency's decimals; moments are RFC 3339 in UTC.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    id: String,
    account: String,
    mode: &'static str,
    status: &'static str,
    pub amount: String,
    currency: String,
    merchant_reference: Option<String>,
    capture_mode: CaptureMode,
    captured: String,
    refunded: String,
    /// Released by a void, by a final capture or by expiry.
    voided: String,
    created_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorized_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_on: Option<String>,
    captures: Vec<OperationView>,
    refunds: Vec<OperationView>,
    voids: Vec<OperationView>,
    /// For the shop's side alone, like the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<KeyView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<Calls>,
}

/// An idempotency key, and how many requests came with it.
#[derive(Serialize)]
pub struct KeyView {
    call: &'static str,
    key: String,
    requests: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationView {
    id: String,
    reference: Option<String>,
    amount: String,
    currency: String,
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    last: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    status: OperationStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<String>,
    created_on: String,
}

/// As the merchant sees it.
pub fn payment(payment: &Payment, now: i64) -> Result<PaymentView, Broken> {
    let balance = payment.balance(now)?;
    let (authorized_on, expires_on) = match payment.phase {
        Phase::Authorized { on, expires_on } => (Some(rfc3339(on)?), Some(rfc3339(expires_on)?)),
        Phase::Pending | Phase::Failed => (None, None),
    };
    let decimal = |amount: Minor| payment.money(amount).to_string();
    let list = |kind| payment.of_kind(kind).map(|o| operation(o, payment.money(o.amount))).collect::<Result<Vec<_>, _>>();
    Ok(PaymentView {
        id: payment.id.clone(),
        account: payment.account.clone(),
        mode: "test",
        status: balance.status.as_str(),
        amount: decimal(payment.amount),
        currency: payment.currency.to_string(),
        merchant_reference: payment.merchant_reference.clone(),
        capture_mode: payment.capture_mode,
        captured: decimal(balance.captured),
        refunded: decimal(balance.refunded),
        voided: decimal(balance.released),
        created_on: rfc3339(payment.created_on)?,
        authorized_on,
        expires_on,
        captures: list(Kind::Capture)?,
        refunds: list(Kind::Refund)?,
        voids: list(Kind::Void)?,
        keys: None,
        calls: None,
    })
}

/// As the shop and tests see it: with the counters and the keys.
pub fn payment_with_calls(shown: &Payment, now: i64) -> Result<PaymentView, Broken> {
    let key = |used: &KeyUse| KeyView { call: used.kind.as_str(), key: used.key.clone(), requests: used.requests };
    Ok(PaymentView { keys: Some(shown.keys.iter().map(key).collect()), calls: Some(shown.calls), ..payment(shown, now)? })
}

/// `shown` is the operation's amount, unless a fault wants another one to be named.
pub fn operation(operation: &Operation, shown: Money) -> Result<OperationView, Broken> {
    Ok(OperationView {
        id: operation.id.clone(),
        reference: operation.reference.clone(),
        amount: shown.to_string(),
        currency: shown.currency.to_string(),
        last: (operation.kind == Kind::Capture).then_some(operation.last),
        reason: operation.reason.clone(),
        status: operation.status,
        failure_code: operation.failure_code.clone(),
        created_on: rfc3339(operation.created_on)?,
    })
}

/// Whole seconds, `2026-11-22T10:00:00Z`.
pub fn rfc3339(millis: i64) -> Result<String, Broken> {
    Ok(OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000))?.format(&Rfc3339)?)
}

/// What the fault `wrong-amount` names: one minor unit less than the truth.
pub fn wrong(money: Money) -> Result<Money, Broken> {
    let amount = money.amount.minus(Minor::new(1)).map_err(|domain::money::Overflow| "amount out of range")?;
    Ok(Money::new(amount, money.currency))
}
