//! What a PSP can do, as data: rules read this and never the name of a PSP.

use crate::operation::OperationKind;
use crate::time::Span;

/// The abilities of one PSP. An adapter may add limits here, never remove one of the domain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The payment can be read from the PSP; without it only webhooks tell about it.
    pub reads_payments: bool,
    /// Less than the authorized amount can be captured.
    pub captures_in_part: bool,
    /// Whether the rest of an authorization survives a partial capture.
    pub keeps_rest: KeepsRest,
    /// What is left after a final capture the PSP releases by itself; otherwise it stays held until a void.
    pub releases_rest: bool,
    /// Less than the captured amount can be refunded, more than once.
    pub refunds_in_part: bool,
    /// A refund belongs to one capture at the PSP, so one must be named or found.
    pub refunds_per_capture: bool,
    /// An authorization can be released.
    pub voids: bool,
    /// How long the PSP knows an idempotency key of each kind of operation.
    pub key_window: KeyWindows,
}

/// Whether what is not captured stays held for later captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepsRest {
    Always,
    /// Only if the PSP granted it to this payment when the shop made it.
    IfGranted,
    Never,
}

/// How long a repeated request with the same key is recognised by the PSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWindow {
    /// The PSP knows no idempotency keys.
    Keyless,
    For(Span),
    Forever,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyWindows {
    pub capture: KeyWindow,
    pub refund: KeyWindow,
    pub void: KeyWindow,
}

impl KeyWindows {
    pub const fn of(&self, kind: OperationKind) -> KeyWindow {
        match kind {
            OperationKind::Capture => self.capture,
            OperationKind::Refund => self.refund,
            OperationKind::Void => self.void,
        }
    }
}

impl Capabilities {
    /// Whether the rest of this payment's authorization survives a partial capture.
    pub const fn keeps_rest_of(&self, granted: bool) -> bool {
        match self.keeps_rest {
            KeepsRest::Always => true,
            KeepsRest::IfGranted => granted,
            KeepsRest::Never => false,
        }
    }
}
