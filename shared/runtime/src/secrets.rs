//! Credentials of connections: from SSM on AWS, from the configuration file on a laptop. Never in the table, never in a log.

use aws_sdk_ssm::error::ProvideErrorMetadata;
use domain::id::{ConnectionName, SpaceId};
use psp::Secret;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;

pub type Credentials = BTreeMap<String, Secret>;

/// Which connection of which space.
pub(crate) type Place = (SpaceId, ConnectionName);

/// Where credentials come from. The error text is for the log and holds no secret.
pub trait Vault: Send + Sync {
    fn credentials(&self, space: SpaceId, connection: &ConnectionName) -> impl Future<Output = Result<Credentials, String>> + Send;
}

/// SSM: one SecureString for each connection, `<path>/<space>/<connection>`, a JSON object of texts.
#[derive(Clone)]
pub struct ParameterStore {
    client: aws_sdk_ssm::Client,
    path: String,
}

impl ParameterStore {
    pub fn new(client: aws_sdk_ssm::Client, path: impl Into<String>) -> Self {
        Self { client, path: path.into() }
    }
}

impl Vault for ParameterStore {
    async fn credentials(&self, space: SpaceId, connection: &ConnectionName) -> Result<Credentials, String> {
        let name = format!("{}/{space}/{connection}", self.path);
        let answer = self.client.get_parameter().name(&name).with_decryption(true).send().await;
        // Only the kind of error is told: an answer that cannot be read could hold the secret.
        let answer = answer.map_err(|error| format!("parameter {name}: {}", error.code().unwrap_or("no answer that can be read")))?;
        let value = answer.parameter.and_then(|parameter| parameter.value).ok_or_else(|| format!("parameter {name} is empty"))?;
        let texts: BTreeMap<String, String> =
            serde_json::from_str(&value).map_err(|_| format!("parameter {name} is not a JSON object of texts"))?;
        Ok(texts.into_iter().map(|(name, text)| (name, Secret::new(text))).collect())
    }
}

/// Credentials that a configuration file named; they live as long as the process.
#[derive(Clone, Default)]
pub struct Given(HashMap<Place, Credentials>);

impl Given {
    pub fn with(mut self, space: SpaceId, connection: ConnectionName, credentials: Credentials) -> Self {
        self.0.insert((space, connection), credentials);
        self
    }
}

impl Vault for Given {
    async fn credentials(&self, space: SpaceId, connection: &ConnectionName) -> Result<Credentials, String> {
        let found = self.0.get(&(space, connection.clone()));
        found.cloned().ok_or_else(|| format!("no credentials are given for connection {connection} of space {space}"))
    }
}
