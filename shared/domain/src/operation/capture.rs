//! When and how much may be captured.

use super::command::asked_amount;
use super::{Actor, CaptureCommand, NewOperation, Operation, OperationFacts, OperationKey, OperationKind, OperationState};
use crate::capability::Capabilities;
use crate::error::Refusal;
use crate::id::{MerchantReference, OperationId, OperationReference, PspReference};
use crate::money::{Minor, Money};
use crate::time::Span;
use crate::transaction::{Change, FinalCapture, Share, Transaction, TransactionState};

/// A decided and reserved capture. Only `request_capture` makes one, so no PSP is called without a reservation.
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
    pub fn request_capture(
        &self,
        command: &CaptureCommand,
        can: &Capabilities,
        new: NewOperation,
    ) -> Result<(Change, CaptureOrder), Refusal> {
        let facts = self.facts();
        self.may_be_captured()?;
        let capturable = facts.balance.capturable()?;
        let amount = asked_amount(command.amount, &command.line_items, facts.currency)?.unwrap_or(capturable);
        if !amount.is_positive() || amount > capturable {
            return Err(Refusal::ExceedsCapturableAmount { remaining: self.money(capturable) });
        }
        let rest = capturable.minus(amount)?;
        let is_final = command.is_final.unwrap_or(false) || rest.is_zero();
        if amount < facts.balance.authorized && !can.captures_in_part {
            return Err(Refusal::NotSupportedByPsp { detail: "The PSP captures only the whole authorized amount." });
        }
        if !is_final && !can.keeps_rest_of(facts.keeps_rest) {
            return Err(Refusal::NotSupportedByPsp {
                detail: "The PSP does not keep the rest after a partial capture of this payment: `final: true` says to release it.",
            });
        }
        let releases = if is_final { rest } else { Minor::ZERO };

        let mut next = self.next();
        next.balance = next.balance.reserve(Share::Capture, amount)?.reserve(Share::Void, releases)?;
        if is_final {
            next.final_capture = FinalCapture::Open;
        }
        let operation =
            new_operation(self, next.version, new, OperationKind::Capture, command.canonical(), amount, |operation| OperationFacts {
                is_final,
                releases,
                line_items: command.line_items.clone(),
                merchant_reference: command.merchant_reference.clone(),
                ..operation
            })?;
        let order = CaptureOrder {
            payment: facts.psp_reference.clone(),
            money: self.money(amount),
            is_final,
            reference: operation.reference(),
            psp_key: psp_key(&operation)?,
            merchant_reference: command.merchant_reference.clone(),
        };
        Ok((Change { transaction: Transaction::checked(next)?, created: vec![operation], updated: vec![], interaction: None }, order))
    }

    fn may_be_captured(&self) -> Result<(), Refusal> {
        let facts = self.facts();
        if !facts.import.is_done() {
            return Err(Refusal::ImportNotCompleted);
        }
        match facts.state {
            TransactionState::Authorized => {}
            TransactionState::Voided => return Err(Refusal::AlreadyVoided),
            TransactionState::Completed | TransactionState::Fulfill | TransactionState::Decline => return Err(Refusal::AlreadyCaptured),
            TransactionState::Create | TransactionState::Pending | TransactionState::Confirmed | TransactionState::Processing => {
                return Err(Refusal::InvalidState { detail: "The payment is not authorized yet." });
            }
            TransactionState::Failed => return Err(Refusal::InvalidState { detail: "The payment has failed." }),
        }
        if facts.void_is_open || facts.final_capture == FinalCapture::Open {
            return Err(Refusal::OperationInDoubt { retry_after: Some(IN_DOUBT_RETRY) });
        }
        Ok(())
    }
}

/// When a caller may try again while an open operation blocks: soon, since most are settled within a PSP call.
pub(super) const IN_DOUBT_RETRY: Span = Span::from_seconds(5);

/// An operation in REQUESTED with what every kind has; `fill` adds what only its kind has.
pub(super) fn new_operation(
    transaction: &Transaction,
    version: u64,
    new: NewOperation,
    kind: OperationKind,
    command: String,
    amount: Minor,
    fill: impl FnOnce(OperationFacts) -> OperationFacts,
) -> Result<Operation, Refusal> {
    let facts = transaction.facts();
    let id = OperationId::new(version).ok_or_else(|| Refusal::internal("an operation id out of range"))?;
    let blank = OperationFacts {
        space: facts.space,
        transaction: facts.id,
        id,
        kind,
        key: OperationKey::Caller(new.key),
        command,
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

pub(super) fn psp_key(operation: &Operation) -> Result<String, Refusal> {
    let sending = operation.facts().sending.as_ref();
    sending.map(|sending| sending.psp_key.clone()).ok_or_else(|| Refusal::internal("a requested operation without a key for the PSP"))
}
