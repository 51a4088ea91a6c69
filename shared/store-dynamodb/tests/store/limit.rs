//! The token bucket of a space: shared by all who take from it, one write for each batch.

use app::ports::limits::{Limits, Taken};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::rate::Rate;
use domain::time::{Span, Timestamp};
use std::num::NonZeroU32;
use testkit::TestStore;
use testkit::builders::{NOW, space};

/// 50 a second, 200 at once.
fn rate() -> Rate {
    Rate::new(NonZeroU32::new(50).unwrap(), 4)
}

fn after(millis: i64) -> Timestamp {
    NOW.plus(Span::from_millis(millis))
}

/// How many of so many batches of ten are there at this moment.
async fn taken(store: &TestStore, batches: usize, now: Timestamp) -> usize {
    let mut count = 0;
    for _ in 0..batches {
        count += usize::from(store.take(space(1), rate(), 10, now).await == Ok(Taken::All));
    }
    count
}

#[tokio::test]
async fn a_bucket_gives_its_burst_then_its_rate_and_says_how_long_to_wait() {
    let store = TestStore::open().await;
    assert_eq!(taken(&store, 30, NOW).await, 20);
    assert_eq!(store.take(space(1), rate(), 10, after(50)).await, Ok(Taken::Nothing { wait: Span::from_millis(150) }));
    assert_eq!(taken(&store, 5, after(200)).await, 1);
    assert_eq!(taken(&store, 5, after(1200)).await, 5);
    // Idle for long: full again, and not fuller.
    assert_eq!(taken(&store, 30, after(60_000)).await, 20);
}

#[tokio::test]
async fn an_environment_whose_clock_is_ahead_closes_nobody() {
    let store = TestStore::open().await;
    assert_eq!(taken(&store, 30, after(3_600_000)).await, 20);
    assert_eq!(taken(&store, 30, NOW).await, 20, "set anew, as if nobody had taken anything");
    assert_eq!(taken(&store, 30, after(200)).await, 1);
}

#[tokio::test]
async fn spaces_have_buckets_of_their_own() {
    let store = TestStore::open().await;
    assert_eq!(taken(&store, 21, NOW).await, 20);
    assert_eq!(store.take(space(2), rate(), 10, NOW).await, Ok(Taken::All));
    assert_eq!(store.take(space(11), rate(), 10, NOW).await, Ok(Taken::All));
}

#[tokio::test]
async fn however_many_take_at_once_no_batch_is_given_twice() {
    let store = std::sync::Arc::new(TestStore::open().await);
    for (round, expected) in [(0, 20), (1, 5), (2, 5)] {
        let takers = (0..40).map(|_| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move { store.take(space(1), rate(), 10, after(round * 1000)).await })
        });
        let mut all = 0;
        for taker in takers.collect::<Vec<_>>() {
            all += usize::from(taker.await.unwrap() == Ok(Taken::All));
        }
        assert_eq!(all, expected, "in second {round}");
    }
}

#[tokio::test]
async fn a_batch_costs_one_write_and_so_does_a_refusal() {
    let store = TestStore::embedded().await;
    taken(&store, 1, NOW).await;
    store.take_usage();
    assert_eq!(taken(&store, 19, NOW).await, 19);
    let usage = store.take_usage();
    assert_eq!((usage.calls.len(), usage.write_hundredths, usage.read_hundredths), (19, 1900, 0), "{usage:?}");
    // What a refused write consumes the embedded engine does not say.
    assert_eq!(taken(&store, 19, after(100)).await, 0);
    assert_eq!(store.take_usage().calls, ["UpdateItem"; 19]);
}

#[tokio::test]
async fn the_item_is_one_number_that_the_engine_may_remove_a_day_later() {
    let store = TestStore::open().await;
    taken(&store, 2, NOW).await;
    let items = store.items("L#1").await;
    let number = |value: i64| AttributeValue::N(value.to_string());
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let expected = [
        ("pk", text("L#1")),
        ("sk", text("BUCKET")),
        ("fullOn", number(after(400).millis())),
        (store_dynamodb::table::EXPIRES, number(NOW.plus(Span::from_hours(24)).seconds())),
    ];
    assert_eq!(items, [expected.map(|(name, value)| (name.to_owned(), value)).into()]);
}
