//! A person settles an operation in MANUAL_CHECK. No PSP is asked: whoever resolves has done that.

use crate::metric;
use crate::money_command::{Answer, bound_capture};
use crate::ports::store::{CommandStore, Committed};
use crate::ports::{Clock, Ports, Source};
use crate::retry::{RETRY_AFTER, back_off, refused};
use domain::id::{OperationId, SpaceId, TransactionId};
use domain::operation::ResolveCommand;
use domain::{Operation, OperationKind, Refusal};

const TRIES: u32 = 8;

/// Records what a person found out; the same found out twice is recorded once.
pub async fn resolve<S, C, K, R>(
    ports: &Ports<'_, S, C, K, R>,
    space: SpaceId,
    id: TransactionId,
    kind: OperationKind,
    operation: OperationId,
    command: &ResolveCommand,
) -> Result<Answer, Refusal>
where
    S: CommandStore,
    K: Clock,
    R: Source,
{
    for attempt in 0..TRIES {
        back_off(ports.clock, ports.source, attempt).await;
        let Some(read) = ports.store.load_head(space, id).await.map_err(refused)? else {
            return Err(Refusal::TransactionNotFound);
        };
        let operations = ports.store.load_operations(space, id, kind).await.map_err(refused)?;
        let found = operations.iter().find(|stored| stored.facts().id == operation).ok_or(Refusal::OperationNotFound)?;
        let captures = match found.bound_capture() {
            Some(_) => ports.store.load_operations(space, id, OperationKind::Capture).await.map_err(refused)?,
            None => vec![],
        };
        let transaction = read.transaction();
        let Some(change) = transaction.resolve(found, bound_capture(found, &captures), command, ports.clock.now())? else {
            return Ok(Answer { transaction: transaction.clone(), operation: found.clone(), is_new: false });
        };
        match ports.store.commit(&read, &change).await {
            Ok(Committed::Done(read)) => {
                let settled = change.updated.into_iter().find(|after| after.facts().id == operation);
                let operation = settled.unwrap_or_else(|| found.clone());
                metric::operation(operation.state());
                tell(&operation);
                return Ok(Answer { transaction: read.transaction().clone(), operation, is_new: true });
            }
            Ok(Committed::VersionMoved | Committed::OperationExists) => {}
            // It may be stored all the same: the next reading tells.
            Err(error) => tracing::warn!(transaction = id.number(), ?error, "what a person found out may or may not be stored"),
        }
    }
    Err(Refusal::Unavailable { retry_after: RETRY_AFTER })
}

fn tell(operation: &Operation) {
    let facts = operation.facts();
    tracing::info!(
        space = facts.space.number(),
        transaction = facts.transaction.number(),
        kind = facts.kind.as_str(),
        operation = facts.id.number(),
        amount = facts.amount.units(),
        currency = facts.currency.code(),
        stateAfter = facts.state.as_str(),
        "an operation was settled by a person"
    );
}
