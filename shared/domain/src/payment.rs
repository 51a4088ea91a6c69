//! What a PSP says about a payment when it is read, in our words. Adapters make it; import and webhooks judge it.

use crate::id::{OperationReference, PspReference};
use crate::money::{Minor, Money};
use crate::operation::{OperationKind, OperationState};
use crate::outcome::Failure;
use crate::time::Timestamp;
use crate::transaction::TransactionState;

/// A payment as the PSP reports it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PspPayment {
    /// The PSP's canonical id of the payment, whatever id it was asked by.
    pub reference: PspReference,
    /// The state that the PSP's own state means for a transaction of ours.
    pub state: TransactionState,
    /// What was authorized, or charged directly.
    pub authorized: Money,
    /// The payment belongs to the account at the PSP that the connection stands for.
    pub account_matches: bool,
    /// Test money where the connection says test, real money where it says live.
    pub environment_matches: bool,
    /// The PSP lets this payment be captured several times (see `KeepsRest::IfGranted`).
    pub keeps_rest: bool,
    /// Released and not captured, by a void, an expiry or a final capture.
    pub released: Minor,
    pub authorized_on: Option<Timestamp>,
    pub expires_on: Option<Timestamp>,
    /// Captures and refunds that the PSP knows of, oldest first.
    pub movements: Vec<Movement>,
    /// Why it failed, where the state is FAILED.
    pub failure: Option<Failure>,
}

impl PspPayment {
    /// Something was captured, or may still turn out to be.
    pub fn has_captures(&self) -> bool {
        let is_live = |movement: &Movement| !matches!(movement.state, MovementState::Failed(_));
        self.movements.iter().any(|movement| movement.kind == OperationKind::Capture && is_live(movement))
    }

    /// The state of ours that it leads to: what was captured is fulfilled by itself, also where the rest was released.
    pub(crate) fn goal(&self) -> TransactionState {
        match self.state {
            TransactionState::Completed => TransactionState::Fulfill,
            TransactionState::Voided if self.has_captures() => TransactionState::Fulfill,
            reported => reported,
        }
    }
}

/// A capture, refund or void that exists at the PSP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    pub kind: OperationKind,
    pub psp_reference: PspReference,
    /// Our reference of the operation, where the PSP kept it.
    pub ours: Option<OperationReference>,
    pub money: Money,
    pub state: MovementState,
    pub on: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MovementState {
    Pending,
    Successful,
    Failed(Failure),
}

impl From<&MovementState> for OperationState {
    fn from(state: &MovementState) -> Self {
        match state {
            MovementState::Pending => OperationState::Pending,
            MovementState::Successful => OperationState::Successful,
            MovementState::Failed(_) => OperationState::Failed,
        }
    }
}
