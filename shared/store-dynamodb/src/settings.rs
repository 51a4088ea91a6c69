//! Reads and writes of what operators configure.

use crate::attributes::Item;
use crate::item::settings::{read_connection, read_key, write_connection, write_key};
use crate::{Store, key, unavailable};
use app::ports::settings::{ApiKey, ApiKeys, Configure, Connection, ConnectionSettings};
use app::ports::store::StoreError;
use domain::id::{ConnectionName, SpaceId};

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
    async fn put_connection(&self, connection: &Connection) -> Result<(), StoreError> {
        self.put(write_connection(connection)).await
    }

    async fn put_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.put(write_key(key)).await
    }
}

impl Store {
    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| unavailable(&error))
    }
}
