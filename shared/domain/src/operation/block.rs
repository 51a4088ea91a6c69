//! Which open operations hold which commands back.
//!
//! An adapter may add blocks through its capabilities, never remove one of these.

use crate::transaction::{FinalCapture, Transaction};

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

impl Transaction {
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
