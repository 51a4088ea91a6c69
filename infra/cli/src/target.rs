//! Where settings and credentials are: a stack on AWS or an emulator, or the data folder of a dev server that is stopped.

use crate::arguments::At;
use crate::aws::{self, NoStack, Stack};
use crate::failure::Failure;
use app::ports::settings::Configure;
use app::ports::store::StoreError;
use domain::id::SpaceId;
use embedded::{DataFolder, Embedded, Lock};
use runtime::secrets::{Credentials, CredentialsFile, Holder, KeepCredentials, ParameterStore};
use std::path::Path;
use store_dynamodb::Store;

pub struct Target {
    pub store: Store,
    pub credentials: CredentialsPlace,
    /// PSPs and endpoints may be on this machine, over plain http.
    pub allow_loopback: bool,
    /// For secrets that are references to parameters; a folder has none.
    pub parameters: Option<aws_sdk_ssm::Client>,
    _lock: Option<Lock>,
}

/// Where credentials are kept.
pub enum CredentialsPlace {
    Parameters(ParameterStore),
    File(CredentialsFile),
}

impl Target {
    pub async fn open(at: &At) -> Result<Self, Failure> {
        match &at.data {
            Some(folder) if !folder.is_dir() => Err(Failure::usage(format!("{} is not a folder", folder.display()))
                .hint("`collana apply` makes one, and so does the dev server.")),
            Some(folder) => Self::folder(folder).await,
            None => {
                let sdk = aws::sdk(at).await?;
                let parameters = aws_sdk_ssm::Client::new(&sdk);
                let stack = read_stack(&parameters, at).await?;
                Ok(Self::stack(at, aws_sdk_dynamodb::Client::new(&sdk), parameters, &stack))
            }
        }
    }

    pub fn stack(at: &At, table: aws_sdk_dynamodb::Client, parameters: aws_sdk_ssm::Client, stack: &Stack) -> Self {
        Self {
            store: Store::new(table, &stack.table),
            credentials: CredentialsPlace::Parameters(ParameterStore::new(parameters.clone(), aws::parameter_path(&at.stage))),
            allow_loopback: stack.allow_loopback,
            parameters: Some(parameters),
            _lock: None,
        }
    }

    async fn folder(path: &Path) -> Result<Self, Failure> {
        let (folder, lock) = DataFolder::open(path).map_err(|error| Failure::new(error).hint("Stop the dev server first."))?;
        let engine = Embedded::in_file(&folder.table()).map_err(|error| Failure::new(error.to_string()))?;
        embedded::create_table(&engine.client(), embedded::TABLE).await.map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self {
            store: Store::new(engine.client(), embedded::TABLE),
            credentials: CredentialsPlace::File(CredentialsFile::new(folder.credentials())),
            allow_loopback: true,
            parameters: None,
            _lock: Some(lock),
        })
    }

    /// What waits may need any connection of its space to be settled, so none of them is removed.
    pub async fn nothing_waits(&self, space: SpaceId) -> Result<(), Failure> {
        match self.store.list_waiting(space).await.map_err(table)?.len() {
            0 => Ok(()),
            count => Err(Failure::new(format!("operations, imports or webhooks of space {space} that are not settled: {count}"))
                .hint("They may need the connection: settle them first. `collana doctor` tells how long they have waited.")),
        }
    }

    /// The names of credentials, without a value; none where none are kept.
    pub async fn names_of(&self, holder: &Holder) -> Result<Option<Vec<String>>, Failure> {
        let kept = self.credentials.find(holder).await.map_err(Failure::new)?;
        Ok(kept.map(|credentials| credentials.into_keys().collect()))
    }

    /// Removes a connection or an endpoint, and after it its credentials: one without credentials could fail a command,
    /// credentials without one harm nobody.
    pub async fn remove(&self, holder: &Holder) -> Result<(), Failure> {
        let removed = match holder {
            Holder::Connection(space, name) => {
                // Something may have begun to wait while a person was asked.
                self.nothing_waits(*space).await?;
                self.store.remove_connection(*space, name).await
            }
            Holder::Endpoint(space, name) => self.store.remove_endpoint(*space, name).await,
        };
        removed.map_err(table)?;
        self.credentials.remove(holder).await.map_err(Failure::new)
    }

    /// Whether it is the folder of a dev server, which brings a sandbox of its own.
    pub fn is_folder(&self) -> bool {
        self.parameters.is_none()
    }
}

/// What the stage says about its stack.
pub async fn stack(at: &At) -> Result<Stack, Failure> {
    let sdk = aws::sdk(at).await?;
    read_stack(&aws_sdk_ssm::Client::new(&sdk), at).await
}

async fn read_stack(parameters: &aws_sdk_ssm::Client, at: &At) -> Result<Stack, Failure> {
    let name = format!("{}/stack", aws::parameter_path(&at.stage));
    let told = aws::stack(parameters, &at.stage).await;
    told.map_err(|why| match why {
        NoStack::Missing => Failure::new(format!("stage {} is not here: there is no parameter {name}", at.stage))
            .hint("Deploy template.yaml with this Stage, or choose another --stage, --region or --profile."),
        NoStack::Unreadable => {
            Failure::new(format!("parameter {name} is not what the template writes")).hint("Deploy template.yaml again: it writes it anew.")
        }
        NoStack::Refused(why) => Failure::new(format!("parameter {name}: {why}")).hint("`collana doctor` tells what is in the way."),
    })
}

/// Whether secrets may stand in a settings file as they are: what it says stays on this machine.
pub fn takes_literals(at: &At) -> bool {
    at.data.is_some() || at.endpoint_url.as_deref().is_some_and(is_here)
}

/// An address on this machine.
pub fn is_here(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| psp::is_loopback(&url))
}

/// The table could not be read or written.
pub fn table(error: StoreError) -> Failure {
    match error {
        StoreError::Unavailable(why) => Failure::new(format!("the table cannot be used: {why}")).hint("`collana doctor` tells why."),
        StoreError::Inconsistent { item, attribute } => {
            Failure::new(format!("the table holds an item that this version did not write: {item}, attribute {attribute}"))
                .hint("Use the version of this tool that belongs to the stack.")
        }
    }
}

impl KeepCredentials for CredentialsPlace {
    async fn find(&self, holder: &Holder) -> Result<Option<Credentials>, String> {
        match self {
            Self::Parameters(parameters) => parameters.find(holder).await,
            Self::File(file) => file.find(holder).await,
        }
    }

    async fn put(&self, holder: &Holder, credentials: &Credentials) -> Result<(), String> {
        match self {
            Self::Parameters(parameters) => parameters.put(holder, credentials).await,
            Self::File(file) => file.put(holder, credentials).await,
        }
    }

    async fn remove(&self, holder: &Holder) -> Result<(), String> {
        match self {
            Self::Parameters(parameters) => parameters.remove(holder).await,
            Self::File(file) => file.remove(holder).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_on_this_machine_is_here() {
        assert!(is_here("http://127.0.0.1:4566") && is_here("http://localhost:1/") && is_here("http://[::1]:4566"));
        assert!(!is_here("http://127.0.0.1.example.com") && !is_here("https://dynamodb.example.com") && !is_here("127.0.0.1"));
    }
}
