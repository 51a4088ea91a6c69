//! A clock that shows what the test says.

use app::ports::Clock;
use domain::time::{Span, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Time of the tokio runtime, counted from a moment of the test's choice. In a test with paused time
/// (`#[tokio::test(start_paused = true)]`) it stands still until everything waits, then a sleep carries it forward at once:
/// so whoever sleeps a shorter time wakes first, and nobody waits. Clones show the same time.
#[derive(Clone, Debug)]
pub struct TestClock {
    begin: Instant,
    /// What the clock shows at `begin`, in milliseconds.
    shown: Arc<AtomicI64>,
}

impl TestClock {
    pub fn at(now: Timestamp) -> Self {
        Self { begin: Instant::now(), shown: Arc::new(AtomicI64::new(now.millis())) }
    }

    /// Shows another time from now on, an earlier one too. Nobody who sleeps wakes from it.
    pub fn set(&self, now: Timestamp) {
        self.shown.store(now.millis() - self.elapsed(), Ordering::SeqCst);
    }

    pub fn advance(&self, span: Span) {
        self.shown.fetch_add(span.millis(), Ordering::SeqCst);
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.begin.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.shown.load(Ordering::SeqCst).saturating_add(self.elapsed()))
    }

    async fn sleep(&self, span: Span) {
        tokio::time::sleep(Duration::from_millis(u64::try_from(span.millis()).unwrap_or(0))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_passes_by_sleeping_and_as_the_test_says() {
        let clock = TestClock::at(Timestamp::from_seconds(100));
        assert_eq!(clock.now(), Timestamp::from_seconds(100));
        clock.sleep(Span::from_hours(24)).await;
        assert_eq!(clock.now(), Timestamp::from_seconds(100).plus(Span::from_days(1)));
        clock.advance(Span::from_seconds(5));
        assert_eq!(clock.clone().now(), Timestamp::from_seconds(105).plus(Span::from_days(1)));
        clock.set(Timestamp::from_seconds(7));
        assert_eq!(clock.now(), Timestamp::from_seconds(7));
    }
}
