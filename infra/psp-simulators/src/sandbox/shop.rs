//! The shop's side: payments are made here as by a shop's plugin, looked at, and made to fail. No key is needed.

use crate::sandbox::answer::{Answer, Problem};
use crate::sandbox::engine::{Engine, draw_id};
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::payment::{Calls, CaptureMode, Payment, Phase};
use crate::sandbox::request::{Body, invalid, money, text};
use crate::sandbox::storage::{Changes, FaultOrder};
use crate::sandbox::{ledger, view, webhooks};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::sync::Arc;

const DEFAULT_EXPIRY_SECONDS: u32 = 7 * 24 * 60 * 60;
const LONGEST_EXPIRY_SECONDS: u32 = 10 * 365 * 24 * 60 * 60;

pub fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/payments", post(create))
        .route("/payments/{id}", get(look))
        .route("/payments/{id}/authorize", post(authorize))
        .route("/payments/{id}/fail", post(fail))
        .route("/faults", post(order_fault))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPayment<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
    currency: String,
    merchant_reference: Option<String>,
    /// Default: manual.
    capture_mode: Option<CaptureMode>,
    /// Default: the first account.
    account: Option<String>,
    /// Default: the payer is done at once.
    status: Option<UnderWay>,
    expires_in_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum UnderWay {
    Pending,
}

/// A payment that is authorized at once (automatic capture: captured), or still under way.
async fn create(State(engine): State<Arc<Engine>>, body: Body) -> Result<Answer, Problem> {
    let wanted: NewPayment<'_> = body.parse()?;
    let money = money(wanted.amount, &wanted.currency)?;
    let account = account_name(&engine, wanted.account.as_deref())?;
    let expiry = wanted.expires_in_seconds.unwrap_or(DEFAULT_EXPIRY_SECONDS);
    if expiry > LONGEST_EXPIRY_SECONDS {
        return Err(invalid(format!("`expiresInSeconds` is at most {LONGEST_EXPIRY_SECONDS}")));
    }
    let mut payment = Payment {
        id: draw_id("sb")?,
        account,
        amount: money.amount,
        currency: money.currency,
        merchant_reference: text("merchantReference", wanted.merchant_reference)?,
        capture_mode: wanted.capture_mode.unwrap_or(CaptureMode::Manual),
        created_on: engine.now(),
        expires_after_ms: i64::from(expiry) * 1000,
        phase: Phase::Pending,
        operations: Vec::new(),
        calls: Calls::default(),
        keys: Vec::new(),
    };
    engine.write(|changes| {
        match wanted.status {
            Some(UnderWay::Pending) => changes.put_payment(&payment)?,
            None => authorize_now(&engine, changes, &mut payment)?,
        }
        show(&engine, 201, &payment)
    })
}

/// The payment, and how often the PSP API was called about it and with which keys. Looking does not count.
async fn look(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Result<Answer, Problem> {
    engine.write(|changes| {
        let payment = changes.payment(&id)?.ok_or_else(|| unknown(&id))?;
        show(&engine, 200, &payment)
    })
}

/// The payer finishes a payment that was under way.
async fn authorize(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Result<Answer, Problem> {
    engine.write(|changes| {
        let mut payment = under_way(&engine, changes, &id)?;
        authorize_now(&engine, changes, &mut payment)?;
        show(&engine, 200, &payment)
    })
}

/// The payer gives up, or the bank declines.
async fn fail(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Result<Answer, Problem> {
    engine.write(|changes| {
        let mut payment = under_way(&engine, changes, &id)?;
        payment.phase = Phase::Failed;
        changes.put_payment(&payment)?;
        webhooks::tell_payment(&engine, changes, &payment, "failed")?;
        show(&engine, 200, &payment)
    })
}

fn under_way(engine: &Engine, changes: &Changes<'_>, id: &str) -> Result<Payment, Problem> {
    let payment = changes.payment(id)?.ok_or_else(|| unknown(id))?;
    let status = payment.balance(engine.now())?.status;
    match payment.phase {
        Phase::Pending => Ok(payment),
        Phase::Authorized { .. } | Phase::Failed => {
            Err(Problem::new(422, "invalid-state", format!("the payment is `{}`, not `pending`", status.as_str())))
        }
    }
}

fn authorize_now(engine: &Engine, changes: &Changes<'_>, payment: &mut Payment) -> Result<(), Problem> {
    ledger::authorize(payment, draw_id("sbc")?, engine.now());
    changes.put_payment(payment)?;
    webhooks::tell_payment(engine, changes, payment, "authorized")?;
    for captured in &payment.operations {
        webhooks::tell_operation(engine, changes, payment, captured)?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    on: String,
    fault: Option<String>,
    /// Default: once. 0 clears what is waiting of this fault (of all faults if none is named), in the same scope.
    times: Option<u32>,
    account: Option<String>,
    payment: Option<String>,
}

/// Makes the next calls go wrong, in the order in which faults are ordered; answers what is waiting.
async fn order_fault(State(engine): State<Arc<Engine>>, body: Body) -> Result<Answer, Problem> {
    let FaultBody { on, fault, times, account, payment } = body.parse()?;
    let call = Call::parse(&on).ok_or_else(|| one_of("on", Call::ALL.map(Call::as_str)))?;
    let unknown_fault = || one_of("fault", Fault::ALL.map(Fault::as_str));
    let fault = fault.map(|name| Fault::parse(&name).ok_or_else(unknown_fault)).transpose()?;
    if let Some(name) = &account {
        account_name(&engine, Some(name))?;
    }
    engine.write(|changes| {
        if let Some(id) = &payment {
            changes.payment(id)?.ok_or_else(|| unknown(id))?;
        }
        match (times.unwrap_or(1), fault) {
            (0, fault) => changes.clear_faults(call, fault, account.as_deref(), payment.as_deref())?,
            (_, None) => return Err(unknown_fault()),
            (_, Some(Fault::Pending)) if call == Call::Read => {
                return Err(Problem::new(422, "fault-not-for-reads", "a read cannot be accepted and settled later"));
            }
            (times, Some(fault)) => changes.add_fault(&FaultOrder { call, fault, times, account, payment })?,
        }
        waiting(changes)
    })
}

fn waiting(changes: &Changes<'_>) -> Result<Answer, Problem> {
    let show = |order: FaultOrder| {
        let FaultOrder { call, fault, times, account, payment } = order;
        json!({ "on": call.as_str(), "fault": fault.as_str(), "times": times, "account": account, "payment": payment })
    };
    let faults: Vec<_> = changes.faults()?.into_iter().map(show).collect();
    Ok(Answer::json(200, &json!({ "faults": faults }))?)
}

fn account_name(engine: &Engine, wanted: Option<&str>) -> Result<String, Problem> {
    let account = match wanted {
        None => engine.accounts.first(),
        Some(name) => engine.merchant(name),
    };
    account.map(|m| m.account.name.clone()).ok_or_else(|| Problem::new(422, "unknown-account", "the sandbox has no account of that name"))
}

fn show(engine: &Engine, status: u16, payment: &Payment) -> Result<Answer, Problem> {
    Ok(Answer::json(status, &view::payment_with_calls(payment, engine.now())?)?)
}

fn unknown(id: &str) -> Problem {
    Problem::new(404, "not-found", format!("there is no payment `{id}`"))
}

fn one_of<const N: usize>(name: &str, names: [&str; N]) -> Problem {
    invalid(format!("`{name}` is one of {}", names.join(", ")))
}
