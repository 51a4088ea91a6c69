//! Settings: the items of spaces, connections, endpoints and API keys.

use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key;
use app::ports::settings::{ApiKey, Connection, Endpoint, Space};
use app::ports::store::StoreError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::endpoint::{Acknowledgement, EndpointKind, EndpointUrl};
use domain::id::{ClientName, ConnectionName, EndpointName, SpaceId};
use domain::scope::Scope;

pub(crate) fn write_space(space: &Space) -> Item {
    let Space { id, name } = space;
    Writer::new(key::space(*id).attributes())
        .number("space", id)
        .text("name", name)
        .text("spaceKey", key::SPACES)
        .text("spaceSort", key::sorted(id.number()))
        .item()
}

pub(crate) fn read_space(item: &Item) -> Result<Space, StoreError> {
    let read = |item: Reader<'_>| Ok(Space { id: read_id(item)?, name: item.text("name")?.to_owned() });
    read(Reader(item)).map_err(|wrong: Wrong| wrong.of(item))
}

fn read_id(item: Reader<'_>) -> Result<SpaceId, Wrong> {
    SpaceId::new(item.number("space")?).ok_or(Wrong("space"))
}

pub(crate) fn write_connection(connection: &Connection) -> Item {
    let Connection { space, name, psp, settings } = connection;
    Writer::new(key::connection(*space, name).attributes())
        .number("space", space)
        .text("name", name.as_str())
        .text("psp", psp)
        .text("settings", settings)
        .item()
}

pub(crate) fn read_connection(item: &Item) -> Result<Connection, StoreError> {
    let read = |item: Reader<'_>| {
        Ok(Connection {
            space: read_id(item)?,
            name: item.parsed("name", ConnectionName::parse)?,
            psp: item.text("psp")?.to_owned(),
            settings: item.text("settings")?.to_owned(),
        })
    };
    read(Reader(item)).map_err(|wrong: Wrong| wrong.of(item))
}

pub(crate) fn write_endpoint(endpoint: &Endpoint) -> Item {
    let Endpoint { space, name, kind, url, types, acknowledges_import } = endpoint;
    Writer::new(key::endpoint(*space, name).attributes())
        .number("space", space)
        .text("name", name.as_str())
        .text("kind", kind.as_str())
        .text("url", url.as_str())
        .list("types", types.iter().cloned().map(AttributeValue::S))
        .text("acknowledgesImport", acknowledges_import.as_str())
        .item()
}

pub(crate) fn read_endpoint(item: &Item) -> Result<Endpoint, StoreError> {
    let text = |value: &AttributeValue| value.as_s().cloned().map_err(|_| Wrong("types"));
    let read = |item: Reader<'_>| {
        Ok(Endpoint {
            space: read_id(item)?,
            name: item.parsed("name", EndpointName::parse)?,
            kind: item.parsed("kind", EndpointKind::parse)?,
            // Whether this machine may be told was decided when the address was stored.
            url: item.parsed("url", |url| EndpointUrl::parse(url, true))?,
            types: item.list("types")?.iter().map(text).collect::<Result<_, _>>()?,
            acknowledges_import: item.parsed("acknowledgesImport", Acknowledgement::parse)?,
        })
    };
    read(Reader(item)).map_err(|wrong: Wrong| wrong.of(item))
}

pub(crate) fn write_key(key: &ApiKey) -> Item {
    let ApiKey { id, hash, space, client, scopes, created_on, expires_on, revoked_on } = key;
    Writer::new(key::api_key(id).attributes())
        .text("id", id)
        .number("space", space)
        .text("client", client.as_str())
        .list("scopes", scopes.iter().map(|scope| AttributeValue::S(scope.as_str().to_owned())))
        .time("createdOn", *created_on)
        .some(*expires_on, |item, on| item.time("expiresOn", on))
        .some(*revoked_on, |item, on| item.time("revokedOn", on))
        .bytes("hash", hash)
        .text("spaceKey", key::api_keys_of(*space))
        .text("spaceSort", id)
        .item()
}

pub(crate) fn read_key(item: &Item) -> Result<ApiKey, StoreError> {
    let scope = |value: &AttributeValue| value.as_s().ok().and_then(|name| Scope::parse(name)).ok_or(Wrong("scopes"));
    let read = |reader: Reader<'_>| {
        Ok(ApiKey {
            id: reader.text("id")?.to_owned(),
            hash: item.get("hash").and_then(|hash| hash.as_b().ok()).ok_or(Wrong("hash"))?.as_ref().to_vec(),
            space: read_id(reader)?,
            client: reader.parsed("client", ClientName::parse)?,
            scopes: reader.list("scopes")?.iter().map(scope).collect::<Result<_, _>>()?,
            created_on: reader.time("createdOn")?,
            expires_on: reader.some("expiresOn", Reader::time)?,
            revoked_on: reader.some("revokedOn", Reader::time)?,
        })
    };
    read(Reader(item)).map_err(|wrong: Wrong| wrong.of(item))
}
