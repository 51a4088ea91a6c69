//! The file in which operators name spaces, keys, connections and endpoints: TOML, the same for the dev server and for
//! operators' tools.
//!
//! ```toml
//! [[space]]
//! id = 1
//! name = "Demo"
//! [[space.key]]                 # for the dev server, where one without a key gets one with all scopes
//! key = "cp_test_…"
//! client = "erp"
//! scopes = ["import", "read"]
//! expiresOn = "2027-01-01T00:00:00Z"
//! [[space.connection]]
//! name = "stripe"
//! psp = "stripe"
//! settings = { livemode = false }
//! credentials = { secretKey = { env = "STRIPE_KEY" }, webhookSecret = { ssm = "/shop/stripe/webhook" } }
//! [[space.endpoint]]
//! name = "erp"
//! kind = "standard-webhooks"
//! url = "https://erp.example.com/hook"
//! types = ["transaction.capture."]
//! credentials = { secret = { env = "ERP_HOOK_SECRET" } }
//! ```
//!
//! A secret is a reference, or, where the file never leaves the machine, the text itself.

use crate::config;
use crate::secrets::Credentials;
use api::time_text;
use domain::endpoint::{Acknowledgement, EndpointKind};
use domain::id::{ClientName, ConnectionName, EndpointName, SpaceId};
use domain::scope::Scope;
use domain::time::Timestamp;
use psp::Secret;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a settings file says, checked.
pub struct SettingsFile {
    pub spaces: Vec<Space>,
}

pub struct Space {
    pub id: SpaceId,
    pub name: String,
    pub keys: Vec<Key>,
    pub connections: Vec<Connection>,
    pub endpoints: Vec<Endpoint>,
}

pub struct Key {
    pub key: SecretText,
    pub client: ClientName,
    pub scopes: Vec<Scope>,
    pub expires_on: Option<Timestamp>,
}

pub struct Connection {
    pub name: ConnectionName,
    pub psp: String,
    pub settings: serde_json::Map<String, serde_json::Value>,
    pub credentials: BTreeMap<String, SecretText>,
}

pub struct Endpoint {
    pub name: EndpointName,
    pub kind: EndpointKind,
    /// As it was written: whether it is allowed depends on where it will be used.
    pub url: String,
    pub types: Vec<String>,
    pub acknowledges_import: Acknowledgement,
    pub credentials: BTreeMap<String, SecretText>,
}

/// A secret as the file has it.
pub enum SecretText {
    /// The text itself.
    Literal(Secret),
    /// The name of an environment variable.
    Env(String),
    /// The name of a parameter of SSM.
    Ssm(String),
}

impl SecretText {
    /// The secret, where this machine has it.
    pub fn on_this_machine(&self) -> Result<Secret, Wrong> {
        match self {
            Self::Literal(secret) => Ok(secret.clone()),
            Self::Env(name) => {
                let text = config::secret(name).ok_or_else(|| Wrong(format!("the environment variable {name} is missing or empty")))?;
                Ok(Secret::new(text))
            }
            Self::Ssm(name) => Err(Wrong(format!("parameter {name} is on AWS: here a secret comes from the environment or the file"))),
        }
    }
}

/// All secrets of a connection or endpoint, where this machine has them.
pub fn on_this_machine(credentials: &BTreeMap<String, SecretText>) -> Result<Credentials, Wrong> {
    let resolve = |(name, text): (&String, &SecretText)| match text.on_this_machine() {
        Ok(secret) => Ok((name.clone(), secret)),
        Err(Wrong(why)) => Err(Wrong(format!("{name}: {why}"))),
    };
    credentials.iter().map(resolve).collect()
}

/// What is wrong with the file, and where; never with a secret in it.
#[derive(Debug)]
pub struct Wrong(pub String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl SettingsFile {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        // The parser's own message can quote a value, which may be a secret: only the place is told.
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Wrong(format!("line {line} cannot be read: not TOML, or a name or kind of value that is not known there"))
        })?;
        let spaces = file.space.into_iter().map(read_space).collect::<Result<Vec<_>, _>>()?;
        let ids: BTreeSet<_> = spaces.iter().map(|space| space.id).collect();
        let literal = |key: &Key| match &key.key {
            SecretText::Literal(key) => Some(key.expose().to_owned()),
            SecretText::Env(_) | SecretText::Ssm(_) => None,
        };
        let keys: Vec<_> = spaces.iter().flat_map(|space| space.keys.iter().filter_map(literal)).collect();
        if keys.iter().collect::<BTreeSet<_>>().len() != keys.len() {
            return Err(Wrong("one key is named twice".to_owned()));
        }
        match (spaces.len(), ids.len()) {
            (0, _) => Err(Wrong("the file names no [[space]]".to_owned())),
            (all, distinct) if all != distinct => Err(Wrong("two spaces have one id".to_owned())),
            _ => Ok(Self { spaces }),
        }
    }
}

fn read_space(space: FileSpace) -> Result<Space, Wrong> {
    let id = SpaceId::new(space.id).ok_or_else(|| Wrong(format!("space {}: an id is a positive integer below 2^53", space.id)))?;
    let keys = space.key.into_iter().map(|key| read_key(id, key)).collect::<Result<_, _>>()?;
    let connections = space.connection.into_iter().map(|connection| read_connection(id, connection)).collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<_> = connections.iter().map(|connection| &connection.name).collect();
    if names.len() != connections.len() {
        return Err(Wrong(format!("space {id}: two connections have one name")));
    }
    let endpoints = space.endpoint.into_iter().map(|endpoint| read_endpoint(id, endpoint)).collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<_> = endpoints.iter().map(|endpoint| &endpoint.name).collect();
    if names.len() != endpoints.len() {
        return Err(Wrong(format!("space {id}: two endpoints have one name")));
    }
    Ok(Space { id, name: space.name, keys, connections, endpoints })
}

fn read_key(space: SpaceId, key: FileKey) -> Result<Key, Wrong> {
    let wrong = |what: String| Wrong(format!("space {space}: {what}"));
    let scope = |name: &String| Scope::parse(name).ok_or_else(|| wrong(format!("{name:?} is not a scope")));
    let client = key.client.as_deref().unwrap_or("file");
    let expires_on = key
        .expires_on
        .map(|text| time_text::parse(&text).ok_or_else(|| wrong(format!("expiresOn {text:?} is not a time such as 2027-01-01T00:00:00Z"))));
    Ok(Key {
        client: ClientName::parse(client).ok_or_else(|| wrong(not_a_name("client", client)))?,
        scopes: key.scopes.iter().map(scope).collect::<Result<_, _>>()?,
        expires_on: expires_on.transpose()?,
        key: key.key.read()?,
    })
}

fn read_connection(space: SpaceId, connection: FileConnection) -> Result<Connection, Wrong> {
    let name = ConnectionName::parse(&connection.name);
    let name = name.ok_or_else(|| Wrong(format!("space {space}: {}", not_a_name("connection", &connection.name))))?;
    let settings = serde_json::to_value(&connection.settings).ok().and_then(|value| value.as_object().cloned());
    let settings = settings.ok_or_else(|| Wrong(format!("connection {name}: settings cannot be written as JSON")))?;
    Ok(Connection { name, psp: connection.psp, settings, credentials: read_secrets(connection.credentials)? })
}

fn read_endpoint(space: SpaceId, endpoint: FileEndpoint) -> Result<Endpoint, Wrong> {
    let FileEndpoint { name, kind, url, types, acknowledges_import, credentials } = endpoint;
    let name = EndpointName::parse(&name).ok_or_else(|| Wrong(format!("space {space}: {}", not_a_name("endpoint", &name))))?;
    let kind = EndpointKind::parse(&kind).ok_or_else(|| Wrong(format!("endpoint {name}: {kind:?} is not a kind of endpoint")))?;
    let acknowledges_import = match acknowledges_import {
        None => kind.acknowledgement(),
        Some(text) => Acknowledgement::parse(&text)
            .ok_or_else(|| Wrong(format!("endpoint {name}: acknowledgesImport is on-2xx or explicit, not {text:?}")))?,
    };
    let is_type = |text: &&String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b"-.".contains(&b));
    if let Some(text) = types.iter().find(|text| !is_type(text)) {
        return Err(Wrong(format!("endpoint {name}: {text:?} is not the beginning of a type such as transaction.capture.successful")));
    }
    Ok(Endpoint { name, kind, url, types, acknowledges_import, credentials: read_secrets(credentials)? })
}

fn not_a_name(of: &str, text: &str) -> String {
    format!("{text:?} is not a name of {} {of} (a-z, 0-9 and -, at most 40)", if of == "endpoint" { "an" } else { "a" })
}

fn read_secrets(credentials: BTreeMap<String, FileSecret>) -> Result<BTreeMap<String, SecretText>, Wrong> {
    credentials.into_iter().map(|(name, secret)| Ok((name, secret.read()?))).collect()
}

impl FileSecret {
    fn read(self) -> Result<SecretText, Wrong> {
        match self {
            Self::Literal(text) => Ok(SecretText::Literal(Secret::new(text))),
            Self::Reference(FileReference { env: Some(name), ssm: None }) => Ok(SecretText::Env(name)),
            Self::Reference(FileReference { env: None, ssm: Some(name) }) => Ok(SecretText::Ssm(name)),
            Self::Reference(_) => Err(Wrong("a secret is a text, { env = \"…\" } or { ssm = \"…\" }".to_owned())),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    space: Vec<FileSpace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSpace {
    id: u64,
    name: String,
    #[serde(default)]
    key: Vec<FileKey>,
    #[serde(default)]
    connection: Vec<FileConnection>,
    #[serde(default)]
    endpoint: Vec<FileEndpoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FileKey {
    key: FileSecret,
    client: Option<String>,
    scopes: Vec<String>,
    expires_on: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConnection {
    name: String,
    psp: String,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    credentials: BTreeMap<String, FileSecret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FileEndpoint {
    name: String,
    kind: String,
    url: String,
    #[serde(default)]
    types: Vec<String>,
    acknowledges_import: Option<String>,
    #[serde(default)]
    credentials: BTreeMap<String, FileSecret>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FileSecret {
    Literal(String),
    Reference(FileReference),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileReference {
    env: Option<String>,
    ssm: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIPE: &str = "[[space]]\nid = 7\nname = \"Shop\"\n[[space.connection]]\nname = \"stripe\"\npsp = \"stripe\"\n";

    #[test]
    fn what_is_wrong_is_named_without_secrets() {
        let wrong = |text: &str| SettingsFile::parse(text).err().map(|wrong| wrong.0).unwrap();
        assert_eq!(wrong(""), "the file names no [[space]]");
        assert!(wrong("[[space]]\nid = 0\nname = \"a\"").contains("positive integer"));
        assert!(wrong("[[space]]\nid = 1\nname = \"a\"\n[[space.key]]\nkey = \"cp_secret\"\nscopes = [\"all\"]").contains("\"all\""));
        let misspelt = format!("{STRIPE}credential = {{ secretKey = \"sk_hidden\" }}");
        let misspelt = misspelt.as_str();
        assert!(!wrong(misspelt).contains("sk_hidden") && wrong(misspelt).starts_with("line "), "{}", wrong(misspelt));
        let as_text = "[[space]]\nid = 1\nname = \"a\"\n[[space.connection]]\nname = \"s\"\npsp = \"stripe\"\ncredentials = \"sk_hidden\"";
        assert!(!wrong(as_text).contains("sk_hidden"), "{}", wrong(as_text));
        assert!(wrong("[[space]]\nid = 1\nname = \"a\"\n[[space]]\nid = 1\nname = \"b\"").contains("one id"));
    }

    #[test]
    fn a_file_is_read() {
        let text = format!("{STRIPE}settings = {{ livemode = false }}\ncredentials = {{ secretKey = \"sk_test_1\" }}");
        let file = SettingsFile::parse(&text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let connection = &file.spaces[0].connections[0];
        assert_eq!(connection.settings["livemode"], serde_json::Value::Bool(false));
        let secrets = on_this_machine(&connection.credentials).unwrap();
        assert_eq!(secrets["secretKey"].expose(), "sk_test_1");
    }

    #[test]
    fn a_secret_is_a_text_or_one_reference() {
        let file = |secret: &str| SettingsFile::parse(&format!("{STRIPE}credentials = {{ secretKey = {secret} }}"));
        let why = |secret: &str| {
            let file = file(secret).unwrap_or_else(|wrong| panic!("{wrong}"));
            on_this_machine(&file.spaces[0].connections[0].credentials).err().map(|wrong| wrong.0)
        };
        assert_eq!(why("\"sk\""), None);
        assert_eq!(why("{ env = \"PATH\" }"), None);
        assert_eq!(why("{ env = \"NO_SUCH_X\" }").unwrap(), "secretKey: the environment variable NO_SUCH_X is missing or empty");
        assert!(why("{ ssm = \"/shop/key\" }").unwrap().contains("/shop/key"));
        for secret in ["{}", "{ env = \"A\", ssm = \"B\" }", "{ file = \"A\" }", "7"] {
            assert!(file(secret).is_err(), "{secret}");
        }
    }

    #[test]
    fn keys_and_endpoints_are_read() {
        let text = "[[space]]\nid = 7\nname = \"Shop\"\n[[space.key]]\nkey = \"cp_x\"\nclient = \"erp\"\nscopes = [\"read\"]\n\
                    expiresOn = \"1970-01-01T00:00:01Z\"\n[[space.endpoint]]\nname = \"bc\"\nkind = \"business-central\"\n\
                    url = \"https://x.example\"";
        let space = SettingsFile::parse(text).unwrap_or_else(|wrong| panic!("{wrong}")).spaces.remove(0);
        assert_eq!((space.keys[0].client.as_str(), space.keys[0].expires_on), ("erp", Some(Timestamp::from_seconds(1))));
        assert_eq!(space.endpoints[0].acknowledges_import, Acknowledgement::On2xx);
        for (from, to) in [("\"erp\"", "\"ERP\""), ("1970", "x"), ("business-central", "fax"), ("\"bc\"", "\"b c\"")] {
            assert!(SettingsFile::parse(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
