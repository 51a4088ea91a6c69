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
use domain::{Operation, OperationState, Transaction};

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
    /// A write was refused, and with it all of them; the item is the one that stood in its way.
    Refused(Guard, Option<Item>),
    /// Another transaction was at the same items; nothing was written.
    Conflict,
}

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
        let facts = change.transaction.facts();
        let mut writes = vec![self.head(read, &change.transaction)];
        writes.extend(change.created.iter().map(|new| Write::put_new(Guard::Exists, &self.table, operation::write(new, facts.version))));
        writes.extend(change.updated.iter().map(|updated| self.update(updated, facts.version)));
        if let Some(entry) = &change.interaction {
            writes.push(Write::new(Guard::Version, &self.table, interaction::write(facts.space, facts.id, entry), None, &[]));
        }
        writes
    }

    /// The head, on condition of the version that was read.
    pub(crate) fn head(&self, read: &Transaction, next: &Transaction) -> Write {
        let version = AttributeValue::N(read.version().to_string());
        Write::new(Guard::Version, &self.table, head::write(next), Some("version = :read"), &[(":read", version)])
    }

    /// An operation's new state, on condition that nobody has written it since it was read. What was found out counts only for
    /// the epoch in which it was; a success counts always, because it is what the PSP did.
    fn update(&self, updated: &Operation, version: u64) -> Write {
        let item = operation::write(updated, version);
        let before = (":before", AttributeValue::N(updated.facts().version.to_string()));
        match &updated.facts().sending {
            Some(sending) if updated.state() != OperationState::Successful => {
                let epoch = (":epoch", AttributeValue::N(sending.epoch.to_string()));
                Write::new(Guard::Version, &self.table, item, Some("version = :before AND epoch = :epoch"), &[before, epoch])
            }
            Some(_) | None => Write::new(Guard::Version, &self.table, item, Some("version = :before"), &[before]),
        }
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
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
        // Among these is a repetition of ours while the first is still under way: it may be stored yet.
        return Err(unavailable(&error));
    };
    let mut conflict = false;
    let mut refused = None;
    for (guard, reason) in guards.iter().zip(canceled.cancellation_reasons()) {
        match reason.code() {
            Some("ConditionalCheckFailed") if refused.is_none() || *guard != Guard::Version => {
                refused = Some((guard.clone(), reason.item().cloned()));
            }
            Some("TransactionConflict") => conflict = true,
            Some("ValidationError") => return Err(unbuildable("an item of a transaction is not valid")),
            _ => {}
        }
    }
    match refused {
        Some((guard, item)) => Ok(Written::Refused(guard, item)),
        None if conflict => Ok(Written::Conflict),
        None => Err(unavailable(&error)),
    }
}
