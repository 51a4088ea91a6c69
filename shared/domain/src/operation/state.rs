//! The six states of an operation and the moves between them.
//!
//! Invariant: SUCCESSFUL and FAILED are final for callers; only a correction, made from what the PSP proves later, turns
//! one into the other, and it is recorded as such.

use crate::named::named;
use crate::time::Span;

named! {
    /// Where a capture, refund or void stands.
    OperationState {
        Requested = "REQUESTED",
        Pending = "PENDING",
        Unknown = "UNKNOWN",
        ManualCheck = "MANUAL_CHECK",
        Successful = "SUCCESSFUL",
        Failed = "FAILED",
    }
}

impl OperationState {
    /// The states that an ordinary result can lead to from here.
    pub const fn next(self) -> &'static [OperationState] {
        use OperationState::*;
        match self {
            Requested => &[Pending, Unknown, ManualCheck, Successful, Failed],
            Pending => &[ManualCheck, Successful, Failed],
            Unknown => &[Pending, ManualCheck, Successful, Failed],
            ManualCheck => &[Successful, Failed],
            Successful | Failed => &[],
        }
    }

    /// The states that a proof of the PSP can lead to after the end: a correction that moves the balance.
    pub const fn corrections(self) -> &'static [OperationState] {
        use OperationState::*;
        match self {
            Successful => &[Failed],
            Failed => &[Successful],
            Requested | Pending | Unknown | ManualCheck => &[],
        }
    }

    /// How long an operation may stay in this state before the PSP is asked again; final states are never due.
    pub const fn asked_after(self) -> Option<Span> {
        match self {
            OperationState::Requested => Some(Span::from_seconds(60)),
            // The PSP has had its time: an answer that got lost is soon found by asking.
            OperationState::Unknown => Some(Span::from_seconds(10)),
            OperationState::Pending => Some(Span::from_seconds(300)),
            OperationState::ManualCheck => Some(Span::from_days(1)),
            OperationState::Successful | OperationState::Failed => None,
        }
    }

    pub fn may_become(self, next: OperationState) -> bool {
        self.next().contains(&next)
    }

    /// Open operations hold their reservation and may block others.
    pub const fn is_open(self) -> bool {
        !self.is_final()
    }

    pub const fn is_final(self) -> bool {
        self.next().is_empty()
    }
}
