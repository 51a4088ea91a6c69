//! When the PSP is asked how a payment stands although nothing of ours is open: as long as it is under way, and around the time
//! at which its authorization expires. Webhooks tell it as a rule; this is for those that never come.

use super::{Change, Transaction, TransactionFacts, TransactionState};
use crate::error::Refusal;
use crate::interaction::InteractionKind;
use crate::operation::{Actor, asked_again_after};
use crate::time::{Span, Timestamp};

/// How long before its expiry an authorization is told to be expiring.
const EXPIRING: Span = Span::from_days(1);

/// How often the PSP is asked about an authorization that should have expired: some honour theirs for longer.
const AFTER_EXPIRY: Span = Span::from_days(1);

impl TransactionFacts {
    /// When the payment is looked at next, as far as its state says.
    pub(crate) fn next_watch(&self, now: Timestamp) -> Option<Timestamp> {
        match (self.state, self.authorization_expires_on) {
            (TransactionState::Pending | TransactionState::Confirmed | TransactionState::Processing, _) => {
                Some(now.plus(asked_again_after(now.since(self.created_on))))
            }
            (TransactionState::Authorized, Some(expiry)) => {
                let moments = [expiry.plus(Span::from_millis(-EXPIRING.millis())), expiry];
                Some(moments.into_iter().find(|moment| now < *moment).unwrap_or(now.plus(AFTER_EXPIRY)))
            }
            (TransactionState::Authorized, None)
            | (
                TransactionState::Create
                | TransactionState::Failed
                | TransactionState::Voided
                | TransactionState::Completed
                | TransactionState::Fulfill
                | TransactionState::Decline,
                _,
            ) => None,
        }
    }

    /// Past this moment what is still held may be gone.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.authorization_expires_on.is_some_and(|expiry| expiry <= now)
    }
}

impl Transaction {
    /// When somebody has to come back to this transaction for its own sake; its operations have due times of their own.
    pub fn due_on(&self) -> Option<Timestamp> {
        let facts = self.facts();
        let is_watched = matches!(
            facts.state,
            TransactionState::Pending | TransactionState::Confirmed | TransactionState::Processing | TransactionState::Authorized
        );
        if facts.import.is_done() { facts.watch_on.filter(|_| is_watched) } else { facts.import.due_on }
    }

    /// Moves the due time on before the PSP is asked, so that nobody else asks the same. An authorization that comes near its
    /// end is told to be expiring, once. None where nothing is due.
    pub fn take_watch(&self, now: Timestamp) -> Result<Option<Change>, Refusal> {
        let facts = self.facts();
        if self.due_on().is_none_or(|due| due > now) {
            return Ok(None);
        }
        let mut next = self.next();
        if !facts.import.is_done() {
            next.import.due_on = Some(now.plus(asked_again_after(now.since(facts.created_on))));
            return Ok(Some(self.without_entry(next)?));
        }
        next.watch_on = facts.next_watch(now);
        let is_expiring = facts.state == TransactionState::Authorized && !facts.is_expired(now);
        if !is_expiring || !facts.balance.capturable()?.is_positive() {
            return Ok(Some(self.without_entry(next)?));
        }
        let interaction = self.interaction(&next, InteractionKind::AuthorizationExpiring, Actor::System, now);
        Ok(Some(Change { transaction: Self::checked(next)?, created: vec![], updated: vec![], interaction: Some(interaction) }))
    }

    /// It is no news about the transaction, whose version stays: a reader would look for what was written with a new one.
    fn without_entry(&self, next: TransactionFacts) -> Result<Change, Refusal> {
        let next = TransactionFacts { version: self.version(), ..next };
        Ok(Change { transaction: Self::checked(next)?, created: vec![], updated: vec![], interaction: None })
    }
}
