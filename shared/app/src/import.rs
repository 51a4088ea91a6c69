//! Import: adopt a payment that exists at the PSP, once, in the state that it has there.
//!
//! The command is stored with its reference before the PSP is asked, so a second import of the same payment meets the first
//! one, and an answer that never comes leaves IMPORT_PENDING behind instead of nothing.

use crate::money_command::{Ports, back_off, refused};
use crate::ports::psp::{Psp, Reading};
use crate::ports::store::{BegunImport, Committed, FinishedImport, ImportStore, StatusStore, StoreError, Versioned, WholeTransaction};
use crate::ports::{Clock, Connections, NoConnection, Source};
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
const RETRY_AFTER: Span = Span::from_seconds(1);

/// Adopts a payment; sent again it answers with the transaction that it made, corrected after a failure it tries again.
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
            tracing::error!(%space, connection = %command.connection, detail, "the connection cannot be used");
            Refusal::Unavailable { retry_after: Span::from_seconds(30) }
        }
    })?;
    match begin(ports, space, command, psp.name()).await? {
        Begun::New(read) => ask(ports, psp.as_ref(), command, read, true).await,
        Begun::Again(read) => ask(ports, psp.as_ref(), command, read, false).await,
        Begun::Known(id) => known(ports, space, id).await,
    }
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
    for attempt in 0..TRIES {
        back_off(ports.clock, ports.source, attempt).await;
        let now = ports.clock.now();
        let id = TransactionId::draw(now, ports.source.number());
        let transaction = Transaction::begin_import(id, space, psp, command, now)?;
        let existing = match ports.store.begin_import(&transaction, &command.properties).await {
            Ok(BegunImport::Begun(read)) => return Ok(Begun::New(read)),
            Ok(BegunImport::IdTaken) => continue,
            Ok(BegunImport::ReferenceTaken(id)) => id,
            // If it was stored after all, the next try finds its own reference taken and carries on with it.
            Err(StoreError::Unavailable(detail)) => {
                tracing::warn!(detail, "the import may or may not be stored: trying again");
                continue;
            }
            Err(error) => return Err(refused(error)),
        };
        let Some(read) = ports.store.load_head(space, existing).await.map_err(refused)? else {
            continue;
        };
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
        ImportState::Completed | ImportState::Ok => Err(Refusal::AlreadyImported { transaction: transaction.facts().id }),
        ImportState::Pending if is_same => Ok(Some(Begun::Again(read))),
        ImportState::Pending | ImportState::Failed => {
            let change = transaction.replace_import(command, now)?;
            match store.replace_import(&read, &change, &command.properties).await.map_err(refused)? {
                Committed::Done(read) => Ok(Some(Begun::Again(read))),
                Committed::VersionMoved | Committed::OperationExists => Ok(None),
            }
        }
    }
}

/// Asks the PSP and stores what it means. A PSP that cannot be asked leaves the import pending.
async fn ask<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    psp: &dyn Psp,
    command: &ImportCommand,
    begun: Versioned,
    is_new: bool,
) -> Result<Answer, Refusal>
where
    S: ImportStore + StatusStore,
    K: Clock,
    R: Source,
{
    let reading = match psp.capabilities().reads_payments {
        true => psp.read(&command.psp_reference).await,
        false => Reading::Unavailable { detail: "the PSP has no read: its webhook verifies the payment".to_owned(), retry_after: None },
    };
    let (space, id) = (begun.transaction().facts().space, begun.transaction().facts().id);
    let epoch = begun.transaction().facts().import.epoch;
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
            return Ok(Answer { is_new, ..known(ports, space, id).await? });
        }
        let now = ports.clock.now();
        let change = match &reading {
            Reading::Found(payment) => read.transaction().complete_import(payment, psp.capabilities(), now)?,
            Reading::NotFound => read.transaction().fail_import(ImportFailure::NotFoundAtPsp, now)?,
            Reading::Unavailable { detail, .. } => {
                tracing::warn!(transaction = %id, detail, "the PSP could not be asked: the import stays pending");
                break;
            }
        };
        match ports.store.finish_import(&read, &change).await {
            Ok(FinishedImport::Done(head)) => return Ok(Answer { whole: whole(head, command, change), is_new }),
            Ok(FinishedImport::ReferenceTaken(other)) => return yield_to(ports, command, read, other).await,
            Ok(FinishedImport::VersionMoved) => {}
            Err(error) => tracing::warn!(transaction = %id, ?error, "the result of an import could not be stored: trying again"),
        }
    }
    Ok(Answer { whole: pending(read, command), is_new })
}

/// The payment is known under its canonical reference: this import gives way and answers like a second import of that one.
async fn yield_to<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    command: &ImportCommand,
    read: Versioned,
    other: TransactionId,
) -> Result<Answer, Refusal>
where
    S: ImportStore + StatusStore,
    K: Clock,
    R: Source,
{
    let space = read.transaction().facts().space;
    let change = read.transaction().fail_import(ImportFailure::AlreadyImported, ports.clock.now())?;
    match ports.store.yield_reference(&read, &change, other).await.map_err(refused)? {
        Committed::Done(_) => {}
        Committed::VersionMoved | Committed::OperationExists => return Err(Refusal::Unavailable { retry_after: RETRY_AFTER }),
    }
    let first = ports
        .store
        .load_head(space, other)
        .await
        .map_err(refused)?
        .ok_or_else(|| Refusal::internal("a reference without its transaction"))?;
    match first.transaction().is_same_import(command)? {
        true => known(ports, space, other).await,
        false => Err(Refusal::AlreadyImported { transaction: other }),
    }
}

async fn known<S: StatusStore, C, K, R>(ports: &Ports<'_, S, C, K, R>, space: SpaceId, id: TransactionId) -> Result<Answer, Refusal> {
    let whole = ports.store.load_whole(space, id).await.map_err(refused)?;
    Ok(Answer { whole: whole.ok_or_else(|| Refusal::internal("a reference without its transaction"))?, is_new: false })
}

/// The transaction as it was just written, without reading it again.
fn whole(head: Versioned, command: &ImportCommand, change: Change) -> WholeTransaction {
    WholeTransaction {
        head,
        properties: command.properties.clone(),
        operations: change.created,
        interactions: change.interaction.into_iter().collect(),
    }
}

fn pending(head: Versioned, command: &ImportCommand) -> WholeTransaction {
    WholeTransaction { head, properties: command.properties.clone(), operations: vec![], interactions: vec![] }
}
