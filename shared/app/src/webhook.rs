//! A PSP's webhook: stored before it is acknowledged, then taken as a hint to read the payment again.
//!
//! What a webhook says is never applied, only what the PSP answers when it is asked. So a repetition has no second effect,
//! order does not matter, and a webhook that lies about an amount changes nothing.

use crate::money_command::bound_capture;
use crate::ports::psp::{Psp, RawWebhook, Reading, WebhookEvent};
use crate::ports::store::{Committed, StoreError, Stored, StoredWebhook, WebhookStore, WholeTransaction};
use crate::ports::{Clock, Connections, NoConnection, Ports, Source};
use crate::retry::back_off;
use domain::id::{ConnectionName, SpaceId, TransactionId};
use domain::operation::Effect;
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::{Change, Finding, find};
use domain::{Operation, Refusal};
use futures_util::future::{Either, select};

/// What the PSP is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// It is stored; whether it is processed already is our own affair.
    Stored,
    /// It was not signed by this connection's PSP, or there is no such connection. The answer does not say which.
    Forged,
    /// Nothing is stored: the PSP sends it again.
    TryLater,
}

/// How long the processing may delay the acknowledgement.
const PROCESSING: Span = Span::from_seconds(5);
const TRIES: u32 = 16;

/// Receives a webhook.
pub async fn receive<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    space: SpaceId,
    connection: &ConnectionName,
    raw: &RawWebhook,
) -> Acknowledgement
where
    S: WebhookStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let psp = match ports.connections.open(space, connection).await {
        Ok(psp) => psp,
        Err(NoConnection::NotFound) => return Acknowledgement::Forged,
        Err(NoConnection::Unusable(detail)) => {
            tracing::error!(%space, %connection, detail, "a webhook cannot be verified: the connection cannot be used");
            return Acknowledgement::TryLater;
        }
    };
    let now = ports.clock.now();
    let Ok(event) = psp.webhook(raw, now) else {
        tracing::warn!(%space, %connection, "a webhook with a wrong signature was refused");
        return Acknowledgement::Forged;
    };
    let WebhookEvent { id, kind, references, is_readable } = event;
    let event = id.unwrap_or_else(|| ports.source.unique());
    let unread = (!is_readable).then(|| raw.body.clone());
    let webhook = StoredWebhook { space, connection: connection.clone(), event, kind, references, unread, received_on: now };
    match ports.store.store_webhook(&webhook).await {
        Ok(Stored::New | Stored::Waiting) => {}
        Ok(Stored::Processed) => return Acknowledgement::Stored,
        Err(error) => {
            tracing::error!(%space, %connection, ?error, "a webhook could not be stored");
            return Acknowledgement::TryLater;
        }
    }
    let processing = Box::pin(process(ports, psp.as_ref(), &webhook));
    match select(processing, Box::pin(ports.clock.sleep(PROCESSING))).await {
        Either::Left((Ok(()), _)) => {}
        Either::Left((Err(why), _)) => tracing::warn!(%space, %connection, event = webhook.event, why, "a webhook waits for processing"),
        Either::Right(_) => tracing::warn!(%space, %connection, event = webhook.event, "processing a webhook took too long: it waits"),
    }
    Acknowledgement::Stored
}

/// Reads what the webhook is about and applies what the reading says. An error leaves the webhook waiting.
async fn process<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, psp: &dyn Psp, webhook: &StoredWebhook) -> Result<(), String>
where
    S: WebhookStore,
    K: Clock,
    R: Source,
{
    if webhook.unread.is_some() {
        return Err("its body cannot be read".to_owned());
    }
    let Some(first) = webhook.references.first() else {
        return finish(ports, webhook).await;
    };
    let transaction = match correlate(ports.store, webhook).await? {
        Some(transaction) => transaction,
        None => {
            // Parked first, looked up again second: the import writes its reference first and asks the PSP second, so one
            // of the two sees the other.
            ports.store.park_webhook(webhook, first).await.map_err(text)?;
            match correlate(ports.store, webhook).await? {
                Some(transaction) => transaction,
                None => return Ok(()),
            }
        }
    };
    refresh(ports, psp, webhook.space, transaction).await?;
    finish(ports, webhook).await
}

async fn correlate<S: WebhookStore>(store: &S, webhook: &StoredWebhook) -> Result<Option<TransactionId>, String> {
    for reference in &webhook.references {
        if let Some(transaction) = store.find_reference(webhook.space, &webhook.connection, reference).await.map_err(text)? {
            return Ok(Some(transaction));
        }
    }
    Ok(None)
}

async fn finish<S: WebhookStore, C, K: Clock, R>(ports: &Ports<'_, S, C, K, R>, webhook: &StoredWebhook) -> Result<(), String> {
    ports.store.finish_webhook(webhook, ports.clock.now()).await.map_err(text)
}

/// Reads the payment and applies what is new, one commit at a time, until nothing is. A reading counts only for the version
/// that was stored before it and for what it led to itself: whatever else has changed meanwhile may be newer than it.
async fn refresh<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, psp: &dyn Psp, space: SpaceId, id: TransactionId) -> Result<(), String>
where
    S: WebhookStore,
    K: Clock,
    R: Source,
{
    'reading: for attempt in 0..TRIES {
        back_off(ports.clock, ports.source, attempt).await;
        let mut whole = load(ports.store, space, id).await?;
        if !whole.head.transaction().facts().import.is_done() {
            return Err("the import is not completed".to_owned());
        }
        let payment = match psp.read(&whole.head.transaction().facts().psp_reference).await {
            Reading::Found(payment) => payment,
            Reading::NotFound => return Err("the PSP does not know the payment".to_owned()),
            Reading::Unavailable { detail, .. } => return Err(detail),
        };
        while let Some(change) = next_change(&whole, &payment, ports.clock.now()).map_err(|refusal| format!("{refusal:?}"))? {
            let Committed::Done(written) = ports.store.commit(&whole.head, &change).await.map_err(text)? else {
                continue 'reading;
            };
            whole = load(ports.store, space, id).await?;
            if whole.head.transaction().version() != written.transaction().version() {
                continue 'reading;
            }
        }
        return Ok(());
    }
    Err("too many conflicts".to_owned())
}

/// The first thing in the reading that the stored transaction does not know yet.
fn next_change(whole: &WholeTransaction, payment: &PspPayment, now: domain::Timestamp) -> Result<Option<Change>, Refusal> {
    let transaction = whole.head.transaction();
    for operation in &whole.operations {
        let Some(effect) = effect_on(operation, payment) else { continue };
        let bound = bound_capture(operation, &whole.operations);
        if let Some(change) = transaction.settle(operation, bound, effect, now)? {
            return Ok(Some(change));
        }
    }
    transaction.follow(payment, now)
}

fn effect_on(operation: &Operation, payment: &PspPayment) -> Option<Effect> {
    match find(operation, payment) {
        Finding::Found(movement) => Some(Effect::of_movement(operation, movement)),
        Finding::Ambiguous => Some(Effect::ManualCheck("several movements at the PSP claim to be this operation")),
        Finding::NotFound => None,
    }
}

async fn load<S: WebhookStore>(store: &S, space: SpaceId, id: TransactionId) -> Result<WholeTransaction, String> {
    store.load_whole(space, id).await.map_err(text)?.ok_or_else(|| "a reference without its transaction".to_owned())
}

fn text(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(detail) => detail,
        StoreError::Inconsistent { item, attribute } => format!("item {item}: attribute {attribute}"),
    }
}
