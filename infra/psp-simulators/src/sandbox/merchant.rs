//! The merchant's side, `/v1`: what the adapter `psp::sandbox` speaks. Every call names its account by its secret key.

use crate::sandbox::answer::{Answer, Problem, Reply};
use crate::sandbox::command::{self, Command, SLOW, broken_on_purpose, spoiled, unavailable};
use crate::sandbox::engine::{Engine, payment_of};
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::ledger::Order;
use crate::sandbox::payment::Payment;
use crate::sandbox::request::{Body, idempotency_key, money, text};
use crate::sandbox::view;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/v1/payments/{id}", get(read))
        .route("/v1/payments/{id}/captures", post(capture))
        .route("/v1/payments/{id}/refunds", post(refund))
        .route("/v1/payments/{id}/voids", post(void))
}

/// The payment with all its operations.
async fn read(State(engine): State<Arc<Engine>>, Path(id): Path<String>, headers: HeaderMap) -> Result<Reply, Problem> {
    let account = &engine.authenticate(&headers)?.name;
    let fault = engine.write(|changes| {
        let payment = payment_of(changes, account, &id)?;
        Ok(changes.take_fault(Call::Read, &payment)?)
    })?;
    match fault {
        Some(Fault::LostRequest) => return Ok(Reply::HangUp),
        Some(Fault::Error503) => return Err(unavailable()),
        Some(Fault::Slow) => tokio::time::sleep(SLOW).await,
        _ => {}
    }
    let payment = engine.write(|changes| {
        let mut payment = payment_of(changes, account, &id)?;
        payment.calls.count(Call::Read);
        changes.put_payment(&payment)?;
        Ok(payment)
    })?;
    read_answer(&payment, fault, engine.now())
}

fn read_answer(payment: &Payment, fault: Option<Fault>, now: i64) -> Result<Reply, Problem> {
    let mut shown = view::payment(payment, now)?;
    match fault {
        Some(Fault::Refuse) => return Err(Problem::new(403, "refused", "the sandbox was told to refuse this read")),
        Some(Fault::Error500) => return Err(broken_on_purpose()),
        Some(Fault::WrongAmount) => shown.amount = view::wrong(payment.money(payment.amount))?.to_string(),
        _ => {}
    }
    Ok(spoiled(Answer::json(200, &shown)?, fault))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CaptureBody<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
    currency: String,
    /// Release what remains.
    #[serde(default, rename = "final")]
    last: bool,
    reference: Option<String>,
}

/// Takes part or all of what is held.
async fn capture(State(engine): State<Arc<Engine>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Result<Reply, Problem> {
    order(engine, id, &headers, || {
        let CaptureBody { amount, currency, last, reference } = body.parse()?;
        Ok((Order::Capture { money: money(amount, &currency)?, last }, reference))
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefundBody<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
    currency: String,
    reason: Option<String>,
    reference: Option<String>,
}

/// Gives back part or all of what was captured.
async fn refund(State(engine): State<Arc<Engine>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Result<Reply, Problem> {
    order(engine, id, &headers, || {
        let RefundBody { amount, currency, reason, reference } = body.parse()?;
        Ok((Order::Refund { money: money(amount, &currency)?, reason: text("reason", reason)? }, reference))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VoidBody {
    reference: Option<String>,
}

/// Releases all that is held; the answer names the amount.
async fn void(State(engine): State<Arc<Engine>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Result<Reply, Problem> {
    order(engine, id, &headers, || {
        let VoidBody { reference } = body.parse()?;
        Ok((Order::Void, reference))
    })
    .await
}

async fn order(
    engine: Arc<Engine>,
    payment: String,
    headers: &HeaderMap,
    parse: impl FnOnce() -> Result<(Order, Option<String>), Problem>,
) -> Result<Reply, Problem> {
    let account = engine.authenticate(headers)?.name.clone();
    let key = idempotency_key(headers)?;
    let (order, reference) = parse()?;
    let command = Command { account, payment, key, reference: text("reference", reference)?, order };
    command::run(engine, command).await
}
