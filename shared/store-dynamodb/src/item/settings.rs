//! Settings: the connection item and the API key item.

use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key;
use app::ports::settings::{ApiKey, Connection};
use app::ports::store::StoreError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{ConnectionName, SpaceId};
use domain::scope::Scope;

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
            space: SpaceId::new(item.number("space")?).ok_or(Wrong("space"))?,
            name: item.parsed("name", ConnectionName::parse)?,
            psp: item.text("psp")?.to_owned(),
            settings: item.text("settings")?.to_owned(),
        })
    };
    read(Reader(item)).map_err(|wrong: Wrong| wrong.of(item))
}

pub(crate) fn write_key(key: &ApiKey) -> Item {
    let ApiKey { id, hash, space, scopes, expires_on, revoked_on } = key;
    Writer::new(key::api_key(id).attributes())
        .text("id", id)
        .number("space", space)
        .list("scopes", scopes.iter().map(|scope| AttributeValue::S(scope.as_str().to_owned())))
        .some(*expires_on, |item, on| item.time("expiresOn", on))
        .some(*revoked_on, |item, on| item.time("revokedOn", on))
        .bytes("hash", hash)
        .item()
}

pub(crate) fn read_key(item: &Item) -> Result<ApiKey, StoreError> {
    let scope = |value: &AttributeValue| value.as_s().ok().and_then(|name| Scope::parse(name)).ok_or(Wrong("scopes"));
    let read = |reader: Reader<'_>| {
        Ok(ApiKey {
            id: reader.text("id")?.to_owned(),
            hash: item.get("hash").and_then(|hash| hash.as_b().ok()).ok_or(Wrong("hash"))?.as_ref().to_vec(),
            space: SpaceId::new(reader.number("space")?).ok_or(Wrong("space"))?,
            scopes: reader.list("scopes")?.iter().map(scope).collect::<Result<_, _>>()?,
            expires_on: reader.some("expiresOn", Reader::time)?,
            revoked_on: reader.some("revokedOn", Reader::time)?,
        })
    };
    read(Reader(item)).map_err(|wrong: Wrong| wrong.of(item))
}
