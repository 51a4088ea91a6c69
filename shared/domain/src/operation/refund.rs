//! When and how much may be given back.

use super::capture::{new_operation, psp_key};
use super::command::asked_amount;
use super::{NewOperation, Operation, OperationFacts, OperationKind, OperationState, RefundCommand, RefundReason, RefundTarget};
use crate::capability::Capabilities;
use crate::error::Refusal;
use crate::id::{OperationId, OperationReference, PspReference};
use crate::money::{Minor, Money};
use crate::transaction::{Balance, Change, Share, Transaction};

/// A decided and reserved refund. Only `request_refund` makes one, so no PSP is called without a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOrder {
    payment: PspReference,
    capture: Option<PspReference>,
    money: Money,
    reason: Option<RefundReason>,
    reference: OperationReference,
    psp_key: String,
}

impl RefundOrder {
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

    pub fn reason(&self) -> Option<RefundReason> {
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
    ) -> Result<(Change, RefundOrder), Refusal> {
        let facts = self.facts();
        if !facts.import.is_done() {
            return Err(Refusal::ImportNotCompleted);
        }
        if facts.balance.captured.is_zero() {
            return Err(match facts.balance.capture_pending.is_zero() {
                true => Refusal::InvalidState { detail: "Nothing has been captured." },
                false => Refusal::CaptureNotFinal,
            });
        }
        let named = named_capture(command, captures)?;
        let refundable = match named {
            Some(capture) => left_of(capture)?.min(facts.balance.refundable()?),
            None => facts.balance.refundable()?,
        };
        let amount = asked_amount(command.amount, &command.line_items, facts.currency)?.unwrap_or(refundable);
        if !amount.is_positive() || amount > refundable {
            return Err(self.exceeds(amount, refundable)?);
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
        let operation =
            new_operation(self, next.version, new, OperationKind::Refund, command.canonical(), amount, |operation| OperationFacts {
                capture: capture.map(|capture| capture.facts().id),
                reason: command.reason,
                note: command.note.clone(),
                line_items: command.line_items.clone(),
                merchant_reference: command.merchant_reference.clone(),
                ..operation
            })?;
        let order = RefundOrder {
            payment: facts.psp_reference.clone(),
            capture: capture.and_then(|capture| capture.facts().psp_reference.clone()),
            money: self.money(amount),
            reason: command.reason,
            reference: operation.reference(),
            psp_key: psp_key(&operation)?,
        };
        let updated = capture.map(|capture| capture.with_share(|share| share.reserve(Share::Refund, amount))).transpose()?;
        let change = Change {
            transaction: Transaction::checked(next)?,
            created: vec![operation],
            updated: updated.into_iter().collect(),
            interaction: None,
        };
        Ok((change, order))
    }

    /// Too much, or merely too early: an open capture may still bring what is missing.
    fn exceeds(&self, amount: Minor, refundable: Minor) -> Result<Refusal, Refusal> {
        let soon = refundable.plus(self.facts().balance.capture_pending)?;
        let early = amount.is_positive() && amount <= soon;
        Ok(if early { Refusal::CaptureNotFinal } else { Refusal::ExceedsRefundableAmount { remaining: self.money(refundable) } })
    }
}

/// The capture that the command names; it must exist, be unique and have succeeded.
fn named_capture<'a>(command: &RefundCommand, captures: &'a [Operation]) -> Result<Option<&'a Operation>, Refusal> {
    let is_named = |capture: &&Operation| match &command.target {
        Some(RefundTarget::Capture(id)) => capture.facts().id == *id,
        Some(RefundTarget::CaptureOf(reference)) => capture.facts().merchant_reference.as_ref() == Some(reference),
        None => false,
    };
    let mut named = captures.iter().filter(is_named);
    match (&command.target, named.next(), named.next()) {
        (None, ..) => Ok(None),
        (Some(_), None, _) => Err(Refusal::OperationNotFound),
        (Some(_), Some(_), Some(_)) => {
            Err(Refusal::flaw("/captureMerchantReference", "several captures have this reference: use captureId"))
        }
        (Some(_), Some(capture), None) => match capture.state() {
            OperationState::Successful => Ok(Some(capture)),
            OperationState::Failed => Err(Refusal::InvalidState { detail: "The capture has failed." }),
            OperationState::Requested | OperationState::Pending | OperationState::Unknown | OperationState::ManualCheck => {
                Err(Refusal::CaptureNotFinal)
            }
        },
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
