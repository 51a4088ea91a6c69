//! When the table is not available, or somebody else was faster.

use crate::ports::store::StoreError;
use crate::ports::{Clock, Source};
use domain::Refusal;
use domain::time::Span;

/// When a caller may send the same request again.
pub(crate) const RETRY_AFTER: Span = Span::from_seconds(1);

/// Waits before another try: not before the first, then up to 20, 40 … 320 ms, spread by chance so that losers part.
pub(crate) async fn back_off<K: Clock, R: Source>(clock: &K, source: &R, attempt: u32) {
    if attempt > 0 {
        let longest = 10u64 << attempt.min(5);
        let millis = source.number() % longest + 1;
        clock.sleep(Span::from_millis(i64::try_from(millis).unwrap_or(10))).await;
    }
}

/// What a store error is to a caller. An inconsistent item is a bug of ours: somebody has to look.
pub(crate) fn refused(error: StoreError) -> Refusal {
    match error {
        StoreError::Unavailable(detail) => {
            tracing::warn!(detail, "the table is not available");
            Refusal::Unavailable { retry_after: RETRY_AFTER }
        }
        StoreError::Inconsistent { .. } => Refusal::internal(error.for_log()),
    }
}
