//! DynamoDB inside the process: the real AWS SDK on one side, an embeddable engine over SQLite on the other, no socket
//! between them. For the dev server, operators' tools and tests; a deployed function never links it.

mod connector;
mod folder;
mod meter;
mod table;
mod wire;

pub use folder::{DataFolder, Lock};
pub use meter::Usage;
pub use wire::{Call, Carried, NoAnswer, Wire, WireAnswer};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use connector::Connector;
use dynoxide::Database;
use meter::Meter;
use std::path::Path;
use std::sync::Arc;
use wire::Wired;

/// An embedded DynamoDB. Clones share one database.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    meter: Meter,
}

/// Why the database could not be opened or its table made; for the person who started the program.
#[derive(Debug)]
pub struct Failed(pub String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl Embedded {
    /// Lives as long as the process.
    pub fn in_memory() -> Result<Self, Failed> {
        Database::memory().map(Self::over).map_err(|error| Failed(error.to_string()))
    }

    /// Lives in this file. Everything that was answered survives the end of the process, however it ends.
    pub fn in_file(path: &Path) -> Result<Self, Failed> {
        let path = path.to_str().ok_or_else(|| Failed(format!("{} is not UTF-8", path.display())))?;
        Database::new(path).map(Self::over).map_err(|error| Failed(format!("{path}: {error}")))
    }

    /// The AWS SDK's own client, connected to this database.
    pub fn client(&self) -> Client {
        let http = SharedHttpClient::new(Connector::new(self.database.clone(), self.meter.clone()));
        Client::from_conf(config(http).credentials_provider(credentials()).build())
    }

    /// The same over a wire that a test holds. Nothing is repeated, signed, measured or timed on the way.
    pub fn client_over(&self, wire: Arc<dyn Wire>) -> Client {
        let http = SharedHttpClient::new(Wired::new(self.database.clone(), wire));
        let config = config(http)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .allow_no_auth();
        Client::from_conf(config.build())
    }

    /// Round trips and units since the last call, as the engine counted them.
    pub fn take_usage(&self) -> Usage {
        self.meter.take()
    }

    fn over(database: Database) -> Self {
        Self { database, meter: Meter::default() }
    }
}

fn config(http: SharedHttpClient) -> Builder {
    aws_sdk_dynamodb::Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::from_static("local")).http_client(http)
}

/// They open nothing, but without any the SDK sends nothing.
fn credentials() -> Credentials {
    Credentials::new("embedded", "embedded", None, None, "embedded")
}

/// What the table of a data folder is called.
pub const TABLE: &str = "collana-pay";

pub use table::{create_table, definition};
