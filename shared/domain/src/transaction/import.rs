//! Adopting a payment that exists at the PSP: what is asked, how the PSP's answer is judged, what follows from it.

use super::properties::Properties;
use super::{Balance, Change, FinalCapture, ImportState, Share, Transaction, TransactionFacts, TransactionState, Verified};
use crate::capability::Capabilities;
use crate::currency::Currency;
use crate::error::Refusal;
use crate::id::{ConnectionName, MerchantReference, OperationId, PspReference, SpaceId, TransactionId};
use crate::interaction::InteractionKind;
use crate::money::{Decimal, Minor, Money, NotAnAmount};
use crate::named::named;
use crate::operation::{Actor, Operation, OperationKind, adopt};
use crate::outcome::{Failure, FailureCategory};
use crate::payment::PspPayment;
use crate::time::{Span, Timestamp};

/// What the ERP says about a payment that a shop's plugin has taken.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportCommand {
    pub connection: ConnectionName,
    pub psp_reference: PspReference,
    pub merchant_reference: MerchantReference,
    pub amount: Decimal,
    pub currency: Currency,
    pub properties: Properties,
}

/// How far the adoption has come, and with which amount it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub state: ImportState,
    /// The id that the caller gave, which may be another one than the canonical.
    pub given_reference: PspReference,
    pub amount: Minor,
    /// Raised when the command is replaced, so that the result of an earlier one no longer counts.
    pub epoch: u32,
    pub failure: Option<Failure>,
    /// When the PSP is asked again; only while the import is pending.
    pub due_on: Option<Timestamp>,
}

/// How long an import waits before the PSP is asked again.
const ASKED_AGAIN: Span = Span::from_seconds(60);

impl Import {
    pub const fn is_done(&self) -> bool {
        matches!(self.state, ImportState::Completed | ImportState::Ok)
    }

    /// It failed because another transaction holds the payment.
    pub fn has_given_way(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.code == ImportFailure::AlreadyImported.as_str())
    }

    /// The same in its next state. What is completed once stays so: a late result must not overwrite what happened since.
    fn moved_to(self, next: ImportState) -> Result<Self, Refusal> {
        match self.state.next().contains(&next) {
            true => Ok(Self { state: next, ..self }),
            false => Err(Refusal::internal(format!("{} does not become {}", self.state.as_str(), next.as_str()))),
        }
    }
}

named! {
    /// Why a payment was not adopted.
    ImportFailure {
        WrongAccount = "wrong-account",
        WrongEnvironment = "wrong-environment",
        CurrencyMismatch = "currency-mismatch",
        AmountMismatch = "amount-mismatch",
        PaymentFailed = "payment-failed",
        AuthorizationGone = "authorization-gone",
        NotFoundAtPsp = "not-found-at-psp",
        NotVerified = "not-verified",
        AlreadyImported = "already-imported",
    }
}

impl ImportFailure {
    /// The public reason. Amounts of the PSP are not told: whoever imports must know them.
    pub fn failure(self) -> Failure {
        let (category, description) = match self {
            Self::WrongAccount => {
                (FailureCategory::Configuration, "The payment belongs to another account at the PSP than the connection.")
            }
            Self::WrongEnvironment => {
                (FailureCategory::Configuration, "The payment is test money on a live connection, or the other way round.")
            }
            Self::CurrencyMismatch => (FailureCategory::Developer, "The payment has another currency at the PSP."),
            Self::AmountMismatch => (FailureCategory::Developer, "The payment has another amount at the PSP."),
            Self::PaymentFailed => (FailureCategory::EndUser, "The payment failed at the PSP."),
            Self::AuthorizationGone => {
                (FailureCategory::EndUser, "The authorization was released or has expired, and nothing was captured.")
            }
            Self::NotFoundAtPsp => (FailureCategory::Developer, "The PSP does not know this reference on the connection's account."),
            Self::NotVerified => (FailureCategory::TemporaryIssue, "No signed message of the PSP has confirmed the payment."),
            Self::AlreadyImported => (FailureCategory::Developer, "The payment was imported already under another reference."),
        };
        Failure { code: self.as_str().to_owned(), category, description: description.to_owned(), psp_code: None, retryable: true }
    }
}

impl Transaction {
    /// The command, stored as IMPORT_PENDING before the PSP is asked.
    pub fn begin_import(id: TransactionId, space: SpaceId, psp: &str, command: &ImportCommand, now: Timestamp) -> Result<Self, Refusal> {
        let facts = TransactionFacts {
            space,
            id,
            version: 1,
            state: TransactionState::Create,
            import: Import {
                state: ImportState::Pending,
                given_reference: command.psp_reference.clone(),
                amount: import_amount(command)?,
                epoch: 1,
                failure: None,
                due_on: Some(now.plus(ASKED_AGAIN)),
            },
            connection: command.connection.clone(),
            psp: psp.to_owned(),
            psp_reference: command.psp_reference.clone(),
            merchant_reference: command.merchant_reference.clone(),
            currency: command.currency,
            balance: Balance::default(),
            final_capture: FinalCapture::No,
            void_is_open: false,
            keeps_rest: false,
            verified: Verified::None,
            needs_attention: false,
            failure: None,
            created_on: now,
            authorized_on: None,
            authorization_expires_on: None,
            completed_on: None,
            failed_on: None,
            watch_on: None,
        };
        Self::checked(facts)
    }

    /// A corrected command takes the place of one that failed or is still pending: same id, next epoch.
    pub fn replace_import(&self, command: &ImportCommand, now: Timestamp) -> Result<Change, Refusal> {
        if self.0.import.is_done() {
            return Err(Refusal::internal("an import that is completed is not replaced"));
        }
        let mut next = self.next();
        next.merchant_reference = command.merchant_reference.clone();
        next.currency = command.currency;
        next.import = Import {
            state: ImportState::Pending,
            amount: import_amount(command)?,
            epoch: self.0.import.epoch + 1,
            failure: None,
            due_on: Some(now.plus(ASKED_AGAIN)),
            ..next.import
        };
        Ok(Change { transaction: Self::checked(next)?, created: vec![], updated: vec![], interaction: None })
    }

    /// Whether a second import asks for the same as the first: then it is a repetition, otherwise a conflict.
    pub fn is_same_import(&self, command: &ImportCommand) -> Result<bool, Refusal> {
        let facts = &self.0;
        Ok(facts.merchant_reference == command.merchant_reference
            && facts.currency == command.currency
            && facts.import.amount == import_amount(command)?)
    }

    /// Judges what the PSP says and takes the payment over in the state that it has there, with what already happened.
    pub fn complete_import(&self, payment: &PspPayment, can: &Capabilities, now: Timestamp) -> Result<Change, Refusal> {
        if let Some(failure) = self.judge(payment) {
            return self.fail_import(failure, now);
        }
        let mut next = self.next();
        let created = adopt_movements(self, payment, now)?;
        next.version = self.0.version + (created.len() as u64).max(1);
        let created = created.into_iter().map(|adopted| adopted.written_at(next.version)).collect();
        next.import = Import { due_on: None, ..next.import.moved_to(ImportState::Completed)? };
        next.verified = if can.reads_payments { Verified::Read } else { Verified::Webhook };
        next.psp_reference = payment.reference.clone();
        next.keeps_rest = payment.keeps_rest;
        next.authorization_expires_on = payment.expires_on;
        next.authorized_on = payment.authorized_on;
        next.balance = balance_of(payment)?;
        let target = payment.goal();
        if matches!(target, TransactionState::Fulfill | TransactionState::Decline) {
            next.final_capture = FinalCapture::Done;
        }
        let steps = next.advance(target, now);
        next.watch_on = next.next_watch(now);
        let mut interaction = self.interaction(&next, InteractionKind::ImportCompleted, Actor::System, now);
        interaction.detail = steps;
        Ok(Change { transaction: Self::checked(next)?, created, updated: vec![], interaction: Some(interaction) })
    }

    /// Records why the payment was not adopted; a corrected import may follow under the same id.
    pub fn fail_import(&self, reason: ImportFailure, now: Timestamp) -> Result<Change, Refusal> {
        let mut next = self.next();
        next.import = Import { failure: Some(reason.failure()), due_on: None, ..next.import.moved_to(ImportState::Failed)? };
        let mut interaction = self.interaction(&next, InteractionKind::ImportFailed, Actor::System, now);
        interaction.detail = Some(reason.as_str().to_owned());
        Ok(Change { transaction: Self::checked(next)?, created: vec![], updated: vec![], interaction: Some(interaction) })
    }

    /// The first thing that is wrong with the payment, in the order of `ImportFailure`.
    fn judge(&self, payment: &PspPayment) -> Option<ImportFailure> {
        let facts = &self.0;
        match payment {
            p if !p.account_matches => Some(ImportFailure::WrongAccount),
            p if !p.environment_matches => Some(ImportFailure::WrongEnvironment),
            p if p.authorized.currency != facts.currency => Some(ImportFailure::CurrencyMismatch),
            p if p.authorized.amount != facts.import.amount => Some(ImportFailure::AmountMismatch),
            p if p.state == TransactionState::Failed => Some(ImportFailure::PaymentFailed),
            p if p.state == TransactionState::Voided && !p.has_captures() => Some(ImportFailure::AuthorizationGone),
            _ => None,
        }
    }
}

/// The amount of an import in minor units; zero cannot be captured and is refused like in every other command.
fn import_amount(command: &ImportCommand) -> Result<Minor, Refusal> {
    let amount = command.amount.in_currency(command.currency).map_err(|e| match e {
        NotAnAmount::TooLarge => Refusal::InvalidAmount,
        NotAnAmount::TooManyDecimals => Refusal::TooManyDecimals { currency: command.currency },
    })?;
    if amount.is_positive() { Ok(amount) } else { Err(Refusal::AmountNotPositive) }
}

fn adopt_movements(transaction: &Transaction, payment: &PspPayment, now: Timestamp) -> Result<Vec<Operation>, Refusal> {
    let facts = transaction.facts();
    let movements = payment.movements.iter().filter(|movement| movement.kind != OperationKind::Void);
    movements
        .zip(facts.version + 1..)
        .map(|(movement, id)| {
            let id = OperationId::new(id).ok_or_else(|| Refusal::internal("an operation id out of range"))?;
            adopt(facts.space, facts.id, id, movement, now)
        })
        .collect()
}

fn balance_of(payment: &PspPayment) -> Result<Balance, Refusal> {
    use crate::payment::MovementState;
    let mut balance = Balance::authorized(payment.authorized.amount).add(Share::Void, payment.released)?;
    for movement in &payment.movements {
        let Money { amount, currency } = movement.money;
        if currency != payment.authorized.currency {
            return Err(Refusal::internal("a movement in another currency than its payment"));
        }
        let share = match movement.kind {
            OperationKind::Capture => Share::Capture,
            OperationKind::Refund => Share::Refund,
            OperationKind::Void => continue, // counted in `released`
        };
        balance = match movement.state {
            MovementState::Pending => balance.reserve(share, amount)?,
            MovementState::Successful => balance.add(share, amount)?,
            MovementState::Failed(_) => balance,
        };
    }
    Ok(balance)
}
