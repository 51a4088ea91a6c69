//! Write 2: what the PSP answered, booked on condition of the version that was read.

use super::{Answer, Request, Stored, captures_for};
use crate::metric::{self, Metric};
use crate::ports::store::{CommandStore, Committed, StoreError};
use crate::ports::{Clock, Ports, Source};
use crate::retry::back_off;
use domain::operation::Effect;
use domain::time::Span;
use domain::transaction::Change;
use domain::{Refusal, Timestamp};

/// Writing down an outcome is worth more patience than deciding: the money may have moved.
const SETTLEMENTS: u32 = 40;
/// What is left for the answer when the writing is given up.
const TIME_FOR_ANSWER: Span = Span::from_seconds(1);

/// Writes the outcome down. Whatever happens to this write, the answer is the operation as far as it is known to be stored;
/// what is not written is left open and due, and found out by asking the PSP.
pub(super) async fn record<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, mut stored: Stored, effect: Effect) -> Answer
where
    S: CommandStore,
    K: Clock,
    R: Source,
{
    for attempt in 0..SETTLEMENTS {
        if attempt > 0 {
            back_off(ports.clock, ports.source, attempt).await;
            if request.deadline.since(ports.clock.now()) < TIME_FOR_ANSWER {
                break;
            }
            match reload(ports.store, request, &stored).await {
                Ok(Some(fresh)) => stored = fresh,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(transaction = request.transaction.number(), ?error, "reading before the outcome is written failed");
                    continue;
                }
            }
        }
        // Somebody settled it by asking the PSP, which knows more than our older answer.
        if stored.operation.state().is_final() {
            return stored.answer();
        }
        let Some(change) = book(&stored, &effect, ports.clock.now()) else {
            return stored.answer();
        };
        match ports.store.commit(&stored.read, &change).await {
            Ok(Committed::Done(read)) => {
                let id = stored.operation.facts().id;
                let settled = change.updated.into_iter().find(|after| after.facts().id == id);
                let operation = settled.unwrap_or(stored.operation);
                metric::operation(operation.state());
                return Stored { read, operation, captures: vec![] }.answer();
            }
            Ok(Committed::VersionMoved | Committed::OperationExists) => {}
            Err(error) => tracing::warn!(transaction = request.transaction.number(), ?error, "writing the outcome failed: trying again"),
        }
    }
    let id = stored.operation.facts().id;
    let transaction = request.transaction.number();
    tracing::error!(transaction, operation = id.number(), "the outcome is not stored: the operation is left open");
    metric::count(Metric::OperationsInDoubt);
    stored.answer()
}

/// The commit that books the effect; none where it says nothing new. What our own rules cannot book is given to a person,
/// with the reservation untouched.
fn book(stored: &Stored, effect: &Effect, now: Timestamp) -> Option<Change> {
    let settle = |effect: Effect| stored.read.transaction().settle(&stored.operation, stored.bound_capture(), effect, now);
    let alarm = |refusal: Refusal| {
        let facts = stored.operation.facts();
        tracing::error!(transaction = facts.transaction.number(), operation = facts.id.number(), ?refusal, "an outcome cannot be booked");
    };
    settle(effect.clone())
        .or_else(|refusal| {
            alarm(refusal);
            settle(Effect::ManualCheck("the outcome cannot be booked"))
        })
        .map_err(alarm)
        .ok()
        .flatten()
}

async fn reload<S: CommandStore>(store: &S, request: &Request, stored: &Stored) -> Result<Option<Stored>, StoreError> {
    let kind = stored.operation.facts().kind;
    let loaded = store.load_for_command(request.space, request.transaction, kind, &request.key).await?;
    let Some((read, Some(operation))) = loaded else {
        return Ok(None);
    };
    let captures = captures_for(store, &operation).await?;
    Ok(Some(Stored { read, operation, captures }))
}
