//! When and how much may be captured.

use super::command::asked_amount;
use super::new::new_operation;
use super::{CaptureCommand, NewOperation, OpenOperation, Operation, OperationFacts, OperationKind};
use crate::capability::Capabilities;
use crate::error::{Refusal, both};
use crate::id::{MerchantReference, OperationReference, PspReference};
use crate::money::{Minor, Money};
use crate::transaction::{Change, FinalCapture, Share, Transaction};

/// A decided and reserved capture, ready to be sent. Made of a stored operation and of nothing else, so no PSP is called
/// without a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureOrder {
    payment: PspReference,
    money: Money,
    is_final: bool,
    reference: OperationReference,
    psp_key: String,
    merchant_reference: Option<MerchantReference>,
}

impl CaptureOrder {
    pub fn of(transaction: &Transaction, operation: &Operation) -> Result<Self, Refusal> {
        let facts = operation.facts();
        if facts.kind != OperationKind::Capture {
            return Err(Refusal::internal("an order to capture of another operation"));
        }
        Ok(Self {
            payment: transaction.facts().psp_reference.clone(),
            money: Money::new(facts.amount, facts.currency),
            is_final: facts.is_final,
            reference: operation.reference(),
            psp_key: operation.psp_key()?,
            merchant_reference: facts.merchant_reference.clone(),
        })
    }

    pub fn payment(&self) -> &PspReference {
        &self.payment
    }

    pub fn money(&self) -> Money {
        self.money
    }

    /// Nothing is captured after it: what is left of the authorization may be released.
    pub fn is_final(&self) -> bool {
        self.is_final
    }

    pub fn reference(&self) -> &OperationReference {
        &self.reference
    }

    pub fn psp_key(&self) -> &str {
        &self.psp_key
    }

    pub fn merchant_reference(&self) -> Option<&MerchantReference> {
        self.merchant_reference.as_ref()
    }
}

impl Transaction {
    /// Decides on a capture and sets its amount aside. A final one also sets aside the rest, which it releases.
    pub fn request_capture(&self, command: &CaptureCommand, can: &Capabilities, new: NewOperation) -> Result<Change, Refusal> {
        let facts = self.facts();
        let asked = asked_amount(command.amount, &command.line_items, facts.currency);
        let ((), asked) = both(self.may_be_captured(command), asked)?;
        let capturable = facts.balance.capturable()?;
        let amount = asked.unwrap_or(capturable);
        if !amount.is_positive() || amount > capturable {
            return Err(Refusal::ExceedsCapturableAmount { remaining: self.money(capturable) });
        }
        let rest = capturable.minus(amount)?;
        let keeps_rest = can.keeps_rest_of(facts.keeps_rest);
        let is_final = self.is_final(command, rest, keeps_rest)?;
        if amount < facts.balance.authorized && !can.captures_in_part {
            return Err(Refusal::NotSupportedByPsp { detail: "The PSP captures only the whole authorized amount." });
        }
        if !is_final && !keeps_rest {
            return Err(Refusal::NotSupportedByPsp {
                detail: "The PSP does not keep the rest after a partial capture of this payment: `final: true` says to release it.",
            });
        }
        if is_final && rest.is_positive() && !can.releases_rest {
            return Err(Refusal::NotSupportedByPsp {
                detail: "The PSP does not release the rest after a final capture: capture without `final`, then void what is left.",
            });
        }
        let releases = if is_final { rest } else { Minor::ZERO };

        let mut next = self.next();
        next.balance = next.balance.reserve(Share::Capture, amount)?.reserve(Share::Void, releases)?;
        if is_final {
            next.final_capture = FinalCapture::Open;
        }
        let operation = new_operation(self, next.version, new, OperationKind::Capture, amount, |operation| OperationFacts {
            is_final,
            releases,
            line_items: command.line_items.clone(),
            merchant_reference: command.merchant_reference.clone(),
            ..operation
        })?;
        Ok(Change { transaction: Transaction::checked(next)?, created: vec![operation], updated: vec![], interaction: None })
    }

    /// Final is what the caller calls so, and by itself what leaves nothing. As long as another capture is open neither is
    /// possible.
    fn is_final(&self, command: &CaptureCommand, rest: Minor, keeps_rest: bool) -> Result<bool, Refusal> {
        let is_alone = self.facts().balance.capture_pending.is_zero();
        let by_itself = rest.is_zero() && (is_alone || !keeps_rest);
        let is_final = match command.is_final {
            // Where the PSP keeps no rest, it closes the payment with every capture.
            Some(is_final) => is_final || by_itself && !keeps_rest,
            None => by_itself,
        };
        if is_final {
            self.may_open(OpenOperation::FinalCapture)?;
        }
        Ok(is_final)
    }

    fn may_be_captured(&self, command: &CaptureCommand) -> Result<(), Refusal> {
        self.check_authorization()?;
        self.may_open(if command.is_final == Some(true) { OpenOperation::FinalCapture } else { OpenOperation::Capture })
    }
}
