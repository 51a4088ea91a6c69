//! DynamoDB inside the process: the real AWS SDK on one side, an embeddable engine over SQLite on the other, no socket
//! between them. For the dev server, operators' tools and tests; a deployed function never links it.

mod connector;
mod folder;
mod meter;
mod table;

pub use folder::{DataFolder, Lock};
pub use meter::Usage;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use connector::Connector;
use dynoxide::Database;
use meter::Meter;
use std::path::Path;

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
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("local"))
            .credentials_provider(Credentials::new("embedded", "embedded", None, None, "embedded"))
            .http_client(http)
            .build();
        Client::from_conf(config)
    }

    /// Round trips and units since the last call, as the engine counted them.
    pub fn take_usage(&self) -> Usage {
        self.meter.take()
    }

    fn over(database: Database) -> Self {
        Self { database, meter: Meter::default() }
    }
}

/// What the table of a data folder is called.
pub const TABLE: &str = "collana-pay";

pub use table::{create_table, definition};
