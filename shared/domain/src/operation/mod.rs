//! One capture, refund or void: what was asked, what the PSP was told, and how it stands.

mod block;
mod capture;
mod command;
mod doubt;
mod new;
mod refund;
mod resolve;
mod settle;
mod state;
mod void;

pub use block::OpenOperation;
pub use capture::CaptureOrder;
pub use command::{CaptureCommand, OperationLine, OperationReason, RefundCommand, RefundTarget, VoidCommand};
pub use doubt::{Asked, LONGEST_ON_THE_WAY, NextStep, asked_again_after};
pub use new::NewOperation;
pub use refund::RefundOrder;
pub use resolve::{Resolution, ResolveCommand};
pub use settle::{Effect, adopt};
pub use state::OperationState;
pub use void::VoidOrder;

use crate::currency::Currency;
use crate::error::Refusal;
use crate::id::{IdempotencyKey, MerchantReference, OperationId, OperationReference, PspReference, SpaceId, TransactionId};
use crate::money::Minor;
use crate::named::named;
use crate::outcome::Failure;
use crate::planted::{Bug, is_planted};
use crate::time::{Span, Timestamp};

named! {
    OperationKind {
        Capture = "CAPTURE",
        Refund = "REFUND",
        Void = "VOID",
    }
}

impl OperationKind {
    /// The word in notification types and interaction kinds.
    pub const fn word(self) -> &'static str {
        match self {
            OperationKind::Capture => "capture",
            OperationKind::Refund => "refund",
            OperationKind::Void => "void",
        }
    }
}

named! {
    /// Who caused something.
    Actor {
        Caller = "CALLER",
        Psp = "PSP",
        System = "SYSTEM",
    }
}

/// What makes an operation unique within its transaction and kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperationKey {
    /// The caller's idempotency key.
    Caller(IdempotencyKey),
    /// Found at the PSP, made by someone else: its PSP reference takes the place of a key.
    Adopted(PspReference),
}

/// An operation. Made by `request_capture`, `request_refund`, `request_void` or `adopt`, changed only by settling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation(OperationFacts);

/// Everything that is known about an operation, for storing and showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationFacts {
    pub space: SpaceId,
    pub transaction: TransactionId,
    pub id: OperationId,
    /// The version of the transaction that wrote it last: it is changed only as it was read.
    pub version: u64,
    pub kind: OperationKind,
    pub key: OperationKey,
    /// The fingerprint of the command, without `version`: what a repeated key is compared with.
    pub command: String,
    pub state: OperationState,
    pub amount: Minor,
    pub currency: Currency,
    /// A capture after which nothing more is captured.
    pub is_final: bool,
    /// What a final capture releases of the authorization.
    pub releases: Minor,
    /// The capture that a refund belongs to, where one was named or the PSP needs one.
    pub capture: Option<OperationId>,
    pub reason: Option<OperationReason>,
    pub note: Option<String>,
    pub line_items: Vec<OperationLine>,
    pub merchant_reference: Option<MerchantReference>,
    pub psp_reference: Option<PspReference>,
    pub actor: Actor,
    pub created_on: Timestamp,
    pub settled_on: Option<Timestamp>,
    pub reversed_on: Option<Timestamp>,
    pub failure: Option<Failure>,
    /// When somebody has to look at it again; only while it is open.
    pub due_on: Option<Timestamp>,
    /// How it is sent to the PSP; absent on what was adopted.
    pub sending: Option<Sending>,
    /// Of a capture: what its own refunds have given back, and what they hold.
    pub refunded: Minor,
    pub refund_pending: Minor,
}

/// The right and the means to send an operation to the PSP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Our idempotency key at the PSP: drawn once, never again.
    pub psp_key: String,
    /// Who may send now; a worker that finds another token here has lost the right.
    pub lease: String,
    pub lease_until: Timestamp,
    pub first_sent_on: Timestamp,
    pub last_sent_on: Timestamp,
    /// Raised by every worker that takes over, so that a late answer of an earlier one does not count.
    pub epoch: u32,
    /// The PSP keeps an error under our key, which it repeats to everyone who sends again: only asking can tell more.
    pub error_is_kept: bool,
}

impl Sending {
    /// How long one worker may work on an operation before another takes over.
    pub const LEASE: Span = Span::from_seconds(60);

    pub fn begin(psp_key: String, lease: String, now: Timestamp) -> Self {
        Self { psp_key, lease, lease_until: now.plus(Self::LEASE), first_sent_on: now, last_sent_on: now, epoch: 1, error_is_kept: false }
    }
}

impl Operation {
    /// An operation as it was stored; the store checks types, this checks what belongs together.
    pub fn restore(facts: OperationFacts) -> Result<Self, &'static str> {
        let shares = facts.refunded.plus(facts.refund_pending).map_err(|_| "refunded overflows")?;
        match () {
            () if facts.amount < Minor::ZERO => Err("amount is negative"),
            () if facts.kind != OperationKind::Capture && (facts.is_final || !facts.releases.is_zero()) => Err("only a capture is final"),
            () if facts.kind != OperationKind::Capture && !shares.is_zero() => Err("only a capture has refunds"),
            () if facts.state.is_final() && facts.settled_on.is_none() => Err("final, but not settled"),
            () if facts.state.is_open() && facts.due_on.is_none() => Err("open, but never due"),
            () => Ok(Self(facts)),
        }
    }

    pub fn facts(&self) -> &OperationFacts {
        &self.0
    }

    pub fn state(&self) -> OperationState {
        self.0.state
    }

    /// Our key at the PSP; what was adopted has none and is never sent.
    fn psp_key(&self) -> Result<String, Refusal> {
        let sending = self.0.sending.as_ref().ok_or_else(|| Refusal::internal("an operation without a key for the PSP"))?;
        if is_planted(Bug::KeyPerAttempt) {
            return Ok(format!("{}-{}", sending.psp_key, sending.epoch));
        }
        Ok(sending.psp_key.clone())
    }

    /// What the PSP is given as our reference of this operation.
    pub fn reference(&self) -> OperationReference {
        OperationReference::new(self.0.space, self.0.transaction, self.0.id)
    }

    /// The same after the commit that wrote it.
    pub fn written_at(self, version: u64) -> Self {
        Self(OperationFacts { version, ..self.0 })
    }

    /// The worker that wrote or took this operation last.
    pub fn lease(&self) -> Option<&str> {
        self.0.sending.as_ref().map(|sending| sending.lease.as_str())
    }

    /// Whether whoever holds it may still send it.
    pub fn is_leased_at(&self, now: Timestamp) -> bool {
        self.0.sending.as_ref().is_some_and(|sending| now < sending.lease_until)
    }

    /// Whether this operation was written by the worker that holds this lease.
    pub fn is_leased_by(&self, lease: &str) -> bool {
        self.0.sending.as_ref().is_some_and(|sending| sending.lease == lease)
    }
}
