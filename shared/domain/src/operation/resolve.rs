//! A person settles what nobody else could: an operation in MANUAL_CHECK.

use super::{Effect, Operation, OperationFacts, OperationKind, OperationState};
use crate::error::Refusal;
use crate::id::PspReference;
use crate::money::{Decimal, Minor, NotAnAmount};
use crate::named::named;
use crate::outcome::{Failure, FailureCategory};
use crate::time::Timestamp;
use crate::transaction::{Change, Share, Transaction, TransactionFacts};

named! {
    /// What a person found out.
    Resolution {
        Successful = "SUCCESSFUL",
        Failed = "FAILED",
    }
}

/// What a person found out about an operation, at the PSP or otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveCommand {
    pub state: Resolution,
    /// What has really moved, where that is not what was asked for.
    pub amount: Option<Decimal>,
    pub psp_reference: Option<PspReference>,
    /// How it was found out; kept in the log of the transaction.
    pub note: String,
}

impl Resolution {
    const fn operation_state(self) -> OperationState {
        match self {
            Self::Successful => OperationState::Successful,
            Self::Failed => OperationState::Failed,
        }
    }
}

impl Transaction {
    /// The commit that records what a person found out; none where the operation has ended like that already. `bound` is the
    /// capture that a refund belongs to, where it has one.
    pub fn resolve(
        &self,
        operation: &Operation,
        bound: Option<&Operation>,
        command: &ResolveCommand,
        now: Timestamp,
    ) -> Result<Option<Change>, Refusal> {
        let amount = self.resolved_amount(operation, command)?;
        let state = operation.state();
        if state == command.state.operation_state() && amount.is_none_or(|amount| amount == operation.facts().amount) {
            return Ok(None);
        }
        if state != OperationState::ManualCheck {
            return Err(Refusal::InvalidState { detail: "Only an operation in MANUAL_CHECK is settled by a person." });
        }
        let effect = match command.state {
            Resolution::Successful => Effect::Succeeded { psp_reference: command.psp_reference.clone() },
            Resolution::Failed => Effect::Failed(failed_by_person()),
        };
        let change = match amount {
            Some(amount) => {
                let (transaction, operation, bound) = self.with_amount(operation, bound, amount)?;
                transaction.settle(&operation, bound.as_ref(), effect, now)?
            }
            None => self.settle(operation, bound, effect, now)?,
        };
        Ok(change.map(|change| change.about_note(&command.note)))
    }

    fn resolved_amount(&self, operation: &Operation, command: &ResolveCommand) -> Result<Option<Minor>, Refusal> {
        let Some(amount) = command.amount else { return Ok(None) };
        if command.state == Resolution::Failed {
            return Err(Refusal::flaw("/amount", "belongs to SUCCESSFUL alone: what has failed moved nothing"));
        }
        if operation.facts().kind == OperationKind::Void {
            return Err(Refusal::flaw("/amount", "a void releases all that is held: it has no amount of its own"));
        }
        let currency = self.facts().currency;
        let amount = amount.in_currency(currency).map_err(|error| match error {
            NotAnAmount::TooLarge => Refusal::InvalidAmount,
            NotAnAmount::TooManyDecimals => Refusal::TooManyDecimals { currency },
        })?;
        if amount.is_positive() { Ok(Some(amount)) } else { Err(Refusal::AmountNotPositive) }
    }

    /// The same as if this amount had been asked for and set aside: what has moved is booked even past a limit.
    fn with_amount(
        &self,
        operation: &Operation,
        bound: Option<&Operation>,
        amount: Minor,
    ) -> Result<(Transaction, Operation, Option<Operation>), Refusal> {
        let asked = operation.facts().amount;
        let share = Share::of(operation.facts().kind);
        let facts = self.facts();
        let balance = facts.balance.release(share, asked)?.reserve(share, amount)?;
        let transaction = Transaction::checked(TransactionFacts { balance, ..facts.clone() })?;
        let operation = Operation::restore(OperationFacts { amount, ..operation.facts().clone() }).map_err(Refusal::internal)?;
        let bound = bound.map(|capture| capture.with_share(|share| share.release(Share::Refund, asked)?.reserve(Share::Refund, amount)));
        Ok((transaction, operation, bound.transpose()?))
    }
}

fn failed_by_person() -> Failure {
    Failure {
        code: "resolved-as-failed".to_owned(),
        category: FailureCategory::Internal,
        description: "A person has found out that the PSP did not do it.".to_owned(),
        psp_code: None,
        retryable: true,
    }
}
