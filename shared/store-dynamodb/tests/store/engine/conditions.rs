//! Conditions of single writes.

use super::{get, item, number, text};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use std::sync::Arc;
use testkit::{Item, TestStore};

/// Puts unless something is there, which is then returned.
async fn put_new(table: &TestStore, item: Item) -> Result<(), Option<Item>> {
    let put = table.client.put_item().table_name(&table.table).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)").return_values_on_condition_check_failure(AllOld);
    match put.send().await {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(error)) => match error.into_err() {
            PutItemError::ConditionalCheckFailedException(refused) => Err(refused.item().cloned()),
            other => panic!("{other:?}"),
        },
        Err(other) => panic!("{other:?}"),
    }
}

/// Moves the version from one number to the next, if it is there.
async fn raise(table: &TestStore, from: u64, by: &str) -> Result<(), Option<Item>> {
    let update = table.client.update_item().table_name(&table.table).set_key(Some(item("p", "HEAD", &[])));
    let update = update
        .update_expression("SET version = :to, winner = :by")
        .condition_expression("version = :from")
        .expression_attribute_values(":from", number(from))
        .expression_attribute_values(":to", number(from + 1))
        .expression_attribute_values(":by", text(by))
        .return_values_on_condition_check_failure(AllOld);
    match update.send().await {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(error)) => match error.into_err() {
            UpdateItemError::ConditionalCheckFailedException(refused) => Err(refused.item().cloned()),
            other => panic!("{other:?}"),
        },
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_put_of_something_new_is_refused_with_what_is_there() {
    let table = TestStore::open().await;
    let first = item("p", "HEAD", &[("version", number(1))]);
    assert_eq!(put_new(&table, first.clone()).await, Ok(()));
    assert_eq!(put_new(&table, item("p", "HEAD", &[("version", number(2))])).await, Err(Some(first.clone())));
    assert_eq!(put_new(&table, item("p", "DATA", &[])).await, Ok(()), "the condition is about the item, not about its partition");
    assert_eq!(get(&table, "p", "HEAD").await, Some(first));
}

#[tokio::test]
async fn a_write_that_names_another_version_is_refused_with_the_item() {
    let table = TestStore::open().await;
    assert_eq!(raise(&table, 1, "nobody").await, Err(None), "there is no version yet");
    let stored = item("p", "HEAD", &[("version", number(7))]);
    table.put(stored.clone()).await;
    assert_eq!(raise(&table, 6, "late").await, Err(Some(stored)));
    assert_eq!(raise(&table, 7, "right").await, Ok(()));
    assert_eq!(get(&table, "p", "HEAD").await, Some(item("p", "HEAD", &[("version", number(8)), ("winner", text("right"))])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_writers_of_one_version_one_wins() {
    let table = Arc::new(TestStore::open().await);
    table.put(item("p", "HEAD", &[("version", number(1))])).await;
    let writers = (0..50).map(|writer| {
        let table = table.clone();
        tokio::spawn(async move { raise(&table, 1, &writer.to_string()).await.is_ok().then(|| writer.to_string()) })
    });
    let mut winners = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        winners.extend(writer.await.unwrap());
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(get(&table, "p", "HEAD").await.unwrap()["winner"], text(&winners[0]));
}

#[tokio::test]
async fn a_reserved_word_needs_another_name() {
    let table = TestStore::open().await;
    table.put(item("p", "HEAD", &[("state", text("CREATE"))])).await;
    let update = table.client.update_item().table_name(&table.table).set_key(Some(item("p", "HEAD", &[])));
    let update = update.expression_attribute_values(":state", text("AUTHORIZED"));
    let plain = update.clone().update_expression("SET state = :state").send().await.unwrap_err();
    assert!(plain.message().is_some_and(|message| message.contains("reserved keyword")), "{plain:?}");
    update.update_expression("SET #state = :state").expression_attribute_names("#state", "state").send().await.unwrap();
    assert_eq!(get(&table, "p", "HEAD").await.unwrap()["state"], text("AUTHORIZED"));
}

#[tokio::test]
async fn removing_what_is_not_there_changes_nothing() {
    let table = TestStore::open().await;
    table.put(item("p", "INBOX", &[("a", number(1))])).await;
    let update = table.client.update_item().table_name(&table.table).set_key(Some(item("p", "INBOX", &[])));
    update.update_expression("REMOVE due, dueShard").send().await.unwrap();
    assert_eq!(get(&table, "p", "INBOX").await, Some(item("p", "INBOX", &[("a", number(1))])));
}
