//! Puts the ports together: for each function only those that its use case takes.

use crate::aws;
use crate::config::Config;
use crate::connections::Accounts;
use crate::secrets::{ParameterStore, Vault};
use crate::system::{SystemClock, SystemSource};
use crate::telemetry;
use app::ports::Ports;
use domain::time::Span;
use lambda_http::Error;
use std::time::Duration;
use store_dynamodb::Store;

/// Everything that commands, imports and webhooks need.
pub struct System<V> {
    pub store: Store,
    pub connections: Accounts<Store, V, SystemClock>,
    pub clock: SystemClock,
    pub source: SystemSource,
}

impl<V: Vault> System<V> {
    pub fn new(store: Store, vault: V, http: reqwest::Client, allow_loopback: bool) -> Self {
        let connections = Accounts::new(store.clone(), vault, SystemClock, http, allow_loopback);
        Self { store, connections, clock: SystemClock, source: SystemSource }
    }

    pub fn ports(&self) -> Ports<'_, Store, Accounts<Store, V, SystemClock>, SystemClock, SystemSource> {
        Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source }
    }
}

/// For functions that talk to PSPs.
pub async fn system() -> Result<System<ParameterStore>, Error> {
    let config = Config::from_environment()?;
    telemetry::for_functions(&config.log);
    let sdk = aws::sdk_config(&config)?;
    let store = open_store(&sdk, &config).await;
    let path = config.parameter_path.ok_or("the environment variable PARAMETER_PATH is missing")?;
    let vault = ParameterStore::new(aws_sdk_ssm::Client::new(&sdk), path);
    Ok(System::new(store, vault, psp::http_client()?, config.allow_loopback))
}

/// For functions that only read and write the table.
pub async fn store() -> Result<Store, Error> {
    let config = Config::from_environment()?;
    telemetry::for_functions(&config.log);
    let sdk = aws::sdk_config(&config)?;
    Ok(open_store(&sdk, &config).await)
}

/// The names of all PSPs with what each can do.
pub const PSPS: &[(&str, &domain::Capabilities)] = psp::PSPS;

/// Time that a function has, where its event does not say.
pub(crate) const FUNCTION_TIME: Span = Span::from_seconds(29);

/// Connects during initialisation, where Lambda gives the most CPU; a slow table may not delay the start for long.
async fn open_store(sdk: &aws_config::SdkConfig, config: &Config) -> Store {
    let store = Store::new(aws_sdk_dynamodb::Client::new(sdk), &config.table);
    drop(tokio::time::timeout(Duration::from_millis(300), store.warm()).await);
    store
}
