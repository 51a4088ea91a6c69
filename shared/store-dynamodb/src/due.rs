//! Lists what waits, from the sparse index: a bounded part of each shard, the oldest first.

use crate::attributes::Reader;
use crate::key::{self, Key};
use crate::table::DUE;
use crate::{Store, unavailable};
use app::ports::store::{Due, DueStore, StoreError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

/// So many items of a shard are listed, so that looking costs the same however much is due.
const LISTED: i32 = 25;

impl DueStore for Store {
    async fn list_due(&self, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let mut listed = Vec::new();
        for shard in key::due_shards() {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(DUE.name)
                .key_condition_expression("dueShard = :shard AND due <= :now")
                .expression_attribute_values(":shard", AttributeValue::S(shard))
                .expression_attribute_values(":now", AttributeValue::S(key::due(now)))
                .limit(LISTED);
            let answer = query.send().await.map_err(|error| unavailable(&error))?;
            for item in answer.items() {
                let since = Reader(item).parsed(DUE.range, key::read_due).map_err(|wrong| wrong.of(item))?;
                // What a later program has written waits for that program, and must not keep the rest waiting.
                listed.extend(key::read_waiting(&Key::read(item)?).map(|what| Due { since, what }));
            }
        }
        listed.sort_by_key(|due| due.since);
        Ok(listed)
    }
}
