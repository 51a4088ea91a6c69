//! The order of steps of every command that moves money: read, decide, write the intent, call the PSP, write the outcome.
//!
//! Killed at any point, money moves at most once: the amount is reserved and the PSP's key stored before the call, and what
//! the call answers is written down whatever it is. An operation that is left without an outcome stays REQUESTED with a due
//! time, and its record is never deleted.

use crate::ports::psp::{Attempt, Psp};
use crate::ports::store::{CommandStore, Committed, StoreError, Versioned};
use crate::ports::{Clock, Connections, NoConnection, Source};
use async_trait::async_trait;
use domain::error::Stale;
use domain::id::{IdempotencyKey, OperationId, SpaceId, TransactionId};
use domain::operation::{Effect, NewOperation, Sending};
use domain::time::{Span, Timestamp};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Outcome, Refusal, Transaction};

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

/// The ports of a money command.
pub struct Ports<'a, S, C, K, R> {
    pub store: &'a S,
    pub connections: &'a C,
    pub clock: &'a K,
    pub source: &'a R,
}

/// What differs between the kinds of money commands.
#[async_trait]
pub(crate) trait MoneyCommand: Send + Sync {
    type Order: Send + Sync;

    const KIND: OperationKind;

    /// What a repeated key is compared with.
    fn canonical(&self) -> String;

    /// The operations beside the head that the decision needs, if any: one more read.
    fn needs_captures(&self, can: &Capabilities) -> bool;

    fn decide(
        &self,
        transaction: &Transaction,
        captures: &[Operation],
        can: &Capabilities,
        new: NewOperation,
    ) -> Result<(Change, Self::Order), Refusal>;

    async fn call(&self, psp: &dyn Psp, order: &Self::Order) -> Outcome;
}

/// Conflicts are decided again on what is then stored; each loser of a round meets one winner fewer in the next.
const DECISIONS: u32 = 24;
/// Writing down an outcome is worth more patience than deciding: the money may have moved.
const SETTLEMENTS: u32 = 40;
/// A PSP call takes 15 s at most, the write after it and the answer up to 4 s.
const TIME_FOR_CALL: Span = Span::from_seconds(19);
const WAIT_STEP: Span = Span::from_millis(250);
const RETRY_AFTER: Span = Span::from_seconds(1);

/// Carries out a money command once, however often it is sent.
pub(crate) async fn execute<M, S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &M) -> Result<Answer, Refusal>
where
    M: MoneyCommand,
    S: CommandStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let requested = match request_operation(ports, request, command).await? {
        Intent::Known(answer) => return wait_for_final(ports, request, *answer).await,
        Intent::Stored(requested) => requested,
    };
    let Requested { read, operation, captures, psp, order } = requested;
    let answer = Answer { transaction: read.transaction().clone(), operation, is_new: true };
    if request.deadline.since(ports.clock.now()) < TIME_FOR_CALL {
        tracing::warn!(transaction = %request.transaction, "too little time is left to call the PSP: the operation stays REQUESTED");
        return Ok(answer);
    }
    let outcome = command.call(psp.as_ref(), &order).await;
    let id = answer.operation.facts().id;
    tracing::info!(transaction = %request.transaction, operation = %id, outcome = outcome_name(&outcome), "the PSP was called");
    let Some(effect) = Effect::of_outcome(outcome) else {
        return wait_for_final(ports, request, answer).await;
    };
    let answer = record(ports, request, (read, answer.operation, captures), effect).await;
    wait_for_final(ports, request, answer).await
}

/// The stored intent of a new operation, with everything that calling the PSP needs.
struct Requested<O> {
    read: Versioned,
    operation: Operation,
    /// The captures whose share the intent moved.
    captures: Vec<Operation>,
    psp: std::sync::Arc<dyn Psp>,
    order: O,
}

enum Intent<O> {
    Known(Box<Answer>),
    Stored(Requested<O>),
}

/// Reads, decides and writes the intent, again as long as somebody else is faster.
async fn request_operation<M, S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    request: &Request,
    command: &M,
) -> Result<Intent<M::Order>, Refusal>
where
    M: MoneyCommand,
    S: CommandStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let lease = ports.source.unique();
    let psp_key = ports.source.unique();
    let mut written: Option<(Vec<Operation>, M::Order)> = None;
    for attempt in 0..DECISIONS {
        pause(ports, attempt).await;
        let loaded = ports.store.load_for_command(request.space, request.transaction, M::KIND, &request.key).await;
        let Some((read, known)) = loaded.map_err(refused)? else {
            return Err(Refusal::TransactionNotFound);
        };
        if let Some(operation) = known {
            // Our own write whose answer got lost is ours to carry on; any other operation of this key is repeated.
            return match written {
                Some((captures, order)) if operation.is_leased_by(&lease) => {
                    let psp = open(ports.connections, read.transaction()).await?;
                    Ok(Intent::Stored(Requested { read, operation, captures, psp, order }))
                }
                _ => repeat(command, read, operation).map(|answer| Intent::Known(Box::new(answer))),
            };
        }
        request.precondition.check(read.transaction())?;
        let psp = open(ports.connections, read.transaction()).await?;
        let now = ports.clock.now();
        let captures = match command.needs_captures(psp.capabilities()) {
            true => ports.store.load_operations(request.space, request.transaction, OperationKind::Capture).await.map_err(refused)?,
            false => vec![],
        };
        let new = NewOperation { key: request.key.clone(), sending: Sending::begin(psp_key.clone(), lease.clone(), now), now };
        let (change, order) = command.decide(read.transaction(), &captures, psp.capabilities(), new)?;
        match ports.store.commit(&read, &change).await {
            Ok(Committed::Done(read)) => {
                let operation = change.created.into_iter().next().ok_or_else(|| Refusal::internal("an intent without an operation"))?;
                return Ok(Intent::Stored(Requested { read, operation, captures: change.updated, psp, order }));
            }
            Ok(Committed::VersionMoved | Committed::OperationExists) => {}
            Err(StoreError::Unavailable(detail)) => {
                tracing::warn!(transaction = %request.transaction, detail, "the intent may or may not be stored: reading again");
                written = Some((change.updated, order));
            }
            Err(inconsistent @ StoreError::Inconsistent { .. }) => return Err(refused(inconsistent)),
        }
    }
    Err(Refusal::Unavailable { retry_after: RETRY_AFTER })
}

/// The answer to a key that is known: the operation as it stands, if the command is the same.
fn repeat<M: MoneyCommand>(command: &M, read: Versioned, operation: Operation) -> Result<Answer, Refusal> {
    if operation.facts().command != command.canonical() {
        return Err(Refusal::IdempotencyKeyReused);
    }
    Ok(Answer { transaction: read.transaction().clone(), operation, is_new: false })
}

/// Writes the outcome down. Whatever happens to this write, the answer is the operation as far as it is known to be stored.
async fn record<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    request: &Request,
    (mut read, mut operation, mut captures): (Versioned, Operation, Vec<Operation>),
    effect: Effect,
) -> Answer
where
    S: CommandStore,
    K: Clock,
    R: Source,
{
    let answer = |read: &Versioned, operation: &Operation| Answer {
        transaction: read.transaction().clone(),
        operation: operation.clone(),
        is_new: true,
    };
    for attempt in 0..SETTLEMENTS {
        pause(ports, attempt).await;
        if attempt > 0 {
            match reload(ports.store, request, &operation).await {
                Ok(Some(fresh)) => (read, operation, captures) = fresh,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(transaction = %request.transaction, ?error, "reading before the outcome is written failed");
                    continue;
                }
            }
        }
        let bound = bound_capture(&operation, &captures);
        let change = match read.transaction().settle(&operation, bound, effect.clone(), ports.clock.now()) {
            Ok(Some(change)) => change,
            Ok(None) => return answer(&read, &operation),
            Err(refusal) => {
                tracing::error!(transaction = %request.transaction, ?refusal, "the outcome cannot be booked");
                break;
            }
        };
        match ports.store.commit(&read, &change).await {
            Ok(Committed::Done(written)) => {
                let settled = change.updated.into_iter().find(|updated| updated.facts().id == operation.facts().id);
                return answer(&written, &settled.unwrap_or(operation));
            }
            Ok(Committed::VersionMoved | Committed::OperationExists) => {}
            Err(error) => tracing::warn!(transaction = %request.transaction, ?error, "writing the outcome failed: trying again"),
        }
    }
    let id = operation.facts().id;
    tracing::error!(transaction = %request.transaction, operation = %id, "the outcome is not stored: the operation is left open");
    answer(&read, &operation)
}

/// The capture whose share a refund moves, among those that were read.
pub(crate) fn bound_capture<'a>(operation: &Operation, captures: &'a [Operation]) -> Option<&'a Operation> {
    let bound: OperationId = operation.bound_capture()?;
    captures.iter().find(|capture| capture.facts().kind == OperationKind::Capture && capture.facts().id == bound)
}

async fn reload<S: CommandStore>(
    store: &S,
    request: &Request,
    operation: &Operation,
) -> Result<Option<(Versioned, Operation, Vec<Operation>)>, StoreError> {
    let loaded = store.load_for_command(request.space, request.transaction, operation.facts().kind, &request.key).await?;
    let Some((read, Some(operation))) = loaded else {
        return Ok(None);
    };
    let captures = match operation.bound_capture() {
        Some(_) => store.load_operations(request.space, request.transaction, OperationKind::Capture).await?,
        None => vec![],
    };
    Ok(Some((read, operation, captures)))
}

/// With `Prefer: wait`, looks at the stored operation until it is final or the time is over.
async fn wait_for_final<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, mut answer: Answer) -> Result<Answer, Refusal>
where
    S: CommandStore,
    K: Clock,
    R: Source,
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
    Ok(answer)
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

/// The PSP of a stored transaction. A connection that was taken away while transactions use it is a fault of the set-up.
pub(crate) async fn open<C: Connections>(connections: &C, transaction: &Transaction) -> Result<std::sync::Arc<dyn Psp>, Refusal> {
    let facts = transaction.facts();
    connections.open(facts.space, &facts.connection).await.map_err(|error| {
        tracing::error!(space = %facts.space, connection = %facts.connection, ?error, "the connection of a transaction cannot be used");
        match error {
            NoConnection::NotFound | NoConnection::Unusable(_) => Refusal::Unavailable { retry_after: Span::from_seconds(30) },
        }
    })
}

/// What a store error is to a caller as long as nothing was stored.
pub(crate) fn refused(error: StoreError) -> Refusal {
    match error {
        StoreError::Unavailable(detail) => {
            tracing::warn!(detail, "the table is not available");
            Refusal::Unavailable { retry_after: RETRY_AFTER }
        }
        StoreError::Inconsistent { item, attribute } => Refusal::internal(format!("item {item}: attribute {attribute}")),
    }
}

/// Waits before another try: not before the first, then up to 10, 20, 40 … 320 ms, spread by chance so that losers part.
pub(crate) async fn pause<S, C, K: Clock, R: Source>(ports: &Ports<'_, S, C, K, R>, attempt: u32) {
    back_off(ports.clock, ports.source, attempt).await;
}

pub(crate) async fn back_off<K: Clock, R: Source>(clock: &K, source: &R, attempt: u32) {
    if attempt > 0 {
        let longest = 10u64 << attempt.min(5);
        let millis = source.number() % longest + 1;
        clock.sleep(Span::from_millis(i64::try_from(millis).unwrap_or(10))).await;
    }
}

fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded { .. } => "SUCCEEDED",
        Outcome::Accepted { .. } => "ACCEPTED",
        Outcome::Refused(_) => "REFUSED",
        Outcome::NotSent { .. } => "NOT_SENT",
        Outcome::Unknown(doubt) => doubt.as_str(),
    }
}

/// Every command is sent for the first time here; repetitions are the reconciler's.
pub(crate) const FIRST: Attempt = Attempt::First;
