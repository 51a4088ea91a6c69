//! Changes of a transaction: what is written, and what refuses them. Refused, they leave nothing behind.

use app::ports::store::{CommandStore, Committed, StatusStore, StoreError, Versioned};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::operation::{CaptureCommand, Effect, RefundCommand, RefundTarget, Sending};
use domain::outcome::Doubt;
use domain::time::Span;
use domain::transaction::Change;
use domain::{Operation, OperationKind, OperationState};
use std::sync::Arc;
use store_dynamodb::Store;
use testkit::builders::{NOW, capture_of, capture_requested, key, refund_of, refund_requested, settled, space, succeeded, transaction_id};
use testkit::{Item, TestStore};

const PARTITION: &str = "S#1#T#1";

async fn imported() -> (TestStore, Versioned) {
    let store = TestStore::open().await;
    let read = store.import(space(1), transaction_id(1), "pay_1").await;
    (store, read)
}

async fn done(store: &TestStore, read: &Versioned, change: &Change) -> Versioned {
    match store.commit(read, change).await {
        Ok(Committed::Done(read)) => read,
        other => panic!("{other:?}"),
    }
}

/// A capture that is asked for, and the transaction with it.
async fn requested(store: &TestStore, read: &Versioned, key: &str) -> (Versioned, Operation) {
    let mut change = capture_requested(read.transaction(), key, &capture_of("1"));
    (done(store, read, &change).await, change.created.remove(0))
}

/// What came of it, in a word; panics if anything was written.
async fn refused(store: &TestStore, read: &Versioned, change: &Change) -> &'static str {
    let before = store.items(PARTITION).await;
    let word = match store.commit(read, change).await {
        Ok(Committed::VersionMoved) => "version moved",
        Ok(Committed::OperationExists) => "operation exists",
        other => panic!("{other:?}"),
    };
    assert_eq!(store.items(PARTITION).await, before, "nothing is written");
    word
}

#[tokio::test]
async fn a_change_is_read_back_with_all_that_it_brought() {
    let (store, read) = imported().await;
    let (read, operation) = requested(&store, &read, "a").await;
    let change = settled(read.transaction(), &operation, succeeded("ch_1"));
    let after = done(&store, &read, &change).await;
    assert_eq!(after.transaction(), &change.transaction);
    let whole = store.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
    assert_eq!(whole.head.transaction(), &change.transaction);
    assert_eq!(whole.operations, [change.updated[0].clone().written_at(change.transaction.version())]);
    assert_eq!(whole.interactions.last(), change.interaction.as_ref());
    assert_eq!(whole.interactions.len(), 2, "import and capture");
}

#[tokio::test]
async fn a_moved_version_is_told() {
    let (store, stale) = imported().await;
    let (read, operation) = requested(&store, &stale, "a").await;
    assert_eq!(refused(&store, &stale, &capture_requested(stale.transaction(), "b", &capture_of("1"))).await, "version moved");
    let outcome = settled(read.transaction(), &operation, succeeded("ch_1"));
    done(&store, &read, &capture_requested(read.transaction(), "c", &capture_of("1"))).await;
    assert_eq!(refused(&store, &read, &outcome).await, "version moved");
}

#[tokio::test]
async fn a_known_operation_is_told_and_says_more_than_a_moved_version() {
    let (store, stale) = imported().await;
    let (read, _) = requested(&store, &stale, "a").await;
    assert_eq!(refused(&store, &read, &capture_requested(read.transaction(), "a", &capture_of("2"))).await, "operation exists");
    assert_eq!(refused(&store, &stale, &capture_requested(stale.transaction(), "a", &capture_of("2"))).await, "operation exists");
}

#[tokio::test]
async fn a_key_names_one_operation_of_each_kind() {
    let (store, read) = imported().await;
    let (read, capture) = requested(&store, &read, "a").await;
    let read = done(&store, &read, &settled(read.transaction(), &capture, succeeded("ch_1"))).await;
    let refund = refund_requested(read.transaction(), &[], "a", &refund_of("1"));
    done(&store, &read, &refund).await;
    for (kind, id) in [(OperationKind::Capture, capture.facts().id), (OperationKind::Refund, refund.created[0].facts().id)] {
        let (_, found) = store.load_for_command(space(1), transaction_id(1), kind, &key("a")).await.unwrap().unwrap();
        assert_eq!(found.map(|operation| operation.facts().id), Some(id));
    }
}

#[tokio::test]
async fn a_command_finds_its_transaction_and_its_own_operation_only() {
    let (store, read) = imported().await;
    let (read, capture) = requested(&store, &read, "a").await;
    let load = async |space_, id, kind, name| {
        let found = store.load_for_command(space(space_), transaction_id(id), kind, &key(name)).await.unwrap();
        found.map(|(read, operation)| (read.transaction().clone(), operation))
    };
    let head = read.transaction().clone();
    assert_eq!(load(1, 1, OperationKind::Capture, "a").await, Some((head.clone(), Some(capture))));
    assert_eq!(load(1, 1, OperationKind::Capture, "b").await, Some((head.clone(), None)));
    assert_eq!(load(1, 1, OperationKind::Refund, "a").await, Some((head, None)));
    assert_eq!(load(1, 2, OperationKind::Capture, "a").await, None);
    assert_eq!(load(2, 1, OperationKind::Capture, "a").await, None);
}

/// Changes the one stored operation past the store.
async fn edit_operation(store: &TestStore, attribute: &str, number: u64) {
    let is_operation = |item: &Item| item["sk"].as_s().unwrap().starts_with("O#");
    let mut item = store.items(PARTITION).await.into_iter().find(is_operation).unwrap();
    item.insert(attribute.to_owned(), AttributeValue::N(number.to_string()));
    store.put(item).await;
}

#[tokio::test]
async fn what_is_not_final_counts_only_for_the_worker_that_found_it_out() {
    for doubtful in [Effect::Unknown(Doubt::NoAnswer), Effect::Accepted { psp_reference: None }, Effect::ManualCheck("ambiguous")] {
        let (store, read) = imported().await;
        let (read, operation) = requested(&store, &read, "a").await;
        let change = settled(read.transaction(), &operation, doubtful);
        edit_operation(&store, "epoch", 2).await;
        assert_eq!(refused(&store, &read, &change).await, "version moved");
    }
}

#[tokio::test]
async fn what_the_psp_did_counts_whoever_found_it_out() {
    let (store, read) = imported().await;
    let (read, operation) = requested(&store, &read, "a").await;
    edit_operation(&store, "epoch", 2).await;
    done(&store, &read, &settled(read.transaction(), &operation, succeeded("ch_1"))).await;
    let stored = store.load_operations(space(1), transaction_id(1), OperationKind::Capture).await.unwrap();
    assert_eq!(stored.iter().map(Operation::state).collect::<Vec<_>>(), [OperationState::Successful]);
}

/// Another worker may have sent it once more: what the PSP refused to this one it may have done for that one.
#[tokio::test]
async fn that_it_was_not_done_counts_only_for_whoever_holds_the_operation() {
    let (store, read) = imported().await;
    let (read, operation) = requested(&store, &read, "a").await;
    edit_operation(&store, "epoch", 2).await;
    assert_eq!(refused(&store, &read, &settled(read.transaction(), &operation, failed())).await, "version moved");
}

#[tokio::test]
async fn an_operation_is_taken_over_once_and_only_as_it_was_read() {
    let (store, read) = imported().await;
    let (_, operation) = requested(&store, &read, "a").await;
    let later = NOW.plus(Sending::LEASE);
    let (one, other) = (operation.claimed("one", later), operation.claimed("other", later));
    assert_eq!((store.take(&operation, &one).await, store.take(&operation, &other).await), (Ok(true), Ok(false)));
    let stored = store.load_operations(space(1), transaction_id(1), OperationKind::Capture).await.unwrap();
    assert_eq!(stored, std::slice::from_ref(&one), "the version of the transaction stays, so that nobody's reading is torn by it");
    assert!(store.load_whole(space(1), transaction_id(1)).await.is_ok());
    // Sent again by the one, while the other has settled it meanwhile.
    assert_eq!(store.take(&one, &one.resent(later)).await, Ok(true));
    edit_operation(&store, "version", 9).await;
    assert_eq!(store.take(&one, &one.resent(later.plus(Span::from_seconds(1)))).await, Ok(false));
}

fn failed() -> Effect {
    Effect::Failed(crate::full::failure())
}

/// The version of the head does not tell which operation was read at which version: each has its own condition.
#[tokio::test]
async fn an_operation_that_was_written_since_it_was_read_is_not_written_over() {
    for effect in [Effect::Unknown(Doubt::NoAnswer), succeeded("ch_1")] {
        let (store, read) = imported().await;
        let (read, operation) = requested(&store, &read, "a").await;
        let change = settled(read.transaction(), &operation, effect);
        edit_operation(&store, "version", 9).await;
        assert_eq!(refused(&store, &read, &change).await, "version moved");
    }
}

#[tokio::test]
async fn an_operation_that_is_not_there_cannot_be_settled() {
    let (store, read) = imported().await;
    let mut never_written = capture_requested(read.transaction(), "a", &capture_of("1"));
    let operation = never_written.created.remove(0);
    let read = done(&store, &read, &never_written).await;
    assert_eq!(refused(&store, &read, &settled(read.transaction(), &operation, succeeded("ch_1"))).await, "version moved");
    let unknown = settled(read.transaction(), &operation, Effect::Unknown(Doubt::NoAnswer));
    assert_eq!(refused(&store, &read, &unknown).await, "version moved");
}

#[tokio::test]
async fn a_refund_moves_the_share_of_its_capture_in_the_same_write() {
    let (store, read) = imported().await;
    let (read, capture) = requested(&store, &read, "a").await;
    let read = done(&store, &read, &settled(read.transaction(), &capture, succeeded("ch_1"))).await;
    let captures = store.load_operations(space(1), transaction_id(1), OperationKind::Capture).await.unwrap();
    let of_capture = RefundCommand { target: Some(RefundTarget::Capture(capture.facts().id)), ..refund_of("0.40") };
    let mut request = refund_requested(read.transaction(), &captures, "r", &of_capture);
    let read = done(&store, &read, &request).await;
    let shares = async || {
        let captures = store.load_operations(space(1), transaction_id(1), OperationKind::Capture).await.unwrap();
        (captures[0].facts().refund_pending.units(), captures[0].facts().refunded.units())
    };
    assert_eq!(shares().await, (40, 0));
    let refund = request.created.remove(0);
    let captures = store.load_operations(space(1), transaction_id(1), OperationKind::Capture).await.unwrap();
    let change = read.transaction().settle(&refund, captures.first(), succeeded("re_1"), NOW).unwrap().unwrap();
    done(&store, &read, &change).await;
    assert_eq!(shares().await, (0, 40));
}

#[tokio::test]
async fn operations_come_oldest_first_and_of_one_kind() {
    let (store, mut read) = imported().await;
    let mut ids = Vec::new();
    for name in ["e", "a", "d", "b", "c"] {
        let (next, operation) = requested(&store, &read, name).await;
        ids.push(operation.facts().id);
        read = done(&store, &next, &settled(next.transaction(), &operation, succeeded(name))).await;
    }
    done(&store, &read, &refund_requested(read.transaction(), &[], "a", &refund_of("1"))).await;
    let captures = store.load_operations(space(1), transaction_id(1), OperationKind::Capture).await.unwrap();
    assert_eq!(captures.iter().map(|operation| operation.facts().id).collect::<Vec<_>>(), ids);
    assert_eq!(store.load_operations(space(1), transaction_id(1), OperationKind::Refund).await.unwrap().len(), 1);
    assert_eq!(store.load_operations(space(2), transaction_id(1), OperationKind::Capture).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_changes_of_one_version_one_is_written() {
    let (store, read) = imported().await;
    let store = Arc::new(store);
    let commits = (0..50).map(|n| {
        let change = capture_requested(read.transaction(), &n.to_string(), &CaptureCommand::default());
        let (store, read) = (store.clone(), read.clone());
        tokio::spawn(async move { store.commit(&read, &change).await })
    });
    let mut written = 0;
    for commit in commits.collect::<Vec<_>>() {
        match commit.await.unwrap() {
            Ok(Committed::Done(_)) => written += 1,
            Ok(Committed::VersionMoved) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(written, 1);
    let whole = store.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
    assert_eq!((whole.operations.len(), whole.head.transaction().version()), (1, read.transaction().version() + 1));
}

#[tokio::test]
async fn a_table_that_is_not_there_is_unavailable_and_nothing_else() {
    let (store, read) = imported().await;
    let nowhere = Store::new(store.client.clone(), "no-such-table");
    let change = capture_requested(read.transaction(), "a", &capture_of("1"));
    assert!(matches!(nowhere.commit(&read, &change).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(nowhere.load_head(space(1), transaction_id(1)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(nowhere.load_whole(space(1), transaction_id(1)).await, Err(StoreError::Unavailable(_))));
    let load = nowhere.load_for_command(space(1), transaction_id(1), OperationKind::Capture, &key("a")).await;
    assert!(matches!(load, Err(StoreError::Unavailable(_))));
    nowhere.warm().await;
}
