//! Puts the system together: table, sandbox, spaces with their keys and connections.

use crate::data::{DataFolder, Lock};
use crate::gateway;
use crate::options::Options;
use crate::ready::Ready;
use app::authorize;
use app::ports::Clock;
use app::ports::settings::{Configure, Connection};
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::id::{ConnectionName, SpaceId};
use domain::scope::Scope;
use embedded::Embedded;
use psp::Secret;
use psp_simulators::{Account, Sandbox, Storage};
use runtime::secrets::{Credentials, Given};
use runtime::settings_file::{self, SettingsFile, Space};
use runtime::system::{SystemClock, SystemSource};
use runtime::wiring;
use std::error::Error;
use std::sync::Arc;
use store_dynamodb::Store;

pub struct System {
    pub router: Router,
    pub sandbox: Sandbox,
    pub ready: Ready,
    pub _lock: Option<Lock>,
}

const TABLE: &str = "collana-pay";
const SANDBOX: &str = "sandbox";

/// The demo: one space, one connection.
const DEMO: &str = "[[space]]\nid = 1\nname = \"Demo\"\n[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";

/// Builds everything for a server that will listen on `url`.
pub async fn system(options: &Options, url: &str) -> Result<System, Box<dyn Error>> {
    let (data, lock) = options.data.as_deref().map(DataFolder::open).transpose()?.unzip();
    let file = match &options.config {
        Some(path) => SettingsFile::parse(&std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
            .map_err(|wrong| format!("{}: {wrong}", path.display()))?,
        None => SettingsFile::parse(DEMO)?,
    };
    let sandbox_url = format!("{url}/{SANDBOX}");
    let http = psp::http_client()?;
    let storage = data.as_ref().map_or(Storage::Memory, |data| Storage::File(data.file("sandbox.sqlite")));
    let accounts = sandbox_accounts(&file, url, &sandbox_url);
    let sandbox = Sandbox::open(storage, accounts, Arc::new(|| SystemClock.now().millis()), http.clone())?;
    let router = Router::new().nest(&format!("/{SANDBOX}"), sandbox.router());
    let mut ready = Ready { url: url.to_owned(), sandbox: sandbox_url.clone(), demo: None };
    if options.sandbox_only {
        return Ok(System { router, sandbox, ready, _lock: lock });
    }
    let engine = match &data {
        Some(data) => Embedded::in_file(&data.file("table.sqlite"))?,
        None => Embedded::in_memory()?,
    };
    embedded::create_table(&engine.client(), TABLE).await?;
    let store = Store::new(engine.client(), TABLE);
    let mut vault = Given::default();
    for space in file.spaces {
        let key = issue_keys(&store, &space, data.as_ref()).await?;
        ready.demo.get_or_insert((space.id, key));
        for connection in space.connections {
            let (connection, credentials) = complete(space.id, connection, &sandbox_url);
            check(&connection, &credentials)?;
            vault = vault.with(space.id, connection.name.clone(), credentials);
            store.put_connection(&connection).await.map_err(|error| format!("connection {}: {error:?}", connection.name))?;
        }
    }
    let system = wiring::System::new(store, vault, http, true);
    Ok(System { router: router.merge(gateway::router(system)), sandbox, ready, _lock: lock })
}

/// Stores the keys of a space and answers with the first one; a space without a key gets one with all scopes.
async fn issue_keys(store: &Store, space: &Space, data: Option<&DataFolder>) -> Result<String, Box<dyn Error>> {
    for key in &space.keys {
        let adopted = authorize::adopt(key.key.expose(), space.id, &key.scopes);
        let adopted = adopted.ok_or_else(|| format!("space {}: a key is not of the form that collana-pay makes", space.id))?;
        store.put_key(&adopted).await.map_err(|error| format!("{error:?}"))?;
    }
    if let Some(first) = space.keys.first() {
        return Ok(first.key.expose().to_owned());
    }
    let name = format!("api-key-{}", space.id);
    let kept = data.map(|data| data.read_key(&name)).transpose()?.flatten();
    let (record, key) = match kept.and_then(|key| Some((authorize::adopt(&key, space.id, Scope::ALL)?, key))) {
        Some(kept) => kept,
        None => authorize::issue(&SystemSource, space.id, Scope::ALL, false),
    };
    if let Some(data) = data {
        data.write_key(&name, &key)?;
    }
    store.put_key(&record).await.map_err(|error| format!("{error:?}"))?;
    Ok(key)
}

/// The connection as it is stored; one to the sandbox may leave out what only this process knows.
fn complete(space: SpaceId, connection: settings_file::Connection, sandbox_url: &str) -> (Connection, Credentials) {
    let settings_file::Connection { name, psp, mut settings, mut credentials } = connection;
    if psp == SANDBOX {
        settings.entry("baseUrl").or_insert_with(|| sandbox_url.into());
        let own = own_credentials(space, &name);
        for (name, text) in own {
            credentials.entry(name.to_owned()).or_insert_with(|| Secret::new(text));
        }
    }
    let settings = serde_json::Value::Object(settings).to_string();
    (Connection { space, name, psp, settings }, credentials)
}

/// Settings that no PSP understands are said at the start instead of at the first payment.
fn check(connection: &Connection, credentials: &Credentials) -> Result<(), String> {
    let settings = serde_json::from_str(&connection.settings).unwrap_or_default();
    let account = psp::Account { settings, credentials: credentials.clone(), allow_loopback: true };
    let http = psp::http_client().map_err(|error| error.to_string())?;
    psp::open(&connection.psp, account, http).map(drop).map_err(|error| format!("connection {}: {error}", connection.name))
}

/// One account of the sandbox for each connection to it; the first is the one that payments without an account belong to.
fn sandbox_accounts(file: &SettingsFile, url: &str, sandbox_url: &str) -> Vec<Account> {
    let connections = file.spaces.iter().flat_map(|space| space.connections.iter().map(move |connection| (space.id, connection)));
    let ours = connections.filter(|(_, connection)| {
        let base = connection.settings.get("baseUrl").and_then(|base| base.as_str());
        connection.psp == SANDBOX && base.is_none_or(|base| base == sandbox_url)
    });
    let account = |(space, connection): (SpaceId, &settings_file::Connection)| {
        let credential = |name: &str, own: String| connection.credentials.get(name).map_or(own, |given| given.expose().to_owned());
        let [(_, secret_key), (_, webhook_secret)] = own_credentials(space, &connection.name);
        Account {
            name: format!("{space}-{}", connection.name),
            secret_key: credential("secretKey", secret_key),
            webhook_url: Some(format!("{url}/v1/webhooks/{space}/{}", connection.name)),
            webhook_secret: credential("webhookSecret", webhook_secret),
        }
    };
    let accounts: Vec<_> = ours.map(account).collect();
    if accounts.is_empty() { vec![unconnected()] } else { accounts }
}

/// The account of a sandbox that no connection leads to: payments can be made, nobody is told of them.
fn unconnected() -> Account {
    let name = SANDBOX.to_owned();
    Account { secret_key: format!("sk_{name}"), webhook_url: None, webhook_secret: format!("whsec_{}", STANDARD.encode([0; 32])), name }
}

/// Credentials at our own sandbox. They protect play money on this machine, so they may be guessed.
fn own_credentials(space: SpaceId, connection: &ConnectionName) -> [(&'static str, String); 2] {
    let secret = STANDARD.encode(format!("{:-<32}", format!("sandbox-{space}-{connection}")));
    [("secretKey", format!("sk_sandbox_{space}_{connection}")), ("webhookSecret", format!("whsec_{secret}"))]
}
