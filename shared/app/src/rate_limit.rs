//! How often a space may ask: a bucket that all environments share, and that is asked so seldom that nobody notices.
//!
//! Each environment lets a space ask about once a second for nothing, out of its own memory. What comes beyond that is paid
//! with tokens of the space's bucket in the table, taken a batch at a time and used up within seconds; where there are none, it
//! is refused out of memory until there can be some. So the traffic of an ERP costs no write and no round trip, a busy space
//! one write for each batch, and a flood no more than a busy space.
//!
//! Exact to the batch: what all environments let through within a span of time is at most burst and rate, and for each
//! environment one batch and what it gives for nothing.

use crate::ports::Clock;
use crate::ports::limits::{Limits, Taken};
use domain::Refusal;
use domain::id::SpaceId;
use domain::rate::Rate;
use domain::time::{Span, Timestamp};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an environment lets through without asking the table: one request a second, five at once.
const FREE: Rate = Rate::new(NonZeroU32::MIN, 5);
/// The bucket holds as much as comes back in this many seconds.
const BURST_SECONDS: u32 = 4;
/// The smallest batch, unless the whole bucket is smaller. A larger one is a tenth of a second's worth.
const SMALLEST_BATCH: u32 = 10;
/// How long a batch is used before what is left of it is forgotten.
const BATCH_KEPT: Span = Span::from_seconds(10);

/// The limit of one environment.
pub struct RateLimit<L> {
    limits: L,
    rate: Rate,
    /// Only spaces with a valid key get here, so there are no more entries than customers.
    known: Mutex<HashMap<SpaceId, Known>>,
    /// Held while the table is asked: who waits here finds the batch of the one before.
    asking: futures_util::lock::Mutex<()>,
}

/// What an environment knows of a space.
#[derive(Clone, Copy)]
struct Known {
    free_full_on: Timestamp,
    /// Left of the last batch, and until when.
    tokens: u32,
    tokens_until: Timestamp,
    /// Before this the bucket has no batch to give.
    empty_until: Timestamp,
}

impl<L: Limits> RateLimit<L> {
    pub fn new(limits: L, requests_per_second: NonZeroU32) -> Self {
        let (known, asking) = (Mutex::default(), futures_util::lock::Mutex::default());
        Self { limits, rate: Rate::new(requests_per_second, BURST_SECONDS), known, asking }
    }

    /// Lets a request of this space in, or tells when to come again.
    pub async fn admit<K: Clock>(&self, clock: &K, space: SpaceId) -> Result<(), Refusal> {
        if let Some(decided) = self.remembered(space, clock.now()) {
            return decided;
        }
        let _alone = self.asking.lock().await;
        let now = clock.now();
        if let Some(decided) = self.remembered(space, now) {
            return decided;
        }
        let batch = self.batch();
        match self.limits.take(space, self.rate, batch, now).await {
            Ok(Taken::All) => {
                self.change(space, now, |known| Known { tokens: batch - 1, tokens_until: now.plus(BATCH_KEPT), ..known });
                Ok(())
            }
            Ok(Taken::Nothing { wait }) => {
                self.change(space, now, |known| Known { empty_until: now.plus(wait), ..known });
                Err(refused(wait))
            }
            Err(error) => {
                // Its own reads will tell whether the table is there; a limit that cannot be asked stops nobody.
                tracing::warn!(%space, ?error, "the rate of a space cannot be looked up");
                Ok(())
            }
        }
    }

    /// What memory says about a request; none if only the table can tell.
    fn remembered(&self, space: SpaceId, now: Timestamp) -> Option<Result<(), Refusal>> {
        let mut all = self.all();
        let known = all.entry(space).or_insert(Known::new(now));
        let wait = known.empty_until.since(now);
        // Nobody is told to wait longer: then our own clock was ahead when this was remembered.
        if now < known.empty_until && wait <= self.rate.longest_wait(self.batch()) {
            return Some(Err(refused(wait)));
        }
        if let Ok(full_on) = FREE.take(known.free_full_on, 1, now) {
            known.free_full_on = full_on;
            return Some(Ok(()));
        }
        known.tokens = known.tokens.checked_sub(1).filter(|_| now < known.tokens_until)?;
        Some(Ok(()))
    }

    fn batch(&self) -> u32 {
        (self.rate.per_second() / 10).max(SMALLEST_BATCH).min(self.rate.burst())
    }

    fn change(&self, space: SpaceId, now: Timestamp, change: impl FnOnce(Known) -> Known) {
        let mut all = self.all();
        let known = all.entry(space).or_insert(Known::new(now));
        *known = change(*known);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<SpaceId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn new(now: Timestamp) -> Self {
        Self { free_full_on: now, tokens: 0, tokens_until: now, empty_until: now }
    }
}

/// In whole seconds, as the header says it, and never too early.
fn refused(wait: Span) -> Refusal {
    Refusal::RateLimited { retry_after: Span::from_seconds(wait.millis().saturating_add(999) / 1000) }
}
