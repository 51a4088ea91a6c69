//! Puts the system together: table, sandbox, spaces with their keys and connections.

use crate::connections::{LocalConnections, SANDBOX, sandbox_credentials};
use crate::gateway;
use crate::options::Options;
use crate::ready::Ready;
use crate::{reference, schedule};
use app::keys::{self, Purpose};
use app::ports::Clock;
use app::ports::settings::{ApiKeys, Configure, Connection, Endpoint};
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::endpoint::EndpointUrl;
use domain::id::{ClientName, ConnectionName, SpaceId};
use domain::scope::Scope;
use embedded::{DataFolder, Embedded, Lock};
use psp_simulators::{Account, Sandbox, Storage};
use runtime::secrets::{Credentials, CredentialsFile};
use runtime::settings_file::{self, SettingsFile, Space};
use runtime::system::{SystemClock, SystemSource};
use runtime::wiring;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use store_dynamodb::Store;

pub struct System {
    pub router: Router,
    pub sandbox: Sandbox,
    pub ready: Ready,
    pub _lock: Option<Lock>,
}

/// The demo: one space, one connection.
const DEMO: &str = "[[space]]\nid = 1\nname = \"Demo\"\n[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";

/// Builds everything for a server that will listen on `url`.
pub async fn system(options: &Options, url: &str) -> Result<System, Box<dyn Error>> {
    let (data, lock) = options.data.as_deref().map(DataFolder::open).transpose()?.unzip();
    let file = options.config.as_deref().map(read_file).transpose()?;
    let sandbox_url = format!("{url}/{SANDBOX}");
    let mut ready = Ready { url: url.to_owned(), sandbox: sandbox_url.clone(), keys: vec![], connection: None };
    let http = psp::http_client()?;
    let open_sandbox = |accounts: Vec<Account>| {
        let storage = data.as_ref().map_or(Storage::Memory, |data| Storage::File(data.file("sandbox.sqlite")));
        Sandbox::open(storage, accounts, Arc::new(|| SystemClock.now().millis()), http.clone())
    };
    if options.sandbox_only {
        let file = file.map_or_else(|| SettingsFile::parse(DEMO), Ok)?;
        let api_url = options.api_url.as_deref().unwrap_or(url);
        let sandbox = open_sandbox(accounts_of_file(&file, api_url, &sandbox_url)?)?;
        let router = Router::new().nest(&format!("/{SANDBOX}"), sandbox.router());
        return Ok(System { router, sandbox, ready, _lock: lock });
    }
    let engine = match &data {
        Some(data) => Embedded::in_file(&data.table())?,
        None => Embedded::in_memory()?,
    };
    embedded::create_table(&engine.client(), embedded::TABLE).await?;
    let store = Store::new(engine.client(), embedded::TABLE);
    let file = match file {
        None if stored(store.list_spaces().await)?.is_empty() => Some(SettingsFile::parse(DEMO)?),
        file => file,
    };
    let kept = data.as_ref().map(|data| CredentialsFile::new(data.credentials()));
    let mut local = LocalConnections::new(store.clone(), &sandbox_url, kept);
    let mut keys = HashMap::new();
    // Spaces and connections in the order of the file; those that only the table knows come after them.
    let (mut spaces, mut named) = (Vec::new(), Vec::new());
    for space in file.into_iter().flat_map(|file| file.spaces) {
        let id = space.id;
        spaces.push(id);
        named.extend(space.connections.iter().map(|connection| account_name(id, &connection.name)));
        keys.extend(apply(&store, &mut local, space).await?.map(|key| (id, key)));
    }
    let known: Vec<_> = stored(store.list_spaces().await)?.into_iter().map(|space| space.id).filter(|id| !spaces.contains(id)).collect();
    spaces.extend(known);
    let mut accounts = Vec::new();
    for space in spaces {
        let key = match keys.remove(&space) {
            Some(key) => key,
            None => own_key(&store, space, data.as_ref()).await?,
        };
        ready.keys.push((space, key));
        for connection in stored(store.list_connections(space).await)? {
            let (settings, credentials) = local.complete(&connection).await?;
            let account = sandbox_account(&connection, &settings, &credentials, url, &sandbox_url);
            accounts.extend(account.map(|account| (connection, account)));
        }
    }
    // The first connection to the sandbox is what payments without an account belong to.
    accounts.sort_by_key(|(_, account)| named.iter().position(|name| *name == account.name).unwrap_or(named.len()));
    let first = accounts.first().map(|(connection, _)| connection);
    let of_first_space = first.filter(|connection| ready.keys.first().is_some_and(|(space, _)| *space == connection.space));
    ready.connection = of_first_space.map(|connection| connection.name.clone());
    let sandbox = open_sandbox(or_unconnected(accounts.into_iter().map(|(_, account)| account).collect()))?;
    let router = Router::new().nest(&format!("/{SANDBOX}"), sandbox.router());
    let system = Arc::new(wiring::System::new(store, local.clone(), local, http, true, options.requests_per_second));
    schedule::start(Arc::clone(&system));
    let router = router.merge(reference::router(ready.keys.first().map_or("", |(_, key)| key)));
    Ok(System { router: router.merge(gateway::router(system)), sandbox, ready, _lock: lock })
}

fn read_file(path: &std::path::Path) -> Result<SettingsFile, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    SettingsFile::parse(&text).map_err(|wrong| format!("{}: {wrong}", path.display()))
}

fn stored<T>(result: Result<T, app::ports::store::StoreError>) -> Result<T, String> {
    result.map_err(|error| format!("the table: {error:?}"))
}

/// Stores what the settings file says about a space, and answers with the first key that it names.
async fn apply(store: &Store, local: &mut LocalConnections, space: Space) -> Result<Option<String>, Box<dyn Error>> {
    let Space { id, name, keys, connections, endpoints } = space;
    stored(store.put_space(&app::ports::settings::Space { id, name }).await)?;
    let mut first = None;
    for key in keys {
        let settings_file::Key { key, client, scopes, expires_on } = key;
        let text = key.on_this_machine()?.expose().to_owned();
        let adopted = keys::adopt(&text, SystemClock.now(), Purpose { space: id, client, scopes, expires_on });
        let adopted = adopted.ok_or_else(|| format!("space {id}: a key is not of the form that collana-pay makes"))?;
        // A key that was revoked stays revoked, whatever the file says.
        let known = stored(store.find_key(&adopted.id).await)?;
        let revoked_on = known.and_then(|known| known.revoked_on);
        stored(store.put_key(&app::ports::settings::ApiKey { revoked_on, ..adopted }).await)?;
        first.get_or_insert(text);
    }
    for connection in connections {
        let settings_file::Connection { name, psp, settings, credentials } = connection;
        let credentials = settings_file::on_this_machine(&credentials).map_err(|wrong| format!("connection {name}: {wrong}"))?;
        let connection = Connection { space: id, name: name.clone(), psp, settings: Value::Object(settings).to_string() };
        if !credentials.is_empty() {
            local.give(id, name, credentials);
        }
        check(local, &connection).await?;
        stored(store.put_connection(&connection).await)?;
    }
    for endpoint in endpoints {
        let settings_file::Endpoint { name, kind, url, types, acknowledges_import, credentials: _ } = endpoint;
        let url = EndpointUrl::parse(&url, true).ok_or_else(|| format!("endpoint {name}: the url is not one that may be notified"))?;
        stored(store.put_endpoint(&Endpoint { space: id, name, kind, url, types, acknowledges_import }).await)?;
    }
    Ok(first)
}

/// The key of a space for which the file names none: kept in the data folder, made anew when it is revoked or expired.
async fn own_key(store: &Store, space: SpaceId, data: Option<&DataFolder>) -> Result<String, Box<dyn Error>> {
    let client = ClientName::parse("dev-server").ok_or("the name of this client")?;
    let purpose = Purpose { space, client, scopes: Scope::ALL.to_vec(), expires_on: None };
    let now = SystemClock.now();
    let name = format!("api-key-{space}");
    if let Some(key) = data.map(|data| data.read_key(&name)).transpose()?.flatten() {
        let record = keys::adopt(&key, now, purpose.clone());
        let known = match &record {
            Some(record) => stored(store.find_key(&record.id).await)?,
            None => None,
        };
        if known.is_some_and(|known| known.is_live(now)) {
            return Ok(key);
        }
    }
    let (record, key) = keys::make(&SystemSource, now, purpose, false);
    stored(store.put_key(&record).await)?;
    if let Some(data) = data {
        data.write_key(&name, &key)?;
    }
    Ok(key)
}

/// Settings that no PSP understands are said at the start instead of at the first payment.
async fn check(local: &LocalConnections, connection: &Connection) -> Result<(), String> {
    let (settings, credentials) = local.complete(connection).await?;
    let account = psp::Account { settings, credentials, allow_loopback: true };
    let http = psp::http_client().map_err(|error| error.to_string())?;
    psp::open(&connection.psp, account, http).map(drop).map_err(|error| format!("connection {}: {error}", connection.name))
}

/// The accounts of a sandbox that is served alone, for connections that are configured elsewhere from the same file.
fn accounts_of_file(file: &SettingsFile, api_url: &str, sandbox_url: &str) -> Result<Vec<Account>, Box<dyn Error>> {
    let mut accounts = Vec::new();
    for space in &file.spaces {
        for connection in &space.connections {
            let settings_file::Connection { name, psp, settings, credentials } = connection;
            let credentials = settings_file::on_this_machine(credentials)?;
            let connection = Connection { space: space.id, name: name.clone(), psp: psp.clone(), settings: String::new() };
            accounts.extend(sandbox_account(&connection, settings, &credentials, api_url, sandbox_url));
        }
    }
    Ok(or_unconnected(accounts))
}

/// The account of the sandbox that a connection leads to; none where it leads elsewhere.
fn sandbox_account(
    connection: &Connection,
    settings: &Map<String, Value>,
    credentials: &Credentials,
    api_url: &str,
    sandbox_url: &str,
) -> Option<Account> {
    let Connection { space, name, psp, settings: _ } = connection;
    let base = settings.get("baseUrl").and_then(Value::as_str);
    let is_ours = psp == SANDBOX && base.is_none_or(|base| base == sandbox_url);
    let [(_, secret_key), (_, webhook_secret)] = sandbox_credentials(*space, name);
    let credential = |name: &str, own: String| credentials.get(name).map_or(own, |given| given.expose().to_owned());
    is_ours.then(|| Account {
        name: account_name(*space, name),
        secret_key: credential("secretKey", secret_key),
        webhook_url: Some(format!("{api_url}/v1/webhooks/{space}/{name}")),
        webhook_secret: credential("webhookSecret", webhook_secret),
    })
}

fn account_name(space: SpaceId, connection: &ConnectionName) -> String {
    format!("{space}-{connection}")
}

/// The first account is the one that payments without an account belong to. Without any connection there is one that nobody is
/// told of.
fn or_unconnected(accounts: Vec<Account>) -> Vec<Account> {
    if !accounts.is_empty() {
        return accounts;
    }
    let name = SANDBOX.to_owned();
    vec![Account {
        secret_key: format!("sk_{name}"),
        webhook_url: None,
        webhook_secret: format!("whsec_{}", STANDARD.encode([0; 32])),
        name,
    }]
}
