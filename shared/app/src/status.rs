//! Status: what is known about a transaction. It never talks to a PSP, because nothing here could.

use crate::ports::store::{Page, Search, StatusStore, WholeTransaction};
use crate::retry::refused;
use domain::id::{OperationId, SpaceId, TransactionId};
use domain::{Operation, OperationKind, Refusal};

/// The whole transaction: properties, operations and log.
pub async fn transaction<S: StatusStore>(store: &S, space: SpaceId, id: TransactionId) -> Result<WholeTransaction, Refusal> {
    store.load_whole(space, id).await.map_err(refused)?.ok_or(Refusal::TransactionNotFound)
}

/// One operation together with its transaction.
pub async fn operation<S: StatusStore>(
    store: &S,
    space: SpaceId,
    id: TransactionId,
    kind: OperationKind,
    operation: OperationId,
) -> Result<(WholeTransaction, Operation), Refusal> {
    let whole = transaction(store, space, id).await?;
    let found = whole.operations.iter().find(|known| known.facts().kind == kind && known.facts().id == operation);
    let found = found.cloned().ok_or(Refusal::OperationNotFound)?;
    Ok((whole, found))
}

/// A page of the transactions of a space, newest first.
pub async fn search<S: StatusStore>(store: &S, space: SpaceId, search: &Search) -> Result<Page, Refusal> {
    store.search(space, search).await.map_err(refused)
}
