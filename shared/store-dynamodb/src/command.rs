//! Reads and writes of commands that move money.

use crate::attributes::Item;
use crate::commit::{Guard, Written};
use crate::item::{head, operation};
use crate::{Store, key, unavailable, unbuildable};
use app::ports::store::{CommandStore, Committed, StoreError, Versioned};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::id::{IdempotencyKey, SpaceId, TransactionId};
use domain::operation::OperationKey;
use domain::planted::{Bug, is_planted};
use domain::transaction::Change;
use domain::{Operation, OperationKind, OperationState};
use std::collections::HashMap;

/// How often keys that a batch left over are asked for again before the table counts as unavailable.
const BATCHES: u32 = 4;

impl CommandStore for Store {
    async fn load_for_command(
        &self,
        space: SpaceId,
        id: TransactionId,
        kind: OperationKind,
        key: &IdempotencyKey,
    ) -> Result<Option<(Versioned, Option<Operation>)>, StoreError> {
        let operation_key = key::operation(space, id, kind, &OperationKey::Caller(key.clone()));
        let items = self.batch_get(vec![key::head(space, id), operation_key]).await?;
        let is_head = |item: &&Item| item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == key::HEAD);
        let Some(found) = items.iter().find(is_head) else {
            return Ok(None);
        };
        let read = Versioned::as_read(head::read(found)?);
        let known = items.iter().find(|item| !is_head(item)).map(operation::read).transpose()?;
        Ok(Some((read, known)))
    }

    async fn load_operations(&self, space: SpaceId, id: TransactionId, kind: OperationKind) -> Result<Vec<Operation>, StoreError> {
        let items = self.query_partition(&key::transaction(space, id), &key::operations_of(kind)).await?;
        let mut operations = items.iter().map(operation::read).collect::<Result<Vec<_>, _>>()?;
        operations.sort_by_key(|operation| operation.facts().id);
        Ok(operations)
    }

    async fn load_head(&self, space: SpaceId, id: TransactionId) -> Result<Option<Versioned>, StoreError> {
        let item = self.get(key::head(space, id)).await?;
        item.map(|item| head::read(&item).map(Versioned::as_read)).transpose()
    }

    async fn take(&self, read: &Operation, taken: &Operation) -> Result<bool, StoreError> {
        let condition = match &read.facts().sending {
            Some(_) => "version = :before AND due = :due AND epoch = :epoch",
            None => "version = :before AND due = :due",
        };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(operation::write(taken, read.facts().version)))
            .condition_expression(condition)
            .expression_attribute_values(":before", AttributeValue::N(read.facts().version.to_string()))
            .expression_attribute_values(":due", AttributeValue::S(read.facts().due_on.map(key::due).unwrap_or_default()));
        let put = match &read.facts().sending {
            Some(sending) => put.expression_attribute_values(":epoch", AttributeValue::N(sending.epoch.to_string())),
            None => put,
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn commit(&self, read: &Versioned, change: &Change) -> Result<Committed, StoreError> {
        let writes = self.writes(read.transaction(), change);
        let written = self.transact(writes).await?;
        if is_planted(Bug::RecordDeletedOnError) {
            for unknown in change.updated.iter().filter(|operation| operation.state() == OperationState::Unknown) {
                self.remove(key::operation_of(unknown)).await?;
            }
        }
        Ok(match written {
            Written::Done => Committed::Done(Versioned::as_read(change.transaction.clone())),
            Written::Refused(Guard::Exists, _) => Committed::OperationExists,
            Written::Refused(Guard::Version | Guard::Reference, _) | Written::Conflict => Committed::VersionMoved,
        })
    }
}

impl Store {
    /// Items by key, consistently, in any order. One round trip, unless the table leaves keys over.
    pub(crate) async fn batch_get(&self, keys: Vec<key::Key>) -> Result<Vec<Item>, StoreError> {
        let keys = keys.iter().map(key::Key::attributes).collect();
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().map_err(unbuildable)?;
        let mut left = HashMap::from([(self.table.clone(), request)]);
        let mut items = Vec::new();
        for _ in 0..BATCHES {
            let answer = self.client.batch_get_item().set_request_items(Some(left)).send().await.map_err(|error| unavailable(&error))?;
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(items);
            }
        }
        Err(StoreError::Unavailable("the table left keys of a batch over".to_owned()))
    }

    pub(crate) async fn get(&self, key: key::Key) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes())).consistent_read(true);
        get.send().await.map(|answer| answer.item).map_err(|error| unavailable(&error))
    }

    /// All items of a partition whose sort key begins so, consistently; an empty beginning is the whole partition.
    pub(crate) async fn query_partition(&self, pk: &str, beginning: &str) -> Result<Vec<Item>, StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut query = self.client.query().table_name(&self.table).consistent_read(true).expression_attribute_values(":pk", text(pk));
        query = match beginning {
            "" => query.key_condition_expression("pk = :pk"),
            beginning => query
                .key_condition_expression("pk = :pk AND begins_with(sk, :beginning)")
                .expression_attribute_values(":beginning", text(beginning)),
        };
        let mut pages = query.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|error| unavailable(&error))?);
        }
        Ok(items)
    }
}
