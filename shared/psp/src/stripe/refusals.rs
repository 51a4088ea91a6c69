//! Stripe's reasons in public words. <https://docs.stripe.com/error-codes>, <https://docs.stripe.com/api/refunds/object>
//!
//! Stripe's messages are not copied: they may hold ids, amounts and names.

use super::wire::{Error, ErrorBody};
use crate::outcome::{Complaint, Reason, reason_of};
use crate::transport::Answer;
use domain::outcome::{Failure, FailureCategory};

/// What an error means for a call that moves money; none if it is not an error as Stripe documents it.
pub(super) fn complaint(answer: &Answer) -> Option<Complaint> {
    let ErrorBody { error } = answer.json()?;
    let kind = error.kind.as_deref()?;
    Some(match error.code.as_deref() {
        Some("idempotency_key_in_use" | "lock_timeout") => Complaint::InProgress,
        // The same key came with other parameters. That is a bug of ours, and says nothing about the first request.
        _ if kind == "idempotency_error" => Complaint::KeyReused,
        // The header is Stripe's last word on whether this answer is final. <https://docs.stripe.com/error-low-level>
        _ if answer.header("stripe-should-retry") == Some("true") => Complaint::InProgress,
        // The card network was asked, so the call was executed, and what was executed is kept under the key.
        // <https://docs.stripe.com/api/idempotent_requests>
        _ if kind == "card_error" => Complaint::Decision(refusal(&error)),
        _ => Complaint::Refusal(refusal(&error)),
    })
}

/// Stripe itself says that it has no such object.
pub(super) fn is_not_found(answer: &Answer) -> bool {
    answer.json().is_some_and(|ErrorBody { error }| error.code.as_deref() == Some("resource_missing"))
}

/// An error of a request or of the last try to pay.
pub(super) fn refusal(error: &Error) -> Failure {
    let is_card_error = error.kind.as_deref() == Some("card_error");
    let psp_code = if is_card_error { error.decline_code.as_ref().or(error.code.as_ref()) } else { error.code.as_ref() };
    let psp_code = psp_code.or(error.kind.as_ref()).map(String::as_str);
    let reason = match reason_of(REASONS, error.code.as_deref()) {
        Some(reason) => reason,
        None if is_card_error => &DECLINED,
        // More than is left to refund: Stripe gives the parameter, but no code.
        None if error.param.as_deref() == Some("amount") => &AMOUNT,
        None => &REFUSED,
    };
    reason.failure(psp_code)
}

/// A refund that Stripe made and that failed.
pub(super) fn refund_failure(failure_reason: Option<&str>) -> Failure {
    reason_of(REASONS, failure_reason).unwrap_or(&REFUND_FAILED).failure(failure_reason)
}

pub(super) fn not_found() -> Failure {
    NOT_FOUND.failure(None)
}

pub(super) fn not_representable() -> Failure {
    NOT_REPRESENTABLE.failure(None)
}

pub(super) fn state_forbids() -> Failure {
    STATE.failure(None)
}

/// A payment that was given up before it was authorized.
pub(super) fn payment_failed() -> Failure {
    PAYMENT_FAILED.failure(None)
}

const REASONS: &[Reason] = &[AMOUNT, STATE, REFUNDED, EXPIRED, DISPUTED, FUNDS, NOT_FOUND, DECLINED];

const AMOUNT: Reason = Reason {
    psp_codes: &["amount_too_large", "amount_too_small", "invalid_charge_amount", "invalid_charge_amount_no_decimal_compatible"],
    code: "amount-refused-by-psp",
    category: FailureCategory::Developer,
    description: "The PSP does not accept this amount.",
    retryable: false,
};

const STATE: Reason = Reason {
    psp_codes: &["payment_intent_unexpected_state", "charge_already_captured", "capture_unauthorized_payment", "charge_not_refundable"],
    code: "state-forbids-at-psp",
    category: FailureCategory::Developer,
    description: "The payment's state at the PSP does not allow the operation.",
    retryable: false,
};

const REFUNDED: Reason = Reason {
    psp_codes: &["charge_already_refunded"],
    code: "already-refunded-at-psp",
    category: FailureCategory::Developer,
    description: "The payment has been refunded completely at the PSP.",
    retryable: false,
};

const EXPIRED: Reason = Reason {
    psp_codes: &["charge_expired_for_capture", "capture_charge_authorization_expired"],
    code: "authorization-expired",
    category: FailureCategory::EndUser,
    description: "The authorization has expired.",
    retryable: false,
};

const DISPUTED: Reason = Reason {
    psp_codes: &["charge_disputed", "charge_for_pending_refund_disputed"],
    code: "disputed",
    category: FailureCategory::EndUser,
    description: "The payer has disputed the payment.",
    retryable: false,
};

const FUNDS: Reason = Reason {
    psp_codes: &["balance_insufficient", "insufficient_funds"],
    code: "balance-insufficient-at-psp",
    category: FailureCategory::TemporaryIssue,
    description: "The merchant's balance at the PSP is too low.",
    retryable: true,
};

const NOT_FOUND: Reason = Reason {
    psp_codes: &["resource_missing"],
    code: "not-found-at-psp",
    category: FailureCategory::Developer,
    description: "The PSP does not know the payment on this account.",
    retryable: false,
};

const DECLINED: Reason = Reason {
    psp_codes: &["card_declined", "expired_card", "declined", "lost_or_stolen_card", "expired_or_canceled_card"],
    code: "declined",
    category: FailureCategory::EndUser,
    description: "The payer's bank declined.",
    retryable: false,
};

const REFUSED: Reason = Reason {
    psp_codes: &[],
    code: "refused-by-psp",
    category: FailureCategory::Developer,
    description: "The PSP refused the operation.",
    retryable: false,
};

const REFUND_FAILED: Reason = Reason {
    psp_codes: &[],
    code: "refund-failed-at-psp",
    category: FailureCategory::EndUser,
    description: "The refund could not be delivered.",
    retryable: true,
};

const NOT_REPRESENTABLE: Reason = Reason {
    psp_codes: &[],
    code: "amount-refused-by-psp",
    category: FailureCategory::Developer,
    description: "The PSP cannot express this amount in this currency.",
    retryable: false,
};

const PAYMENT_FAILED: Reason = Reason {
    psp_codes: &[],
    code: "payment-failed",
    category: FailureCategory::EndUser,
    description: "The payment was canceled at the PSP before it was authorized.",
    retryable: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_has_two_meanings() {
        let mut codes: Vec<_> = REASONS.iter().flat_map(|reason| reason.psp_codes).collect();
        let listed = codes.len();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), listed);
    }

    #[test]
    fn stripes_words_never_reach_the_public_text() {
        let body =
            r#"{"type":"card_error","code":"card_declined","decline_code":"do_not_honor","message":"Jane's card 4242 was declined"}"#;
        let failure = refusal(&serde_json::from_str(body).unwrap());
        assert_eq!((failure.code.as_str(), failure.psp_code.as_deref()), ("declined", Some("do_not_honor")));
        assert_eq!(failure.description, "The payer's bank declined.");
        let body = r#"{"type":"invalid_request_error","code":"Jane's card 4242","param":"amount"}"#;
        let failure = refusal(&serde_json::from_str(body).unwrap());
        assert_eq!((failure.code.as_str(), failure.psp_code), ("amount-refused-by-psp", None));
    }
}
