//! Settings as they are shown: as JSON for programs, as text for people. Of credentials there are names, never values.

use crate::output::{clean, row, table};
use api::time_text;
use app::ports::settings::{ApiKey, Connection, Endpoint, Space};
use domain::Timestamp;
use domain::endpoint::EndpointUrl;
use runtime::secrets::Holder;
use serde_json::{Value, json};

pub fn space(space: &Space) -> Value {
    let Space { id, name } = space;
    json!({"id": id.number(), "name": name})
}

pub fn connection(connection: &Connection) -> Value {
    let Connection { space, name, psp, settings } = connection;
    json!({"space": space.number(), "name": name.as_str(), "psp": psp, "settings": settings_of(settings)})
}

pub fn endpoint(endpoint: &Endpoint) -> Value {
    let Endpoint { space, name, kind, url, types, acknowledges_import } = endpoint;
    json!({
        "space": space.number(),
        "name": name.as_str(),
        "kind": kind.as_str(),
        "url": address(url),
        "types": types,
        "acknowledgesImport": acknowledges_import.as_str(),
    })
}

/// What it is, and its name.
pub fn name(holder: &Holder) -> (&'static str, &str) {
    match holder {
        Holder::Connection(_, name) => ("connection", name.as_str()),
        Holder::Endpoint(_, name) => ("endpoint", name.as_str()),
    }
}

pub fn title(holder: &Holder) -> String {
    let (kind, name) = name(holder);
    let (Holder::Connection(space, _) | Holder::Endpoint(space, _)) = holder;
    format!("{kind} {name} of space {space}")
}

pub fn key(key: &ApiKey, now: Timestamp) -> Value {
    let ApiKey { id, hash: _, space, client, scopes, created_on, expires_on, revoked_on } = key;
    json!({
        "id": id,
        "space": space.number(),
        "client": client.as_str(),
        "scopes": scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "createdOn": time_text::write(*created_on),
        "expiresOn": expires_on.and_then(time_text::write),
        "revokedOn": revoked_on.and_then(time_text::write),
        "live": key.is_live(now),
    })
}

pub fn spaces(spaces: &[Space]) -> String {
    let line = |space: &Space| row([&space.id.to_string(), &space.name]);
    rows(row(["ID", "NAME"]), spaces.iter().map(line))
}

pub fn connections(connections: &[Connection]) -> String {
    let line = |connection: &Connection| row([connection.name.as_str(), &connection.psp, &connection.settings]);
    rows(row(["NAME", "PSP", "SETTINGS"]), connections.iter().map(line))
}

pub fn endpoints(endpoints: &[Endpoint]) -> String {
    let line = |endpoint: &Endpoint| {
        let types = if endpoint.types.is_empty() { "all".to_owned() } else { endpoint.types.join(", ") };
        row([endpoint.name.as_str(), endpoint.kind.as_str(), &address(&endpoint.url), &types])
    };
    rows(row(["NAME", "KIND", "URL", "TYPES"]), endpoints.iter().map(line))
}

pub fn keys(keys: &[ApiKey], now: Timestamp) -> String {
    let line = |key: &ApiKey| {
        let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        let state = match (key.revoked_on, key.expires_on) {
            (Some(on), _) => format!("revoked {}", day(on)),
            (None, Some(on)) if !key.is_live(now) => format!("expired {}", day(on)),
            (None, Some(on)) => format!("live until {}", day(on)),
            (None, None) => "live".to_owned(),
        };
        row([&key.id, key.client.as_str(), &state, &day(key.created_on), &scopes.join(",")])
    };
    rows(row(["ID", "CLIENT", "STATE", "CREATED", "SCOPES"]), keys.iter().map(line))
}

fn rows(heading: Vec<String>, lines: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = std::iter::once(heading).chain(lines).collect();
    if rows.len() == 1 { "none".to_owned() } else { table(&rows) }
}

/// Settings as JSON; as text where they are not.
pub fn settings_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(clean(text)))
}

/// An address without what its query says: some systems are let in by that.
pub fn address(url: &EndpointUrl) -> String {
    match url.as_str().split_once('?') {
        Some((address, _)) => format!("{address}?…"),
        None => url.as_str().to_owned(),
    }
}

pub fn day(moment: Timestamp) -> String {
    let text = time_text::write(moment).unwrap_or_default();
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_one_in_is_not_shown() {
        let url = EndpointUrl::parse("https://erp.example.com/hook?code=hidden", false).unwrap();
        assert_eq!(address(&url), "https://erp.example.com/hook?…");
    }
}
