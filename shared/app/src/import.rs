//! Import: adopt a payment that exists at the PSP, once, in the state that it has there.
//!
//! The command is stored with its reference before the PSP is asked, so a second import of the same payment meets the first
//! one, and an answer that never comes leaves IMPORT_PENDING behind instead of nothing. Webhooks rely on that order too: see
//! `record` for a payment that has another canonical reference than the one that was given.

use crate::ask::{Asked, ask};
use crate::ports::psp::{Psp, Reading};
use crate::ports::store::{
    BegunImport, Committed, FinishedImport, HeldReference, ImportStore, StatusStore, StoreError, Versioned, WholeTransaction,
};
use crate::ports::{Clock, Connections, NoConnection, Ports, Source};
use crate::retry::{RETRY_AFTER, back_off, refused};
use domain::id::{PspReference, SpaceId, TransactionId};
use domain::time::Span;
use domain::transaction::{Change, ImportCommand, ImportFailure, ImportState};
use domain::{Refusal, Timestamp, Transaction};

/// The transaction after an import.
#[derive(Clone, Debug)]
pub struct Answer {
    pub whole: WholeTransaction,
    /// False where the payment was known already.
    pub is_new: bool,
}

const TRIES: u32 = 8;

/// How long an import waits for the webhook of a PSP that cannot be asked.
const WAITS_FOR_WEBHOOK: Span = Span::from_hours(24);

/// Adopts a payment; sent again it answers with the transaction that it made, corrected after a failure it tries again.
/// Tells what came of it in one line.
pub async fn import<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, space: SpaceId, command: &ImportCommand) -> Result<Answer, Refusal>
where
    S: ImportStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let psp = ports.connections.open(space, &command.connection).await.map_err(|error| match error {
        NoConnection::NotFound => Refusal::ConnectionNotFound,
        NoConnection::Unusable(detail) => {
            tracing::error!(connection = command.connection.as_str(), detail, "the connection cannot be used");
            Refusal::Unavailable { retry_after: Span::from_seconds(30) }
        }
    })?;
    // A second time where the payment turns out to be known under its canonical reference: this import has then given way, and
    // its own reference leads to that one.
    for _ in 0..2 {
        let (read, is_new) = match begin(ports, space, command, psp.name()).await? {
            Begun::New(read) => (read, true),
            Begun::Again(read) => (read, false),
            Begun::Known(id) => {
                let answer = known(ports.store, space, id).await?;
                tell(answer.whole.head.transaction(), false, None);
                return Ok(answer);
            }
        };
        let (reading, asked) = first_reading(ports, psp.as_ref(), &command.psp_reference).await;
        let answer = match record(ports, psp.as_ref(), read.clone(), reading).await? {
            Recorded::Finished(head, change) if is_new => Answer { whole: written(head, command, *change), is_new },
            Recorded::Pending if is_new => Answer { whole: pending(read, command), is_new },
            // What stands there now is another command's.
            Recorded::Overtaken(head) if !head.transaction().is_same_import(command)? => {
                return Err(Refusal::AlreadyImported { transaction: head.transaction().facts().id });
            }
            Recorded::Finished(..) | Recorded::Pending | Recorded::Overtaken(_) => {
                Answer { is_new, ..known(ports.store, space, read.transaction().facts().id).await? }
            }
            Recorded::GaveWay => continue,
        };
        tell(answer.whole.head.transaction(), is_new, asked);
        return Ok(answer);
    }
    Err(Refusal::Unavailable { retry_after: RETRY_AFTER })
}

/// Asks the PSP again about an import whose command is stored and that nobody has finished.
pub(crate) async fn resume<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, psp: &dyn Psp, begun: Versioned) -> Result<(), Refusal>
where
    S: ImportStore,
    K: Clock,
    R: Source,
{
    let facts = begun.transaction().facts();
    let (reading, asked) = first_reading(ports, psp, &facts.import.given_reference).await;
    let is_given_up = asked.is_none() && ports.clock.now().since(facts.created_on) >= WAITS_FOR_WEBHOOK;
    let recorded = match is_given_up {
        true => {
            let change = begun.transaction().fail_import(ImportFailure::NotVerified, ports.clock.now())?;
            match ports.store.finish_import(&begun, &change).await.map_err(refused)? {
                FinishedImport::Done(head) => Recorded::Finished(head, Box::new(change)),
                FinishedImport::VersionMoved | FinishedImport::ReferenceTaken(_) => Recorded::Pending,
            }
        }
        false => record(ports, psp, begun.clone(), reading).await?,
    };
    let head = match recorded {
        Recorded::Finished(head, _) | Recorded::Overtaken(head) => head,
        Recorded::Pending | Recorded::GaveWay => begun,
    };
    tell(head.transaction(), false, asked);
    Ok(())
}

/// What the PSP says first, and how long it took where it can be asked at all.
async fn first_reading<S, C, K: Clock, R>(
    ports: &Ports<'_, S, C, K, R>,
    psp: &dyn Psp,
    reference: &PspReference,
) -> (Reading, Option<Asked>) {
    if !psp.capabilities().reads_payments {
        let detail = "the PSP has no read: its webhook verifies the payment".to_owned();
        return (Reading::Unavailable { detail, retry_after: None }, None);
    }
    let (reading, asked) = ask(ports.clock, psp, reference).await;
    (reading, Some(asked))
}

enum Begun {
    New(Versioned),
    /// Stored before and not completed: the PSP is asked again.
    Again(Versioned),
    Known(TransactionId),
}

/// Stores the command, or finds the one that is stored.
async fn begin<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, space: SpaceId, command: &ImportCommand, psp: &str) -> Result<Begun, Refusal>
where
    S: ImportStore,
    K: Clock,
    R: Source,
{
    // Ids that a write whose answer got lost may have used: found again, the import is this request's own.
    let mut in_doubt = Vec::new();
    for attempt in 0..TRIES {
        back_off(ports.clock, ports.source, attempt).await;
        let now = ports.clock.now();
        let id = TransactionId::draw(now, ports.source.number());
        let transaction = Transaction::begin_import(id, space, psp, command, now)?;
        let existing = match ports.store.begin_import(&transaction, &command.properties).await {
            Ok(BegunImport::Begun(read)) => return Ok(Begun::New(read)),
            Ok(BegunImport::IdTaken) => continue,
            Ok(BegunImport::ReferenceTaken(id)) => id,
            Err(StoreError::Unavailable(detail)) => {
                tracing::warn!(detail, "the import may or may not be stored: trying again");
                in_doubt.push(id);
                continue;
            }
            Err(error) => return Err(refused(error)),
        };
        let Some(read) = ports.store.load_head(space, existing).await.map_err(refused)? else {
            continue;
        };
        if in_doubt.contains(&existing) && read.transaction().version() == 1 {
            return Ok(Begun::New(read));
        }
        if let Some(begun) = again(ports.store, command, read, now).await? {
            return Ok(begun);
        }
    }
    Err(Refusal::Unavailable { retry_after: RETRY_AFTER })
}

/// What a second import of a known reference means; none if somebody else changed the first one meanwhile.
async fn again<S: ImportStore>(store: &S, command: &ImportCommand, read: Versioned, now: Timestamp) -> Result<Option<Begun>, Refusal> {
    let transaction = read.transaction();
    let is_same = transaction.is_same_import(command)?;
    match transaction.facts().import.state {
        ImportState::Completed | ImportState::Ok if is_same => Ok(Some(Begun::Known(transaction.facts().id))),
        ImportState::Pending if is_same => Ok(Some(Begun::Again(read))),
        ImportState::Completed | ImportState::Ok | ImportState::Pending => {
            Err(Refusal::AlreadyImported { transaction: transaction.facts().id })
        }
        // Its reference leads to the one that it gave way to.
        ImportState::Failed if transaction.facts().import.has_given_way() => Ok(None),
        ImportState::Failed => {
            let change = transaction.replace_import(command, now)?;
            match store.replace_import(&read, &change, &command.properties).await.map_err(refused)? {
                Committed::Done(read) => Ok(Some(Begun::Again(read))),
                Committed::VersionMoved | Committed::OperationExists => Ok(None),
            }
        }
    }
}

/// What came of storing the PSP's answer.
enum Recorded {
    /// Written, together with what goes with it.
    Finished(Versioned, Box<Change>),
    /// The PSP could not be asked, or the result not be stored: somebody comes back to it.
    Pending,
    /// Somebody else finished or replaced it, as it stands here.
    Overtaken(Versioned),
    /// The payment is known under its canonical reference, and this import's own leads there now.
    GaveWay,
}

/// Stores what the PSP's answer means. A PSP that cannot be asked leaves the import pending.
///
/// A reading counts only if the payment was known here by its canonical reference before the PSP was asked. The PSP's webhooks
/// name that one: one that does not find it leaves the payment to the import, and what it is about may be newer than a reading
/// that was on its way. So whoever reads such a payment by another id stores the reference and asks again. Whatever dies in
/// between leaves a pending import; whatever webhook comes in between finds it and stays due.
async fn record<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    psp: &dyn Psp,
    begun: Versioned,
    mut reading: Reading,
) -> Result<Recorded, Refusal>
where
    S: ImportStore,
    K: Clock,
    R: Source,
{
    let (space, id) = (begun.transaction().facts().space, begun.transaction().facts().id);
    let epoch = begun.transaction().facts().import.epoch;
    let mut known_by = begun.transaction().facts().import.given_reference.clone();
    let mut read = begun;
    for attempt in 0..TRIES {
        if attempt > 0 {
            back_off(ports.clock, ports.source, attempt).await;
            match ports.store.load_head(space, id).await {
                Ok(Some(fresh)) => read = fresh,
                Ok(None) | Err(_) => continue,
            }
        }
        let import = &read.transaction().facts().import;
        if import.state != ImportState::Pending || import.epoch != epoch {
            return Ok(Recorded::Overtaken(read));
        }
        let now = ports.clock.now();
        let change = match &reading {
            Reading::Found(payment) => read.transaction().complete_import(payment, psp.capabilities(), now)?,
            Reading::NotFound => read.transaction().fail_import(ImportFailure::NotFoundAtPsp, now)?,
            Reading::CredentialsRefused => {
                tracing::error!(transaction = id.number(), "the PSP does not accept our credentials: the import stays pending");
                return Ok(Recorded::Pending);
            }
            Reading::Unavailable { detail, .. } => {
                tracing::warn!(transaction = id.number(), detail, "the PSP could not be asked: the import stays pending");
                return Ok(Recorded::Pending);
            }
        };
        let facts = change.transaction.facts();
        if facts.import.is_done() && facts.psp_reference != known_by {
            match ports.store.hold_reference(&read, &facts.psp_reference).await {
                Ok(HeldReference::Ours) => {
                    (reading, _) = ask(ports.clock, psp, &facts.psp_reference).await;
                    known_by = facts.psp_reference.clone();
                }
                Ok(HeldReference::Taken(other)) => return give_way(ports, &read, other).await,
                Err(error) => tracing::warn!(transaction = id.number(), ?error, "a reference could not be stored: trying again"),
            }
            continue;
        }
        match ports.store.finish_import(&read, &change).await {
            Ok(FinishedImport::Done(head)) => {
                if head.transaction().facts().import.is_done() {
                    finish_parked(ports, head.transaction()).await;
                }
                return Ok(Recorded::Finished(head, Box::new(change)));
            }
            Ok(FinishedImport::ReferenceTaken(other)) => return give_way(ports, &read, other).await,
            Ok(FinishedImport::VersionMoved) => {}
            Err(error) => tracing::warn!(transaction = id.number(), ?error, "the result of an import could not be stored: trying again"),
        }
    }
    Ok(Recorded::Pending)
}

/// The reading was made after they were left to this import, so all that they are about is in it.
async fn finish_parked<S: ImportStore, C, K: Clock, R>(ports: &Ports<'_, S, C, K, R>, transaction: &Transaction) {
    if let Err(error) = ports.store.finish_parked(transaction, ports.clock.now()).await {
        tracing::warn!(transaction = transaction.facts().id.number(), ?error, "parked webhooks could not be marked as processed");
    }
}

/// Ends this import as `already-imported` and points its reference to the transaction that holds the canonical one.
async fn give_way<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, read: &Versioned, other: TransactionId) -> Result<Recorded, Refusal>
where
    S: ImportStore,
    K: Clock,
{
    let change = read.transaction().fail_import(ImportFailure::AlreadyImported, ports.clock.now())?;
    match ports.store.yield_reference(read, &change, other).await.map_err(refused)? {
        Committed::Done(_) => Ok(Recorded::GaveWay),
        Committed::VersionMoved | Committed::OperationExists => Err(Refusal::Unavailable { retry_after: RETRY_AFTER }),
    }
}

/// Tells how an import stands at the end, and what the PSP said where it was asked.
fn tell(transaction: &Transaction, is_new: bool, asked: Option<Asked>) {
    let facts = transaction.facts();
    let failure = facts.import.failure.as_ref();
    tracing::info!(
        space = facts.space.number(),
        transaction = facts.id.number(),
        isNew = is_new,
        amount = facts.import.amount.units(),
        currency = facts.currency.code(),
        connection = facts.connection.as_str(),
        psp = facts.psp,
        importState = facts.import.state.as_str(),
        transactionState = facts.state.as_str(),
        outcome = asked.map(|asked| asked.outcome),
        failure = failure.map(|failure| failure.code.as_str()),
        pspMs = asked.map(|asked| asked.took.millis()),
        "import"
    );
}

async fn known<S: StatusStore>(store: &S, space: SpaceId, id: TransactionId) -> Result<Answer, Refusal> {
    let whole = store.load_whole(space, id).await.map_err(refused)?;
    Ok(Answer { whole: whole.ok_or_else(|| Refusal::internal("a reference without its transaction"))?, is_new: false })
}

/// A new transaction as it was just written, without reading it again.
fn written(head: Versioned, command: &ImportCommand, change: Change) -> WholeTransaction {
    let (properties, operations) = (command.properties.clone(), change.created);
    WholeTransaction { head, properties, operations, interactions: change.interaction.into_iter().collect() }
}

fn pending(head: Versioned, command: &ImportCommand) -> WholeTransaction {
    WholeTransaction { head, properties: command.properties.clone(), operations: vec![], interactions: vec![] }
}
