//! One transaction: take over what is open, ask once, apply, and send again what the PSP surely does not know.

use super::Silent;
use crate::import;
use crate::metric::{self, Metric};
use crate::money_command::{Stored, open, outcome, send};
use crate::ports::psp::{Attempt, Psp};
use crate::ports::store::{Committed, ImportStore, StatusStore, WholeTransaction};
use crate::ports::{Clock, Connections, Ports, Source};
use crate::refresh::{Heard, Refreshed, refresh};
use crate::retry::{RETRY_AFTER, refused};
use domain::id::{OperationId, SpaceId, TransactionId};
use domain::operation::{Asked, NextStep};
use domain::time::Span;
use domain::transaction::{ImportState, find_among};
use domain::{Operation, OperationKind, OperationState, Refusal, Timestamp};

/// Which operations are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// Those whose time has come: the schedule.
    WhatIsDue,
    /// All that nobody works on: a person asks.
    WhatIsOpen,
}

/// False where the PSP is not asked because it does not answer at the moment.
pub(super) async fn reconcile<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    space: SpaceId,
    id: TransactionId,
    taking: Taking,
    silent: &Silent,
    deadline: Timestamp,
) -> Result<bool, Refusal>
where
    S: ImportStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let whole = ports.store.load_whole(space, id).await.map_err(refused)?;
    let mut whole = whole.ok_or(Refusal::TransactionNotFound)?;
    if whole.head.transaction().facts().import.state == ImportState::Failed {
        return Ok(true);
    }
    let connection = whole.head.transaction().facts().connection.clone();
    let lease = ports.source.unique();
    let is_taken = take_transaction(ports, &mut whole).await?;
    let taken = take_operations(ports, &mut whole, taking, &lease).await?;
    if taking == Taking::WhatIsDue && !is_taken && taken.is_empty() {
        // Somebody else was faster, or the index lags behind.
        return Ok(true);
    }
    // By now its time has moved on: what waits for a PSP that is away stays in nobody's way.
    if silent.has(space, &connection) {
        return Ok(false);
    }
    let psp = open(ports.connections, whole.head.transaction()).await?;
    if whole.head.transaction().facts().import.state == ImportState::Pending {
        import::resume(ports, psp.as_ref(), whole.head).await?;
        return Ok(true);
    }
    let asked_on = ports.clock.now();
    let Refreshed { mut whole, heard, .. } = follow(ports, psp.as_ref(), whole).await?;
    let was_undecided = is_undecided(&whole, &heard);
    match &heard {
        Heard::Payment(_) => {}
        Heard::Nothing { why } => tracing::error!(space = space.number(), transaction = id.number(), why, "the PSP could not be asked"),
        Heard::Silence { why, .. } => {
            silent.add(space, &connection);
            tracing::warn!(space = space.number(), transaction = id.number(), why, "the PSP did not answer");
        }
    }
    for id in taken {
        let position = whole.operations.iter().position(|operation| operation.facts().id == id && operation.is_leased_by(&lease));
        if let Some(position) = position.filter(|position| whole.operations[*position].state().is_open()) {
            go_on(ports, psp.as_ref(), &mut whole, position, (&heard, asked_on), deadline).await?;
        }
    }
    if was_undecided && !is_undecided(&whole, &heard) {
        follow(ports, psp.as_ref(), whole).await?;
    }
    Ok(true)
}

/// Asks the PSP, and applies what it says.
async fn follow<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, psp: &dyn Psp, whole: WholeTransaction) -> Result<Refreshed, Refusal>
where
    S: ImportStore + StatusStore,
    K: Clock,
    R: Source,
{
    let (space, id) = (whole.head.transaction().facts().space, whole.head.transaction().facts().id);
    refresh(ports, psp, whole).await.map_err(|why| {
        tracing::warn!(space = space.number(), transaction = id.number(), why, "what the PSP says could not be applied");
        Refusal::Unavailable { retry_after: RETRY_AFTER }
    })
}

/// Whether the PSP shows what counts only once an open operation has settled.
fn is_undecided(whole: &WholeTransaction, heard: &Heard) -> bool {
    match heard {
        Heard::Payment(payment) => whole.head.transaction().is_undecided(&whole.operations, payment),
        Heard::Nothing { .. } | Heard::Silence { .. } => false,
    }
}

/// Moves the time at which the transaction itself is due. False where nothing was, or somebody else has done it.
async fn take_transaction<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, whole: &mut WholeTransaction) -> Result<bool, Refusal>
where
    S: ImportStore,
    K: Clock,
{
    let Some(change) = whole.head.transaction().take_watch(ports.clock.now())? else { return Ok(false) };
    match ports.store.commit(&whole.head, &change).await.map_err(refused)? {
        Committed::Done(head) => {
            whole.head = head;
            Ok(true)
        }
        Committed::VersionMoved | Committed::OperationExists => Ok(false),
    }
}

/// Takes operations over. One whose write goes wrong is left: if it was taken all the same, it is due again later.
async fn take_operations<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    whole: &mut WholeTransaction,
    taking: Taking,
    lease: &str,
) -> Result<Vec<OperationId>, Refusal>
where
    S: ImportStore,
    K: Clock,
{
    let now = ports.clock.now();
    let mut taken = Vec::new();
    for operation in &mut whole.operations {
        let is_wanted = taking == Taking::WhatIsOpen || operation.is_due(now);
        if !is_wanted || !operation.is_free(now) {
            continue;
        }
        let claimed = operation.claimed(lease, now);
        if ports.store.take(operation, &claimed).await.map_err(refused)? {
            taken.push(claimed.facts().id);
            *operation = claimed;
        }
    }
    Ok(taken)
}

/// What follows for an operation that is still open after the PSP was asked.
async fn go_on<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    psp: &dyn Psp,
    whole: &mut WholeTransaction,
    position: usize,
    (heard, asked_on): (&Heard, Timestamp),
    deadline: Timestamp,
) -> Result<(), Refusal>
where
    S: ImportStore,
    K: Clock,
    R: Source,
{
    let operation = &whole.operations[position];
    let (asked, retry_after) = match heard {
        Heard::Payment(payment) => (find_among(operation, &whole.operations, payment), None),
        Heard::Nothing { .. } => (Asked::NotAnswered, None),
        Heard::Silence { retry_after, .. } => (Asked::NotAnswered, *retry_after),
    };
    let now = ports.clock.now();
    let window = psp.capabilities().key_window.of(operation.facts().kind);
    let stored = |operation: Operation| Stored { read: whole.head.clone(), operation, captures: captures_of(whole) };
    let settled = match operation.next_step(asked, asked_on, window, now) {
        NextStep::Record(effect) => outcome::record(ports, deadline, stored(operation.clone()), effect).await,
        NextStep::Resend => {
            let resent = operation.resent(now);
            if !ports.store.take(operation, &resent).await.map_err(refused)? {
                return Ok(());
            }
            let (settled, call) = send(ports, deadline, stored(resent), psp, Attempt::AfterDoubt).await;
            tell(&settled.operation, operation.state(), call.map(|call| call.outcome()));
            settled
        }
        NextStep::Wait => {
            postpone(ports, operation, retry_after, now).await?;
            return Ok(());
        }
    };
    if settled.operation.state() == OperationState::ManualCheck {
        let facts = settled.operation.facts();
        tracing::error!(
            space = facts.space.number(),
            transaction = facts.transaction.number(),
            operation = facts.id.number(),
            "an operation waits for a person: asking and sending again are used up"
        );
    }
    // What comes next is decided on what is stored by now.
    whole.head = settled.read;
    whole.operations[position] = settled.operation;
    Ok(())
}

/// A PSP that says when it may be asked again is not asked before.
async fn postpone<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    operation: &Operation,
    retry_after: Option<Span>,
    now: Timestamp,
) -> Result<(), Refusal>
where
    S: ImportStore,
{
    let Some(wait) = retry_after else { return Ok(()) };
    let postponed = operation.postponed(now.plus(wait));
    if postponed != *operation {
        ports.store.take(operation, &postponed).await.map_err(refused)?;
    }
    Ok(())
}

fn captures_of(whole: &WholeTransaction) -> Vec<Operation> {
    whole.operations.iter().filter(|operation| operation.facts().kind == OperationKind::Capture).cloned().collect()
}

fn tell(operation: &Operation, before: OperationState, outcome: Option<&'static str>) {
    let facts = operation.facts();
    metric::count(Metric::OperationsResent);
    tracing::info!(
        space = facts.space.number(),
        transaction = facts.transaction.number(),
        kind = facts.kind.as_str(),
        operation = facts.id.number(),
        amount = facts.amount.units(),
        currency = facts.currency.code(),
        stateBefore = before.as_str(),
        stateAfter = facts.state.as_str(),
        outcome,
        attempt = facts.sending.as_ref().map(|sending| sending.epoch),
        "an operation was sent again with its key"
    );
}
