//! What the store relies on, of any DynamoDB: on our own table, with requests as the store makes them.

mod conditions;
mod indexes;
mod queries;
mod transactions;
mod values;

use aws_sdk_dynamodb::types::AttributeValue;
use std::time::Duration;
use testkit::{Item, TestStore};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn item(pk: &str, sk: &str, attributes: &[(&str, AttributeValue)]) -> Item {
    let keys = [("pk", text(pk)), ("sk", text(sk))];
    keys.iter().chain(attributes).map(|(name, value)| (name.to_string(), value.clone())).collect()
}

async fn get(table: &TestStore, pk: &str, sk: &str) -> Option<Item> {
    let get = table.client.get_item().table_name(&table.table).consistent_read(true);
    get.set_key(Some(item(pk, sk, &[]))).send().await.unwrap().item
}

/// Indexes may lag behind the table: asks again until the answer is as expected, or five seconds are over.
pub async fn eventually<T: PartialEq + std::fmt::Debug>(expected: T, ask: impl AsyncFn() -> T) {
    for _ in 0..100 {
        if ask().await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ask().await, expected);
}
