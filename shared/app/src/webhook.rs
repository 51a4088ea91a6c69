//! A PSP's webhook: stored before it is acknowledged, then taken as a hint to read the payment again.
//!
//! What a webhook says is never applied, only what the PSP answers when it is asked. So a repetition has no second effect,
//! order does not matter, and a webhook that lies about an amount changes nothing.

use crate::ask::ask;
use crate::metric::{self, Metric};
use crate::money_command::bound_capture;
use crate::ports::psp::{Psp, RawWebhook, Reading, WebhookEvent, WebhookRefused};
use crate::ports::store::{Committed, StoreError, Stored, StoredWebhook, WebhookStore, WholeTransaction};
use crate::ports::{Clock, Connections, NoConnection, Ports, Source};
use crate::retry::back_off;
use domain::id::{ConnectionName, SpaceId, TransactionId};
use domain::operation::Effect;
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::{Change, Finding, ImportState, find};
use domain::{Operation, Refusal};
use futures_util::future::{Either, select};
use tracing::field::Empty;
use tracing::{Instrument, Span as LogSpan};

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

/// Receives a webhook, and tells what came of it in one line.
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
    // What every line says that is logged on the way, as far as it is known by then. Of a path that leads nowhere nothing is
    // told: anybody can write anything there. It is as loud as the loudest line, so that no filter takes it from one.
    let lines =
        tracing::error_span!("webhook", space = Empty, connection = Empty, psp = Empty, event = Empty, transaction = Empty, pspMs = Empty);
    accept(ports, space, connection, raw).instrument(lines).await
}

async fn accept<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, space: SpaceId, connection: &ConnectionName, raw: &RawWebhook) -> Acknowledgement
where
    S: WebhookStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let opened = ports.connections.open(space, connection).await;
    if !matches!(opened, Err(NoConnection::NotFound)) {
        LogSpan::current().record("space", space.number()).record("connection", connection.as_str());
    }
    let psp = match opened {
        Ok(psp) => psp,
        Err(NoConnection::NotFound) => {
            tracing::info!(outcome = "NO_CONNECTION", "webhook");
            return Acknowledgement::Forged;
        }
        Err(NoConnection::Unusable(detail)) => {
            tracing::error!(outcome = "NOT_VERIFIED", why = detail, "webhook");
            return Acknowledgement::TryLater;
        }
    };
    LogSpan::current().record("psp", psp.name());
    let now = ports.clock.now();
    let WebhookEvent { id, kind, references, is_readable } = match psp.webhook(raw, now).await {
        Ok(event) => event,
        Err(WebhookRefused::Forged) => {
            tracing::warn!(outcome = "FORGED", "webhook");
            metric::count(Metric::WebhooksUnverifiable);
            return Acknowledgement::Forged;
        }
        Err(WebhookRefused::TryLater(why)) => {
            tracing::error!(outcome = "NOT_VERIFIED", why, "webhook");
            return Acknowledgement::TryLater;
        }
    };
    let event = id.unwrap_or_else(|| ports.source.unique());
    LogSpan::current().record("event", event.as_str());
    let unread = (!is_readable).then(|| raw.body.clone());
    let webhook = StoredWebhook { space, connection: connection.clone(), event, kind, references, unread, received_on: now };
    match ports.store.store_webhook(&webhook).await {
        Ok(Stored::New | Stored::Waiting) => {}
        Ok(Stored::Processed) => {
            tracing::info!(outcome = "REPEATED", "webhook");
            return Acknowledgement::Stored;
        }
        Err(error) => {
            tracing::error!(outcome = "NOT_STORED", why = error.for_log(), "webhook");
            return Acknowledgement::TryLater;
        }
    }
    let processing = Box::pin(process(ports, psp.as_ref(), &webhook));
    match select(processing, Box::pin(ports.clock.sleep(PROCESSING))).await {
        Either::Left((Ok(Processed::Applied { changes }), _)) => tracing::info!(outcome = "PROCESSED", changes, "webhook"),
        Either::Left((Ok(Processed::Parked), _)) => {
            tracing::info!(outcome = "PARKED", "webhook");
            metric::count(Metric::WebhooksParked);
        }
        Either::Left((Err(why), _)) => tracing::warn!(outcome = "WAITING", why, "webhook"),
        Either::Right(_) => tracing::warn!(outcome = "WAITING", why = "processing took too long", "webhook"),
    }
    Acknowledgement::Stored
}

/// What came of a webhook that was stored.
enum Processed {
    Applied {
        changes: u32,
    },
    /// Kept for the payment that it is about, which is not imported.
    Parked,
}

/// Reads what the webhook is about and applies what the reading says. An error leaves the webhook waiting.
async fn process<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, psp: &dyn Psp, webhook: &StoredWebhook) -> Result<Processed, String>
where
    S: WebhookStore,
    K: Clock,
    R: Source,
{
    if webhook.unread.is_some() {
        return Err("its body cannot be read".to_owned());
    }
    let Some(first) = webhook.references.first() else {
        finish(ports, webhook).await?;
        return Ok(Processed::Applied { changes: 0 });
    };
    let transaction = match correlate(ports.store, webhook).await? {
        Some(transaction) => transaction,
        None => {
            // Parked first, looked up again second: the import stores the reference first and asks the PSP second, so
            // either this finds the import, or its reading finds what this webhook is about.
            ports.store.park_webhook(webhook, first).await.map_err(StoreError::for_log)?;
            match correlate(ports.store, webhook).await? {
                Some(transaction) => transaction,
                None => return leave(ports.store, webhook).await,
            }
        }
    };
    LogSpan::current().record("transaction", transaction.number());
    match refresh(ports, psp, webhook, transaction).await? {
        Some(changes) => {
            finish(ports, webhook).await?;
            Ok(Processed::Applied { changes })
        }
        None => leave(ports.store, webhook).await,
    }
}

/// Nothing is left to do: an import that comes later reads what the PSP knows by then.
async fn leave<S: WebhookStore>(store: &S, webhook: &StoredWebhook) -> Result<Processed, String> {
    store.leave_webhook(webhook).await.map_err(StoreError::for_log)?;
    Ok(Processed::Parked)
}

async fn correlate<S: WebhookStore>(store: &S, webhook: &StoredWebhook) -> Result<Option<TransactionId>, String> {
    for reference in &webhook.references {
        if let Some(transaction) = store.find_reference(webhook.space, &webhook.connection, reference).await.map_err(StoreError::for_log)? {
            return Ok(Some(transaction));
        }
    }
    Ok(None)
}

async fn finish<S: WebhookStore, C, K: Clock, R>(ports: &Ports<'_, S, C, K, R>, webhook: &StoredWebhook) -> Result<(), String> {
    ports.store.finish_webhook(webhook, ports.clock.now()).await.map_err(StoreError::for_log)
}

/// Reads the payment and applies what is new, one commit at a time, until nothing is. A reading counts only for the version
/// that was stored before it and for what it led to itself: whatever else has changed meanwhile may be newer than it. An import
/// that is under way ends in a moment, as a rule, and is waited for. Answers how many commits were made; none where the import
/// has failed.
async fn refresh<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    psp: &dyn Psp,
    webhook: &StoredWebhook,
    mut id: TransactionId,
) -> Result<Option<u32>, String>
where
    S: WebhookStore,
    K: Clock,
    R: Source,
{
    let space = webhook.space;
    let mut changes = 0;
    let mut why = "";
    'reading: for attempt in 0..TRIES {
        back_off(ports.clock, ports.source, attempt).await;
        let mut whole = load(ports.store, space, id).await?;
        let import = &whole.head.transaction().facts().import;
        match import.state {
            ImportState::Completed | ImportState::Ok => why = "too many conflicts",
            ImportState::Pending => {
                why = "the import is not completed";
                continue;
            }
            ImportState::Failed if import.has_given_way() => {
                // With that its reference was pointed to the import that holds the payment.
                id = correlate(ports.store, webhook).await?.unwrap_or(id);
                why = "the import has given way to another one";
                continue;
            }
            ImportState::Failed => return Ok(None),
        }
        let (reading, asked) = ask(ports.clock, psp, &whole.head.transaction().facts().psp_reference).await;
        LogSpan::current().record("pspMs", asked.took.millis());
        let payment = match reading {
            Reading::Found(payment) => payment,
            Reading::NotFound => return Err("the PSP does not know the payment".to_owned()),
            Reading::CredentialsRefused => return Err("the PSP does not accept our credentials".to_owned()),
            Reading::Unavailable { detail, .. } => return Err(detail),
        };
        while let Some(change) = next_change(&whole, &payment, ports.clock.now()).map_err(|refusal| format!("{refusal:?}"))? {
            let Committed::Done(written) = ports.store.commit(&whole.head, &change).await.map_err(StoreError::for_log)? else {
                continue 'reading;
            };
            changes += 1;
            tell(&change, &whole.operations);
            whole = load(ports.store, space, id).await?;
            if whole.head.transaction().version() != written.transaction().version() {
                continue 'reading;
            }
        }
        return Ok(Some(changes));
    }
    Err(why.to_owned())
}

/// Tells of a change that was stored because of what the PSP said; `before` are the operations as they were.
fn tell(change: &Change, before: &[Operation]) {
    // The first is the one that was settled; with a refund comes its capture.
    if let Some(settled) = change.updated.first() {
        metric::operation(settled.state());
    }
    let Some(entry) = &change.interaction else { return };
    let operation = entry.operation.as_ref();
    let before = operation.and_then(|operation| before.iter().find(|before| before.facts().id.number() == operation.id));
    tracing::info!(
        change = entry.kind.as_str(),
        operation = operation.map(|operation| operation.id),
        amount = operation.map(|operation| operation.amount.units()),
        currency = change.transaction.facts().currency.code(),
        stateBefore = before.map(|before| before.state().as_str()),
        stateAfter = operation.map(|operation| operation.state.as_str()),
        transactionState = entry.state.as_str(),
        version = entry.sequence,
        "a webhook led to a change"
    );
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
    store.load_whole(space, id).await.map_err(StoreError::for_log)?.ok_or_else(|| "a reference without its transaction".to_owned())
}
