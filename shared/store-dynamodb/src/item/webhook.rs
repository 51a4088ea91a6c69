//! The inbox item: a verified webhook in our words, kept for 90 days; due as long as it is not processed.

use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key::{self, Key};
use crate::table::{self, DUE};
use app::ports::store::{StoreError, StoredWebhook};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{ConnectionName, PspReference, SpaceId};
use domain::time::{Span, Timestamp};

pub(crate) const PROCESSED: &str = "processedOn";
/// The body of a webhook that could not be read, kept for whoever looks at it.
const UNREAD: &str = "unread";

const KEPT: Span = Span::from_days(90);

/// As it is received: waiting, and due unless it is processed soon.
pub(crate) fn write(key: Key, webhook: &StoredWebhook) -> Item {
    let StoredWebhook { space, connection, event, kind, references, unread, received_on, due_on } = webhook;
    Writer::new(key.attributes())
        .number("space", space)
        .text("connection", connection.as_str())
        .text("event", event)
        .text("kind", kind)
        .list("references", references.iter().map(|reference| AttributeValue::S(reference.to_string())))
        .some(unread.as_ref(), |item, body| item.bytes(UNREAD, body))
        .time("receivedOn", *received_on)
        .text("dueShard", key::due_shard_of(event))
        .text("due", key::due(*due_on))
        .number(table::EXPIRES, received_on.plus(KEPT).seconds())
        .item()
}

/// One that waits to be processed; none if it does not wait any more.
pub(crate) fn read_waiting(item: &Item) -> Result<Option<StoredWebhook>, StoreError> {
    if !item.contains_key(DUE.range) {
        return Ok(None);
    }
    read_fields(Reader(item)).map(Some).map_err(|wrong| wrong.of(item))
}

fn read_fields(item: Reader<'_>) -> Result<StoredWebhook, Wrong> {
    let reference = |value: &AttributeValue| value.as_s().ok().and_then(|text| PspReference::parse(text));
    let references = item.list("references")?.iter().map(reference).collect::<Option<_>>();
    Ok(StoredWebhook {
        space: SpaceId::new(item.number("space")?).ok_or(Wrong("space"))?,
        connection: item.parsed("connection", ConnectionName::parse)?,
        event: item.text("event")?.to_owned(),
        kind: item.text("kind")?.to_owned(),
        references: references.ok_or(Wrong("references"))?,
        unread: item.some(UNREAD, Reader::bytes)?.map(<[u8]>::to_vec),
        received_on: item.time("receivedOn")?,
        due_on: item.parsed(DUE.range, key::read_due)?,
    })
}

/// The inbox item of one that was parked, processed by the import of its payment.
pub(crate) fn processed(parked: Item, space: SpaceId, connection: &ConnectionName, on: Timestamp) -> Result<Item, StoreError> {
    let key = Reader(&parked).text("event").map(|event| key::inbox(space, connection, event));
    let mut item = parked.clone();
    item.extend(key.map_err(|wrong| wrong.of(&parked))?.attributes());
    item.extend(Writer::default().time(PROCESSED, on).item());
    Ok(item)
}

/// When the known webhook was processed, if it was.
pub(crate) fn read_processed(item: &Item) -> Result<Option<Timestamp>, StoreError> {
    Reader(item).some(PROCESSED, Reader::time).map_err(|wrong: Wrong| wrong.of(item))
}
