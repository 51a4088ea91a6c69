//! When and how much may be given back.

use super::command::asked_amount;
use super::new::new_operation;
use super::{NewOperation, Operation, OperationFacts, OperationKind, OperationReason, OperationState, RefundCommand, RefundTarget};
use crate::capability::Capabilities;
use crate::error::{Refusal, both};
use crate::id::{OperationId, OperationReference, PspReference};
use crate::money::{Minor, Money};
use crate::transaction::{Balance, Change, Share, Transaction};

/// A decided and reserved refund, ready to be sent. Made of a stored operation and of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOrder {
    payment: PspReference,
    capture: Option<PspReference>,
    money: Money,
    reason: Option<OperationReason>,
    reference: OperationReference,
    psp_key: String,
}

impl RefundOrder {
    /// `bound` is the capture that the refund belongs to, where it has one.
    pub fn of(transaction: &Transaction, operation: &Operation, bound: Option<&Operation>) -> Result<Self, Refusal> {
        let facts = operation.facts();
        if facts.kind != OperationKind::Refund || facts.capture != bound.map(|capture| capture.facts().id) {
            return Err(Refusal::internal("an order to refund of another operation, or without its capture"));
        }
        Ok(Self {
            payment: transaction.facts().psp_reference.clone(),
            capture: bound.and_then(|capture| capture.facts().psp_reference.clone()),
            money: Money::new(facts.amount, facts.currency),
            reason: facts.reason,
            reference: operation.reference(),
            psp_key: operation.psp_key()?,
        })
    }

    pub fn payment(&self) -> &PspReference {
        &self.payment
    }

    /// The PSP's id of the capture that the refund belongs to.
    pub fn capture(&self) -> Option<&PspReference> {
        self.capture.as_ref()
    }

    pub fn money(&self) -> Money {
        self.money
    }

    pub fn reason(&self) -> Option<OperationReason> {
        self.reason
    }

    pub fn reference(&self) -> &OperationReference {
        &self.reference
    }

    pub fn psp_key(&self) -> &str {
        &self.psp_key
    }
}

impl RefundCommand {
    /// Whether the captures of the transaction must be read to decide: only then does a refund cost one more read.
    pub fn needs_captures(&self, can: &Capabilities) -> bool {
        self.target.is_some() || can.refunds_per_capture
    }
}

impl Transaction {
    /// Decides on a refund and sets its amount aside, in the balance and in the capture that it belongs to.
    pub fn request_refund(
        &self,
        command: &RefundCommand,
        captures: &[Operation],
        can: &Capabilities,
        new: NewOperation,
    ) -> Result<Change, Refusal> {
        let facts = self.facts();
        let asked = asked_amount(command.amount, &command.line_items, facts.currency);
        let named = named_capture(command, captures);
        let ((), (named, asked)) = both(self.may_be_refunded(), both(named, asked))?;
        let refundable = refundable(&facts.balance, named)?;
        let amount = asked.unwrap_or(refundable);
        if !amount.is_positive() || amount > refundable {
            return Err(self.exceeds(amount, named)?);
        }
        let capture = match named {
            None if can.refunds_per_capture => Some(oldest_that_holds(amount, captures)?),
            named => named,
        };
        if amount < facts.balance.captured && !can.refunds_in_part {
            return Err(Refusal::NotSupportedByPsp { detail: "The PSP refunds only the whole captured amount." });
        }

        let mut next = self.next();
        next.balance = next.balance.reserve(Share::Refund, amount)?;
        let operation = new_operation(self, next.version, new, OperationKind::Refund, amount, |operation| OperationFacts {
            capture: capture.map(|capture| capture.facts().id),
            reason: command.reason,
            note: command.note.clone(),
            line_items: command.line_items.clone(),
            merchant_reference: command.merchant_reference.clone(),
            ..operation
        })?;
        let updated = capture.map(|capture| capture.with_share(|share| share.reserve(Share::Refund, amount))).transpose()?;
        let change = Change {
            transaction: Transaction::checked(next)?,
            created: vec![operation],
            updated: updated.into_iter().collect(),
            interaction: None,
        };
        Ok(change)
    }

    fn may_be_refunded(&self) -> Result<(), Refusal> {
        let facts = self.facts();
        match () {
            () if !facts.import.is_done() => Err(Refusal::ImportNotCompleted),
            () if facts.balance.captured.is_positive() => Ok(()),
            () if facts.balance.capture_pending.is_positive() => Err(Refusal::CaptureNotFinal),
            () => Err(Refusal::InvalidState { detail: "Nothing has been captured." }),
        }
    }

    /// Too much, or merely too early: an open capture may still bring what is missing.
    fn exceeds(&self, amount: Minor, named: Option<&Operation>) -> Result<Refusal, Refusal> {
        let balance = self.facts().balance;
        let soon = balance.book(Share::Capture, balance.capture_pending)?;
        if amount.is_positive() && amount <= refundable(&soon, named)? {
            return Ok(Refusal::CaptureNotFinal);
        }
        Ok(Refusal::ExceedsRefundableAmount { remaining: self.money(refundable(&balance, named)?) })
    }
}

/// What can be given back, of a named capture no more than is left of it.
fn refundable(balance: &Balance, named: Option<&Operation>) -> Result<Minor, Refusal> {
    let refundable = balance.refundable()?;
    named.map_or(Ok(refundable), |capture| Ok(left_of(capture)?.min(refundable)))
}

/// The capture that the command names; it must exist, be unique and have succeeded. One that failed does not count where its
/// repetition has the same merchant reference.
fn named_capture<'a>(command: &RefundCommand, captures: &'a [Operation]) -> Result<Option<&'a Operation>, Refusal> {
    let is_named = |capture: &&Operation| match &command.target {
        Some(RefundTarget::Capture(id)) => capture.facts().id == *id,
        Some(RefundTarget::CaptureOf(reference)) => capture.facts().merchant_reference.as_ref() == Some(reference),
        None => false,
    };
    let (failed, named): (Vec<_>, Vec<_>) = captures.iter().filter(is_named).partition(|capture| capture.state() == OperationState::Failed);
    match named[..] {
        [] if command.target.is_none() => Ok(None),
        [] if failed.is_empty() => Err(Refusal::OperationNotFound),
        [] => Err(Refusal::InvalidState { detail: "The capture has failed." }),
        [capture] if capture.state().is_open() => Err(Refusal::CaptureNotFinal),
        [capture] => Ok(Some(capture)),
        [_, _, ..] => Err(Refusal::flaw("/captureMerchantReference", "several captures have this reference: use captureId")),
    }
}

fn oldest_that_holds(amount: Minor, captures: &[Operation]) -> Result<&Operation, Refusal> {
    let mut successful: Vec<_> = captures.iter().filter(|capture| capture.state() == OperationState::Successful).collect();
    successful.sort_by_key(|capture| capture.facts().id);
    for capture in successful {
        if left_of(capture)? >= amount {
            return Ok(capture);
        }
    }
    Err(Refusal::CaptureIdRequired)
}

/// What a capture still holds of its own amount.
fn left_of(capture: &Operation) -> Result<Minor, Refusal> {
    Ok(share_of(capture.facts()).refundable()?)
}

/// A capture's own amounts as a balance, so that its refunds are added up by the same rules.
fn share_of(facts: &OperationFacts) -> Balance {
    Balance { captured: facts.amount, refunded: facts.refunded, refund_pending: facts.refund_pending, ..Balance::authorized(facts.amount) }
}

impl Operation {
    /// A capture after a change of what its refunds hold or have given back.
    pub(super) fn with_share(&self, change: impl FnOnce(Balance) -> Result<Balance, crate::money::Overflow>) -> Result<Operation, Refusal> {
        let share = change(share_of(self.facts()))?;
        let facts = OperationFacts { refunded: share.refunded, refund_pending: share.refund_pending, ..self.facts().clone() };
        Operation::restore(facts).map_err(Refusal::internal)
    }

    /// The capture whose share a refund moves.
    pub fn bound_capture(&self) -> Option<OperationId> {
        self.facts().capture
    }
}
