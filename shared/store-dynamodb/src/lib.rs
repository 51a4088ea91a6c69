//! The store over DynamoDB: the only room that knows keys, items, conditions and cancellation reasons.
//!
//! One table. A transaction is a partition: its head and data items, one item for each operation and interaction. No item
//! grows with the number of operations, nothing scans, and what decides about money is read consistently from the table.

mod attributes;
mod command;
mod commit;
mod import;
mod item;
mod key;
mod settings;
mod status;
pub mod table;
mod webhook;

use app::ports::store::StoreError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

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

/// An engine that refuses or cannot be reached: nothing of ours is known to be written.
fn unavailable<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    StoreError::Unavailable(format!("{}", DisplayErrorContext(error)))
}

/// A request that our own code built without a field that it must have.
fn unbuildable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Inconsistent { item: format!("request: {error}"), attribute: "required field" }
}
