//! A whole transaction is of one moment, or it is not shown.

use app::ports::store::{CommandStore, Committed, StatusStore, StoreError, Versioned};
use domain::transaction::Change;
use testkit::builders::{capture_of, capture_requested, import_command, settled, space, succeeded, transaction_id};
use testkit::{Item, TestStore};

const PARTITION: &str = "S#1#T#1";

/// The items of a transaction after each of its commits, the oldest first: begun, imported, capture asked for, captured.
async fn history() -> (TestStore, Vec<Vec<Item>>) {
    let store = TestStore::open().await;
    store.begin(space(1), transaction_id(1), &import_command("pay_1")).await;
    let mut history = vec![store.items(PARTITION).await];
    let other = TestStore::open().await;
    let read = other.import(space(1), transaction_id(1), "pay_1").await;
    history.push(other.items(PARTITION).await);
    let mut request = capture_requested(read.transaction(), "a", &capture_of("1"));
    let read = committed(&other, &read, &request).await;
    history.push(other.items(PARTITION).await);
    let outcome = settled(read.transaction(), &request.created.remove(0), succeeded("ch_1"));
    committed(&other, &read, &outcome).await;
    history.push(other.items(PARTITION).await);
    (store, history)
}

async fn committed(store: &TestStore, read: &Versioned, change: &Change) -> Versioned {
    match store.commit(read, change).await {
        Ok(Committed::Done(read)) => read,
        other => panic!("{other:?}"),
    }
}

fn find<'a>(items: &'a [Item], beginning: &str) -> Option<&'a Item> {
    items.iter().find(|item| item["sk"].as_s().unwrap().starts_with(beginning))
}

/// The version that is shown, or none where nothing is.
async fn shown(store: &TestStore) -> Option<u64> {
    match store.load_whole(space(1), transaction_id(1)).await {
        Ok(whole) => Some(whole.expect("the transaction is there").head.transaction().version()),
        Err(StoreError::Unavailable(_)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_moment_is_shown() {
    let (store, history) = history().await;
    for (moment, version) in history.into_iter().zip(1..) {
        for item in moment {
            store.put(item).await;
        }
        assert_eq!(shown(&store).await, Some(version));
    }
}

/// A commit whose writes become visible one by one, in every order: nothing of it is shown before all of it can be.
#[tokio::test]
async fn half_a_commit_is_never_shown() {
    for (before, writes) in [(1, ["HEAD", "I#0000000000000002"]), (2, ["HEAD", "O#"]), (3, ["HEAD", "I#0000000000000004"])] {
        for first in writes {
            let (store, history) = history().await;
            for item in &history[before - 1] {
                store.put(item.clone()).await;
            }
            let after = &history[before];
            store.put(find(after, first).unwrap().clone()).await;
            assert_eq!(shown(&store).await, None, "of version {} only {}", before + 1, first);
            for item in after {
                store.put(item.clone()).await;
            }
            assert_eq!(shown(&store).await, Some(before as u64 + 1));
        }
    }
}

#[tokio::test]
async fn an_operation_that_lags_behind_its_log_is_not_shown() {
    let (store, history) = history().await;
    for item in &history[3] {
        store.put(item.clone()).await;
    }
    store.put(find(&history[2], "O#").unwrap().clone()).await;
    assert_eq!(shown(&store).await, None);
    store.put(find(&history[3], "O#").unwrap().clone()).await;
    assert_eq!(shown(&store).await, Some(4));
}

#[tokio::test]
async fn an_operation_ahead_of_its_log_is_not_shown() {
    let (store, history) = history().await;
    for item in &history[2] {
        store.put(item.clone()).await;
    }
    store.put(find(&history[3], "O#").unwrap().clone()).await;
    assert_eq!(shown(&store).await, None);
}

#[tokio::test]
async fn head_and_data_are_shown_together() {
    for missing in ["HEAD", "DATA"] {
        let (_, history) = history().await;
        let store = TestStore::open().await;
        for item in history[1].iter().filter(|item| item["sk"].as_s().unwrap() != missing) {
            store.put(item.clone()).await;
        }
        assert_eq!(shown(&store).await, None, "without {missing}");
    }
}

#[tokio::test]
async fn what_is_not_whole_is_read_again_and_not_for_ever() {
    let store = TestStore::embedded().await;
    store.import(space(1), transaction_id(1), "pay_1").await;
    store.take_usage();
    assert_eq!(shown(&store).await, Some(2));
    assert_eq!(store.take_usage().calls, ["Query"]);
    let head = find(&store.items(PARTITION).await, "HEAD").unwrap().clone();
    let ahead = head.into_iter().map(|(name, value)| match name.as_str() {
        "version" => (name, aws_sdk_dynamodb::types::AttributeValue::N("3".to_owned())),
        _ => (name, value),
    });
    store.put(ahead.collect()).await;
    store.take_usage();
    assert_eq!(shown(&store).await, None);
    assert_eq!(store.take_usage().calls, ["Query"; 5]);
}

#[tokio::test]
async fn what_is_not_there_is_not_there() {
    let store = TestStore::open().await;
    store.import(space(1), transaction_id(11), "pay_1").await;
    for (space_, id) in [(1, 1), (2, 11), (1, 110), (11, 11)] {
        assert!(store.load_whole(space(space_), transaction_id(id)).await.unwrap().is_none(), "{space_} {id}");
    }
}
