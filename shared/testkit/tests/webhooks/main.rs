//! Webhooks in large numbers, at the handler itself: the real adapters that verify and parse them, the real store over the
//! embedded engine. Forged ones never reach the table; genuine ones lead to the same end in whatever order they come.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers included")]

mod forged;
mod genuine;
mod life;
mod psp;
mod table;

use app::ports::Source;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Instant;
use testkit::TestSource;

/// Chance that the seed repeats.
struct Chance(TestSource);

impl Chance {
    fn seeded(seed: u64) -> Self {
        Self(TestSource::seeded(seed))
    }

    fn below(&self, end: usize) -> usize {
        usize::try_from(self.0.number() % end as u64).unwrap()
    }

    fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A number that nobody knows before, or the one that `WEBHOOKS_SEED` names, to repeat a run.
#[expect(clippy::disallowed_methods, reason = "only tests are told a seed by the environment")]
fn seed() -> u64 {
    let named = std::env::var("WEBHOOKS_SEED").ok().and_then(|seed| seed.parse().ok());
    named.unwrap_or_else(|| RandomState::new().build_hasher().finish())
}

/// How long something takes for whoever waits for it: the clock of the product does not move meanwhile.
#[expect(clippy::disallowed_methods, reason = "a person's time is measured, and nothing depends on it")]
fn stopwatch() -> Instant {
    Instant::now()
}
