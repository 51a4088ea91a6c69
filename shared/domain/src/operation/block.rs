//! What stands in the way of captures and voids: an authorization that is over, and open operations that hold them back.
//!
//! An adapter may add blocks through its capabilities, never remove one of these.

use crate::error::Refusal;
use crate::time::Span;
use crate::transaction::{FinalCapture, Transaction, TransactionState};

/// An operation that has not settled, or that a command is about to open, by what matters to others about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenOperation {
    Capture,
    FinalCapture,
    Refund,
    Void,
}

impl OpenOperation {
    pub const ALL: [Self; 4] = [Self::Capture, Self::FinalCapture, Self::Refund, Self::Void];

    /// What waits until it has settled. Everything else only has to leave it its share.
    pub const fn holds_back(self) -> &'static [Self] {
        match self {
            // The PSP would close the payment before this capture reaches it.
            Self::Capture => &[Self::FinalCapture, Self::Void],
            Self::FinalCapture | Self::Void => &[Self::Capture, Self::FinalCapture, Self::Void],
            Self::Refund => &[],
        }
    }
}

/// When a caller may try again while an open operation blocks: soon, since most are settled within a PSP call.
const IN_DOUBT_RETRY: Span = Span::from_seconds(5);

impl Transaction {
    /// The authorization stands, so that what is held can be captured or released; otherwise what has become of it.
    pub(super) fn check_authorization(&self) -> Result<(), Refusal> {
        let facts = self.facts();
        if !facts.import.is_done() {
            return Err(Refusal::ImportNotCompleted);
        }
        match facts.state {
            TransactionState::Authorized if facts.final_capture == FinalCapture::Done => Err(Refusal::AlreadyCaptured),
            TransactionState::Authorized => Ok(()),
            TransactionState::Voided => Err(Refusal::AlreadyVoided),
            TransactionState::Completed | TransactionState::Fulfill | TransactionState::Decline => Err(Refusal::AlreadyCaptured),
            TransactionState::Create | TransactionState::Pending | TransactionState::Confirmed | TransactionState::Processing => {
                Err(Refusal::InvalidState { detail: "The payment is not authorized yet." })
            }
            TransactionState::Failed => Err(Refusal::InvalidState { detail: "The payment has failed." }),
        }
    }

    /// No open operation holds back a command that would open this one.
    pub(super) fn may_open(&self, operation: OpenOperation) -> Result<(), Refusal> {
        let retry_after = Some(IN_DOUBT_RETRY);
        if self.is_blocked(operation) { Err(Refusal::OperationInDoubt { retry_after }) } else { Ok(()) }
    }

    /// Whether an open operation holds a command back that would open this one.
    pub(crate) fn is_blocked(&self, command: OpenOperation) -> bool {
        let facts = self.facts();
        let is_there = |open: &OpenOperation| match open {
            OpenOperation::Capture => facts.balance.capture_pending.is_positive(),
            OpenOperation::FinalCapture => facts.final_capture == FinalCapture::Open,
            OpenOperation::Refund => facts.balance.refund_pending.is_positive(),
            OpenOperation::Void => facts.void_is_open,
        };
        OpenOperation::ALL.iter().filter(|open| is_there(open)).any(|open| open.holds_back().contains(&command))
    }
}
