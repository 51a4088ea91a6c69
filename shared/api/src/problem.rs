//! Refusals as answers: RFC 9457 problem details. The only place that turns a refusal into public text and a status.

use crate::json_out::Json;
use crate::request::Response;
use domain::Refusal;
use domain::error::{Flaw, Stale};
use domain::time::Span;

/// Titles and texts are made from the refusal's variant and fields alone; internal text goes to the log.
pub fn answer(refusal: &Refusal, request_id: &str) -> Response {
    let status = status(refusal);
    let body = Json::object()
        .with("type", format!("urn:collana-pay:problem:{}", refusal.code()))
        .with("title", title(refusal))
        .with("status", i64::from(status))
        .with("detail", detail(refusal))
        .with("code", refusal.code())
        .with("requestId", request_id);
    let body = match refusal {
        Refusal::InvalidRequest(flaws) => body.with_any("errors", flaws.iter().map(flaw)),
        Refusal::CardDataNotAllowed { pointer } => {
            body.with_any("errors", [Json::object().with("pointer", pointer).with("detail", "looks like a card number")])
        }
        Refusal::AlreadyImported { transaction } => body.with("transactionId", transaction.number()),
        _ => body,
    };
    let response =
        Response { status, headers: vec![("content-type", "application/problem+json".to_owned())], body: Json::from(body).write() };
    match retry_after(refusal) {
        Some(span) => response.with("retry-after", span.seconds().max(1).to_string()),
        None => response,
    }
}

/// 500 means a bug of ours, 503 means try again.
pub fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::InvalidRequest(_)
        | Refusal::InvalidAmount
        | Refusal::InvalidCurrency
        | Refusal::IdempotencyKeyMissing
        | Refusal::IdempotencyKeyInvalid => 400,
        Refusal::Unauthenticated => 401,
        Refusal::InsufficientScope { .. } => 403,
        Refusal::TransactionNotFound | Refusal::OperationNotFound | Refusal::ConnectionNotFound | Refusal::NotificationNotFound => 404,
        Refusal::AlreadyImported { .. }
        | Refusal::ImportNotCompleted
        | Refusal::AlreadyVoided
        | Refusal::AlreadyCaptured
        | Refusal::InvalidState { .. }
        | Refusal::OperationInDoubt { .. }
        | Refusal::CaptureNotFinal
        | Refusal::VersionConflict { stale: Stale::Body } => 409,
        Refusal::VersionConflict { stale: Stale::IfMatch } => 412,
        Refusal::BodyTooLarge => 413,
        Refusal::IdempotencyKeyReused
        | Refusal::CardDataNotAllowed { .. }
        | Refusal::MetadataLimit { .. }
        | Refusal::UrlNotAllowed
        | Refusal::CurrencyMismatch
        | Refusal::TooManyDecimals { .. }
        | Refusal::AmountNotPositive
        | Refusal::LineItemsAmountMismatch
        | Refusal::ExceedsCapturableAmount { .. }
        | Refusal::ExceedsRefundableAmount { .. }
        | Refusal::CaptureIdRequired
        | Refusal::NotSupportedByPsp { .. } => 422,
        Refusal::RateLimited { .. } => 429,
        Refusal::Internal(_) => 500,
        Refusal::Unavailable { .. } => 503,
    }
}

fn title(refusal: &Refusal) -> String {
    let words = refusal.code().replace('-', " ");
    let (first, rest) = words.split_at(1);
    first.to_uppercase() + rest
}

fn detail(refusal: &Refusal) -> String {
    let text = match refusal {
        Refusal::Unauthenticated => {
            "The request does not prove who sends it: a call needs `Authorization: Bearer <key>`, a webhook its PSP's signature."
        }
        Refusal::InsufficientScope { needed } => return format!("The API key needs the scope `{needed}`."),
        Refusal::RateLimited { .. } => "Too many requests: wait as long as `Retry-After` says.",
        Refusal::BodyTooLarge => "The body is larger than 256 kB.",
        Refusal::InvalidRequest(flaws) => return flaws.first().map_or_else(|| "The request is not valid.".to_owned(), sentence),
        Refusal::InvalidAmount => {
            "An amount is a plain decimal number in major units, such as 49.90: no sign, no exponent, no grouping, at most 19 digits."
        }
        Refusal::InvalidCurrency => "A currency is a code of ISO 4217 in upper case, such as EUR.",
        Refusal::IdempotencyKeyMissing => "Send a header `Idempotency-Key`: without it a repeated command could move money twice.",
        Refusal::IdempotencyKeyInvalid => "`Idempotency-Key` has 1 to 100 printable ASCII characters.",
        Refusal::CardDataNotAllowed { .. } => "A text looks like a card number; card data is not stored here.",
        Refusal::MetadataLimit { detail } => detail,
        Refusal::UrlNotAllowed => "The URL must be https on port 443 and lead to a public address.",
        Refusal::TransactionNotFound => "There is no such transaction.",
        Refusal::OperationNotFound => "There is no such operation on the transaction.",
        Refusal::ConnectionNotFound => "There is no such connection in the space.",
        Refusal::NotificationNotFound => "There is no such notification.",
        Refusal::IdempotencyKeyReused => {
            "The key was used for another command on this transaction: the same key must come with the same command."
        }
        Refusal::VersionConflict { .. } => "The transaction has changed since the version that was named: read it again and decide again.",
        Refusal::AlreadyImported { .. } => "The payment was imported already, with another merchant reference, amount or currency.",
        Refusal::ImportNotCompleted => "The payment is not imported yet: look at `importState` and `importFailure`.",
        Refusal::AlreadyVoided => "The authorization has been released.",
        Refusal::AlreadyCaptured => "The transaction is captured: nothing is held any more.",
        Refusal::InvalidState { detail } => detail,
        Refusal::OperationInDoubt { .. } => "An open operation must be settled first: send the same command with the same key later.",
        Refusal::CaptureNotFinal => "A capture is still open: its amount can be refunded once it has succeeded.",
        Refusal::CurrencyMismatch => "The currency differs from the transaction's.",
        Refusal::TooManyDecimals { currency } => return format!("{currency} has {} decimals.", currency.decimals()),
        Refusal::AmountNotPositive => "The amount must be more than zero.",
        Refusal::LineItemsAmountMismatch => "The amount differs from the sum of the line items.",
        Refusal::ExceedsCapturableAmount { remaining } => return format!("At most {remaining} {} can be captured.", remaining.currency),
        Refusal::ExceedsRefundableAmount { remaining } => return format!("At most {remaining} {} can be refunded.", remaining.currency),
        Refusal::CaptureIdRequired => "No single capture holds the whole amount: name one as `captureId`.",
        Refusal::NotSupportedByPsp { detail } => detail,
        Refusal::Unavailable { .. } => "Send the same request with the same key again later: what may have been stored is not done twice.",
        Refusal::Internal(_) => {
            "Something is wrong on our side. Send the same request again later, and tell us the request id if it stays."
        }
    };
    text.to_owned()
}

fn sentence(flaw: &Flaw) -> String {
    if flaw.pointer.is_empty() { format!("The body {}.", flaw.detail) } else { format!("{}: {}.", flaw.pointer, flaw.detail) }
}

fn flaw(flaw: &Flaw) -> crate::json_out::Members {
    Json::object().with("pointer", &flaw.pointer).with("detail", &flaw.detail)
}

fn retry_after(refusal: &Refusal) -> Option<Span> {
    match refusal {
        Refusal::RateLimited { retry_after } | Refusal::Unavailable { retry_after } => Some(*retry_after),
        Refusal::OperationInDoubt { retry_after } => *retry_after,
        _ => None,
    }
}
