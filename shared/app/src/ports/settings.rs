//! What operators configure: spaces, connections and API keys.

use super::store::StoreError;
use domain::id::{ConnectionName, SpaceId};
use domain::scope::Scope;
use domain::time::Timestamp;
use std::future::Future;

/// A PSP account of a space. Its credentials are kept elsewhere and are never in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub space: SpaceId,
    pub name: ConnectionName,
    pub psp: String,
    /// The PSP's settings as a JSON object, as the operator wrote them.
    pub settings: String,
}

/// What is kept of an API key: enough to recognise it, not enough to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    /// SHA-256 of the whole key.
    pub hash: Vec<u8>,
    pub space: SpaceId,
    pub scopes: Vec<Scope>,
    pub expires_on: Option<Timestamp>,
    pub revoked_on: Option<Timestamp>,
}

pub trait ConnectionSettings: Send + Sync {
    fn find_connection(&self, space: SpaceId, name: &ConnectionName)
    -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send;
}

pub trait ApiKeys: Send + Sync {
    fn find_key(&self, id: &str) -> impl Future<Output = Result<Option<ApiKey>, StoreError>> + Send;
}

/// Writing settings is for operators' tools alone: no function can.
pub trait Configure: Send + Sync {
    fn put_connection(&self, connection: &Connection) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn put_key(&self, key: &ApiKey) -> impl Future<Output = Result<(), StoreError>> + Send;
}
