//! Reads and writes of imports: the reference item makes a payment unique in its space.

use crate::attributes::Item;
use crate::commit::{Guard, Write, Written};
use crate::item::{head, operation, properties, reference, webhook};
use crate::key::{self, Listed};
use crate::{Store, attributes::Writer, unavailable};
use app::ports::store::{BegunImport, Committed, FinishedImport, HeldReference, ImportStore, StoreError, Versioned};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::id::{PspReference, TransactionId};
use domain::transaction::Change;
use domain::transaction::properties::Properties;
use domain::{Operation, Timestamp, Transaction};

impl ImportStore for Store {
    async fn begin_import(&self, transaction: &Transaction, properties: &Properties) -> Result<BegunImport, StoreError> {
        let facts = transaction.facts();
        let given = reference::write(transaction, &facts.import.given_reference, facts.id);
        let writes = vec![
            Write::put_new(Guard::Exists, &self.table, head::write(transaction)),
            Write::new(Guard::Exists, &self.table, data(transaction, properties), None, &[]),
            Write::put_new(Guard::Reference, &self.table, given),
        ];
        match self.transact(writes).await? {
            Written::Done => Ok(BegunImport::Begun(Versioned::as_read(transaction.clone()))),
            Written::Refused(Guard::Reference, Some(item)) => reference::read_owner(&item).map(BegunImport::ReferenceTaken),
            Written::Refused(Guard::Exists, _) => Ok(BegunImport::IdTaken),
            Written::Refused(..) | Written::Conflict => {
                Err(StoreError::Unavailable("an import of the same reference is being stored".to_owned()))
            }
        }
    }

    async fn replace_import(&self, read: &Versioned, change: &Change, properties: &Properties) -> Result<Committed, StoreError> {
        let mut writes = self.writes(read.transaction(), change);
        writes.push(Write::new(Guard::Version, &self.table, data(&change.transaction, properties), None, &[]));
        Ok(match self.transact(writes).await? {
            Written::Done => Committed::Done(Versioned::as_read(change.transaction.clone())),
            Written::Refused(..) | Written::Conflict => Committed::VersionMoved,
        })
    }

    async fn hold_reference(&self, read: &Versioned, canonical: &PspReference) -> Result<HeldReference, StoreError> {
        let owner = read.transaction().facts().id;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(reference::write(read.transaction(), canonical, owner)))
            .condition_expression(FREE_OR_MINE)
            .expression_attribute_values(":mine", AttributeValue::N(owner.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(HeldReference::Ours),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                reference::read_owner(refused.item().unwrap_or(&Item::new())).map(HeldReference::Taken)
            }
            _ => Err(unavailable(&error)),
        }
    }

    async fn finish_import(&self, read: &Versioned, change: &Change) -> Result<FinishedImport, StoreError> {
        let (early, last) = batches(&change.created);
        for batch in early {
            // The head as it is: who has lost the right to this import writes nothing over what another has adopted.
            let mut writes = vec![self.head(read.transaction(), read.transaction())];
            writes.extend(self.adopted(batch, change.transaction.version()));
            if !matches!(self.transact(writes).await?, Written::Done) {
                return Ok(FinishedImport::VersionMoved);
            }
        }
        let mut writes = self.writes(read.transaction(), &Change { created: vec![], ..change.clone() });
        writes.extend(self.adopted(last, change.transaction.version()));
        let facts = change.transaction.facts();
        if facts.psp_reference != facts.import.given_reference {
            writes.push(self.hold_reference(&change.transaction, &facts.psp_reference, facts.id));
        }
        match self.transact(writes).await? {
            Written::Done => Ok(FinishedImport::Done(Versioned::as_read(change.transaction.clone()))),
            Written::Refused(Guard::Reference, Some(item)) => reference::read_owner(&item).map(FinishedImport::ReferenceTaken),
            Written::Refused(..) | Written::Conflict => Ok(FinishedImport::VersionMoved),
        }
    }

    async fn finish_parked(&self, transaction: &Transaction, processed_on: Timestamp) -> Result<(), StoreError> {
        let facts = transaction.facts();
        let canonical = Some(&facts.psp_reference).filter(|canonical| **canonical != facts.import.given_reference);
        for known_by in canonical.into_iter().chain([&facts.import.given_reference]) {
            let under = key::reference(facts.space, &facts.connection, known_by).pk;
            for parked in self.query_partition(&under, key::PARKED).await? {
                let put = self
                    .client
                    .put_item()
                    .table_name(&self.table)
                    .set_item(Some(webhook::processed(parked, facts.space, &facts.connection, processed_on)?))
                    .condition_expression("attribute_not_exists(due)");
                match put.send().await {
                    Ok(_) => {}
                    Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {}
                    Err(error) => return Err(unavailable(&error)),
                }
            }
        }
        Ok(())
    }

    async fn yield_reference(&self, read: &Versioned, change: &Change, to: TransactionId) -> Result<Committed, StoreError> {
        let mut writes = self.writes(read.transaction(), change);
        let facts = change.transaction.facts();
        let item = reference::write(&change.transaction, &facts.import.given_reference, to);
        let mine = AttributeValue::N(facts.id.to_string());
        writes.push(Write::new(Guard::Version, &self.table, item, Some("transactionId = :mine"), &[(":mine", mine)]));
        Ok(match self.transact(writes).await? {
            Written::Done => Committed::Done(Versioned::as_read(change.transaction.clone())),
            Written::Refused(..) | Written::Conflict => Committed::VersionMoved,
        })
    }
}

impl Store {
    /// Operations that count once the head says that the import is done. Until then nobody else can have made one, so what
    /// an interrupted worker has left is written over.
    fn adopted(&self, operations: &[Operation], version: u64) -> impl Iterator<Item = Write> {
        operations.iter().map(move |adopted| Write::new(Guard::Exists, &self.table, operation::write(adopted, version), None, &[]))
    }

    /// A reference that is free or held by this transaction already.
    fn hold_reference(&self, transaction: &Transaction, held: &PspReference, owner: TransactionId) -> Write {
        let item = reference::write(transaction, held, owner);
        let mine = AttributeValue::N(owner.to_string());
        Write::new(Guard::Reference, &self.table, item, Some(FREE_OR_MINE), &[(":mine", mine)])
    }
}

/// A reference that no other transaction has.
const FREE_OR_MINE: &str = "attribute_not_exists(pk) OR transactionId = :mine";

/// DynamoDB takes 100 writes in one transaction; a few places are kept for head, interaction and references.
const MOST_OPERATIONS: usize = 90;

/// Operations in the order of their writing: what does not fit into the last write goes before it.
fn batches(operations: &[Operation]) -> (std::slice::Chunks<'_, Operation>, &[Operation]) {
    let (early, last) = operations.split_at(operations.len().saturating_sub(1) / MOST_OPERATIONS * MOST_OPERATIONS);
    (early.chunks(MOST_OPERATIONS), last)
}

/// The data item: what merchants write and no rule of ours reads.
fn data(transaction: &Transaction, merchant: &Properties) -> Item {
    let facts = transaction.facts();
    let mut item = Writer::new(key::data(facts.space, facts.id).attributes())
        .number("transactionId", facts.id)
        // Found in its space by the caller's own reference.
        .text("spaceKey", key::listed(facts.space, Listed::ByMerchantReference(facts.merchant_reference.as_str())))
        .text("spaceSort", key::list_sort(facts.id))
        .item();
    item.extend(properties::write(merchant));
    item
}
