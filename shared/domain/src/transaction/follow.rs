//! Taking over what the PSP reports about a payment that is already ours: forward in the state, never back.

use super::{Balance, Change, Share, Transaction, TransactionFacts, TransactionState};
use crate::error::Refusal;
use crate::interaction::InteractionKind;
use crate::operation::{Actor, Asked, Operation, OperationKey, OperationKind, OperationState};
use crate::payment::{Movement, PspPayment};
use crate::time::Timestamp;

/// What a reading of the payment says about one operation of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding<'a> {
    Found(&'a Movement),
    NotFound,
    /// More than one movement claims to be it; a person has to look.
    Ambiguous,
}

/// Looks for an operation in a reading: by our reference or by a PSP reference, never by an equal amount. What was
/// adopted has no reference of ours: whatever its maker called it, it is known by the PSP's own id alone.
pub fn find<'a>(operation: &Operation, payment: &'a PspPayment) -> Finding<'a> {
    let mut found = payment.movements.iter().filter(|movement| is_of(operation, movement, payment));
    match (found.next(), found.next()) {
        (None, _) => Finding::NotFound,
        (Some(movement), None) => Finding::Found(movement),
        (Some(_), Some(_)) => Finding::Ambiguous,
    }
}

/// The same for deciding whether to send again: something that the PSP shows without any reference, and that no operation of
/// ours explains, could be this one.
pub fn find_among<'a>(operation: &Operation, operations: &[Operation], payment: &'a PspPayment) -> Asked<'a> {
    let is_unexplained = |movement: &&Movement| !operations.iter().any(|other| explains(other, movement, payment));
    let could_be_it = |movement: &Movement| could_be(operation, movement);
    match find(operation, payment) {
        Finding::Found(movement) => Asked::Found(movement),
        Finding::Ambiguous => Asked::Ambiguous,
        Finding::NotFound if payment.movements.iter().filter(is_unexplained).any(could_be_it) => Asked::Possible,
        Finding::NotFound => Asked::NotFound,
    }
}

/// Whether a movement is known here as this operation.
pub(super) fn explains(operation: &Operation, movement: &Movement, payment: &PspPayment) -> bool {
    let facts = operation.facts();
    is_of(operation, movement, payment) || movement.kind == facts.kind && facts.psp_reference.as_ref() == Some(&movement.psp_reference)
}

/// Whether a movement without any reference may be this operation, of which we have no id of the PSP.
pub(super) fn could_be(operation: &Operation, movement: &Movement) -> bool {
    let facts = operation.facts();
    movement.kind == facts.kind && movement.ours.is_none() && operation.state() != OperationState::Failed && facts.psp_reference.is_none()
}

fn is_of(operation: &Operation, movement: &Movement, payment: &PspPayment) -> bool {
    let facts = operation.facts();
    let is_same = match (&facts.key, &movement.ours) {
        (OperationKey::Adopted(psp_reference), _) => movement.psp_reference == *psp_reference,
        (OperationKey::Caller(_), Some(ours)) => *ours == operation.reference(),
        (OperationKey::Caller(_), None) => {
            facts.psp_reference.as_ref() == Some(&movement.psp_reference) || is_release_of_all(operation, movement, payment)
        }
    };
    movement.kind == facts.kind && is_same
}

/// Some PSPs cancel the payment itself: such a void has no id of its own, takes no reference of ours, and bears the payment's
/// id. A payment is canceled once, and one void at a time is open here, which is for all that is held. So an open one whose
/// answer was lost is this one; and had somebody else canceled, it would be as true that all is released and that ours can
/// do nothing any more. That names the void by an id, not by its amount: another amount is for a person, as everywhere.
fn is_release_of_all(operation: &Operation, movement: &Movement, payment: &PspPayment) -> bool {
    let facts = operation.facts();
    let is_open_void = facts.kind == OperationKind::Void && operation.state().is_open();
    is_open_void && facts.psp_reference.is_none() && movement.psp_reference == payment.reference
}

impl Transaction {
    /// The state that the PSP reports, where it lies ahead and the amount is ours. An authorization whose rest is gone at the
    /// PSP ends here too. What else only our own operations lead to is left to them: without one it raises `needsAttention`.
    ///
    /// What the PSP did and nobody asked for here is to be adopted first.
    pub fn follow(&self, payment: &PspPayment, now: Timestamp) -> Result<Option<Change>, Refusal> {
        let facts = self.facts();
        let goal = payment.goal();
        let is_late = payment.state.comes_before(facts.state) || goal == facts.state;
        if !facts.import.is_done() || is_late {
            return Ok(None);
        }
        let is_our_amount = payment.authorized == self.money(facts.balance.authorized);
        let is_legal = is_our_amount && facts.state.steps_to(goal).is_some();
        let mut next = self.next();
        let (kind, detail) = match () {
            () if is_legal && self.is_under_way() => next.catch_up(payment, now)?,
            () if is_legal && self.rest_is_gone(payment)? => next.release_rest(goal, now)?,
            () if facts.needs_attention || is_legal && self.may_come_to(goal) => return Ok(None),
            () => {
                next.needs_attention = true;
                let what = if is_our_amount { payment.state.as_str() } else { "another amount or currency" };
                (InteractionKind::AttentionRaised, Some(format!("the PSP reports {what}")))
            }
        };
        let mut interaction = self.interaction(&next, kind, Actor::Psp, now);
        interaction.detail = detail;
        Ok(Some(Change { transaction: Self::checked(next)?, created: vec![], updated: vec![], interaction: Some(interaction) }))
    }

    /// Nothing is held yet, so no operation of ours can have led further.
    pub(super) fn is_under_way(&self) -> bool {
        let facts = self.facts();
        facts.state != TransactionState::Authorized && facts.state.comes_before(TransactionState::Authorized)
    }

    /// Nothing of ours is open, and what is held and not captured here the PSP has released: by a void or because it expired.
    fn rest_is_gone(&self, payment: &PspPayment) -> Result<bool, Refusal> {
        let Balance { authorized, captured, capture_pending, void_pending, .. } = self.facts().balance;
        let is_all_released = match payment.goal() {
            TransactionState::Voided => captured.is_zero(),
            goal => goal == TransactionState::Fulfill && payment.released == authorized.minus(captured)?,
        };
        let is_held = self.facts().state == TransactionState::Authorized;
        Ok(is_held && is_all_released && capture_pending.is_zero() && void_pending.is_zero())
    }

    /// An open operation of ours explains the report; it moves the state itself when it settles.
    fn may_come_to(&self, goal: TransactionState) -> bool {
        let facts = self.facts();
        facts.void_is_open || goal != TransactionState::Voided && facts.balance.capture_pending.is_positive()
    }
}

impl TransactionFacts {
    /// Takes over what comes with the authorization. Captures that came with it, too, are adopted by themselves.
    fn catch_up(&mut self, payment: &PspPayment, now: Timestamp) -> Result<(InteractionKind, Option<String>), Refusal> {
        self.authorized_on = payment.authorized_on;
        self.authorization_expires_on = payment.expires_on;
        self.keeps_rest = payment.keeps_rest;
        self.failure = payment.failure.clone();
        let caught_up = match payment.goal() {
            TransactionState::Voided => self.release_rest(TransactionState::Voided, now),
            TransactionState::Fulfill if payment.released.is_positive() && payment.released == self.balance.capturable()? => {
                self.release_rest(TransactionState::Fulfill, now)
            }
            goal => {
                let steps = self.advance(goal, now);
                Ok((InteractionKind::of_state(self.state), steps))
            }
        };
        self.watch_on = self.next_watch(now);
        caught_up
    }

    fn release_rest(&mut self, goal: TransactionState, now: Timestamp) -> Result<(InteractionKind, Option<String>), Refusal> {
        self.balance = self.balance.add(Share::Void, self.balance.capturable()?)?;
        // A payment that ends as if captured, and was not: what was captured has failed before it was seen here.
        self.needs_attention |= goal == TransactionState::Fulfill && self.balance.captured.plus(self.balance.capture_pending)?.is_zero();
        let steps = self.advance(goal, now);
        let kind = if self.is_expired(now) { InteractionKind::AuthorizationExpired } else { InteractionKind::of_state(self.state) };
        Ok((kind, steps))
    }
}
