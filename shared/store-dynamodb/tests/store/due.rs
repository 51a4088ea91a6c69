//! What is due is seen in every shard, by the time when it was to be done; looking costs the same however much it is.

use app::ports::store::{DueStore, StoredWebhook, WebhookStore};
use domain::time::{Span, Timestamp};
use testkit::TestStore;
use testkit::builders::{NOW, connection, import_command, space, transaction_id};

/// Webhooks and imports are due a minute after they came.
const MINUTE: Span = Span::from_seconds(60);

fn webhook(event: &str, received_on: Timestamp) -> StoredWebhook {
    StoredWebhook {
        space: space(1),
        connection: connection(),
        event: event.to_owned(),
        kind: "payment.captured".to_owned(),
        references: vec![],
        unread: None,
        received_on,
        due_on: received_on.plus(MINUTE),
    }
}

/// When the first has been due, and how many are.
async fn look(store: &TestStore, now: Timestamp) -> (Option<Timestamp>, usize) {
    let due = store.list_due(now).await.unwrap();
    assert!(due.is_sorted_by_key(|due| due.since), "{due:?}");
    (due.first().map(|due| due.since), due.len())
}

/// The index follows the table with some delay.
async fn eventually(store: &TestStore, now: Timestamp, since: Option<Timestamp>, items: usize) {
    for _ in 0..50 {
        if look(store, now).await == (since, items) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(look(store, now).await, (since, items));
}

#[tokio::test]
async fn nothing_is_due_in_an_empty_table_and_before_its_time() {
    let store = TestStore::open().await;
    eventually(&store, NOW, None, 0).await;
    store.store_webhook(&webhook("evt_1", NOW)).await.unwrap();
    let due = NOW.plus(MINUTE);
    eventually(&store, due, Some(due), 1).await;
    eventually(&store, due.plus(Span::from_millis(-1)), None, 0).await;
}

#[tokio::test]
async fn the_oldest_of_all_shards_is_the_oldest() {
    let store = TestStore::open().await;
    // Neighbouring ids lie in neighbouring shards.
    for number in 1..=20 {
        let seconds = i64::try_from(number).unwrap() * 10;
        store.store_webhook(&webhook(&format!("evt_{number}"), NOW.plus(Span::from_seconds(seconds)))).await.unwrap();
        store.begin(space(1), transaction_id(number), &import_command(&format!("pay_{number}"))).await;
    }
    let later = NOW.plus(Span::from_hours(1));
    eventually(&store, later, Some(NOW.plus(MINUTE)), 40).await;
    for number in 1..=20 {
        let before = webhook(&format!("old_{number}"), NOW.plus(Span::from_seconds(-number)));
        store.store_webhook(&before).await.unwrap();
        let since = before.received_on.plus(MINUTE);
        eventually(&store, later, Some(since), 40 + usize::try_from(number).unwrap()).await;
    }
}

#[tokio::test]
async fn what_is_done_is_no_longer_due() {
    let store = TestStore::open().await;
    let done = webhook("evt_1", NOW);
    store.store_webhook(&done).await.unwrap();
    store.import(space(1), transaction_id(1), "pay_1").await;
    eventually(&store, NOW.plus(MINUTE), Some(NOW.plus(MINUTE)), 1).await;
    store.finish_webhook(&done, NOW).await.unwrap();
    eventually(&store, NOW.plus(MINUTE), None, 0).await;
}

#[tokio::test]
async fn looking_costs_the_same_however_much_is_due() {
    let store = TestStore::embedded().await;
    for number in 0..100 {
        // Events of the same letters lie in the same shard.
        let event: String = format!("{number:02}").chars().chain(format!("{:02}", 99 - number).chars()).collect();
        store.store_webhook(&webhook(&event, NOW)).await.unwrap();
    }
    drop(store.take_usage());
    assert_eq!(look(&store, NOW.plus(MINUTE)).await, (Some(NOW.plus(MINUTE)), 25));
    let usage = store.take_usage();
    assert_eq!(usage.calls, ["Query"; 16]);
}
