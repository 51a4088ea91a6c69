//! Everything that a seed decides, drawn in one order: the same seed is the same world.

use crate::TestSource;
use app::ports::Source;
use domain::time::Span;

pub(super) struct Chance(TestSource);

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        Self(TestSource::seeded(seed))
    }

    /// A number from zero on, and below this one.
    pub fn below(&self, end: u64) -> u64 {
        self.0.number() % end.max(1)
    }

    /// Both ends are possible.
    pub fn between(&self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to - from).unwrap_or(0);
        from + i64::try_from(self.below(width + 1)).unwrap_or(0)
    }

    pub fn one_in(&self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// True so many times in ten thousand.
    pub fn per_10_000(&self, rate: u64) -> bool {
        self.below(10_000) < rate
    }

    pub fn of<T: Copy>(&self, all: &[T]) -> T {
        let index = usize::try_from(self.below(all.len() as u64)).unwrap_or(0);
        all[index]
    }

    /// A length between these, each order of magnitude as likely as any other.
    pub fn span(&self, from: Span, to: Span) -> Span {
        let (from, to) = (from.millis().max(1), to.millis().max(1));
        let bits = self.between(i64::from(from.ilog2()), i64::from(to.ilog2()));
        let low = 1i64 << bits;
        Span::from_millis(self.between(low, low * 2 - 1).clamp(from, to))
    }

    pub fn millis(&self, from: i64, to: i64) -> Span {
        Span::from_millis(self.between(from, to))
    }
}
