//! The order of steps of every command that moves money: read, decide, write the intent (`intent`), call the PSP, write the
//! outcome (`outcome`).
//!
//! Killed at any point, money moves at most once: the amount is reserved and the PSP's key stored before the call, and what
//! the call answers is written down whatever it is. An operation that is left without an outcome stays REQUESTED with a due
//! time, and its record is never deleted.

mod intent;
pub(crate) mod outcome;
mod report;

use crate::ports::psp::{Attempt, Psp};
use crate::ports::store::{CommandStore, StatusStore, StoreError, Versioned};
use crate::ports::{Clock, Connections, NoConnection, Ports, Source};
use domain::capability::KeyWindow;
use domain::error::Stale;
use domain::id::{IdempotencyKey, SpaceId, TransactionId};
use domain::operation::{CaptureOrder, Effect, NewOperation, RefundOrder, VoidOrder};
use domain::outcome::{Doubt, Failure};
use domain::planted::{Bug, is_planted};
use domain::time::{Span, Timestamp};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Outcome, Refusal, Transaction};
use intent::Intent;
use std::sync::Arc;

/// What every money command is told beside its own words.
#[derive(Clone, Debug)]
pub struct Request {
    pub space: SpaceId,
    pub transaction: TransactionId,
    pub key: IdempotencyKey,
    pub precondition: Precondition,
    /// How long the caller wants to wait for a final state after the PSP call.
    pub wait: Span,
    /// When the function is ended.
    pub deadline: Timestamp,
}

/// The version on which the caller decided, if it says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    pub if_match: Option<u64>,
    pub version: Option<u64>,
}

/// An operation as it stands now, with the transaction that it belongs to.
#[derive(Clone, Debug)]
pub struct Answer {
    pub transaction: Transaction,
    pub operation: Operation,
    /// False where the key was known and the answer repeats what is stored.
    pub is_new: bool,
}

/// What differs between the kinds of money commands.
pub(crate) trait MoneyCommand: Send + Sync {
    const KIND: OperationKind;

    /// The same text for the same command, however it was written; a repeated key is compared by its hash.
    fn canonical(&self) -> String;

    /// Whether the captures must be read to decide: one more read.
    fn needs_captures(&self, _can: &Capabilities) -> bool {
        false
    }

    fn decide(&self, transaction: &Transaction, captures: &[Operation], can: &Capabilities, new: NewOperation) -> Result<Change, Refusal>;
}

/// A stored operation together with what it was read or written with.
pub(crate) struct Stored {
    pub read: Versioned,
    pub operation: Operation,
    /// Among them the capture that a refund belongs to, if it has one.
    pub captures: Vec<Operation>,
}

/// A PSP call takes 15 s at most, 1 s more where it is repeated with renewed credentials, the write after it and the answer up to 4 s.
pub(crate) const TIME_FOR_CALL: Span = Span::from_seconds(20);
const WAIT_STEP: Span = Span::from_millis(250);

/// Carries out a money command once, however often it is sent.
pub(crate) async fn execute<M, S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &M) -> Result<Answer, Refusal>
where
    M: MoneyCommand,
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let (before, answer, call) = match intent::store(ports, request, command).await? {
        Intent::Known(answer) => (answer.operation.state(), *answer, None),
        Intent::Stored(stored, psp) => {
            let before = stored.operation.state();
            let (stored, call) = send(ports, request.deadline, *stored, psp.as_ref(), Attempt::First).await;
            (before, stored.answer(), call)
        }
    };
    // What was not sent nobody sends within this request.
    let answer = match call {
        Some(call) if !call.is_sent() => answer,
        Some(_) | None => wait_for_final(ports, request, answer).await,
    };
    report::tell(&answer, before, call);
    Ok(answer)
}

/// Sends a stored operation, and writes down what came of it. Without a call it stays as it is stored.
pub(crate) async fn send<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    deadline: Timestamp,
    stored: Stored,
    psp: &dyn Psp,
    attempt: Attempt,
) -> (Stored, Option<report::Call>)
where
    S: CommandStore,
    K: Clock,
    R: Source,
{
    let (transaction, id) = (stored.operation.facts().transaction.number(), stored.operation.facts().id.number());
    let begin = ports.clock.now();
    if deadline.since(begin) < TIME_FOR_CALL && !is_planted(Bug::SendAfterLease) {
        tracing::warn!(transaction, operation = id, "too little time is left to call the PSP: the operation stays as it is");
        return (stored, None);
    }
    if !stored.operation.is_leased_at(begin) && !is_planted(Bug::SendAfterLease) {
        tracing::warn!(transaction, operation = id, "the lease is over before the PSP is called: the operation stays as it is");
        return (stored, None);
    }
    let outcome = match call(psp, &stored, attempt).await {
        Ok(outcome) => outcome,
        // The intent is stored, so the answer is the operation, even where a bug of ours kept it from being sent.
        Err(refusal) => {
            tracing::error!(transaction, operation = id, ?refusal, "the operation cannot be sent");
            return (stored, None);
        }
    };
    let call = report::Call::made(psp.name(), &outcome, ports.clock.now().since(begin));
    let is_keyless = psp.capabilities().key_window.of(stored.operation.facts().kind) == KeyWindow::Keyless;
    let outcome = match outcome {
        Outcome::Unknown(Doubt::RefusedAfterDoubt) if is_keyless && is_planted(Bug::KeylessRefusalFinal) => {
            Outcome::Refused(Failure::credentials_refused())
        }
        outcome => outcome,
    };
    match Effect::of_outcome(outcome) {
        Some(effect) => (outcome::record(ports, deadline, stored, effect).await, Some(call)),
        None => (stored, Some(call)),
    }
}

/// The call that an operation stands for, made of what is stored and of nothing else.
async fn call(psp: &dyn Psp, stored: &Stored, attempt: Attempt) -> Result<Outcome, Refusal> {
    let (transaction, operation) = (stored.read.transaction(), &stored.operation);
    Ok(match operation.facts().kind {
        OperationKind::Capture => psp.capture(&CaptureOrder::of(transaction, operation)?, attempt).await,
        OperationKind::Refund => psp.refund(&RefundOrder::of(transaction, operation, stored.bound_capture())?, attempt).await,
        OperationKind::Void => psp.void(&VoidOrder::of(transaction, operation)?, attempt).await,
    })
}

/// With `Prefer: wait`, looks at the stored operation until it is final or the time is over.
async fn wait_for_final<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, mut answer: Answer) -> Answer
where
    S: CommandStore,
    K: Clock,
{
    let until = ports.clock.now().plus(request.wait).min(request.deadline.plus(Span::from_seconds(-2)));
    while answer.operation.state().is_open() && ports.clock.now().plus(WAIT_STEP) <= until {
        ports.clock.sleep(WAIT_STEP).await;
        let kind = answer.operation.facts().kind;
        if let Ok(Some((read, Some(operation)))) =
            ports.store.load_for_command(request.space, request.transaction, kind, &request.key).await
        {
            answer = Answer { transaction: read.transaction().clone(), operation, ..answer };
        }
    }
    answer
}

impl Stored {
    fn answer(&self) -> Answer {
        Answer { transaction: self.read.transaction().clone(), operation: self.operation.clone(), is_new: true }
    }

    /// The capture that a refund belongs to.
    pub fn bound_capture(&self) -> Option<&Operation> {
        bound_capture(&self.operation, &self.captures)
    }
}

/// The capture whose share a refund moves, among operations that were read.
pub(crate) fn bound_capture<'a>(operation: &Operation, among: &'a [Operation]) -> Option<&'a Operation> {
    let bound = operation.bound_capture()?;
    among.iter().find(|capture| capture.facts().kind == OperationKind::Capture && capture.facts().id == bound)
}

/// The captures, if the operation belongs to one of them.
async fn captures_for<S: CommandStore>(store: &S, operation: &Operation) -> Result<Vec<Operation>, StoreError> {
    let facts = operation.facts();
    match operation.bound_capture() {
        Some(_) => store.load_operations(facts.space, facts.transaction, OperationKind::Capture).await,
        None => Ok(vec![]),
    }
}

/// The PSP of a stored transaction. A connection that was taken away, or that leads to another PSP by now, is a fault of the
/// set-up: nothing is sent to it.
pub(crate) async fn open<C: Connections>(connections: &C, transaction: &Transaction) -> Result<Arc<dyn Psp>, Refusal> {
    let facts = transaction.facts();
    let psp = connections.open(facts.space, &facts.connection).await.map_err(|error: NoConnection| {
        tracing::error!(connection = facts.connection.as_str(), ?error, "the connection of a transaction cannot be used");
        Refusal::Unavailable { retry_after: Span::from_seconds(30) }
    })?;
    match psp.name() == facts.psp {
        true => Ok(psp),
        false => {
            Err(Refusal::internal(format!("connection {} leads to {}, the transaction is of {}", facts.connection, psp.name(), facts.psp)))
        }
    }
}

impl Precondition {
    fn check(self, transaction: &Transaction) -> Result<(), Refusal> {
        let is_stale = |named: Option<u64>| named.is_some_and(|version| version != transaction.version());
        match self {
            Self { if_match, .. } if is_stale(if_match) => Err(Refusal::VersionConflict { stale: Stale::IfMatch }),
            Self { version, .. } if is_stale(version) => Err(Refusal::VersionConflict { stale: Stale::Body }),
            Self { .. } => Ok(()),
        }
    }
}
