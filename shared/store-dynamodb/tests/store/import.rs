//! Imports: one transaction for each payment, however many workers want to adopt it.

use app::ports::store::{
    BegunImport, CommandStore, Committed, FinishedImport, HeldReference, ImportStore, StatusStore, StoreError, Versioned, WebhookStore,
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Transaction;
use domain::id::{ConnectionName, TransactionId};
use domain::payment::PspPayment;
use domain::transaction::properties::{Order, Properties};
use domain::transaction::{Change, ImportCommand, ImportFailure, ImportState};
use testkit::TestStore;
use testkit::builders::{
    NOW, begun, capture_at_psp, completed, connection, import_command, merchant_reference, payment, psp_reference, space, transaction_id,
};

async fn begin(store: &TestStore, id: u64, reference: &str) -> BegunImport {
    let command = import_command(reference);
    store.begin_import(&begun(space(1), transaction_id(id), &command), &command.properties).await.unwrap()
}

async fn begun_as(store: &TestStore, id: u64, reference: &str) -> Versioned {
    store.begin(space(1), transaction_id(id), &import_command(reference)).await
}

/// The transaction that a reference leads to.
async fn owner(store: &TestStore, reference: &str) -> Option<u64> {
    let found = store.find_reference(space(1), &connection(), &psp_reference(reference)).await.unwrap();
    found.map(TransactionId::number)
}

fn partition(id: u64) -> String {
    format!("S#1#T#{id}")
}

async fn head(store: &TestStore, id: u64) -> Transaction {
    store.load_head(space(1), transaction_id(id)).await.unwrap().unwrap().transaction().clone()
}

fn taken(import: BegunImport) -> u64 {
    match import {
        BegunImport::ReferenceTaken(id) => id.number(),
        other => panic!("{other:?}"),
    }
}

fn failed(read: &Versioned) -> Change {
    read.transaction().fail_import(ImportFailure::AlreadyImported, NOW).unwrap()
}

#[tokio::test]
async fn a_second_import_of_a_reference_meets_the_first_and_writes_nothing() {
    let store = TestStore::open().await;
    assert!(matches!(begin(&store, 1, "pay_1").await, BegunImport::Begun(_)));
    assert_eq!(taken(begin(&store, 2, "pay_1").await), 1);
    assert_eq!(store.items(&partition(2)).await, []);
    assert_eq!(owner(&store, "pay_1").await, Some(1));
}

#[tokio::test]
async fn a_taken_id_is_drawn_again_and_leaves_the_reference_free() {
    let store = TestStore::open().await;
    begun_as(&store, 1, "pay_1").await;
    let before = store.items(&partition(1)).await;
    assert!(matches!(begin(&store, 1, "pay_2").await, BegunImport::IdTaken));
    assert_eq!(store.items(&partition(1)).await, before);
    assert_eq!(owner(&store, "pay_2").await, None);
    assert_eq!(taken(begin(&store, 1, "pay_1").await), 1, "the reference says more than the id");
}

#[tokio::test]
async fn a_reference_is_unique_in_its_space_and_connection() {
    let store = TestStore::open().await;
    begun_as(&store, 1, "pay_1").await;
    store.begin(space(2), transaction_id(1), &import_command("pay_1")).await;
    let other = ImportCommand { connection: ConnectionName::parse("other").unwrap(), ..import_command("pay_1") };
    store.begin(space(1), transaction_id(2), &other).await;
    assert_eq!(owner(&store, "pay_1").await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_imports_of_one_payment_one_begins() {
    let store = std::sync::Arc::new(TestStore::open().await);
    let imports = (1..=20).map(|id| {
        let store = store.clone();
        tokio::spawn(async move {
            let command = import_command("pay_1");
            match store.begin_import(&begun(space(1), transaction_id(id), &command), &command.properties).await {
                Ok(BegunImport::Begun(_)) => Some(id),
                // Another one is just being stored: the use case tries again.
                Ok(BegunImport::ReferenceTaken(_)) | Err(StoreError::Unavailable(_)) => None,
                other => panic!("{other:?}"),
            }
        })
    });
    let mut winners = Vec::new();
    for import in imports.collect::<Vec<_>>() {
        winners.extend(import.await.unwrap());
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(owner(&store, "pay_1").await, Some(winners[0]));
}

#[tokio::test]
async fn the_canonical_reference_leads_to_the_import_too() {
    let store = TestStore::open().await;
    for (id, given, canonical) in [(1, "ch_1", "pi_1"), (2, "pi_2", "pi_2")] {
        let read = begun_as(&store, id, given).await;
        let change = completed(read.transaction(), &payment(canonical));
        let finished = store.finish_import(&read, &change).await;
        assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{finished:?}");
        assert_eq!((owner(&store, given).await, owner(&store, canonical).await), (Some(id), Some(id)));
        assert_eq!(head(&store, id).await, change.transaction);
    }
}

#[tokio::test]
async fn a_canonical_reference_is_held_for_one_import_before_it_is_finished() {
    let store = TestStore::open().await;
    let read = begun_as(&store, 1, "ch_1").await;
    let other = begun_as(&store, 2, "cs_1").await;
    let before = (store.items(&partition(1)).await, store.items(&partition(2)).await);
    for _ in 0..2 {
        assert_eq!(store.hold_reference(&read, &psp_reference("pi_1")).await, Ok(HeldReference::Ours));
        assert_eq!(store.hold_reference(&other, &psp_reference("pi_1")).await, Ok(HeldReference::Taken(transaction_id(1))));
    }
    assert_eq!(owner(&store, "pi_1").await, Some(1));
    assert_eq!((store.items(&partition(1)).await, store.items(&partition(2)).await), before);
    let finished = store.finish_import(&read, &completed(read.transaction(), &payment("pi_1"))).await;
    assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{finished:?}");
    assert_eq!(owner(&store, "pi_1").await, Some(1));
}

#[tokio::test]
async fn a_canonical_reference_that_was_handed_to_us_is_no_obstacle() {
    let store = TestStore::open().await;
    let read = begun_as(&store, 1, "ch_1").await;
    let other = begun_as(&store, 2, "pi_1").await;
    store.yield_reference(&other, &failed(&other), transaction_id(1)).await.unwrap();
    let finished = store.finish_import(&read, &completed(read.transaction(), &payment("pi_1"))).await;
    assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{finished:?}");
    assert_eq!(owner(&store, "pi_1").await, Some(1));
}

#[tokio::test]
async fn a_canonical_reference_of_another_transaction_is_told_and_nothing_written() {
    let store = TestStore::open().await;
    begun_as(&store, 1, "pi_1").await;
    let read = begun_as(&store, 2, "ch_1").await;
    let before = store.items(&partition(2)).await;
    let finished = store.finish_import(&read, &completed(read.transaction(), &payment("pi_1"))).await;
    assert!(matches!(finished, Ok(FinishedImport::ReferenceTaken(first)) if first.number() == 1), "{finished:?}");
    assert_eq!(store.items(&partition(2)).await, before);
    assert_eq!(owner(&store, "pi_1").await, Some(1));
}

#[tokio::test]
async fn the_result_of_a_replaced_import_does_not_count() {
    let store = TestStore::open().await;
    let stale = begun_as(&store, 1, "pay_1").await;
    let replaced = store.replace_import(&stale, &corrected(&stale), &by_post()).await;
    assert!(matches!(replaced, Ok(Committed::Done(_))), "{replaced:?}");
    for count in [0, 95] {
        let before = store.items(&partition(1)).await;
        let finished = store.finish_import(&stale, &completed(stale.transaction(), &captured(count))).await;
        assert!(matches!(finished, Ok(FinishedImport::VersionMoved)), "{finished:?}");
        assert_eq!(store.items(&partition(1)).await, before, "{count} operations");
    }
    let whole = store.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
    assert_eq!(whole.properties, by_post());
    assert_eq!(whole.head.transaction().facts().merchant_reference, merchant_reference("SO-2"));
}

#[tokio::test]
async fn a_stale_replacement_changes_nothing() {
    let store = TestStore::open().await;
    let stale = begun_as(&store, 1, "pay_1").await;
    store.finish_import(&stale, &completed(stale.transaction(), &payment("pay_1"))).await.unwrap();
    let before = store.items(&partition(1)).await;
    let replaced = store.replace_import(&stale, &corrected(&stale), &by_post()).await;
    assert!(matches!(replaced, Ok(Committed::VersionMoved)), "{replaced:?}");
    assert_eq!(store.items(&partition(1)).await, before);
}

/// The command again with another merchant reference.
fn corrected(read: &Versioned) -> Change {
    let command = ImportCommand { merchant_reference: merchant_reference("SO-2"), ..import_command("pay_1") };
    read.transaction().replace_import(&command, NOW).unwrap()
}

fn by_post() -> Properties {
    Properties { order: Order { shipping_method: Some("Post".to_owned()), ..Order::default() }, ..Properties::default() }
}

#[tokio::test]
async fn a_given_reference_is_handed_over_with_the_change_that_gives_it_up() {
    let store = TestStore::open().await;
    begun_as(&store, 1, "pi_1").await;
    let read = begun_as(&store, 2, "ch_1").await;
    let change = failed(&read);
    let yielded = store.yield_reference(&read, &change, transaction_id(1)).await;
    assert!(matches!(yielded, Ok(Committed::Done(_))), "{yielded:?}");
    assert_eq!(owner(&store, "ch_1").await, Some(1));
    assert_eq!(head(&store, 2).await.facts().import.state, ImportState::Failed);
    let again = store.yield_reference(&read, &change, transaction_id(3)).await;
    assert!(matches!(again, Ok(Committed::VersionMoved)), "{again:?}");
    assert_eq!(owner(&store, "ch_1").await, Some(1));
}

#[tokio::test]
async fn a_reference_that_is_no_longer_held_is_not_handed_over() {
    let store = TestStore::open().await;
    let read = begun_as(&store, 2, "ch_1").await;
    let item = store.items("S#1#R#test#ch_1").await.remove(0);
    store.put(item.into_iter().chain([("transactionId".to_owned(), AttributeValue::N("9".to_owned()))]).collect()).await;
    let yielded = store.yield_reference(&read, &failed(&read), transaction_id(1)).await;
    assert!(matches!(yielded, Ok(Committed::VersionMoved)), "{yielded:?}");
    assert_eq!(owner(&store, "ch_1").await, Some(9));
    assert_eq!(head(&store, 2).await.facts().import.state, ImportState::Pending);
}

/// A payment with so many captures of one cent.
fn captured(count: usize) -> PspPayment {
    let movements = (1..=count).map(|n| capture_at_psp(&format!("ch_{n}"))).collect();
    PspPayment { movements, ..payment("pay_1") }
}

async fn assert_adopted(store: &TestStore, id: u64, change: &Change) {
    let whole = store.load_whole(space(1), transaction_id(id)).await.unwrap().unwrap();
    assert_eq!(whole.head.transaction(), &change.transaction);
    assert_eq!(whole.operations, change.created);
    assert_eq!(whole.interactions, Vec::from_iter(change.interaction.clone()));
}

#[tokio::test]
async fn operations_are_adopted_however_many_they_are() {
    let store = TestStore::open().await;
    for (id, count) in [(1, 0), (2, 1), (3, 90), (4, 91), (5, 99), (6, 180), (7, 250)] {
        let read = begun_as(&store, id, &format!("pay_{id}")).await;
        let given = PspPayment { reference: psp_reference(&format!("canonical_{id}")), ..captured(count) };
        let change = completed(read.transaction(), &given);
        assert_eq!(change.created.len(), count);
        let finished = store.finish_import(&read, &change).await;
        assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{count}: {finished:?}");
        assert_adopted(&store, id, &change).await;
    }
}

/// A worker died after it had written the first of many operations; then the PSP lists them in another order.
#[tokio::test]
async fn an_interrupted_import_shows_no_operations_and_is_finished_later() {
    let store = TestStore::open().await;
    let read = begun_as(&store, 1, "pay_1").await;
    let twin = begun_as(&store, 2, "pay_2").await;
    store.finish_import(&twin, &completed(twin.transaction(), &captured(95))).await.unwrap();
    for mut left in store.items(&partition(2)).await {
        let is_early = left["sk"].as_s().unwrap().starts_with("O#") && left["id"].as_n().unwrap().parse::<u64>().unwrap() <= 91;
        if is_early {
            left.insert("pk".to_owned(), AttributeValue::S(partition(1)));
            store.put(left).await;
        }
    }
    let whole = store.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
    assert_eq!(whole.head.transaction().facts().import.state, ImportState::Pending);
    assert_eq!(whole.operations, []);
    let mut payment = captured(95);
    payment.movements.reverse();
    let change = completed(read.transaction(), &payment);
    let finished = store.finish_import(&read, &change).await;
    assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{finished:?}");
    assert_adopted(&store, 1, &change).await;
}
