//! Captures and refunds that exist at the PSP and that nobody asked for here: somebody made them in the PSP's back office. They
//! become operations like all others, even past a limit, because that is what has happened to the money.

use super::follow::{could_be, explains};
use super::{Change, Share, Transaction};
use crate::error::Refusal;
use crate::id::OperationId;
use crate::interaction::InteractionKind;
use crate::operation::{Actor, Operation, OperationKind, OperationState, adopt};
use crate::payment::{Movement, PspPayment};
use crate::time::Timestamp;

impl Transaction {
    /// Whether a reading shows what is left alone only as long as an operation is open: a movement that may be this operation or
    /// somebody else's, a state that it may lead to or not. Once it has settled somebody has to come back.
    pub fn is_undecided(&self, operations: &[Operation], payment: &PspPayment) -> bool {
        let is_strange = |movement: &&Movement| !operations.iter().any(|operation| explains(operation, movement, payment));
        let is_ahead = self.facts().state.steps_to(payment.goal()).is_some_and(|steps| !steps.is_empty());
        let mut open = operations.iter().filter(|operation| operation.state().is_open());
        open.any(|open| is_ahead || payment.movements.iter().filter(is_strange).any(|movement| could_be(open, movement)))
    }

    /// The commit that takes over the first one, or none. What an open operation of ours could be is left to that one; what has
    /// failed moved nothing; what is released has no operation of its own (`follow`).
    pub fn adopt(&self, operations: &[Operation], payment: &PspPayment, now: Timestamp) -> Result<Option<Change>, Refusal> {
        let facts = self.facts();
        let is_strange = |movement: &&Movement| {
            movement.kind != OperationKind::Void
                && movement.money.currency == facts.currency
                && OperationState::from(&movement.state) != OperationState::Failed
                && !operations.iter().any(|operation| explains(operation, movement, payment) || could_be(operation, movement))
        };
        let Some(movement) = payment.movements.iter().find(is_strange).filter(|_| facts.import.is_done()) else {
            return Ok(None);
        };
        let mut next = self.next();
        let id = OperationId::new(next.version).ok_or_else(|| Refusal::internal("an operation id out of range"))?;
        let adopted = adopt(facts.space, facts.id, id, movement, now)?;
        let (share, amount) = (Share::of(movement.kind), movement.money.amount);
        next.balance = match adopted.state() {
            OperationState::Successful => next.balance.add(share, amount)?,
            _ => next.balance.reserve(share, amount)?,
        };
        // What comes with the authorization itself is how the shop takes money; later ones nobody expects.
        next.needs_attention |= !self.is_under_way();
        let steps = next.conclude(now)?;
        let interaction = self.interaction(&next, InteractionKind::of_operation(movement.kind, adopted.state())?, Actor::Psp, now);
        let created = vec![adopted.clone()];
        let change = Change { transaction: Self::checked(next)?, created, updated: vec![], interaction: Some(interaction) };
        Ok(Some(change.about(&adopted, steps)))
    }
}
