//! Taking over what the PSP reports about a payment that is already ours: forward in the state, never back.

use super::{Balance, Change, Share, Transaction, TransactionState};
use crate::error::Refusal;
use crate::interaction::InteractionKind;
use crate::operation::{Actor, Operation};
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

/// Looks for an operation in a reading: by our reference or by the stored PSP reference, never by an equal amount.
pub fn find<'a>(operation: &Operation, payment: &'a PspPayment) -> Finding<'a> {
    let facts = operation.facts();
    let reference = operation.reference();
    let is_it = |movement: &&Movement| {
        let ours = movement.ours.as_ref() == Some(&reference);
        let same = facts.psp_reference.as_ref() == Some(&movement.psp_reference) && movement.ours.is_none();
        movement.kind == facts.kind && (ours || same)
    };
    let mut found = payment.movements.iter().filter(is_it);
    match (found.next(), found.next()) {
        (None, _) => Finding::NotFound,
        (Some(movement), None) => Finding::Found(movement),
        (Some(_), Some(_)) => Finding::Ambiguous,
    }
}

impl Transaction {
    /// The state that the PSP reports, where it lies ahead. An authorization that nobody has touched and that is gone at the
    /// PSP is voided. What else only our own operations lead to is left to them: without one it raises `needsAttention`.
    pub fn follow(&self, payment: &PspPayment, now: Timestamp) -> Result<Option<Change>, Refusal> {
        let facts = self.facts();
        let reported = payment.state;
        if !facts.import.is_done() || reported == facts.state || reported.comes_before(facts.state) {
            return Ok(None);
        }
        let mut next = self.next();
        let ahead = matches!(facts.state, TransactionState::Pending | TransactionState::Confirmed | TransactionState::Processing);
        let (kind, detail) = match facts.state.steps_to(reported) {
            Some(_) if ahead => {
                next.authorized_on = payment.authorized_on;
                next.authorization_expires_on = payment.expires_on;
                next.failure = payment.failure.clone();
                let target = if reported == TransactionState::Completed { TransactionState::Fulfill } else { reported };
                let steps = next.advance(target, now);
                (InteractionKind::of_state(next.state), steps)
            }
            Some(_) if reported == TransactionState::Voided && self.is_untouched() => {
                next.balance = next.balance.add(Share::Void, next.balance.capturable()?)?;
                let steps = next.advance(reported, now);
                (InteractionKind::of_state(next.state), steps)
            }
            _ if facts.needs_attention => return Ok(None),
            _ => {
                next.needs_attention = true;
                (InteractionKind::AttentionRaised, Some(format!("the PSP reports {}", reported.as_str())))
            }
        };
        let mut interaction = self.interaction(&next, kind, Actor::Psp, now);
        interaction.detail = detail;
        Ok(Some(Change { transaction: Self::checked(next)?, created: vec![], updated: vec![], interaction: Some(interaction) }))
    }

    /// Nothing was captured or released, and nothing is under way.
    fn is_untouched(&self) -> bool {
        let Balance { captured, capture_pending, voided, void_pending, .. } = self.facts().balance;
        [captured, capture_pending, voided, void_pending].iter().all(|amount| amount.is_zero())
    }
}
