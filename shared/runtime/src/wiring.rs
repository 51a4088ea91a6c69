//! Puts the ports together: for each function only those that its use case takes.

use crate::aws;
use crate::config::Config;
use crate::connections::Accounts;
use crate::secrets::{ParameterStore, ReadCredentials};
use crate::system::{SystemClock, SystemSource};
use crate::telemetry;
use api::Edge;
use app::ports::Ports;
use app::ports::settings::ConnectionSettings;
use app::rate_limit::RateLimit;
use domain::time::Span;
use lambda_http::Error;
use std::num::NonZeroU32;
use std::time::Duration;
use store_dynamodb::Store;

/// Everything that commands, imports and webhooks need.
pub struct System<S, V> {
    pub store: Store,
    pub connections: Accounts<S, V, SystemClock>,
    pub clock: SystemClock,
    pub source: SystemSource,
    rate_limit: RateLimit<Store>,
}

/// Everything that status needs.
pub struct Reader {
    pub store: Store,
    rate_limit: RateLimit<Store>,
}

impl<S: ConnectionSettings, V: ReadCredentials> System<S, V> {
    pub fn new(
        store: Store,
        settings: S,
        secrets: V,
        http: reqwest::Client,
        allow_loopback: bool,
        requests_per_second: NonZeroU32,
    ) -> Self {
        let connections = Accounts::new(settings, secrets, SystemClock, http, allow_loopback);
        let rate_limit = RateLimit::new(store.clone(), requests_per_second);
        Self { store, connections, clock: SystemClock, source: SystemSource, rate_limit }
    }

    pub fn edge(&self) -> Edge<'_, Store, SystemClock> {
        edge(&self.rate_limit)
    }

    pub fn ports(&self) -> Ports<'_, Store, Accounts<S, V, SystemClock>, SystemClock, SystemSource> {
        Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source }
    }
}

impl Reader {
    pub fn edge(&self) -> Edge<'_, Store, SystemClock> {
        edge(&self.rate_limit)
    }
}

fn edge(rate_limit: &RateLimit<Store>) -> Edge<'_, Store, SystemClock> {
    Edge { rate_limit, clock: &SystemClock, psps: psp::PSPS }
}

/// For functions that talk to PSPs.
pub async fn system() -> Result<System<Store, ParameterStore>, Error> {
    let config = Config::from_environment()?;
    telemetry::for_functions(&config.log, &config.stage);
    let sdk = aws::sdk_config(&config)?;
    let store = open_store(&sdk, &config).await;
    let path = config.parameter_path.ok_or("the environment variable PARAMETER_PATH is missing")?;
    let secrets = ParameterStore::new(aws_sdk_ssm::Client::new(&sdk), path);
    Ok(System::new(store.clone(), store, secrets, psp::http_client()?, config.allow_loopback, config.requests_per_second))
}

/// For the function that only shows what is stored.
pub async fn reader() -> Result<Reader, Error> {
    let config = Config::from_environment()?;
    let store = store_of(&config).await?;
    Ok(Reader { rate_limit: RateLimit::new(store.clone(), config.requests_per_second), store })
}

/// For the function that looks API keys up.
pub async fn store() -> Result<Store, Error> {
    store_of(&Config::from_environment()?).await
}

/// For what nobody waits for: it connects to the table when it first reads it.
pub fn unwarmed_store() -> Result<Store, Error> {
    let config = Config::from_environment()?;
    telemetry::for_functions(&config.log, &config.stage);
    let sdk = aws::sdk_config(&config)?;
    Ok(Store::new(aws_sdk_dynamodb::Client::new(&sdk), &config.table))
}

async fn store_of(config: &Config) -> Result<Store, Error> {
    telemetry::for_functions(&config.log, &config.stage);
    let sdk = aws::sdk_config(config)?;
    Ok(open_store(&sdk, config).await)
}

/// Time that a request has: a little less than the gateway waits.
pub const REQUEST_TIME: Span = Span::from_seconds(29);

/// Connects during initialisation, where Lambda gives the most CPU; a slow table may not delay the start for long.
async fn open_store(sdk: &aws_config::SdkConfig, config: &Config) -> Store {
    let store = Store::new(aws_sdk_dynamodb::Client::new(sdk), &config.table);
    drop(tokio::time::timeout(Duration::from_millis(300), store.warm()).await);
    store
}
