//! Credentials of connections and endpoints: in SSM on AWS, in the settings file or a file of the data folder on a laptop.
//! Never in the table, never in a log.

use aws_sdk_ssm::error::ProvideErrorMetadata;
use aws_sdk_ssm::types::ParameterType;
use domain::id::{ConnectionName, EndpointName, SpaceId};
use psp::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::future::Future;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

pub type Credentials = BTreeMap<String, Secret>;

/// Which connection of which space.
pub(crate) type Place = (SpaceId, ConnectionName);

/// Where credentials come from. The error text is for the log and holds no secret.
pub trait ReadCredentials: Send + Sync {
    fn credentials(&self, space: SpaceId, connection: &ConnectionName) -> impl Future<Output = Result<Credentials, String>> + Send;
}

/// Whose credentials they are. Written as the place below a stack's path: `1/stripe`, `1/endpoints/erp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    Connection(SpaceId, ConnectionName),
    Endpoint(SpaceId, EndpointName),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(space, name) => write!(f, "{space}/{name}"),
            Self::Endpoint(space, name) => write!(f, "{space}/endpoints/{name}"),
        }
    }
}

/// Where operators' tools keep credentials. No function writes any. The error text holds no secret.
pub trait KeepCredentials: Send + Sync {
    fn find(&self, holder: &Holder) -> impl Future<Output = Result<Option<Credentials>, String>> + Send;

    fn put(&self, holder: &Holder, credentials: &Credentials) -> impl Future<Output = Result<(), String>> + Send;

    /// Nothing happens where there are none.
    fn remove(&self, holder: &Holder) -> impl Future<Output = Result<(), String>> + Send;
}

/// SSM: one SecureString for each connection or endpoint, `<path>/<holder>`, a JSON object of texts.
#[derive(Clone)]
pub struct ParameterStore {
    client: aws_sdk_ssm::Client,
    path: String,
}

impl ParameterStore {
    pub fn new(client: aws_sdk_ssm::Client, path: impl Into<String>) -> Self {
        Self { client, path: path.into() }
    }

    /// The parameter that holds these credentials.
    pub fn name(&self, holder: &Holder) -> String {
        format!("{}/{holder}", self.path)
    }
}

impl ReadCredentials for ParameterStore {
    async fn credentials(&self, space: SpaceId, connection: &ConnectionName) -> Result<Credentials, String> {
        let holder = Holder::Connection(space, connection.clone());
        self.find(&holder).await?.ok_or_else(|| format!("parameter {} is missing", self.name(&holder)))
    }
}

// Only the kind of an error is told: an answer that cannot be read could hold the secret.
impl KeepCredentials for ParameterStore {
    async fn find(&self, holder: &Holder) -> Result<Option<Credentials>, String> {
        let name = self.name(holder);
        let answer = match self.client.get_parameter().name(&name).with_decryption(true).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ParameterNotFound") => return Ok(None),
            Err(error) => return Err(format!("parameter {name}: {}", kind(&error))),
        };
        let value = answer.parameter.and_then(|parameter| parameter.value).ok_or_else(|| format!("parameter {name} is empty"))?;
        let texts: BTreeMap<String, String> =
            serde_json::from_str(&value).map_err(|_| format!("parameter {name} is not a JSON object of texts"))?;
        Ok(Some(secrets(texts)))
    }

    async fn put(&self, holder: &Holder, credentials: &Credentials) -> Result<(), String> {
        let name = self.name(holder);
        let value = serde_json::to_string(&texts(credentials)).map_err(|_| format!("parameter {name} cannot be written as JSON"))?;
        let put = self.client.put_parameter().name(&name).value(value).r#type(ParameterType::SecureString).overwrite(true);
        put.send().await.map(drop).map_err(|error| format!("parameter {name}: {}", kind(&error)))
    }

    async fn remove(&self, holder: &Holder) -> Result<(), String> {
        let name = self.name(holder);
        match self.client.delete_parameter().name(&name).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ParameterNotFound") => Ok(()),
            Err(error) => Err(format!("parameter {name}: {}", kind(&error))),
        }
    }
}

fn kind(error: &impl ProvideErrorMetadata) -> &str {
    error.code().unwrap_or("no answer that can be read")
}

/// A file that only its owner can read: where a dev server's data folder keeps what operators' tools wrote.
#[derive(Clone)]
pub struct CredentialsFile {
    path: PathBuf,
}

impl CredentialsFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn read(&self) -> Result<BTreeMap<String, BTreeMap<String, String>>, String> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(format!("{}: {error}", self.path.display())),
        };
        serde_json::from_str(&text).map_err(|_| format!("{} is not a file of credentials", self.path.display()))
    }

    /// Written whole or not at all.
    fn write(&self, all: &BTreeMap<String, BTreeMap<String, String>>) -> Result<(), String> {
        let write = || {
            let unfinished = self.path.with_extension("new");
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&unfinished)?;
            file.write_all(&serde_json::to_vec_pretty(all)?)?;
            file.sync_all()?;
            fs::rename(unfinished, &self.path)
        };
        write().map_err(|error: io::Error| format!("{}: {error}", self.path.display()))
    }
}

impl KeepCredentials for CredentialsFile {
    async fn find(&self, holder: &Holder) -> Result<Option<Credentials>, String> {
        Ok(self.read()?.remove(&holder.to_string()).map(secrets))
    }

    async fn put(&self, holder: &Holder, credentials: &Credentials) -> Result<(), String> {
        let mut all = self.read()?;
        all.insert(holder.to_string(), texts(credentials));
        self.write(&all)
    }

    async fn remove(&self, holder: &Holder) -> Result<(), String> {
        let mut all = self.read()?;
        match all.remove(&holder.to_string()) {
            Some(_) => self.write(&all),
            None => Ok(()),
        }
    }
}

fn secrets(texts: BTreeMap<String, String>) -> Credentials {
    texts.into_iter().map(|(name, text)| (name, Secret::new(text))).collect()
}

fn texts(credentials: &Credentials) -> BTreeMap<String, String> {
    credentials.iter().map(|(name, secret)| (name.clone(), secret.expose().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn holder(name: &str) -> Holder {
        Holder::Connection(SpaceId::new(1).unwrap(), ConnectionName::parse(name).unwrap())
    }

    async fn found(file: &CredentialsFile, holder: &Holder) -> Option<BTreeMap<String, String>> {
        file.find(holder).await.unwrap().as_ref().map(texts)
    }

    #[tokio::test]
    async fn a_file_keeps_credentials_for_its_owner_alone() {
        let path = std::env::temp_dir().join(format!("collana-credentials-{}.json", std::process::id()));
        drop(fs::remove_file(&path));
        let file = CredentialsFile::new(path.clone());
        let endpoint = Holder::Endpoint(SpaceId::new(1).unwrap(), EndpointName::parse("shop").unwrap());
        let of = |text: &str| Credentials::from([("secretKey".to_owned(), Secret::new(text))]);
        assert_eq!(found(&file, &holder("shop")).await, None);
        for (holder, text) in [(&holder("shop"), "a"), (&holder("b"), "b"), (&endpoint, "c"), (&holder("shop"), "d")] {
            file.put(holder, &of(text)).await.unwrap();
        }
        let text = |text: &str| Some(BTreeMap::from([("secretKey".to_owned(), text.to_owned())]));
        assert_eq!(found(&file, &holder("shop")).await, text("d"));
        assert_eq!(found(&file, &endpoint).await, text("c"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for _ in 0..2 {
            file.remove(&holder("shop")).await.unwrap();
            assert_eq!(found(&file, &holder("shop")).await, None);
        }
        assert_eq!(found(&file, &holder("b")).await, text("b"));
        fs::write(&path, "secret").unwrap();
        let error = file.find(&endpoint).await.err().unwrap();
        assert!(error.ends_with("is not a file of credentials"), "{error}");
        fs::remove_file(&path).unwrap();
    }
}
