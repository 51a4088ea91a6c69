//! Reads and writes of webhooks: the inbox, and what is parked until its payment is imported.

use crate::item::{reference, webhook};
use crate::{Store, key, unavailable};
use app::ports::store::{StoreError, Stored, StoredWebhook, WebhookStore};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::id::{ConnectionName, PspReference, SpaceId, TransactionId};
use domain::time::Timestamp;

impl WebhookStore for Store {
    async fn store_webhook(&self, received: &StoredWebhook) -> Result<Stored, StoreError> {
        let key = key::inbox(received.space, &received.connection, &received.event);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(webhook::write(key, received)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(Stored::New),
            Err(error) => error,
        };
        let known = match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => refused.item().cloned().unwrap_or_default(),
            _ => return Err(unavailable(&error)),
        };
        Ok(if webhook::read_processed(&known)?.is_some() { Stored::Processed } else { Stored::Waiting })
    }

    async fn park_webhook(&self, received: &StoredWebhook, under: &PspReference) -> Result<(), StoreError> {
        let key = key::parked(received.space, &received.connection, under, &received.event);
        let mut item = webhook::write(key, received);
        // Nobody has to come back to this copy: an import reads the payment after it has stored its reference.
        item.retain(|name, _| name != "due" && name != "dueShard");
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| unavailable(&error))
    }

    async fn find_reference(
        &self,
        space: SpaceId,
        connection: &ConnectionName,
        sought: &PspReference,
    ) -> Result<Option<TransactionId>, StoreError> {
        let item = self.get(key::reference(space, connection, sought)).await?;
        item.map(|item| reference::read_owner(&item)).transpose()
    }

    async fn leave_webhook(&self, received: &StoredWebhook) -> Result<(), StoreError> {
        let update = self.update_inbox(received).update_expression("REMOVE due, dueShard");
        update.send().await.map(drop).map_err(|error| unavailable(&error))
    }

    async fn load_webhook(&self, space: SpaceId, connection: &ConnectionName, event: &str) -> Result<Option<StoredWebhook>, StoreError> {
        let item = self.get(key::inbox(space, connection, event)).await?;
        Ok(item.map(|item| webhook::read_waiting(&item)).transpose()?.flatten())
    }

    async fn postpone_webhook(&self, webhook: &StoredWebhook, until: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .update_inbox(webhook)
            .update_expression("SET due = :until")
            .condition_expression("due = :before")
            .expression_attribute_values(":before", AttributeValue::S(key::due(webhook.due_on)))
            .expression_attribute_values(":until", AttributeValue::S(key::due(until)));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn finish_webhook(&self, received: &StoredWebhook, processed_on: Timestamp) -> Result<(), StoreError> {
        let update = self
            .update_inbox(received)
            .update_expression("SET processedOn = :on REMOVE due, dueShard")
            .expression_attribute_values(":on", AttributeValue::N(processed_on.millis().to_string()));
        update.send().await.map(drop).map_err(|error| unavailable(&error))
    }
}

impl Store {
    fn update_inbox(&self, received: &StoredWebhook) -> UpdateItemFluentBuilder {
        let key = key::inbox(received.space, &received.connection, &received.event);
        self.client.update_item().table_name(&self.table).set_key(Some(key.attributes()))
    }
}
