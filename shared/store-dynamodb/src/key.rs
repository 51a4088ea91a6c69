//! Keys of all items, made here and nowhere else.
//!
//! `#` parts the fields of a key. Text that others chose is escaped before it becomes part of one, so no reference can
//! reach into another space or imitate another item.

use crate::attributes::{Item, Reader};
use crate::table;
use app::ports::store::{StoreError, Waiting};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{ConnectionName, EndpointName, PspReference, SpaceId, TransactionId};
use domain::operation::OperationKey;
use domain::time::Timestamp;
use domain::{Operation, OperationKind};
use sha2::{Digest, Sha256};
use std::fmt::Write;

pub(crate) const HEAD: &str = "HEAD";
pub(crate) const DATA: &str = "DATA";
pub(crate) const REFERENCE: &str = "REF";
pub(crate) const INBOX: &str = "INBOX";
/// What the sort keys of webhooks begin with that lie with a reference.
pub(crate) const PARKED: &str = "W#";
pub(crate) const API_KEY: &str = "KEY";
pub(crate) const CONNECTIONS: &str = "CONNECTION#";
pub(crate) const ENDPOINTS: &str = "ENDPOINT#";
/// Where the index `space` lists the spaces themselves.
pub(crate) const SPACES: &str = "SPACES";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    pub fn read(item: &Item) -> Result<Self, StoreError> {
        let part = |name| Reader(item).text(name).map(str::to_owned).map_err(|wrong| wrong.of(item));
        Ok(Self { pk: part(table::HASH)?, sk: part(table::RANGE)? })
    }

    pub fn attributes(&self) -> Item {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        Item::from([(table::HASH.to_owned(), text(&self.pk)), (table::RANGE.to_owned(), text(&self.sk))])
    }
}

pub(crate) fn transaction(space: SpaceId, id: TransactionId) -> String {
    format!("S#{space}#T#{id}")
}

pub(crate) fn head(space: SpaceId, id: TransactionId) -> Key {
    Key { pk: transaction(space, id), sk: HEAD.to_owned() }
}

pub(crate) fn data(space: SpaceId, id: TransactionId) -> Key {
    Key { pk: transaction(space, id), sk: DATA.to_owned() }
}

/// The item of an operation: its kind and the hash of its key, so that a repeated key finds it in one read.
pub(crate) fn operation(space: SpaceId, id: TransactionId, kind: OperationKind, key: &OperationKey) -> Key {
    let named = match key {
        OperationKey::Caller(key) => format!("caller#{key}"),
        OperationKey::Adopted(reference) => format!("psp#{reference}"),
    };
    let hash = Sha256::digest(named.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Key { pk: transaction(space, id), sk: format!("{}{hash}", operations_of(kind)) }
}

pub(crate) fn operation_of(operation_: &Operation) -> Key {
    let facts = operation_.facts();
    operation(facts.space, facts.transaction, facts.kind, &facts.key)
}

/// What the sort keys of all operations of a kind begin with.
pub(crate) fn operations_of(kind: OperationKind) -> String {
    format!("O#{}#", kind.as_str())
}

pub(crate) fn interaction(space: SpaceId, id: TransactionId, sequence: u64) -> Key {
    Key { pk: transaction(space, id), sk: format!("I#{sequence:016}") }
}

pub(crate) fn reference(space: SpaceId, connection: &ConnectionName, reference: &PspReference) -> Key {
    Key { pk: format!("S#{space}#R#{connection}#{}", escape(reference.as_str())), sk: REFERENCE.to_owned() }
}

pub(crate) fn parked(space: SpaceId, connection: &ConnectionName, under: &PspReference, event: &str) -> Key {
    Key { sk: format!("{PARKED}{}", escape(event)), ..reference(space, connection, under) }
}

pub(crate) fn inbox(space: SpaceId, connection: &ConnectionName, event: &str) -> Key {
    Key { pk: format!("S#{space}#W#{connection}#{}", escape(event)), sk: INBOX.to_owned() }
}

pub(crate) fn space(space: SpaceId) -> Key {
    Key { pk: format!("S#{space}"), sk: "SPACE".to_owned() }
}

pub(crate) fn connection(space_: SpaceId, name: &ConnectionName) -> Key {
    Key { sk: format!("{CONNECTIONS}{name}"), ..space(space_) }
}

pub(crate) fn endpoint(space_: SpaceId, name: &EndpointName) -> Key {
    Key { sk: format!("{ENDPOINTS}{name}"), ..space(space_) }
}

/// Not below `S#`: who may only read transactions may take from this all the same.
pub(crate) fn bucket(space: SpaceId) -> Key {
    Key { pk: format!("L#{space}"), sk: "BUCKET".to_owned() }
}

pub(crate) fn api_key(id: &str) -> Key {
    Key { pk: format!("K#{}", escape(id)), sk: API_KEY.to_owned() }
}

/// Where the index `space` lists the keys of a space; not below `S#`, which functions may read.
pub(crate) fn api_keys_of(space: SpaceId) -> String {
    format!("K#{space}")
}

/// Where a transaction is listed or found in the index `space`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed<'a> {
    InSpace,
    ByMerchantReference(&'a str),
    ByOperationReference(&'a str),
    ByPspReference(&'a str),
}

pub(crate) fn listed(space: SpaceId, listed: Listed<'_>) -> String {
    match listed {
        Listed::InSpace => format!("S#{space}"),
        Listed::ByMerchantReference(reference) => format!("S#{space}#M#{}", escape(reference)),
        Listed::ByOperationReference(reference) => format!("S#{space}#O#{}", escape(reference)),
        Listed::ByPspReference(reference) => format!("S#{space}#P#{}", escape(reference)),
    }
}

/// Ids as text of equal length sort like numbers.
pub(crate) fn list_sort(id: TransactionId) -> String {
    sorted(id.number())
}

pub(crate) fn sorted(number: u64) -> String {
    format!("{number:016}")
}

/// Spreads what is due over this many partitions of the sparse index.
const DUE_SHARDS: u32 = 16;

pub(crate) fn due_shards() -> impl Iterator<Item = String> {
    (0..DUE_SHARDS).map(|shard| format!("D#{shard}"))
}

pub(crate) fn due_shard(id: TransactionId) -> String {
    format!("D#{}", id.number() % u64::from(DUE_SHARDS))
}

/// The same for what has no transaction: spread by a text.
pub(crate) fn due_shard_of(text: &str) -> String {
    format!("D#{}", text.bytes().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(byte))) % DUE_SHARDS)
}

pub(crate) fn due(on: Timestamp) -> String {
    format!("{:015}", on.millis().max(0))
}

pub(crate) fn read_due(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}

/// What an item that is due stands for, by its key.
pub(crate) fn read_waiting(key: &Key) -> Option<Waiting> {
    let (space, rest) = key.pk.strip_prefix("S#")?.split_once('#')?;
    let space = SpaceId::parse(space)?;
    match rest.split_once('#')? {
        ("T", id) => TransactionId::parse(id).map(|id| Waiting::Transaction(space, id)),
        ("W", rest) => {
            let (connection, event) = rest.split_once('#')?;
            Some(Waiting::Webhook { space, connection: ConnectionName::parse(connection)?, event: unescape(event)? })
        }
        _ => None,
    }
}

/// What was escaped, as it was.
fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Keeps letters, digits and a few harmless signs; everything else becomes `%XX` of its UTF-8 bytes.
fn escape(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => escaped.push(char::from(byte)),
            other => drop(write!(escaped, "%{other:02X}")),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn foreign_text_cannot_part_a_key() {
        for text in ["a#b", "S#2#T#1", "%23", "a/b", "\u{e4}"] {
            assert!(!escape(text).contains('#'), "{text}");
        }
        let distinct: BTreeSet<_> = ["a#b", "a%23b", "a%2523b", "a b", "a+b"].map(escape).into_iter().collect();
        assert_eq!(distinct.len(), 5, "{distinct:?}");
    }

    #[test]
    fn what_is_due_is_read_from_its_key() {
        let (space, id, name) = (SpaceId::new(7).unwrap(), TransactionId::new(9).unwrap(), ConnectionName::parse("sandbox").unwrap());
        assert_eq!(read_waiting(&head(space, id)), Some(Waiting::Transaction(space, id)));
        for event in ["evt_1", "a#b c%23", "\u{e4}%"] {
            let webhook = Waiting::Webhook { space, connection: name.clone(), event: event.to_owned() };
            assert_eq!(read_waiting(&inbox(space, &name, event)), Some(webhook));
        }
        assert_eq!(read_waiting(&api_key("x")), None);
    }

    #[test]
    fn operations_of_different_keys_and_kinds_have_different_items() {
        let (space, id) = (SpaceId::new(1).unwrap(), TransactionId::new(7).unwrap());
        let caller = OperationKey::Caller(domain::id::IdempotencyKey::parse("k").unwrap());
        let adopted = OperationKey::Adopted(PspReference::parse("k").unwrap());
        let keys: BTreeSet<_> = [
            operation(space, id, OperationKind::Capture, &caller).sk,
            operation(space, id, OperationKind::Refund, &caller).sk,
            operation(space, id, OperationKind::Capture, &adopted).sk,
        ]
        .into();
        assert_eq!(keys.len(), 3);
    }
}
