//! The store over DynamoDB: the only room that knows keys, items, conditions and cancellation reasons.
//!
//! One table. A transaction is a partition: its head and data items, one item for each operation and interaction. No item
//! grows with the number of operations, nothing scans, and what decides about money is read consistently from the table.

mod attributes;
mod command;
mod commit;
mod due;
mod import;
mod item;
mod key;
mod limit;
mod settings;
mod status;
pub mod table;
mod webhook;

use app::ports::store::StoreError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// The table, spoken to with the AWS SDK.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
}

impl Store {
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Opens the connection before the first request needs it; a failure shows there, not here.
    pub async fn warm(&self) {
        let key = key::Key { pk: "K#warm".to_owned(), sk: key::API_KEY.to_owned() };
        drop(self.client.get_item().table_name(&self.table).set_key(Some(key.attributes())).send().await);
    }
}

/// An engine that refuses or cannot be reached: nothing of ours is known to be written. What it calls invalid no repetition
/// makes valid: that is a bug of ours.
fn unavailable<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error.code() {
        Some("ValidationException") => StoreError::Inconsistent { item: format!("request: {}", told(error)), attribute: "size or form" },
        Some(_) | None => StoreError::Unavailable(told(error)),
    }
}

/// The error and its causes in their own words, without the answer that it was read from: that can hold an item.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A request that our own code built without a field that it must have.
fn unbuildable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Inconsistent { item: format!("request: {error}"), attribute: "required field" }
}
