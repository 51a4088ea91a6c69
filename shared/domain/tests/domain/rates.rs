//! Token buckets: never more than the rate allows, and never less than it promises.

use super::ledger::BEGIN;
use domain::rate::Rate;
use domain::time::{Span, Timestamp};
use proptest::prelude::*;
use std::num::NonZeroU32;

fn rate(per_second: u32, burst_seconds: u32) -> Rate {
    Rate::new(NonZeroU32::new(per_second).unwrap(), burst_seconds)
}

/// Long ago: a bucket that nobody has taken anything from.
const FULL: Timestamp = Timestamp::from_millis(0);

fn after(millis: i64) -> Timestamp {
    BEGIN.plus(Span::from_millis(millis))
}

#[test]
fn a_full_bucket_gives_its_burst_and_then_its_rate() {
    let rate = rate(50, 4);
    let mut full_on = FULL;
    for _ in 0..20 {
        full_on = rate.take(full_on, 10, BEGIN).unwrap();
    }
    assert_eq!(rate.take(full_on, 10, BEGIN), Err(Span::from_millis(200)));
    assert_eq!(rate.take(full_on, 1, BEGIN), Err(Span::from_millis(20)));
    assert!(rate.take(full_on, 10, after(199)).is_err());
    let full_on = rate.take(full_on, 10, after(200)).unwrap();
    assert!(rate.take(full_on, 1, after(219)).is_err() && rate.take(full_on, 1, after(220)).is_ok());
    assert!(rate.take(full_on, 200, after(4199)).is_err() && rate.take(full_on, 200, after(4200)).is_ok());
}

#[test]
fn what_is_more_than_the_burst_is_never_there() {
    let rate = rate(50, 4);
    assert_eq!((rate.per_second(), rate.burst()), (50, 200));
    for full_on in [BEGIN, FULL] {
        assert!(rate.take(full_on, 201, BEGIN).is_err());
        assert!(rate.take(full_on, 200, BEGIN).is_ok());
    }
}

/// A clock that was wrong for a moment may not close a space until its time has come.
#[test]
fn a_bucket_that_was_taken_from_by_a_clock_far_ahead_is_set_anew() {
    let rate = rate(50, 4);
    let hour_ahead = rate.take(FULL, 10, after(3_600_000)).unwrap();
    assert_eq!(rate.take(hour_ahead, 10, BEGIN), rate.take(FULL, 10, BEGIN));
    // Within what clocks differ by, it is believed.
    assert_eq!(rate.take(after(14_000), 10, BEGIN), Err(rate.longest_wait(10)));
    assert_eq!(rate.take(after(14_001), 10, BEGIN), Ok(after(200)));
}

/// One taking: so long after the one before, so many tokens.
fn takings() -> impl Strategy<Value = Vec<(i64, u32)>> {
    prop::collection::vec((prop_oneof![Just(0), 0..50i64, 0..5_000i64], 1..60u32), 1..120)
}

proptest! {
    /// Many takers share a bucket; who takes does not matter to it, so their takings are one sequence.
    #[test]
    fn no_span_of_time_gets_more_than_burst_and_rate(per_second in 1..3_000u32, burst_seconds in 1..20u32, takings in takings()) {
        let rate = rate(per_second, burst_seconds);
        let (mut full_on, mut now) = (FULL, BEGIN);
        let mut given: Vec<(Timestamp, u32)> = vec![];
        for (pause, tokens) in takings {
            now = now.plus(Span::from_millis(pause));
            if let Ok(next) = rate.take(full_on, tokens, now) {
                full_on = next;
                given.push((now, tokens));
            }
        }
        for (first, (begin, _)) in given.iter().enumerate() {
            let mut sum = 0u64;
            for (end, tokens) in &given[first..] {
                sum += u64::from(*tokens);
                let span = u64::try_from(end.since(*begin).millis()).unwrap();
                prop_assert!(sum * 1000 <= u64::from(rate.burst()) * 1000 + u64::from(per_second) * span, "{sum} within {span} ms");
            }
        }
    }

    #[test]
    fn who_waits_as_long_as_was_said_gets_them_and_no_sooner(
        per_second in 1..3_000u32,
        burst_seconds in 1..20u32,
        portion in 1..60u32,
        tokens in 1..60u32,
    ) {
        let rate = rate(per_second, burst_seconds);
        let (portion, tokens) = (portion.min(rate.burst()), tokens.min(rate.burst()));
        let mut full_on = FULL;
        while let Ok(next) = rate.take(full_on, portion, BEGIN) {
            full_on = next;
        }
        if let Err(wait) = rate.take(full_on, tokens, BEGIN) {
            prop_assert!(wait.millis() > 0);
            prop_assert!(rate.take(full_on, tokens, BEGIN.plus(wait)).is_ok());
            prop_assert!(rate.take(full_on, tokens, after(wait.millis() - 1)).is_err());
        }
    }
}
