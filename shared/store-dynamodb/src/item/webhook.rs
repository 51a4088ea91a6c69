//! The inbox item: a verified webhook in our words, kept for 90 days; due as long as it is not processed.

use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key::{self, Key};
use crate::table;
use app::ports::store::{StoreError, StoredWebhook};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::time::{Span, Timestamp};

pub(crate) const PROCESSED: &str = "processedOn";
/// The body of a webhook that could not be read, kept for whoever looks at it.
const UNREAD: &str = "unread";

const KEPT: Span = Span::from_days(90);
const DUE_AFTER: Span = Span::from_seconds(60);

/// As it is received: waiting, and due unless it is processed soon.
pub(crate) fn write(key: Key, webhook: &StoredWebhook) -> Item {
    let StoredWebhook { space, connection, event, kind, references, unread, received_on } = webhook;
    Writer::new(key.attributes())
        .number("space", space)
        .text("connection", connection.as_str())
        .text("event", event)
        .text("kind", kind)
        .list("references", references.iter().map(|reference| AttributeValue::S(reference.to_string())))
        .some(unread.as_ref(), |item, body| item.bytes(UNREAD, body))
        .time("receivedOn", *received_on)
        .text("dueShard", key::due_shard_of(event))
        .text("due", key::due(received_on.plus(DUE_AFTER)))
        .number(table::EXPIRES, received_on.plus(KEPT).seconds())
        .item()
}

/// When the known webhook was processed, if it was.
pub(crate) fn read_processed(item: &Item) -> Result<Option<Timestamp>, StoreError> {
    Reader(item).some(PROCESSED, Reader::time).map_err(|wrong: Wrong| wrong.of(item))
}
