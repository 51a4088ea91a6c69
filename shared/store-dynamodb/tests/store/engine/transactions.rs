//! Writes of several items at once.

use super::{get, item, number, text};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};
use std::sync::Arc;
use testkit::{Item, TestStore};

fn put(table: &TestStore, item: Item, condition: Option<&str>, values: &[(&str, AttributeValue)]) -> TransactWriteItem {
    let put = Put::builder().table_name(&table.table).set_item(Some(item)).set_condition_expression(condition.map(str::to_owned));
    let put = values.iter().fold(put, |put, (name, value)| put.expression_attribute_values(*name, value.clone()));
    TransactWriteItem::builder().put(put.return_values_on_condition_check_failure(AllOld).build().unwrap()).build()
}

/// The head at its next version, if it is at this one.
fn head(table: &TestStore, from: u64, by: &str) -> TransactWriteItem {
    let next = item("p", "HEAD", &[("version", number(from + 1)), ("winner", text(by))]);
    put(table, next, Some("version = :read"), &[(":read", number(from))])
}

fn new(table: &TestStore, sk: &str) -> TransactWriteItem {
    put(table, item("p", sk, &[("by", text("transaction"))]), Some("attribute_not_exists(pk)"), &[])
}

async fn transact(table: &TestStore, writes: Vec<TransactWriteItem>, token: Option<String>) -> Result<(), TransactWriteItemsError> {
    let transact = table.client.transact_write_items().set_transact_items(Some(writes));
    let sent = transact.set_client_request_token(token).send().await;
    sent.map(drop).map_err(SdkError::into_service_error)
}

/// For each write why it was refused, and what stood in its way.
fn reasons(error: TransactWriteItemsError) -> Vec<(String, Option<Item>)> {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else { panic!("{error:?}") };
    let reason = |reason: &CancellationReason| (reason.code().unwrap_or("None").to_owned(), reason.item().cloned());
    canceled.cancellation_reasons().iter().map(reason).collect()
}

/// A token that no other test uses: they hold for the whole engine.
fn token(table: &TestStore, name: &str) -> String {
    let unique = &table.table[table.table.len() - 24..];
    format!("{unique}-{name}")
}

fn fine() -> (String, Option<Item>) {
    ("None".to_owned(), None)
}

fn refused(item: Option<Item>) -> (String, Option<Item>) {
    ("ConditionalCheckFailed".to_owned(), item)
}

#[tokio::test]
async fn all_is_written_or_nothing() {
    let table = TestStore::open().await;
    table.put(item("p", "HEAD", &[("version", number(1))])).await;
    transact(&table, vec![head(&table, 1, "a"), new(&table, "O#1"), new(&table, "I#1")], None).await.unwrap();
    assert_eq!(table.items("p").await.len(), 3);
    assert!(transact(&table, vec![head(&table, 2, "b"), new(&table, "O#2"), new(&table, "I#1")], None).await.is_err());
    assert_eq!(table.items("p").await.len(), 3);
    assert_eq!(get(&table, "p", "HEAD").await.unwrap()["version"], number(2));
}

#[tokio::test]
async fn a_refusal_says_for_each_write_what_stood_in_its_way() {
    let table = TestStore::open().await;
    let stored = item("p", "HEAD", &[("version", number(5))]);
    let known = item("p", "O#1", &[("amount", number(7))]);
    table.put(stored.clone()).await;
    table.put(known.clone()).await;
    let error = transact(&table, vec![head(&table, 4, "late"), new(&table, "O#1"), new(&table, "I#5")], None).await.unwrap_err();
    assert_eq!(reasons(error), [refused(Some(stored)), refused(Some(known)), fine()]);
    let missing = put(&table, item("p", "O#9", &[]), Some("attribute_exists(pk)"), &[]);
    let error = transact(&table, vec![new(&table, "I#6"), missing], None).await.unwrap_err();
    assert_eq!(reasons(error), [fine(), refused(None)]);
}

#[tokio::test]
async fn a_hundred_items_fit_and_one_more_does_not() {
    let table = TestStore::open().await;
    let writes = |count: u64| (0..count).map(|n| new(&table, &format!("O#{n:03}"))).collect::<Vec<_>>();
    assert!(transact(&table, writes(101), None).await.is_err());
    assert_eq!(table.items("p").await.len(), 0);
    transact(&table, writes(100), None).await.unwrap();
    assert_eq!(table.items("p").await.len(), 100);
}

#[tokio::test]
async fn an_item_cannot_be_written_twice_at_once() {
    let table = TestStore::open().await;
    let error = transact(&table, vec![new(&table, "O#1"), new(&table, "O#1")], None).await.unwrap_err();
    assert!(!matches!(error, TransactWriteItemsError::TransactionCanceledException(_)), "{error:?}");
    assert_eq!(table.items("p").await.len(), 0);
}

/// The SDK sends the same token with each of its own repetitions, so an answer that got lost does no harm.
#[tokio::test]
async fn a_repeated_token_is_answered_and_writes_nothing() {
    let table = TestStore::open().await;
    table.put(item("p", "HEAD", &[("version", number(1))])).await;
    let writes = || vec![head(&table, 1, "a"), new(&table, "O#1")];
    transact(&table, writes(), Some(token(&table, "one"))).await.unwrap();
    transact(&table, writes(), Some(token(&table, "one"))).await.expect("the first answer again, although its conditions hold no more");
    assert_eq!(get(&table, "p", "HEAD").await.unwrap()["version"], number(2));
    let error = transact(&table, writes(), Some(token(&table, "another"))).await.unwrap_err();
    assert_eq!(reasons(error)[0].0, "ConditionalCheckFailed");
}

#[tokio::test]
async fn a_token_is_for_one_request() {
    let table = TestStore::open().await;
    transact(&table, vec![new(&table, "O#1")], Some(token(&table, "one"))).await.unwrap();
    let error = transact(&table, vec![new(&table, "O#2")], Some(token(&table, "one"))).await.unwrap_err();
    assert!(matches!(error, TransactWriteItemsError::IdempotentParameterMismatchException(_)), "{error:?}");
    assert_eq!(table.items("p").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_transactions_on_one_version_one_wins() {
    let table = Arc::new(TestStore::open().await);
    table.put(item("p", "HEAD", &[("version", number(1))])).await;
    let writers = (0..50).map(|writer| {
        let table = table.clone();
        tokio::spawn(async move {
            let writes = vec![head(&table, 1, &writer.to_string()), new(&table, &format!("O#{writer}"))];
            match transact(&table, writes, None).await {
                Ok(()) => Some(writer),
                Err(TransactWriteItemsError::TransactionInProgressException(_)) => None,
                Err(error) => {
                    let (code, _) = &reasons(error)[0];
                    assert!(["ConditionalCheckFailed", "TransactionConflict"].contains(&code.as_str()), "{code}");
                    None
                }
            }
        })
    });
    let mut winners = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        winners.extend(writer.await.unwrap());
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(get(&table, "p", &format!("O#{}", winners[0])).await.is_some());
    assert_eq!(table.items("p").await.len(), 2);
}
