//! A capture, refund or void from key to answer: replay first, then faults, then the ledger, then what is remembered.
//!
//! Under one idempotency key a command is executed once. What was executed is stored under the key with its answer, also
//! a refusal and the 500 of `error-500` (as Stripe does); what was lost on purpose before execution leaves the key free.

use crate::sandbox::Broken;
use crate::sandbox::answer::{Answer, Problem, Reply};
use crate::sandbox::background::SETTLES_AFTER_MS;
use crate::sandbox::engine::{Engine, draw_id, lock, payment_of};
use crate::sandbox::faults::{Call, Fault, magic};
use crate::sandbox::ledger::{Order, Refusal, permit};
use crate::sandbox::payment::{Operation, OperationStatus, Payment};
use crate::sandbox::storage::{Attempt, Changes};
use crate::sandbox::{view, webhooks};
use domain::Minor;
use serde_json::json;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the fault `slow` takes.
pub const SLOW: Duration = Duration::from_secs(5);

pub struct Command {
    pub account: String,
    pub payment: String,
    pub key: String,
    pub reference: Option<String>,
    pub order: Order,
}

impl Command {
    /// Equal for equal commands, however they were written (`10` and `"10.00"`).
    fn fingerprint(&self) -> String {
        let money = self.order.money().map(|m| (m.amount.units(), m.currency.to_string()));
        let (last, reason) = match &self.order {
            Order::Capture { last, .. } => (*last, None),
            Order::Refund { reason, .. } => (false, reason.as_deref()),
            Order::Void => (false, None),
        };
        json!([self.order.kind().as_str(), self.payment, self.reference, money, last, reason]).to_string()
    }
}

pub async fn run(engine: Arc<Engine>, command: Command) -> Result<Reply, Problem> {
    engine.write(|changes| arrive(changes, &command))?;
    let in_work = match engine.write(|changes| begin(&engine, changes, &command))? {
        Begun::Answered(reply) => return Ok(reply),
        Begun::Slow(in_work) => in_work,
    };
    // In a task of its own: a caller that gives up meanwhile does not stop the PSP.
    let work = tokio::spawn(async move {
        tokio::time::sleep(SLOW).await;
        let reply = engine.write(|changes| execute(&engine, changes, &command, Some(Fault::Slow)));
        drop(in_work);
        reply
    });
    work.await.map_err(Broken::from)?
}

/// Counted before anything is decided, and kept whatever is.
fn arrive(changes: &Changes<'_>, command: &Command) -> Result<(), Problem> {
    let mut payment = payment_of(changes, &command.account, &command.payment)?;
    payment.count_key(command.order.kind(), &command.key);
    Ok(changes.put_payment(&payment)?)
}

enum Begun {
    Answered(Reply),
    Slow(InWork),
}

fn begin(engine: &Engine, changes: &Changes<'_>, command: &Command) -> Result<Begun, Problem> {
    let payment = payment_of(changes, &command.account, &command.payment)?;
    let earlier = changes.attempt(&command.account, &command.key, engine.now())?;
    let tried_before = earlier.is_some();
    if let Some(Attempt { command: executed, answer: Some(answer) }) = earlier {
        return match executed == command.fingerprint() {
            true => Ok(Begun::Answered(Reply::Replayed(answer))),
            false => Err(Problem::new(422, "idempotency-key-reused", "this `Idempotency-Key` was used for another command")),
        };
    }
    let Some(in_work) = engine.keys_in_work.enter(&command.account, &command.key) else {
        return Err(Problem::new(409, "in-progress", "the first request with this `Idempotency-Key` is still being worked on"));
    };
    let fault = match changes.take_fault(Call::from(command.order.kind()), &payment)? {
        Some(ordered) => Some(ordered),
        None => command.order.money().and_then(magic).filter(|fault| fault.lets_it_happen() || !tried_before),
    };
    match fault {
        Some(fault @ (Fault::LostRequest | Fault::Error503)) => {
            let attempt = Attempt { command: command.fingerprint(), answer: None };
            changes.put_attempt(&command.account, &command.key, &attempt, engine.now())?;
            Ok(Begun::Answered(if fault == Fault::Error503 { Reply::Answer(unavailable().into()) } else { Reply::HangUp }))
        }
        Some(Fault::Slow) => Ok(Begun::Slow(in_work)),
        fault => execute(engine, changes, command, fault).map(Begun::Answered),
    }
}

/// Does it, stores the answer under the key, and gives the answer in the way that the fault wants.
fn execute(engine: &Engine, changes: &Changes<'_>, command: &Command, fault: Option<Fault>) -> Result<Reply, Problem> {
    let done = decide_and_record(engine, changes, command, fault)?;
    let answer = if fault == Some(Fault::Error500) { broken_on_purpose().into() } else { done };
    let attempt = Attempt { command: command.fingerprint(), answer: Some(answer.clone()) };
    changes.put_attempt(&command.account, &command.key, &attempt, engine.now())?;
    Ok(spoiled(answer, fault))
}

/// How an answer leaves when a fault is at work on the way back.
pub fn spoiled(answer: Answer, fault: Option<Fault>) -> Reply {
    match fault {
        Some(Fault::LostAnswer) => Reply::HangUp,
        Some(Fault::Garbage) => Reply::Garbage { status: answer.status },
        _ => Reply::Answer(answer),
    }
}

fn decide_and_record(engine: &Engine, changes: &Changes<'_>, command: &Command, fault: Option<Fault>) -> Result<Answer, Problem> {
    let mut payment = payment_of(changes, &command.account, &command.payment)?;
    payment.calls.count(Call::from(command.order.kind()));
    let answer = match permit(&command.order, &payment, &payment.balance(engine.now())?) {
        Err(refusal) => refused(refusal).into(),
        Ok(amount) => {
            let operation = record(&mut payment, command, amount, fault, engine.now())?;
            match operation.status {
                OperationStatus::Pending => {
                    changes.add_settlement(&payment.id, &operation.id, engine.now().saturating_add(SETTLES_AFTER_MS))?;
                }
                OperationStatus::Succeeded | OperationStatus::Failed => {
                    webhooks::tell_operation(engine, changes, &payment, &operation)?;
                }
            }
            told(&payment, &operation, fault)?
        }
    };
    changes.put_payment(&payment)?;
    Ok(answer)
}

fn record(payment: &mut Payment, command: &Command, amount: Minor, fault: Option<Fault>, now: i64) -> Result<Operation, Broken> {
    let (prefix, last, reason) = match &command.order {
        Order::Capture { last, .. } => ("sbc", *last, None),
        Order::Refund { reason, .. } => ("sbr", false, reason.clone()),
        Order::Void => ("sbv", false, None),
    };
    let (status, failure_code) = match fault {
        Some(Fault::Refuse) => (OperationStatus::Failed, Some("refused".to_owned())),
        Some(Fault::Pending) => (OperationStatus::Pending, None),
        _ => (OperationStatus::Succeeded, None),
    };
    let operation = Operation {
        id: draw_id(prefix)?,
        kind: command.order.kind(),
        reference: command.reference.clone(),
        amount,
        last,
        reason,
        status,
        failure_code,
        created_on: now,
    };
    payment.operations.push(operation.clone());
    Ok(operation)
}

fn told(payment: &Payment, operation: &Operation, fault: Option<Fault>) -> Result<Answer, Broken> {
    if operation.status == OperationStatus::Failed {
        let what = operation.kind.as_str();
        return Ok(Problem::new(422, "refused", format!("the {what} was declined; it is listed as `{}`", operation.id)).into());
    }
    let money = payment.money(operation.amount);
    let shown = if fault == Some(Fault::WrongAmount) { view::wrong(money)? } else { money };
    Answer::json(201, &view::operation(operation, shown)?)
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::CurrencyMismatch { expected } => Problem::new(422, "currency-mismatch", format!("the payment is in {expected}")),
        Refusal::InvalidState { kind, status } => {
            let message = format!("a {} is not possible: the payment is `{}`", kind.as_str(), status.as_str());
            Problem::new(422, "invalid-state", message)
        }
        Refusal::AmountTooLarge { most } => Problem::new(422, "amount-too-large", format!("at most {most} {} is possible", most.currency)),
    }
}

pub fn unavailable() -> Problem {
    Problem::new(503, "unavailable", "the sandbox was told not to do this (fault error-503)")
}

pub fn broken_on_purpose() -> Problem {
    Problem::new(500, "internal", "the sandbox was told to answer like this (fault error-500)")
}

/// Account and idempotency key of the commands being worked on. In memory: what a killed process had not executed is free again.
#[derive(Clone, Default)]
pub struct KeysInWork(Arc<Mutex<HashSet<(String, String)>>>);

/// Dropping it frees the key.
pub struct InWork {
    keys: KeysInWork,
    key: (String, String),
}

impl KeysInWork {
    fn enter(&self, account: &str, key: &str) -> Option<InWork> {
        let key = (account.to_owned(), key.to_owned());
        lock(&self.0).insert(key.clone()).then(|| InWork { keys: self.clone(), key })
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        lock(&self.keys.0).remove(&self.key);
    }
}
