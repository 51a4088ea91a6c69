//! What is due, and for how long: told to operators, because what is due and stays so is something that nobody takes care of.

use crate::metric::{self, Metric};
use crate::ports::Clock;
use crate::ports::store::{DueStore, StoreError};
use domain::time::Span;

/// Looks at what is due and says how much it is and how long the first of it has been waiting. It settles nothing.
pub async fn watch<S: DueStore, K: Clock>(store: &S, clock: &K) -> Result<(), StoreError> {
    let now = clock.now();
    let due = store.look_at_due(now).await?;
    let waited = due.since.map_or(Span::from_seconds(0), |since| now.since(since));
    metric::record(Metric::OldestDueSeconds, waited.seconds());
    metric::record(Metric::DueItems, i64::try_from(due.items).unwrap_or(i64::MAX));
    if due.items > 0 {
        tracing::info!(items = due.items, oldestSeconds = waited.seconds(), "something is due");
    }
    Ok(())
}
