//! Takes tokens from the bucket of a space. While the bucket is in use that is one write, however many take from it at once:
//! the engine adds what was taken to what stands there. Only a bucket that was full, whose moment has passed, is set anew, and
//! one whose moment is so far ahead that no right clock has set it; on condition that it is still the one that was seen.

use crate::attributes::Item;
use crate::item::bucket::{FULL_ON, expires_at, read_full_on};
use crate::table::EXPIRES;
use crate::{Store, key, unavailable};
use app::ports::limits::{Limits, Taken};
use app::ports::store::StoreError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::id::SpaceId;
use domain::rate::Rate;
use domain::time::Timestamp;

/// Two who set a full bucket anew at once: the second finds it in use. More than that is a bucket that nobody understands.
const TRIES: u32 = 3;

impl Limits for Store {
    async fn take(&self, space: SpaceId, rate: Rate, tokens: u32, now: Timestamp) -> Result<Taken, StoreError> {
        for _ in 0..TRIES {
            let in_use = self
                .bucket(space, now)
                .update_expression("SET fullOn = fullOn + :cost, #expires = :expires")
                .condition_expression("fullOn >= :now AND fullOn <= :latest")
                .expression_attribute_values(":cost", AttributeValue::N(rate.cost(tokens).millis().to_string()))
                .expression_attribute_values(":now", time(now))
                .expression_attribute_values(":latest", time(rate.latest(tokens, now)));
            let seen = match sent(in_use).await? {
                Sent::Done => return Ok(Taken::All),
                Sent::Refused(seen) => seen.map(|item| read_full_on(&item)).transpose()?,
            };
            let next = match rate.take(seen.unwrap_or(now), tokens, now) {
                Ok(next) => next,
                Err(wait) => return Ok(Taken::Nothing { wait }),
            };
            let full = self.bucket(space, now).update_expression("SET fullOn = :next, #expires = :expires");
            let full = full.expression_attribute_values(":next", time(next));
            let full = match seen {
                Some(seen) => full.condition_expression("fullOn = :seen").expression_attribute_values(":seen", time(seen)),
                None => full.condition_expression("attribute_not_exists(fullOn)"),
            };
            match sent(full).await? {
                Sent::Done => return Ok(Taken::All),
                Sent::Refused(_) => {}
            }
        }
        Err(StoreError::Unavailable(format!("the {FULL_ON} of the bucket of space {space} changes too often")))
    }
}

impl Store {
    /// An update of the bucket, which tells what stands there where it is refused.
    fn bucket(&self, space: SpaceId, now: Timestamp) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key::bucket(space).attributes()))
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":expires", AttributeValue::N(expires_at(now).to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

enum Sent {
    Done,
    /// The condition does not hold for what stands there.
    Refused(Option<Item>),
}

async fn sent(update: UpdateItemFluentBuilder) -> Result<Sent, StoreError> {
    match update.send().await {
        Ok(_) => Ok(Sent::Done),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => Ok(Sent::Refused(refused.item().cloned())),
            _ => Err(unavailable(&error)),
        },
    }
}

fn time(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.millis().to_string())
}
