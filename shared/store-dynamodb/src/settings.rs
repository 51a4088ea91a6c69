//! Reads and writes of what operators configure.

use crate::attributes::{Item, Reader, Wrong};
use crate::item::settings::{
    read_connection, read_endpoint, read_key, read_space, write_connection, write_endpoint, write_key, write_space,
};
use crate::table::{DUE, HASH, SPACE};
use crate::{Store, key, unavailable};
use app::ports::settings::{ApiKey, ApiKeys, Configure, Connection, ConnectionSettings, Endpoint, Space};
use app::ports::store::StoreError;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::Timestamp;
use domain::id::{ConnectionName, EndpointName, SpaceId};

impl ConnectionSettings for Store {
    async fn find_connection(&self, space: SpaceId, name: &ConnectionName) -> Result<Option<Connection>, StoreError> {
        self.get(key::connection(space, name)).await?.map(|item| read_connection(&item)).transpose()
    }
}

impl ApiKeys for Store {
    async fn find_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.get(key::api_key(id)).await?.map(|item| read_key(&item)).transpose()
    }
}

impl Configure for Store {
    async fn find_space(&self, space: SpaceId) -> Result<Option<Space>, StoreError> {
        self.get(key::space(space)).await?.map(|item| read_space(&item)).transpose()
    }

    async fn list_spaces(&self) -> Result<Vec<Space>, StoreError> {
        self.list(key::SPACES.to_owned()).await?.iter().map(read_space).collect()
    }

    async fn put_space(&self, space: &Space) -> Result<(), StoreError> {
        self.put(write_space(space)).await
    }

    async fn list_connections(&self, space: SpaceId) -> Result<Vec<Connection>, StoreError> {
        let items = self.query_partition(&key::space(space).pk, key::CONNECTIONS).await?;
        items.iter().map(read_connection).collect()
    }

    async fn put_connection(&self, connection: &Connection) -> Result<(), StoreError> {
        self.put(write_connection(connection)).await
    }

    async fn remove_connection(&self, space: SpaceId, name: &ConnectionName) -> Result<(), StoreError> {
        self.remove(key::connection(space, name)).await
    }

    async fn list_endpoints(&self, space: SpaceId) -> Result<Vec<Endpoint>, StoreError> {
        let items = self.query_partition(&key::space(space).pk, key::ENDPOINTS).await?;
        items.iter().map(read_endpoint).collect()
    }

    async fn put_endpoint(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.put(write_endpoint(endpoint)).await
    }

    async fn remove_endpoint(&self, space: SpaceId, name: &EndpointName) -> Result<(), StoreError> {
        self.remove(key::endpoint(space, name)).await
    }

    async fn list_keys(&self, space: SpaceId) -> Result<Vec<ApiKey>, StoreError> {
        self.list(key::api_keys_of(space)).await?.iter().map(read_key).collect()
    }

    async fn put_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.put(write_key(key)).await
    }

    async fn revoke_key(&self, id: &str, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let revoke = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key::api_key(id).attributes()))
            .update_expression("SET revokedOn = if_not_exists(revokedOn, :now)")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", AttributeValue::N(now.millis().to_string()))
            .return_values(ReturnValue::AllNew);
        match revoke.send().await {
            Ok(answer) => answer.attributes.map(|item| read_key(&item)).transpose(),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn list_waiting(&self, space: SpaceId) -> Result<Vec<Timestamp>, StoreError> {
        let beginning = format!("{}#", key::space(space).pk);
        let mut waiting = Vec::new();
        for shard in key::due_shards() {
            let items = self.query_index(DUE.name, DUE.hash, shard).await?;
            let theirs =
                items.iter().filter(|item| item.get(HASH).and_then(|pk| pk.as_s().ok()).is_some_and(|pk| pk.starts_with(&beginning)));
            let due = |item: &Item| Reader(item).parsed(DUE.range, key::read_due).map_err(|wrong: Wrong| wrong.of(item));
            waiting.extend(theirs.map(due).collect::<Result<Vec<_>, _>>()?);
        }
        waiting.sort_unstable();
        Ok(waiting)
    }
}

/// Keys that DynamoDB takes in one batch.
const BATCH: usize = 100;

impl Store {
    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| unavailable(&error))
    }

    pub(crate) async fn remove(&self, key: key::Key) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key.attributes())).send().await;
        delete.map(drop).map_err(|error| unavailable(&error))
    }

    /// The items themselves that the index `space` has under this key, in the order of the index.
    async fn list(&self, under: String) -> Result<Vec<Item>, StoreError> {
        let keys = self.query_index(SPACE.name, SPACE.hash, under).await?;
        let keys = keys.iter().map(key::Key::read).collect::<Result<Vec<_>, _>>()?;
        let mut items = Vec::new();
        for keys in keys.chunks(BATCH) {
            items.extend(self.batch_get(keys.to_vec()).await?);
        }
        let place = |item: &Item| keys.iter().position(|key| key::Key::read(item).as_ref() == Ok(key));
        items.sort_by_key(place);
        Ok(items)
    }

    async fn query_index(&self, index: &str, hash: &str, under: String) -> Result<Vec<Item>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#hash = :under")
            .expression_attribute_names("#hash", hash)
            .expression_attribute_values(":under", AttributeValue::S(under));
        let mut pages = query.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|error| unavailable(&error))?);
        }
        Ok(items)
    }
}
