//! Finding out what is not known, and finishing what was left: by the schedule over everything that is due, and on request for
//! one transaction.
//!
//! Whoever works on an operation takes it over first, so that two never do; then the PSP is asked; only what it says, or does
//! not know, decides whether something is sent again.

mod transaction;

use crate::metric::{self, Metric};
use crate::money_command::TIME_FOR_CALL;
use crate::ports::store::{Due, DueStore, ImportStore, StatusStore, StoreError, Waiting, WebhookStore, WholeTransaction};
use crate::ports::{Clock, Connections, Ports, Source};
use crate::{retry, webhook};
use domain::id::{ConnectionName, SpaceId, TransactionId};
use domain::time::Span;
use domain::{Refusal, Timestamp};
use futures_util::StreamExt;
use futures_util::stream::iter;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use transaction::Taking;

/// What a sweep took, and whether it left something for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub taken: usize,
    pub left: usize,
}

/// So many transactions and webhooks are worked on at once: mostly it is waited for PSPs.
const AT_ONCE: usize = 8;

/// Takes what is due, the longest waiting first, until the time is over. What goes wrong with one does not keep the others
/// waiting, and is due again later.
pub async fn sweep<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, deadline: Timestamp) -> Result<Swept, StoreError>
where
    S: ImportStore + StatusStore + WebhookStore + DueStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let now = ports.clock.now();
    let due = ports.store.list_due(now).await?;
    tell_due(&due, now);
    let mut seen = HashSet::new();
    let distinct = due.into_iter().map(|due| due.what).filter(|what| seen.insert(what.clone()));
    let silent = Silent::default();
    let taken = iter(distinct).map(|what| take(ports, what, &silent, deadline)).buffer_unordered(AT_ONCE).collect::<Vec<bool>>().await;
    let left = taken.iter().filter(|is_taken| !**is_taken).count();
    Ok(Swept { taken: taken.len() - left, left })
}

/// The connections whose PSP has not answered in this sweep. It is not asked for the rest of what waits for it, and that comes later:
/// a PSP that is away must not keep the others' waiting.
#[derive(Default)]
struct Silent(Mutex<HashSet<(SpaceId, ConnectionName)>>);

impl Silent {
    fn add(&self, space: SpaceId, connection: &ConnectionName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((space, connection.clone()));
    }

    fn has(&self, space: SpaceId, connection: &ConnectionName) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(space, connection.clone()))
    }
}

/// False where no time is left for it, or its PSP does not answer.
async fn take<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, what: Waiting, silent: &Silent, deadline: Timestamp) -> bool
where
    S: ImportStore + StatusStore + WebhookStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    if deadline.since(ports.clock.now()) < TIME_FOR_CALL {
        return false;
    }
    match what {
        Waiting::Transaction(space, id) => match transaction::reconcile(ports, space, id, Taking::WhatIsDue, silent, deadline).await {
            Ok(is_taken) => return is_taken,
            Err(Refusal::Internal(internal)) => {
                let (space, transaction) = (space.number(), id.number());
                tracing::error!(space, transaction, internal = internal.0, "a transaction could not be reconciled");
            }
            Err(refusal) => {
                tracing::warn!(space = space.number(), transaction = id.number(), ?refusal, "a transaction could not be reconciled");
            }
        },
        Waiting::Webhook { space, connection, event } => {
            let is_silent = silent.has(space, &connection);
            webhook::resume(ports, space, &connection, &event, is_silent).await;
            return !is_silent;
        }
    }
    true
}

/// Asks the PSP now about everything that is open in a transaction, due or not, and answers how it then stands.
pub async fn reconcile<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    space: SpaceId,
    id: TransactionId,
    deadline: Timestamp,
) -> Result<WholeTransaction, Refusal>
where
    S: ImportStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    transaction::reconcile(ports, space, id, Taking::WhatIsOpen, &Silent::default(), deadline).await?;
    let whole = ports.store.load_whole(space, id).await.map_err(retry::refused)?;
    whole.ok_or(Refusal::TransactionNotFound)
}

/// How much is due and for how long: what is due and stays so is something that nobody takes care of.
pub fn tell_due(due: &[Due], now: Timestamp) {
    let waited = due.first().map_or(Span::from_seconds(0), |oldest| now.since(oldest.since));
    metric::record(Metric::OldestDueSeconds, waited.seconds());
    metric::record(Metric::DueItems, i64::try_from(due.len()).unwrap_or(i64::MAX));
    if !due.is_empty() {
        tracing::info!(items = due.len(), oldestSeconds = waited.seconds(), "something is due");
    }
}
