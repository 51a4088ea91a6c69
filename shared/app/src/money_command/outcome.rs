//! Write 2: what the PSP answered, booked on condition of the version that was read.

use super::{Stored, captures_for};
use crate::metric::{self, Metric};
use crate::ports::store::{CommandStore, Committed, StoreError};
use crate::ports::{Clock, Ports, Source};
use crate::retry::back_off;
use domain::operation::{Effect, OperationKey};
use domain::planted::{Bug, is_planted};
use domain::time::Span;
use domain::transaction::Change;
use domain::{Refusal, Timestamp};

/// Writing down an outcome is worth more patience than deciding: the money may have moved.
const SETTLEMENTS: u32 = 40;
/// What is left for the answer when the writing is given up.
const TIME_FOR_ANSWER: Span = Span::from_seconds(1);

/// Writes the outcome down. Whatever happens to this write, what is returned is the operation as far as it is known to be
/// stored; what is not written is left open and due, and found out by asking the PSP.
pub(crate) async fn record<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, deadline: Timestamp, mut stored: Stored, effect: Effect) -> Stored
where
    S: CommandStore,
    K: Clock,
    R: Source,
{
    let (transaction, id) = (stored.operation.facts().transaction.number(), stored.operation.facts().id);
    let lease = stored.operation.lease().map(str::to_owned);
    for attempt in 0..SETTLEMENTS {
        if attempt > 0 {
            back_off(ports.clock, ports.source, attempt).await;
            if deadline.since(ports.clock.now()) < TIME_FOR_ANSWER {
                break;
            }
            match reload(ports.store, &stored).await {
                Ok(Some(fresh)) => stored = fresh,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(transaction, ?error, "reading before the outcome is written failed");
                    continue;
                }
            }
        }
        // Somebody settled it by asking the PSP, which knows more than our older answer, or has taken it over and asks now.
        let is_ours = stored.operation.lease() == lease.as_deref();
        let is_late = stored.operation.state().is_final() || !is_ours && !effect.is_proof();
        if is_late && !is_planted(Bug::SettleWhatIsFinal) {
            return stored;
        }
        let Some(change) = book(&stored, &effect, ports.clock.now()) else {
            if let Some(learnt) = stored.operation.having_learnt(&effect)
                && let Err(error) = ports.store.take(&stored.operation, &learnt).await
            {
                tracing::warn!(transaction, ?error, "what was learnt of the key is not stored: it will be sent once more");
            }
            return stored;
        };
        match ports.store.commit(&stored.read, &change).await {
            Ok(Committed::Done(read)) => {
                let settled = change.updated.into_iter().find(|after| after.facts().id == id);
                let version = read.transaction().version();
                let operation = settled.map_or(stored.operation, |settled| settled.written_at(version));
                metric::operation(operation.state());
                return Stored { read, operation, captures: vec![] };
            }
            Ok(Committed::VersionMoved | Committed::OperationExists) => {}
            Err(error) => tracing::warn!(transaction, ?error, "writing the outcome failed: trying again"),
        }
    }
    tracing::error!(transaction, operation = id.number(), "the outcome is not stored: the operation is left open");
    metric::count(Metric::OperationsInDoubt);
    stored
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

async fn reload<S: CommandStore>(store: &S, stored: &Stored) -> Result<Option<Stored>, StoreError> {
    let facts = stored.operation.facts();
    // Only what was asked for here is sent, so only that has an outcome to record.
    let OperationKey::Caller(key) = &facts.key else { return Ok(None) };
    let Some((read, Some(operation))) = store.load_for_command(facts.space, facts.transaction, facts.kind, key).await? else {
        return Ok(None);
    };
    let captures = captures_for(store, &operation).await?;
    Ok(Some(Stored { read, operation, captures }))
}
