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
use domain::id::{SpaceId, TransactionId};
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
                tell(&answer, None);
                return Ok(answer);
            }
        };
        let (reading, asked) = match psp.capabilities().reads_payments {
            true => {
                let (reading, asked) = ask(ports.clock, psp.as_ref(), &command.psp_reference).await;
                (reading, Some(asked))
            }
            false => {
                let detail = "the PSP has no read: its webhook verifies the payment".to_owned();
                (Reading::Unavailable { detail, retry_after: None }, None)
            }
        };
        if let Some(answer) = record(ports, psp.as_ref(), command, read, is_new, reading).await? {
            tell(&answer, asked);
            return Ok(answer);
        }
    }
    Err(Refusal::Unavailable { retry_after: RETRY_AFTER })
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
        ImportState::Failed => {
            let change = transaction.replace_import(command, now)?;
            match store.replace_import(&read, &change, &command.properties).await.map_err(refused)? {
                Committed::Done(read) => Ok(Some(Begun::Again(read))),
                Committed::VersionMoved | Committed::OperationExists => Ok(None),
            }
        }
    }
}

/// Stores what the PSP's answer means. A PSP that cannot be asked leaves the import pending. None where the payment is known
/// under its canonical reference, to which this import has given way.
///
/// A reading counts only if the payment was known here by its canonical reference before the PSP was asked. The PSP's webhooks
/// name that one: one that does not find it leaves the payment to the import, and what it is about may be newer than a reading
/// that was on its way. So whoever reads such a payment by another id stores the reference and asks again. Whatever dies in
/// between leaves a pending import; whatever webhook comes in between finds it and stays due.
async fn record<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    psp: &dyn Psp,
    command: &ImportCommand,
    begun: Versioned,
    is_new: bool,
    mut reading: Reading,
) -> Result<Option<Answer>, Refusal>
where
    S: ImportStore + StatusStore,
    K: Clock,
    R: Source,
{
    let (space, id) = (begun.transaction().facts().space, begun.transaction().facts().id);
    let epoch = begun.transaction().facts().import.epoch;
    let mut read = begun;
    let mut known_by = command.psp_reference.clone();
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
            // Somebody else finished or replaced it; what stands there now may be another command's.
            return match read.transaction().is_same_import(command)? {
                true => Ok(Some(Answer { is_new, ..known(ports.store, space, id).await? })),
                false => Err(Refusal::AlreadyImported { transaction: id }),
            };
        }
        let now = ports.clock.now();
        let change = match &reading {
            Reading::Found(payment) => read.transaction().complete_import(payment, psp.capabilities(), now)?,
            Reading::NotFound => read.transaction().fail_import(ImportFailure::NotFoundAtPsp, now)?,
            Reading::CredentialsRefused => {
                tracing::error!(transaction = id.number(), "the PSP does not accept our credentials: the import stays pending");
                break;
            }
            Reading::Unavailable { detail, .. } => {
                tracing::warn!(transaction = id.number(), detail, "the PSP could not be asked: the import stays pending");
                break;
            }
        };
        let facts = change.transaction.facts();
        if facts.import.is_done() && facts.psp_reference != known_by {
            match ports.store.hold_reference(&read, &facts.psp_reference).await {
                Ok(HeldReference::Ours) => {
                    (reading, _) = ask(ports.clock, psp, &facts.psp_reference).await;
                    known_by = facts.psp_reference.clone();
                }
                Ok(HeldReference::Taken(other)) => return give_way(ports, &read, other).await.map(|()| None),
                Err(error) => tracing::warn!(transaction = id.number(), ?error, "a reference could not be stored: trying again"),
            }
            continue;
        }
        match ports.store.finish_import(&read, &change).await {
            Ok(FinishedImport::Done(head)) if is_new => return Ok(Some(Answer { whole: written(head, command, change), is_new })),
            Ok(FinishedImport::Done(_)) => return known(ports.store, space, id).await.map(Some),
            Ok(FinishedImport::ReferenceTaken(other)) => return give_way(ports, &read, other).await.map(|()| None),
            Ok(FinishedImport::VersionMoved) => {}
            Err(error) => tracing::warn!(transaction = id.number(), ?error, "the result of an import could not be stored: trying again"),
        }
    }
    match is_new {
        true => Ok(Some(Answer { whole: pending(read, command), is_new })),
        false => known(ports.store, space, id).await.map(Some),
    }
}

/// Ends this import as `already-imported` and points its reference to the transaction that holds the canonical one.
async fn give_way<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, read: &Versioned, other: TransactionId) -> Result<(), Refusal>
where
    S: ImportStore,
    K: Clock,
{
    let change = read.transaction().fail_import(ImportFailure::AlreadyImported, ports.clock.now())?;
    match ports.store.yield_reference(read, &change, other).await.map_err(refused)? {
        Committed::Done(_) => Ok(()),
        Committed::VersionMoved | Committed::OperationExists => Err(Refusal::Unavailable { retry_after: RETRY_AFTER }),
    }
}

/// Tells how an import stands at the end, and what the PSP said where it was asked.
fn tell(answer: &Answer, asked: Option<Asked>) {
    let facts = answer.whole.head.transaction().facts();
    let failure = facts.import.failure.as_ref();
    tracing::info!(
        space = facts.space.number(),
        transaction = facts.id.number(),
        isNew = answer.is_new,
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
