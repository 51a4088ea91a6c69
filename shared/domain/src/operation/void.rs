//! When what is held may be released.

use super::new::new_operation;
use super::{NewOperation, OpenOperation, Operation, OperationFacts, OperationKind, VoidCommand};
use crate::capability::Capabilities;
use crate::error::Refusal;
use crate::id::{OperationReference, PspReference};
use crate::money::{Minor, Money};
use crate::transaction::{Change, Share, Transaction};

/// A decided and reserved void, ready to be sent. Made of a stored operation and of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidOrder {
    payment: PspReference,
    money: Money,
    reference: OperationReference,
    psp_key: String,
}

impl VoidOrder {
    pub fn of(transaction: &Transaction, operation: &Operation) -> Result<Self, Refusal> {
        let facts = operation.facts();
        if facts.kind != OperationKind::Void {
            return Err(Refusal::internal("an order to void of another operation"));
        }
        Ok(Self {
            payment: transaction.facts().psp_reference.clone(),
            money: Money::new(facts.amount, facts.currency),
            reference: operation.reference(),
            psp_key: operation.psp_key()?,
        })
    }

    pub fn payment(&self) -> &PspReference {
        &self.payment
    }

    /// What is released: all that was held when it was decided. A PSP that releases another amount did something else.
    pub fn money(&self) -> Money {
        self.money
    }

    pub fn reference(&self) -> &OperationReference {
        &self.reference
    }

    pub fn psp_key(&self) -> &str {
        &self.psp_key
    }
}

impl Transaction {
    /// Decides on a void and sets aside all that is held and not captured.
    pub fn request_void(&self, command: &VoidCommand, can: &Capabilities, new: NewOperation) -> Result<Change, Refusal> {
        let amount = self.releasable(can)?;
        let mut next = self.next();
        next.balance = next.balance.reserve(Share::Void, amount)?;
        next.void_is_open = true;
        let operation = new_operation(self, next.version, new, OperationKind::Void, amount, |operation| OperationFacts {
            reason: command.reason,
            merchant_reference: command.merchant_reference.clone(),
            ..operation
        })?;
        Ok(Change { transaction: Transaction::checked(next)?, created: vec![operation], updated: vec![], interaction: None })
    }

    /// What a void would release now, or why there cannot be one.
    pub(crate) fn releasable(&self, can: &Capabilities) -> Result<Minor, Refusal> {
        self.check_authorization()?;
        self.may_open(OpenOperation::Void)?;
        let balance = self.facts().balance;
        let amount = balance.capturable()?;
        match () {
            // It may have been imported like this: authorized as the PSP calls it, with nothing left to capture.
            () if amount.is_zero() && balance.captured.is_positive() => Err(Refusal::AlreadyCaptured),
            () if amount.is_zero() => Err(Refusal::AlreadyVoided),
            () if !can.voids => Err(Refusal::NotSupportedByPsp { detail: "The PSP releases an authorization only by its expiry." }),
            () => Ok(amount),
        }
    }
}
