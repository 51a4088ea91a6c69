//! One entry of a transaction's log: what happened, by whom, and what it led to. It is also the record from which the ERP
//! is notified, so it holds all that a notification says.

use crate::error::Refusal;
use crate::money::Minor;
use crate::named::named;
use crate::operation::{Actor, OperationFacts, OperationKind, OperationState};
use crate::time::Timestamp;
use crate::transaction::{Balance, ImportState, TransactionState};

/// The entry that one commit of a transaction leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// The version of the transaction that this commit made.
    pub sequence: u64,
    pub on: Timestamp,
    pub kind: InteractionKind,
    pub actor: Actor,
    pub previous_state: TransactionState,
    pub state: TransactionState,
    pub import_state: ImportState,
    pub needs_attention: bool,
    pub balance: Balance,
    pub operation: Option<OperationMark>,
    /// For people: the steps of a jump, the reason of a failure.
    pub detail: Option<String>,
}

/// The operation that an interaction is about, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationMark {
    pub kind: OperationKind,
    pub id: u64,
    pub state: OperationState,
    pub amount: Minor,
    pub merchant_reference: Option<String>,
    pub idempotency_key: Option<String>,
    pub psp_reference: Option<String>,
    pub failure_code: Option<String>,
}

impl OperationMark {
    pub fn of(facts: &OperationFacts) -> Self {
        Self {
            kind: facts.kind,
            id: facts.id.number(),
            state: facts.state,
            amount: facts.amount,
            merchant_reference: facts.merchant_reference.as_ref().map(ToString::to_string),
            idempotency_key: match &facts.key {
                crate::operation::OperationKey::Caller(key) => Some(key.to_string()),
                crate::operation::OperationKey::Adopted(_) => None,
            },
            psp_reference: facts.psp_reference.as_ref().map(ToString::to_string),
            failure_code: facts.failure.as_ref().map(|failure| failure.code.clone()),
        }
    }
}

named! {
    /// What happened, named like the notification that tells of it.
    InteractionKind {
        ImportCompleted = "transaction.import.completed",
        ImportFailed = "transaction.import.failed",
        CapturePending = "transaction.capture.pending",
        CaptureUnknown = "transaction.capture.unknown",
        CaptureManualCheck = "transaction.capture.manual-check",
        CaptureSuccessful = "transaction.capture.successful",
        CaptureFailed = "transaction.capture.failed",
        CaptureReversed = "transaction.capture.reversed",
        RefundPending = "transaction.refund.pending",
        RefundUnknown = "transaction.refund.unknown",
        RefundManualCheck = "transaction.refund.manual-check",
        RefundSuccessful = "transaction.refund.successful",
        RefundFailed = "transaction.refund.failed",
        RefundReversed = "transaction.refund.reversed",
        VoidPending = "transaction.void.pending",
        VoidUnknown = "transaction.void.unknown",
        VoidManualCheck = "transaction.void.manual-check",
        VoidSuccessful = "transaction.void.successful",
        VoidFailed = "transaction.void.failed",
        VoidReversed = "transaction.void.reversed",
        StatePending = "transaction.state.pending",
        StateConfirmed = "transaction.state.confirmed",
        StateProcessing = "transaction.state.processing",
        StateAuthorized = "transaction.state.authorized",
        StateFailed = "transaction.state.failed",
        StateVoided = "transaction.state.voided",
        StateCompleted = "transaction.state.completed",
        StateFulfill = "transaction.state.fulfill",
        StateDecline = "transaction.state.decline",
        AuthorizationExpiring = "transaction.authorization.expiring",
        AuthorizationExpired = "transaction.authorization.expired",
        AttentionRaised = "transaction.attention.raised",
    }
}

impl InteractionKind {
    /// The kind that tells of an operation's new state. REQUESTED leaves no entry: nothing is known yet.
    pub fn of_operation(kind: OperationKind, state: OperationState) -> Result<Self, Refusal> {
        let result = match state {
            OperationState::Requested => return Err(Refusal::internal("a requested operation has no interaction")),
            OperationState::Pending => "pending",
            OperationState::Unknown => "unknown",
            OperationState::ManualCheck => "manual-check",
            OperationState::Successful => "successful",
            OperationState::Failed => "failed",
        };
        Self::parse(&format!("transaction.{}.{result}", kind.word()))
            .ok_or(Refusal::internal("an operation's state without an interaction kind"))
    }

    /// The kind that tells of a late contradiction: success that failed, or failure that turned out executed.
    pub const fn of_reversal(kind: OperationKind) -> Self {
        match kind {
            OperationKind::Capture => Self::CaptureReversed,
            OperationKind::Refund => Self::RefundReversed,
            OperationKind::Void => Self::VoidReversed,
        }
    }

    /// The kind that tells of a transaction's new state where nothing else does.
    pub const fn of_state(state: TransactionState) -> Self {
        match state {
            TransactionState::Create | TransactionState::Pending => Self::StatePending,
            TransactionState::Confirmed => Self::StateConfirmed,
            TransactionState::Processing => Self::StateProcessing,
            TransactionState::Authorized => Self::StateAuthorized,
            TransactionState::Failed => Self::StateFailed,
            TransactionState::Voided => Self::StateVoided,
            TransactionState::Completed => Self::StateCompleted,
            TransactionState::Fulfill => Self::StateFulfill,
            TransactionState::Decline => Self::StateDecline,
        }
    }
}
