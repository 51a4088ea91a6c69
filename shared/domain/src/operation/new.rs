//! An operation at its beginning: decided and reserved, not sent.

use super::{Actor, Operation, OperationFacts, OperationKey, OperationKind, OperationState, Sending};
use crate::error::Refusal;
use crate::id::{IdempotencyKey, OperationId};
use crate::money::Minor;
use crate::time::Timestamp;
use crate::transaction::Transaction;

/// What a new operation needs beside the command: drawn by the use case from its ports.
#[derive(Clone, Debug)]
pub struct NewOperation {
    pub key: IdempotencyKey,
    /// The fingerprint of the command.
    pub command: String,
    pub sending: Sending,
    pub now: Timestamp,
}

/// An operation in REQUESTED with what every kind has; `fill` adds what only its kind has.
pub(super) fn new_operation(
    transaction: &Transaction,
    version: u64,
    new: NewOperation,
    kind: OperationKind,
    amount: Minor,
    fill: impl FnOnce(OperationFacts) -> OperationFacts,
) -> Result<Operation, Refusal> {
    let facts = transaction.facts();
    let id = OperationId::new(version).ok_or_else(|| Refusal::internal("an operation id out of range"))?;
    let blank = OperationFacts {
        space: facts.space,
        transaction: facts.id,
        id,
        version,
        kind,
        key: OperationKey::Caller(new.key),
        command: new.command,
        state: OperationState::Requested,
        amount,
        currency: facts.currency,
        is_final: false,
        releases: Minor::ZERO,
        capture: None,
        reason: None,
        note: None,
        line_items: vec![],
        merchant_reference: None,
        psp_reference: None,
        actor: Actor::Caller,
        created_on: new.now,
        settled_on: None,
        reversed_on: None,
        failure: None,
        due_on: Some(new.sending.lease_until),
        sending: Some(new.sending),
        refunded: Minor::ZERO,
        refund_pending: Minor::ZERO,
    };
    Operation::restore(fill(blank)).map_err(Refusal::internal)
}
