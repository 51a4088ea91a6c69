//! The store over a table of its own: in memory, or at `DYNAMODB_ENDPOINT` where that is set.

use crate::builders::{begun, completed, import_command, payment};
use app::ports::Source;
use app::ports::store::{BegunImport, FinishedImport, ImportStore, Versioned};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::id::{SpaceId, TransactionId};
use domain::transaction::ImportCommand;
use embedded::{Embedded, Usage, Wire};
use runtime::system::SystemSource;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use store_dynamodb::Store;

pub type Item = HashMap<String, AttributeValue>;

/// The store, and the table behind it for what no store would do.
pub struct TestStore {
    store: Store,
    pub client: Client,
    pub table: String,
    embedded: Option<Embedded>,
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    pub async fn open() -> Self {
        match endpoint() {
            Some(url) => Self::over(client_at(url), None).await,
            None => Self::embedded().await,
        }
    }

    /// In memory wherever the others are: what measures needs the engine's own counts.
    pub async fn embedded() -> Self {
        let engine = Embedded::in_memory().expect("an embedded database");
        Self::over(engine.client(), Some(engine)).await
    }

    /// In memory, behind a wire that the test holds. The table is made past it.
    pub async fn wired(wire: Arc<dyn Wire>) -> Self {
        let engine = Embedded::in_memory().expect("an embedded database");
        let made = Self::over(engine.client(), Some(engine.clone())).await;
        let client = engine.client_over(wire);
        Self { store: Store::new(client.clone(), &made.table), client, ..made }
    }

    async fn over(client: Client, embedded: Option<Embedded>) -> Self {
        let table = format!("test-{}", SystemSource.unique());
        embedded::create_table(&client, &table).await.expect("a table");
        Self { store: Store::new(client.clone(), &table), client, table, embedded }
    }

    /// What was consumed since the last call.
    pub fn take_usage(&self) -> Usage {
        self.embedded.as_ref().map(Embedded::take_usage).unwrap_or_default()
    }

    /// A stored payment of 100.00 EUR, imported in two writes.
    pub async fn import(&self, space: SpaceId, id: TransactionId, reference: &str) -> Versioned {
        self.import_as(space, id, &import_command(reference)).await
    }

    pub async fn import_as(&self, space: SpaceId, id: TransactionId, command: &ImportCommand) -> Versioned {
        let begun = self.begin(space, id, command).await;
        let change = completed(begun.transaction(), &payment(command.psp_reference.as_str()));
        match self.finish_import(&begun, &change).await {
            Ok(FinishedImport::Done(read)) => Some(read),
            Ok(_) | Err(_) => None,
        }
        .expect("a finished import")
    }

    /// An import that waits for the PSP's answer.
    pub async fn begin(&self, space: SpaceId, id: TransactionId, command: &ImportCommand) -> Versioned {
        match self.begin_import(&begun(space, id, command), &command.properties).await {
            Ok(BegunImport::Begun(read)) => Some(read),
            Ok(_) | Err(_) => None,
        }
        .expect("a stored import")
    }

    /// The items of a partition as they lie in the table.
    pub async fn items(&self, pk: &str) -> Vec<Item> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
        let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.expect("a readable partition")
    }

    /// Copies items into this table, many at a time.
    pub async fn put_all(&self, items: &[Item]) {
        for batch in items.chunks(100) {
            let put = |item: &Item| Put::builder().table_name(&self.table).set_item(Some(item.clone())).build().expect("a complete put");
            let writes = batch.iter().map(|item| TransactWriteItem::builder().put(put(item)).build()).collect();
            self.client.transact_write_items().set_transact_items(Some(writes)).send().await.expect("written items");
        }
    }

    /// Writes an item by hand, past everything that the store looks at.
    pub async fn put(&self, item: Item) {
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.expect("a written item");
    }
}

#[expect(clippy::disallowed_methods, reason = "only tests are told by the environment where a table is")]
fn endpoint() -> Option<String> {
    std::env::var("DYNAMODB_ENDPOINT").ok().filter(|url| !url.is_empty())
}

/// A client that speaks plain HTTP and has credentials that open nothing.
fn client_at(url: String) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url)
        .build();
    Client::from_conf(config)
}
