//! Asking the PSP about a payment that is ours, and applying what it says.
//!
//! Every reading is taken for the version that was stored before it: whatever else has changed meanwhile may be newer than it.
//! So a repetition has no second effect, order does not matter, and two who ask at once do no harm.

use crate::ask::ask;
use crate::metric;
use crate::money_command::bound_capture;
use crate::ports::psp::{Psp, Reading};
use crate::ports::store::{CommandStore, Committed, StatusStore, StoreError, WholeTransaction};
use crate::ports::{Clock, Ports, Source};
use crate::retry::back_off;
use domain::id::{SpaceId, TransactionId};
use domain::operation::Effect;
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::{Change, Finding, find};
use domain::{Operation, Refusal, Timestamp};

/// What the PSP said last, and the transaction after all of it was applied.
pub(crate) struct Refreshed {
    pub whole: WholeTransaction,
    pub heard: Heard,
    /// How many commits were made.
    pub changes: u32,
    /// How long the PSP took to answer.
    pub took: Span,
}

pub(crate) enum Heard {
    Payment(Box<PspPayment>),
    /// It answered, and not about this payment; the text is for the log.
    Nothing {
        why: &'static str,
    },
    /// It did not answer.
    Silence {
        why: String,
        retry_after: Option<Span>,
    },
}

const TRIES: u32 = 16;

/// Reads the payment and applies what is new, one commit at a time, until nothing is. The import must be done. An error is for
/// the log, and leaves everything as it is or well applied in part.
pub(crate) async fn refresh<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    psp: &dyn Psp,
    mut whole: WholeTransaction,
) -> Result<Refreshed, String>
where
    S: CommandStore + StatusStore,
    K: Clock,
    R: Source,
{
    let (space, id) = (whole.head.transaction().facts().space, whole.head.transaction().facts().id);
    let mut changes = 0;
    'reading: for attempt in 0..TRIES {
        if attempt > 0 {
            back_off(ports.clock, ports.source, attempt).await;
            whole = load(ports.store, space, id).await?;
        }
        let (reading, asked) = ask(ports.clock, psp, &whole.head.transaction().facts().psp_reference).await;
        let heard = match reading {
            Reading::Found(payment) => {
                while let Some(change) = next_change(&whole, &payment, ports.clock.now()).map_err(|refusal| format!("{refusal:?}"))? {
                    let Committed::Done(written) = ports.store.commit(&whole.head, &change).await.map_err(StoreError::for_log)? else {
                        continue 'reading;
                    };
                    changes += 1;
                    tell(&change, &whole.operations);
                    whole = load(ports.store, space, id).await?;
                    if whole.head.transaction().version() != written.transaction().version() {
                        continue 'reading;
                    }
                }
                Heard::Payment(payment)
            }
            Reading::NotFound => Heard::Nothing { why: "the PSP does not know the payment" },
            Reading::CredentialsRefused => Heard::Nothing { why: "the PSP does not accept our credentials" },
            Reading::Unavailable { detail, retry_after } => Heard::Silence { why: detail, retry_after },
        };
        return Ok(Refreshed { whole, heard, changes, took: asked.took });
    }
    Err("too many conflicts".to_owned())
}

pub(crate) async fn load<S: StatusStore>(store: &S, space: SpaceId, id: TransactionId) -> Result<WholeTransaction, String> {
    store.load_whole(space, id).await.map_err(StoreError::for_log)?.ok_or_else(|| "a reference without its transaction".to_owned())
}

/// The first thing in the reading that the stored transaction does not know yet: about an operation of ours, then what nobody
/// asked for here, then the payment itself.
fn next_change(whole: &WholeTransaction, payment: &PspPayment, now: Timestamp) -> Result<Option<Change>, Refusal> {
    let transaction = whole.head.transaction();
    for operation in &whole.operations {
        let Some(effect) = effect_on(operation, payment) else { continue };
        let bound = bound_capture(operation, &whole.operations);
        if let Some(change) = transaction.settle(operation, bound, effect, now)? {
            return Ok(Some(change));
        }
    }
    match transaction.adopt(&whole.operations, payment, now)? {
        Some(change) => Ok(Some(change)),
        None => transaction.follow(payment, now),
    }
}

fn effect_on(operation: &Operation, payment: &PspPayment) -> Option<Effect> {
    match find(operation, payment) {
        Finding::Found(movement) => Some(Effect::of_movement(operation, movement)),
        Finding::Ambiguous => Some(Effect::AMBIGUOUS),
        Finding::NotFound => None,
    }
}

/// Tells of a change that was stored because of what the PSP said; `before` are the operations as they were.
fn tell(change: &Change, before: &[Operation]) {
    // The first is the one that was settled; with a refund comes its capture.
    if let Some(settled) = change.updated.first() {
        metric::operation(settled.state());
    }
    let Some(entry) = &change.interaction else { return };
    let operation = entry.operation.as_ref();
    let before = operation.and_then(|operation| before.iter().find(|before| before.facts().id.number() == operation.id));
    let facts = change.transaction.facts();
    tracing::info!(
        space = facts.space.number(),
        transaction = facts.id.number(),
        change = entry.kind.as_str(),
        operation = operation.map(|operation| operation.id),
        amount = operation.map(|operation| operation.amount.units()),
        currency = facts.currency.code(),
        stateBefore = before.map(|before| before.state().as_str()),
        stateAfter = operation.map(|operation| operation.state.as_str()),
        transactionState = entry.state.as_str(),
        version = entry.sequence,
        "what the PSP said led to a change"
    );
}
