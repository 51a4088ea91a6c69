//! What operators configure: spaces, connections, endpoints and API keys.

use super::store::StoreError;
use domain::endpoint::{Acknowledgement, EndpointKind, EndpointUrl};
use domain::id::{ClientName, ConnectionName, EndpointName, SpaceId};
use domain::scope::Scope;
use domain::time::Timestamp;
use std::future::Future;

/// One customer of an installation: everything stored belongs to exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    pub id: SpaceId,
    /// For people; nothing is found by it.
    pub name: String,
}

/// A PSP account of a space. Its credentials are kept elsewhere and are never in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub space: SpaceId,
    pub name: ConnectionName,
    pub psp: String,
    /// The PSP's settings as a JSON object, as the operator wrote them.
    pub settings: String,
}

/// Where a system of a space is notified. Its credentials are kept where those of connections are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub space: SpaceId,
    pub name: EndpointName,
    pub kind: EndpointKind,
    pub url: EndpointUrl,
    /// Types of notification that it is told, or what they begin with; all where there is none.
    pub types: Vec<String>,
    pub acknowledges_import: Acknowledgement,
}

/// What is kept of an API key: enough to recognise it, not enough to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    /// SHA-256 of the whole key.
    pub hash: Vec<u8>,
    pub space: SpaceId,
    pub client: ClientName,
    pub scopes: Vec<Scope>,
    pub created_on: Timestamp,
    pub expires_on: Option<Timestamp>,
    pub revoked_on: Option<Timestamp>,
}

impl ApiKey {
    /// Whether the holder of the key is let in at this moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_on.is_none() && self.expires_on.is_none_or(|expiry| now < expiry)
    }
}

pub trait ConnectionSettings: Send + Sync {
    fn find_connection(&self, space: SpaceId, name: &ConnectionName)
    -> impl Future<Output = Result<Option<Connection>, StoreError>> + Send;
}

pub trait ApiKeys: Send + Sync {
    fn find_key(&self, id: &str) -> impl Future<Output = Result<Option<ApiKey>, StoreError>> + Send;
}

/// Writing settings is for operators' tools alone: no function can. Lists of spaces and keys come from an index and may lag a
/// moment behind what was written.
pub trait Configure: ConnectionSettings + ApiKeys {
    fn find_space(&self, space: SpaceId) -> impl Future<Output = Result<Option<Space>, StoreError>> + Send;

    fn list_spaces(&self) -> impl Future<Output = Result<Vec<Space>, StoreError>> + Send;

    fn put_space(&self, space: &Space) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn list_connections(&self, space: SpaceId) -> impl Future<Output = Result<Vec<Connection>, StoreError>> + Send;

    fn put_connection(&self, connection: &Connection) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn remove_connection(&self, space: SpaceId, name: &ConnectionName) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn list_endpoints(&self, space: SpaceId) -> impl Future<Output = Result<Vec<Endpoint>, StoreError>> + Send;

    fn put_endpoint(&self, endpoint: &Endpoint) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn remove_endpoint(&self, space: SpaceId, name: &EndpointName) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn list_keys(&self, space: SpaceId) -> impl Future<Output = Result<Vec<ApiKey>, StoreError>> + Send;

    fn put_key(&self, key: &ApiKey) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The key as it is afterwards, none if there is none of this id. A key that was revoked before keeps its time.
    fn revoke_key(&self, id: &str, now: Timestamp) -> impl Future<Output = Result<Option<ApiKey>, StoreError>> + Send;

    /// When each thing of this space that waits for something to happen (open operations, imports, webhooks) is due; what is
    /// due first comes first.
    fn list_waiting(&self, space: SpaceId) -> impl Future<Output = Result<Vec<Timestamp>, StoreError>> + Send;
}
