//! Settings and credentials of a dev server's connections: what the settings file says, what operators' tools put into the data
//! folder, and, for connections to the server's own sandbox, what only this process knows.

use app::ports::settings::{Connection, ConnectionSettings};
use app::ports::store::StoreError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::id::{ConnectionName, SpaceId};
use psp::Secret;
use runtime::secrets::{Credentials, CredentialsFile, Holder, KeepCredentials, ReadCredentials};
use serde_json::{Map, Value};
use std::collections::HashMap;
use store_dynamodb::Store;

pub const SANDBOX: &str = "sandbox";

#[derive(Clone)]
pub struct LocalConnections {
    store: Store,
    sandbox_url: String,
    /// From the settings file; they live as long as the process.
    given: HashMap<(SpaceId, ConnectionName), Credentials>,
    kept: Option<CredentialsFile>,
}

impl LocalConnections {
    pub fn new(store: Store, sandbox_url: &str, kept: Option<CredentialsFile>) -> Self {
        Self { store, sandbox_url: sandbox_url.to_owned(), given: HashMap::new(), kept }
    }

    pub fn give(&mut self, space: SpaceId, connection: ConnectionName, credentials: Credentials) {
        self.given.insert((space, connection), credentials);
    }

    /// The connection's settings and credentials as its adapter gets them.
    pub async fn complete(&self, connection: &Connection) -> Result<(Map<String, Value>, Credentials), String> {
        let Connection { space, name, psp, settings } = connection;
        let mut settings: Map<String, Value> = serde_json::from_str(settings).map_err(|_| "settings are not JSON".to_owned())?;
        let mut credentials = match (self.given.get(&(*space, name.clone())), &self.kept) {
            (Some(given), _) => given.clone(),
            (None, Some(kept)) => kept.find(&Holder::Connection(*space, name.clone())).await?.unwrap_or_default(),
            (None, None) => Credentials::new(),
        };
        if psp == SANDBOX {
            settings.entry("baseUrl").or_insert_with(|| self.sandbox_url.as_str().into());
            for (name, text) in sandbox_credentials(*space, name) {
                credentials.entry(name.to_owned()).or_insert_with(|| Secret::new(text));
            }
        }
        Ok((settings, credentials))
    }
}

impl ConnectionSettings for LocalConnections {
    async fn find_connection(&self, space: SpaceId, name: &ConnectionName) -> Result<Option<Connection>, StoreError> {
        let Some(connection) = self.store.find_connection(space, name).await? else { return Ok(None) };
        let (settings, _) = self.complete(&connection).await.map_err(StoreError::Unavailable)?;
        Ok(Some(Connection { settings: Value::Object(settings).to_string(), ..connection }))
    }
}

impl ReadCredentials for LocalConnections {
    async fn credentials(&self, space: SpaceId, name: &ConnectionName) -> Result<Credentials, String> {
        let connection = self.store.find_connection(space, name).await.map_err(|error| format!("{error:?}"))?;
        let connection = connection.ok_or_else(|| format!("space {space} has no connection {name}"))?;
        self.complete(&connection).await.map(|(_, credentials)| credentials)
    }
}

/// Credentials at our own sandbox. They protect play money on this machine, so they may be guessed.
pub fn sandbox_credentials(space: SpaceId, connection: &ConnectionName) -> [(&'static str, String); 2] {
    let secret = STANDARD.encode(format!("{:-<32}", format!("sandbox-{space}-{connection}")));
    [("secretKey", format!("sk_sandbox_{space}_{connection}")), ("webhookSecret", format!("whsec_{secret}"))]
}
