//! How often a space may ask: what environments let through together, and how seldom they ask the table for it.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use app::ports::limits::{Limits, Taken};
use app::ports::store::StoreError;
use app::rate_limit::RateLimit;
use domain::id::SpaceId;
use domain::rate::Rate;
use domain::time::Span;
use domain::{Refusal, Timestamp};
use futures_util::FutureExt;
use proptest::prelude::*;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use testkit::TestClock;
use testkit::builders::{NOW, space};

/// The buckets of all spaces in memory, as the table keeps them.
#[derive(Clone, Default)]
struct Buckets(Arc<State>);

#[derive(Default)]
struct State {
    full_on: Mutex<HashMap<SpaceId, Timestamp>>,
    asked: AtomicUsize,
    is_away: AtomicBool,
}

impl Limits for Buckets {
    async fn take(&self, space: SpaceId, rate: Rate, tokens: u32, now: Timestamp) -> Result<Taken, StoreError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if self.0.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("nobody there".to_owned()));
        }
        let mut all = self.0.full_on.lock().unwrap();
        let full_on = all.entry(space).or_insert(now);
        Ok(match rate.take(*full_on, tokens, now) {
            Ok(next) => {
                *full_on = next;
                Taken::All
            }
            Err(wait) => Taken::Nothing { wait },
        })
    }
}

/// Environments that serve one space, and what they share.
struct Scene {
    environments: Vec<RateLimit<Buckets>>,
    buckets: Buckets,
    clock: TestClock,
}

impl Scene {
    fn set(environments: usize, per_second: u32) -> Self {
        let (buckets, clock) = (Buckets::default(), TestClock::at(NOW));
        let per_second = NonZeroU32::new(per_second).unwrap();
        let environments = (0..environments).map(|_| RateLimit::new(buckets.clone(), per_second)).collect();
        Self { environments, buckets, clock }
    }

    fn ask(&self, environment: usize, number: u64) -> Result<(), Refusal> {
        self.environments[environment].admit(&self.clock, space(number)).now_or_never().expect("buckets in memory do not wait")
    }

    /// How many of so many requests are let in.
    fn admitted(&self, environment: usize, requests: usize) -> usize {
        (0..requests).filter(|_| self.ask(environment, 1).is_ok()).count()
    }

    fn asked(&self) -> usize {
        self.buckets.0.asked.swap(0, Ordering::SeqCst)
    }
}

#[test]
fn ordinary_traffic_never_asks_the_table() {
    let scene = Scene::set(1, 50);
    for _ in 0..3_600 {
        assert_eq!(scene.ask(0, 1), Ok(()));
        scene.clock.advance(Span::from_seconds(1));
    }
    for _ in 0..100 {
        assert_eq!(scene.admitted(0, 5), 5, "an ERP that posts five documents in one go");
        scene.clock.advance(Span::from_seconds(5));
    }
    assert_eq!(scene.asked(), 0);
}

#[test]
fn a_busy_space_asks_once_for_ten_requests() {
    let scene = Scene::set(1, 50);
    assert_eq!(scene.admitted(0, 105), 105);
    assert_eq!(scene.asked(), 10);
}

#[test]
fn beyond_its_rate_a_space_is_told_when_to_come_again_and_then_served() {
    let scene = Scene::set(1, 2);
    assert_eq!(scene.admitted(0, 100), 5 + 8, "for nothing, and the burst");
    let Err(Refusal::RateLimited { retry_after }) = scene.ask(0, 1) else { panic!("not refused") };
    assert_eq!(retry_after, Span::from_seconds(4), "until the batch is there");
    assert_eq!(scene.asked(), 2, "who is refused is refused out of memory");
    scene.clock.advance(Span::from_seconds(2));
    assert_eq!(scene.ask(0, 1), Err(Refusal::RateLimited { retry_after: Span::from_seconds(2) }));
    scene.clock.advance(Span::from_millis(1500));
    assert_eq!(scene.ask(0, 1), Err(Refusal::RateLimited { retry_after: Span::from_seconds(1) }), "never too early");
    scene.clock.advance(Span::from_millis(500));
    assert_eq!(scene.admitted(0, 100), 4 + 8);
}

#[test]
fn a_clock_that_was_an_hour_ahead_keeps_nobody_waiting_once_it_is_right() {
    for per_second in [1, 2, 50] {
        let scene = Scene::set(2, per_second);
        scene.clock.advance(Span::from_hours(1));
        scene.admitted(0, 1000);
        assert!(scene.ask(0, 1).is_err());
        scene.clock.set(NOW);
        let burst = usize::try_from(per_second * 4).unwrap();
        assert_eq!(scene.admitted(0, 1000), 5 + burst, "at {per_second} a second");
        assert_eq!(scene.admitted(1, 1000), 5, "one bucket for all");
    }
}

#[test]
fn another_space_is_not_affected() {
    let scene = Scene::set(1, 2);
    scene.admitted(0, 100);
    assert!(scene.ask(0, 1).is_err());
    for _ in 0..10 {
        assert_eq!(scene.ask(0, 2), Ok(()));
    }
}

#[test]
fn environments_share_the_bucket() {
    let scene = Scene::set(4, 50);
    let admitted: usize = (0..4).map(|environment| scene.admitted(environment, 1000)).sum();
    assert_eq!(admitted, 200 + 4 * 5);
}

#[test]
fn what_is_left_of_a_batch_is_forgotten() {
    let scene = Scene::set(1, 50);
    assert_eq!(scene.admitted(0, 6), 6);
    assert_eq!(scene.asked(), 1);
    scene.clock.advance(Span::from_seconds(11));
    assert_eq!(scene.admitted(0, 5), 5);
    assert_eq!(scene.asked(), 0);
    assert_eq!(scene.admitted(0, 1), 1);
    assert_eq!(scene.asked(), 1);
}

#[test]
fn a_table_that_cannot_be_asked_stops_nobody() {
    let scene = Scene::set(1, 1);
    scene.buckets.0.is_away.store(true, Ordering::SeqCst);
    assert_eq!(scene.admitted(0, 50), 50);
    scene.buckets.0.is_away.store(false, Ordering::SeqCst);
    assert_eq!(scene.admitted(0, 50), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Requests of one space to any environment in any order: what is let in stays below burst and rate, and for each
    /// environment a batch and what it gives for nothing.
    #[test]
    fn no_interleaving_of_environments_gets_more(
        per_second in 1..300u32,
        environments in 1..5usize,
        requests in prop::collection::vec((0..5usize, prop_oneof![4 => Just(0), 2 => 0..20i64, 1 => 0..3_000i64], 1..40usize), 1..150),
    ) {
        let scene = Scene::set(environments, per_second);
        let mut let_in: Vec<(i64, usize)> = vec![];
        let mut now = 0;
        for (environment, pause, count) in requests {
            now += pause;
            scene.clock.set(NOW.plus(Span::from_millis(now)));
            let_in.push((now, scene.admitted(environment % environments, count)));
        }
        let batch = (per_second / 10).max(10);
        for (first, (begin, _)) in let_in.iter().enumerate() {
            let mut sum = 0;
            for (end, count) in &let_in[first..] {
                sum += count;
                // The clock of the test runs on by itself for a few milliseconds.
                let span = u64::try_from(end - begin).unwrap() + 50;
                let shared = 4_000 * u64::from(per_second) + u64::from(per_second) * span;
                let each = 1_000 * u64::from(batch) + 5_000 + span;
                let most = shared + u64::try_from(environments).unwrap() * each;
                prop_assert!(u64::try_from(sum).unwrap() * 1_000 <= most, "{sum} within {span} ms");
            }
        }
    }
}
