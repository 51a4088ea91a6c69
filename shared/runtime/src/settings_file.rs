//! The file in which operators name spaces, keys and connections: TOML, the same for the dev server and for operators' tools.
//!
//! ```toml
//! [[space]]
//! id = 1
//! name = "Demo"
//! [[space.key]]                 # without one the space gets a key with all scopes
//! key = "cp_test_…"
//! scopes = ["import", "read"]
//! [[space.connection]]
//! name = "stripe"
//! psp = "stripe"
//! settings = { livemode = false }
//! credentials = { secretKey = "sk_test_…", webhookSecret = "whsec_…" }
//! ```

use domain::id::{ConnectionName, SpaceId};
use domain::scope::Scope;
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
}

pub struct Key {
    pub key: Secret,
    pub scopes: Vec<Scope>,
}

pub struct Connection {
    pub name: ConnectionName,
    pub psp: String,
    pub settings: serde_json::Map<String, serde_json::Value>,
    pub credentials: BTreeMap<String, Secret>,
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
        let keys: Vec<_> = spaces.iter().flat_map(|space| space.keys.iter().map(|key| key.key.expose())).collect();
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
    Ok(Space { id, name: space.name, keys, connections })
}

fn read_key(space: SpaceId, key: FileKey) -> Result<Key, Wrong> {
    let scope = |name: &String| Scope::parse(name).ok_or_else(|| Wrong(format!("space {space}: {name:?} is not a scope")));
    Ok(Key { scopes: key.scopes.iter().map(scope).collect::<Result<_, _>>()?, key: Secret::new(key.key) })
}

fn read_connection(space: SpaceId, connection: FileConnection) -> Result<Connection, Wrong> {
    let name = ConnectionName::parse(&connection.name)
        .ok_or_else(|| Wrong(format!("space {space}: {:?} is not a name of a connection (a-z, 0-9 and -, at most 40)", connection.name)))?;
    let settings = serde_json::to_value(&connection.settings).ok().and_then(|value| value.as_object().cloned());
    let settings = settings.ok_or_else(|| Wrong(format!("connection {name}: settings cannot be written as JSON")))?;
    let credentials = connection.credentials.into_iter().map(|(name, text)| (name, Secret::new(text))).collect();
    Ok(Connection { name, psp: connection.psp, settings, credentials })
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKey {
    key: String,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConnection {
    name: String,
    psp: String,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    credentials: BTreeMap<String, String>,
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
        assert_eq!(connection.credentials["secretKey"].expose(), "sk_test_1");
    }
}
