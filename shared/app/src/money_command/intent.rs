//! Write 1: the operation and its reservation, decided on what was read and stored on condition that it still holds.

use super::{Answer, MoneyCommand, Request, Stored, TIME_FOR_CALL, captures_for, open};
use crate::ports::psp::Psp;
use crate::ports::store::{CommandStore, Committed, StatusStore, StoreError, Versioned};
use crate::ports::{Clock, Connections, Ports, Source};
use crate::refresh::refresh;
use crate::retry::{RETRY_AFTER, back_off, refused};
use domain::operation::{NewOperation, Sending};
use domain::planted::{Bug, is_planted};
use domain::time::Span;
use domain::{Operation, OperationKind, OperationState, Refusal};
use futures_util::future::select;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;

pub(super) enum Intent {
    /// The key was known: what is stored is repeated.
    Known(Box<Answer>),
    /// Stored by this request, which may now send it.
    Stored(Box<Stored>, Arc<dyn Psp>),
}

/// Conflicts are decided again on what is then stored; each loser of a round meets one winner fewer in the next.
const DECISIONS: u32 = 24;
/// How long a command waits at most for the PSP to tell about what holds it back.
const TIME_FOR_REPAIR: Span = Span::from_seconds(8);

/// Reads, decides and writes the intent, again as long as somebody else is faster.
///
/// A write whose answer got lost may be stored all the same. The lease tells: an operation that carries it is ours to send,
/// whatever the write seemed to answer, and any other operation of the key is somebody else's.
pub(super) async fn store<M, S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &M) -> Result<Intent, Refusal>
where
    M: MoneyCommand,
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let fingerprint = fingerprint(&command.canonical());
    let (lease, psp_key) = (ports.source.unique(), ports.source.unique());
    let mut psp: Option<Arc<dyn Psp>> = None;
    // The last write may be stored although we were not told.
    let mut in_doubt = false;
    let mut is_repaired = false;
    for attempt in 0..DECISIONS {
        back_off(ports.clock, ports.source, attempt).await;
        if attempt > 0 && request.deadline.since(ports.clock.now()) < TIME_FOR_CALL {
            break;
        }
        let (read, known) = match ports.store.load_for_command(request.space, request.transaction, M::KIND, &request.key).await {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return Err(Refusal::TransactionNotFound),
            Err(StoreError::Unavailable(_)) if in_doubt => continue,
            Err(error) => return Err(refused(error)),
        };
        let opened = match (&known, &psp) {
            (Some(operation), _) if !operation.is_leased_by(&lease) => return repeat(&fingerprint, read, operation.clone()),
            (_, Some(opened)) => Arc::clone(opened),
            (_, None) => open(ports.connections, read.transaction()).await?,
        };
        psp = Some(Arc::clone(&opened));
        if let Some(operation) = known {
            match captures_for(ports.store, &operation).await {
                Ok(captures) => return Ok(Intent::Stored(Box::new(Stored { read, operation, captures }), opened)),
                Err(_) => continue,
            }
        }
        let captures = match command.needs_captures(opened.capabilities()) {
            true => ports.store.load_operations(request.space, request.transaction, OperationKind::Capture).await.map_err(refused)?,
            false => vec![],
        };
        let now = ports.clock.now();
        let sending = Sending::begin(psp_key.clone(), lease.clone(), now);
        let new = NewOperation { key: request.key.clone(), command: fingerprint.clone(), sending, now };
        let transaction = read.transaction();
        let decided =
            request.precondition.check(transaction).and_then(|()| command.decide(transaction, &captures, opened.capabilities(), new));
        let change = match decided {
            Ok(change) => change,
            // It may be our own reservation that stands in the way, read before our operation could be seen.
            Err(_) if std::mem::take(&mut in_doubt) => continue,
            Err(Refusal::OperationInDoubt { .. }) if !std::mem::replace(&mut is_repaired, true) => {
                repair(ports, request, opened.as_ref()).await;
                continue;
            }
            Err(Refusal::OperationInDoubt { .. }) if waits_for_person(ports.store, request).await => {
                return Err(Refusal::OperationInDoubt { retry_after: None });
            }
            Err(refusal) => return Err(refusal),
        };
        let committed = match is_planted(Bug::NoDurableIntent) {
            true => Ok(Committed::Done(Versioned::as_read(change.transaction.clone()))),
            false => ports.store.commit(&read, &change).await,
        };
        match committed {
            Ok(Committed::Done(read)) => {
                let operation = change.created.into_iter().next().ok_or_else(|| Refusal::internal("an intent without an operation"))?;
                let version = read.transaction().version();
                let captures = change.updated.into_iter().map(|capture| capture.written_at(version)).collect();
                return Ok(Intent::Stored(Box::new(Stored { read, operation, captures }), opened));
            }
            Ok(Committed::VersionMoved | Committed::OperationExists) => {}
            Err(StoreError::Unavailable(detail)) => {
                tracing::warn!(transaction = request.transaction.number(), detail, "the intent may or may not be stored: reading again");
                in_doubt = true;
            }
            Err(inconsistent @ StoreError::Inconsistent { .. }) => return Err(refused(inconsistent)),
        }
    }
    Err(Refusal::Unavailable { retry_after: RETRY_AFTER })
}

/// Lets what holds a command back be settled by what the PSP says about it now. Nothing is sent, so nobody needs a right to it.
async fn repair<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, psp: &dyn Psp)
where
    S: CommandStore + StatusStore,
    K: Clock,
    R: Source,
{
    let left = request.deadline.since(ports.clock.now()).minus(TIME_FOR_CALL);
    let asking = Box::pin(async {
        match ports.store.load_whole(request.space, request.transaction).await {
            Ok(Some(whole)) => drop(refresh(ports, psp, whole).await),
            Ok(None) => {}
            Err(error) => tracing::warn!(transaction = request.transaction.number(), ?error, "what holds a command back cannot be read"),
        }
    });
    drop(select(asking, Box::pin(ports.clock.sleep(TIME_FOR_REPAIR.min(left)))).await);
}

/// Whether what holds a command back is for a person to decide: then nobody can tell when to come back. It is an open capture or
/// void, and any: a final capture and a void are open alone, and every open capture holds those back.
async fn waits_for_person<S: CommandStore>(store: &S, request: &Request) -> bool {
    for kind in [OperationKind::Capture, OperationKind::Void] {
        match store.load_operations(request.space, request.transaction, kind).await {
            Ok(operations) if operations.iter().any(|operation| operation.state() == OperationState::ManualCheck) => return true,
            Ok(_) => {}
            Err(error) => tracing::warn!(transaction = request.transaction.number(), ?error, "what holds a command back cannot be read"),
        }
    }
    false
}

/// The answer to a key that is known: the operation as it stands, if the command is the same.
fn repeat(fingerprint: &str, read: Versioned, operation: Operation) -> Result<Intent, Refusal> {
    match operation.facts().command == fingerprint {
        true => Ok(Intent::Known(Box::new(Answer { transaction: read.transaction().clone(), operation, is_new: false }))),
        false => Err(Refusal::IdempotencyKeyReused),
    }
}

/// SHA-256 of the canonical command: of equal length however many lines it has.
fn fingerprint(canonical: &str) -> String {
    Sha256::digest(canonical.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
