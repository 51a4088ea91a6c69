//! A PSP's webhook: stored before it is acknowledged, then taken as a hint to read the payment again.
//!
//! What a webhook says is never applied, only what the PSP answers when it is asked. So a repetition has no second effect,
//! order does not matter, and a webhook that lies about an amount changes nothing.

use crate::metric::{self, Metric};
use crate::money_command::TIME_FOR_CALL;
use crate::ports::psp::{Psp, RawWebhook, WebhookEvent, WebhookRefused};
use crate::ports::store::{StoreError, Stored, StoredWebhook, WebhookStore};
use crate::ports::{Clock, Connections, NoConnection, Ports, Source};
use crate::refresh::{Heard, Refreshed, load, refresh};
use crate::retry::back_off;
use domain::id::{ConnectionName, SpaceId, TransactionId};
use domain::operation::asked_again_after;
use domain::planted::{Bug, is_planted};
use domain::time::Span;
use domain::transaction::ImportState;
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
const BEFORE_ACKNOWLEDGEMENT: Span = Span::from_seconds(5);
const TRIES: u32 = 16;
/// When somebody comes back to a webhook that could not be processed at once.
const DUE_AFTER: Span = Span::from_seconds(60);
/// How often a webhook is come back to that has waited so long, mostly for a person, or that no program of today can read.
const DAILY: Span = Span::from_days(1);

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
    let webhook = StoredWebhook {
        space,
        connection: connection.clone(),
        event,
        kind,
        references,
        unread,
        received_on: now,
        due_on: now.plus(DUE_AFTER),
    };
    match ports.store.store_webhook(&webhook).await {
        Ok(Stored::New | Stored::Waiting) => {}
        Ok(Stored::Processed) => {
            tracing::info!(outcome = "REPEATED", "webhook");
            return Acknowledgement::Stored;
        }
        Err(error) => {
            tracing::error!(outcome = "NOT_STORED", why = error.for_log(), "webhook");
            return if is_planted(Bug::AcknowledgedBeforeStored) { Acknowledgement::Stored } else { Acknowledgement::TryLater };
        }
    }
    process_in_time(ports, psp.as_ref(), &webhook, BEFORE_ACKNOWLEDGEMENT).await;
    Acknowledgement::Stored
}

/// Comes back to a webhook that was stored and is not processed yet. Where its PSP does not answer at the moment, it is left for
/// later.
pub(crate) async fn resume<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    space: SpaceId,
    connection: &ConnectionName,
    event: &str,
    is_silent: bool,
) where
    S: WebhookStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let lines = tracing::error_span!(
        "webhook",
        space = space.number(),
        connection = connection.as_str(),
        psp = Empty,
        event,
        transaction = Empty,
        pspMs = Empty
    );
    let work = async {
        let webhook = match take(ports, space, connection, event).await {
            Ok(Some(webhook)) if !is_silent => webhook,
            // Left for later, processed meanwhile, or somebody else is at it.
            Ok(_) => return,
            Err(error) => return tracing::warn!(outcome = "WAITING", why = error.for_log(), "webhook"),
        };
        match ports.connections.open(space, connection).await {
            Ok(psp) => {
                LogSpan::current().record("psp", psp.name());
                process_in_time(ports, psp.as_ref(), &webhook, TIME_FOR_CALL).await;
            }
            Err(error) => tracing::warn!(outcome = "WAITING", why = format!("the connection cannot be used: {error:?}"), "webhook"),
        }
    };
    work.instrument(lines).await;
}

/// Moves its due time, so that nobody else comes back to it now.
async fn take<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    space: SpaceId,
    connection: &ConnectionName,
    event: &str,
) -> Result<Option<StoredWebhook>, StoreError>
where
    S: WebhookStore,
    K: Clock,
{
    let now = ports.clock.now();
    let Some(webhook) = ports.store.load_webhook(space, connection, event).await? else { return Ok(None) };
    let waited = now.since(webhook.received_on);
    let again = if webhook.unread.is_some() || waited >= DAILY { DAILY } else { asked_again_after(waited) };
    let is_taken = webhook.due_on <= now && ports.store.postpone_webhook(&webhook, now.plus(again)).await?;
    Ok(is_taken.then_some(webhook))
}

/// Processes a webhook for so long, and tells what came of it in one line.
async fn process_in_time<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, psp: &dyn Psp, webhook: &StoredWebhook, time: Span)
where
    S: WebhookStore,
    K: Clock,
    R: Source,
{
    let processing = Box::pin(process(ports, psp, webhook));
    match select(processing, Box::pin(ports.clock.sleep(time))).await {
        Either::Left((Ok(Processed::Applied { changes }), _)) => tracing::info!(outcome = "PROCESSED", changes, "webhook"),
        Either::Left((Ok(Processed::Parked), _)) => {
            tracing::info!(outcome = "PARKED", "webhook");
            metric::count(Metric::WebhooksParked);
        }
        Either::Left((Err(why), _)) => tracing::warn!(outcome = "WAITING", why, "webhook"),
        Either::Right(_) => tracing::warn!(outcome = "WAITING", why = "processing took too long", "webhook"),
    }
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
    match apply(ports, psp, webhook, transaction).await? {
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

/// Applies what the PSP says about a payment, once its import is done: one that is under way ends in a moment, as a rule, and is
/// waited for. Answers how many commits were made; none where the import has failed.
async fn apply<S, C, K, R>(
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
    let mut why = "";
    for attempt in 0..TRIES {
        back_off(ports.clock, ports.source, attempt).await;
        let whole = load(ports.store, webhook.space, id).await?;
        let import = &whole.head.transaction().facts().import;
        match import.state {
            ImportState::Completed | ImportState::Ok => {
                let Refreshed { whole, heard, changes, took } = refresh(ports, psp, whole).await?;
                LogSpan::current().record("pspMs", took.millis());
                return match heard {
                    Heard::Payment(payment) if whole.head.transaction().is_undecided(&whole.operations, &payment) => {
                        Err("what the PSP shows is clear only once an operation has settled".to_owned())
                    }
                    Heard::Payment(_) => Ok(Some(changes)),
                    Heard::Nothing { why } => Err(why.to_owned()),
                    Heard::Silence { why, .. } => Err(why),
                };
            }
            ImportState::Pending => why = "the import is not completed",
            ImportState::Failed if import.has_given_way() => {
                // With that its reference was pointed to the import that holds the payment.
                id = correlate(ports.store, webhook).await?.unwrap_or(id);
                why = "the import has given way to another one";
            }
            ImportState::Failed => return Ok(None),
        }
    }
    Err(why.to_owned())
}
