//! Looks at the sparse index of what waits: a bounded part of each shard, the oldest first.

use crate::attributes::Reader;
use crate::table::DUE;
use crate::{Store, key, unavailable};
use app::ports::store::{Due, DueStore, StoreError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

/// So many items of a shard are counted, so that looking costs the same however much is due.
const COUNTED: i32 = 25;

impl DueStore for Store {
    async fn look_at_due(&self, now: Timestamp) -> Result<Due, StoreError> {
        let mut due = Due { since: None, items: 0 };
        for shard in key::due_shards() {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(DUE.name)
                .key_condition_expression("dueShard = :shard AND due <= :now")
                .expression_attribute_values(":shard", AttributeValue::S(shard))
                .expression_attribute_values(":now", AttributeValue::S(key::due(now)))
                .limit(COUNTED);
            let answer = query.send().await.map_err(|error| unavailable(&error))?;
            due.items += answer.items().len();
            if let Some(oldest) = answer.items().first() {
                let since = Reader(oldest).parsed(DUE.range, key::read_due).map_err(|wrong| wrong.of(oldest))?;
                due.since = Some(due.since.map_or(since, |other| other.min(since)));
            }
        }
        Ok(due)
    }
}
