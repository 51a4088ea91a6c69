//! Writing a change in one transaction, and reading what a refused one says.
//!
//! Every commit puts the head on condition of the version that was read; each other item carries the condition that belongs
//! to it. A cancellation names the item that refused, and that name decides what the caller is told.

use crate::attributes::Item;
use crate::item::{head, interaction, operation};
use crate::{Store, unavailable, unbuildable};
use app::ports::store::StoreError;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use domain::transaction::Change;
use domain::{Operation, Transaction};

/// One write of a transaction, with the name of what it means when it is refused.
pub(crate) struct Write {
    guard: Guard,
    put: Result<Put, StoreError>,
}

/// What a refused condition says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Guard {
    /// The head is at another version, or an operation was taken over.
    Version,
    /// An item that was to be new exists.
    Exists,
    /// A reference is held by another transaction.
    Reference,
}

/// What came of a transactional write.
pub(crate) enum Written {
    Done,
    /// The first write that was refused, with the item that stood in its way.
    Refused(Guard, Option<Item>),
    /// Another transaction was at the same items; nothing was written.
    Conflict,
}

/// DynamoDB takes 100 writes in one transaction; a few places are kept for head, interaction and references.
const MOST_OPERATIONS: usize = 90;

impl Write {
    pub fn new(guard: Guard, table: &str, item: Item, condition: Option<&str>, values: &[(&str, AttributeValue)]) -> Self {
        let put = values.iter().fold(Put::builder().table_name(table).set_item(Some(item)), |put, (name, value)| {
            put.expression_attribute_values(*name, value.clone())
        });
        let put = put
            .set_condition_expression(condition.map(str::to_owned))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Self { guard, put: put.build().map_err(unbuildable) }
    }

    pub fn put_new(guard: Guard, table: &str, item: Item) -> Self {
        Self::new(guard, table, item, Some("attribute_not_exists(pk)"), &[])
    }
}

impl Store {
    /// The writes of a change: the head first, then what goes with it.
    pub(crate) fn writes(&self, read: &Transaction, change: &Change) -> Vec<Write> {
        let version = AttributeValue::N(read.version().to_string());
        let next = &change.transaction;
        let facts = next.facts();
        let mut writes = vec![Write::new(Guard::Version, &self.table, head::write(next), Some("version = :read"), &[(":read", version)])];
        writes.extend(change.created.iter().map(|new| Write::put_new(Guard::Exists, &self.table, operation::write(new))));
        writes.extend(change.updated.iter().map(|updated| self.update(updated)));
        if let Some(entry) = &change.interaction {
            writes.push(Write::new(Guard::Version, &self.table, interaction::write(facts.space, facts.id, entry), None, &[]));
        }
        writes
    }

    /// An operation's new state. One that is not final counts only for the epoch in which it was found out; a final one
    /// counts always, because it is what the PSP did.
    fn update(&self, updated: &Operation) -> Write {
        let item = operation::write(updated);
        match &updated.facts().sending {
            Some(sending) if updated.state().is_open() => {
                let epoch = AttributeValue::N(sending.epoch.to_string());
                Write::new(Guard::Version, &self.table, item, Some("epoch = :epoch"), &[(":epoch", epoch)])
            }
            Some(_) | None => Write::new(Guard::Version, &self.table, item, Some("attribute_exists(pk)"), &[]),
        }
    }

    /// Operations beyond what fits into the last write go before it; they are counted only once the head is written.
    pub(crate) async fn put_early(&self, change: &mut Change) -> Result<(), StoreError> {
        while change.created.len() > MOST_OPERATIONS {
            let early: Vec<_> = change.created.drain(..MOST_OPERATIONS).collect();
            let writes = early.iter().map(|new| Write::new(Guard::Exists, &self.table, operation::write(new), None, &[])).collect();
            if !matches!(self.transact(writes).await?, Written::Done) {
                return Err(StoreError::Unavailable("operations were being written by another worker".to_owned()));
            }
        }
        Ok(())
    }

    pub(crate) async fn transact(&self, writes: Vec<Write>) -> Result<Written, StoreError> {
        let (guards, puts): (Vec<_>, Vec<_>) = writes.into_iter().map(|write| (write.guard, write.put)).unzip();
        let items = puts.into_iter().map(|put| put.map(|put| TransactWriteItem::builder().put(put).build()));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(Written::Done),
            Err(error) => refusal(&guards, error),
        }
    }
}

/// Which write was refused. The last one that names its item wins: what exists already says more than a moved version.
fn refusal(guards: &[Guard], error: SdkError<TransactWriteItemsError>) -> Result<Written, StoreError> {
    let canceled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => return Ok(Written::Conflict),
        _ => return Err(unavailable(&error)),
    };
    let mut conflict = false;
    let mut refused = None;
    for (guard, reason) in guards.iter().zip(canceled.cancellation_reasons()) {
        match reason.code() {
            Some("ConditionalCheckFailed") if refused.is_none() || *guard != Guard::Version => {
                refused = Some((guard.clone(), reason.item().cloned()));
            }
            Some("TransactionConflict") => conflict = true,
            _ => {}
        }
    }
    match refused {
        Some((guard, item)) => Ok(Written::Refused(guard, item)),
        None if conflict => Ok(Written::Conflict),
        None => Err(unavailable(&error)),
    }
}
