//! Every way in which a request is refused, in order of precedence: when a request breaks several rules, the one listed
//! first is named. The order is tested (`precedence`), and so is that each has its own code.
//!
//! Public text is made at the HTTP edge from the variant and its fields alone. Internal text lives in `Internal`, which has
//! no `Display`.

use crate::currency::Currency;
use crate::id::TransactionId;
use crate::money::{Money, Overflow};
use crate::time::Span;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    // Who asks.
    Unauthenticated,
    InsufficientScope {
        needed: &'static str,
    },
    RateLimited {
        retry_after: Span,
    },
    // What was sent.
    BodyTooLarge,
    InvalidRequest(Vec<Flaw>),
    InvalidAmount,
    InvalidCurrency,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    CardDataNotAllowed {
        pointer: String,
    },
    MetadataLimit {
        detail: &'static str,
    },
    UrlNotAllowed,
    // What it is about.
    TransactionNotFound,
    OperationNotFound,
    ConnectionNotFound,
    NotificationNotFound,
    IdempotencyKeyReused,
    /// The caller decided on a version that is no longer the current one.
    VersionConflict {
        stale: Stale,
    },
    // What state forbids.
    AlreadyImported {
        transaction: TransactionId,
    },
    ImportNotCompleted,
    AlreadyVoided,
    AlreadyCaptured,
    InvalidState {
        detail: &'static str,
    },
    OperationInDoubt {
        retry_after: Option<Span>,
    },
    CaptureNotFinal,
    // What the amount may be.
    CurrencyMismatch,
    TooManyDecimals {
        currency: Currency,
    },
    AmountNotPositive,
    LineItemsAmountMismatch,
    ExceedsCapturableAmount {
        remaining: Money,
    },
    ExceedsRefundableAmount {
        remaining: Money,
    },
    CaptureIdRequired,
    NotSupportedByPsp {
        detail: &'static str,
    },
    // What went wrong with us; nothing was stored.
    Unavailable {
        retry_after: Span,
    },
    Internal(Internal),
}

/// Where a caller named a version that is no longer the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Property `version` of the body.
    Body,
    /// Header `If-Match`.
    IfMatch,
}

/// One thing that is wrong with a body or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// JSON pointer into the body, or the name of the parameter or header.
    pub pointer: String,
    pub detail: String,
}

/// What a person who reads the log needs to know about a bug. It never reaches a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Internal(pub String);

/// How much noise a refusal makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// The caller's affair.
    Quiet,
    /// Worth counting: an outage, or someone trying keys.
    Counted,
    /// Someone is woken up.
    Alarm,
}

impl Refusal {
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::Internal(Internal(detail.into()))
    }

    pub fn flaw(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::InvalidRequest(vec![Flaw { pointer: pointer.into(), detail: detail.into() }])
    }

    /// The code on the wire, closed and stable.
    pub const fn code(&self) -> &'static str {
        CODES[self.precedence()]
    }

    /// The rank in the order above; the smaller one wins.
    pub const fn precedence(&self) -> usize {
        match self {
            Self::Unauthenticated => 0,
            Self::InsufficientScope { .. } => 1,
            Self::RateLimited { .. } => 2,
            Self::BodyTooLarge => 3,
            Self::InvalidRequest(_) => 4,
            Self::InvalidAmount => 5,
            Self::InvalidCurrency => 6,
            Self::IdempotencyKeyMissing => 7,
            Self::IdempotencyKeyInvalid => 8,
            Self::CardDataNotAllowed { .. } => 9,
            Self::MetadataLimit { .. } => 10,
            Self::UrlNotAllowed => 11,
            Self::TransactionNotFound => 12,
            Self::OperationNotFound => 13,
            Self::ConnectionNotFound => 14,
            Self::NotificationNotFound => 15,
            Self::IdempotencyKeyReused => 16,
            Self::VersionConflict { .. } => 17,
            Self::AlreadyImported { .. } => 18,
            Self::ImportNotCompleted => 19,
            Self::AlreadyVoided => 20,
            Self::AlreadyCaptured => 21,
            Self::InvalidState { .. } => 22,
            Self::OperationInDoubt { .. } => 23,
            Self::CaptureNotFinal => 24,
            Self::CurrencyMismatch => 25,
            Self::TooManyDecimals { .. } => 26,
            Self::AmountNotPositive => 27,
            Self::LineItemsAmountMismatch => 28,
            Self::ExceedsCapturableAmount { .. } => 29,
            Self::ExceedsRefundableAmount { .. } => 30,
            Self::CaptureIdRequired => 31,
            Self::NotSupportedByPsp { .. } => 32,
            Self::Unavailable { .. } => 33,
            Self::Internal(_) => 34,
        }
    }

    /// Whether the same request can succeed later without anybody changing it.
    pub const fn may_be_retried(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::OperationInDoubt { .. }
            | Self::CaptureNotFinal
            | Self::Unavailable { .. }
            | Self::Internal(_) => true,
            Self::ImportNotCompleted => true,
            Self::Unauthenticated
            | Self::InsufficientScope { .. }
            | Self::BodyTooLarge
            | Self::InvalidRequest(_)
            | Self::InvalidAmount
            | Self::InvalidCurrency
            | Self::IdempotencyKeyMissing
            | Self::IdempotencyKeyInvalid
            | Self::CardDataNotAllowed { .. }
            | Self::MetadataLimit { .. }
            | Self::UrlNotAllowed
            | Self::TransactionNotFound
            | Self::OperationNotFound
            | Self::ConnectionNotFound
            | Self::NotificationNotFound
            | Self::IdempotencyKeyReused
            | Self::VersionConflict { .. }
            | Self::AlreadyImported { .. }
            | Self::AlreadyVoided
            | Self::AlreadyCaptured
            | Self::InvalidState { .. }
            | Self::CurrencyMismatch
            | Self::TooManyDecimals { .. }
            | Self::AmountNotPositive
            | Self::LineItemsAmountMismatch
            | Self::ExceedsCapturableAmount { .. }
            | Self::ExceedsRefundableAmount { .. }
            | Self::CaptureIdRequired
            | Self::NotSupportedByPsp { .. } => false,
        }
    }

    pub const fn loudness(&self) -> Loudness {
        match self {
            Self::Internal(_) => Loudness::Alarm,
            Self::Unauthenticated | Self::RateLimited { .. } | Self::Unavailable { .. } => Loudness::Counted,
            _ => Loudness::Quiet,
        }
    }
}

/// What two rules say about the same request: both values, or the refusal that comes first in the order above.
pub(crate) fn both<A, B>(one: Result<A, Refusal>, other: Result<B, Refusal>) -> Result<(A, B), Refusal> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(if other.precedence() < one.precedence() { other } else { one }),
        (Err(refusal), Ok(_)) | (Ok(_), Err(refusal)) => Err(refusal),
    }
}

/// All codes in order of precedence.
pub const CODES: [&str; 35] = [
    "unauthenticated",
    "insufficient-scope",
    "rate-limited",
    "body-too-large",
    "invalid-request",
    "invalid-amount",
    "invalid-currency",
    "idempotency-key-missing",
    "idempotency-key-invalid",
    "card-data-not-allowed",
    "metadata-limit",
    "url-not-allowed",
    "transaction-not-found",
    "operation-not-found",
    "connection-not-found",
    "notification-not-found",
    "idempotency-key-reused",
    "version-conflict",
    "already-imported",
    "import-not-completed",
    "already-voided",
    "already-captured",
    "invalid-state",
    "operation-in-doubt",
    "capture-not-final",
    "currency-mismatch",
    "too-many-decimals",
    "amount-not-positive",
    "line-items-amount-mismatch",
    "exceeds-capturable-amount",
    "exceeds-refundable-amount",
    "capture-id-required",
    "not-supported-by-psp",
    "unavailable",
    "internal",
];

/// Sums of amounts that each fit leave 64 bits only through a bug or a forged table.
impl From<Overflow> for Refusal {
    fn from(_: Overflow) -> Self {
        Self::internal("an amount left the range of 64 bits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_refusals_the_one_that_comes_first_is_told_and_of_equal_ones_the_first() {
        let flaw = |pointer: &str| Refusal::flaw(pointer, "is wrong");
        let told = |one: Refusal, other: Refusal| both::<(), ()>(Err(one), Err(other)).expect_err("both are refusals");
        assert_eq!(told(flaw("a"), flaw("b")), flaw("a"));
        assert_eq!(told(flaw("a"), Refusal::InvalidAmount), flaw("a"));
        assert_eq!(told(Refusal::InvalidAmount, flaw("b")), flaw("b"));
        assert_eq!(both::<(), ()>(Ok(()), Err(flaw("b"))), Err(flaw("b")));
        assert_eq!(both(Ok(1), Ok(2)), Ok((1, 2)));
    }
}
