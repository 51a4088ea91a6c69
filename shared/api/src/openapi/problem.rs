//! Problems: the closed list of codes, and for each operation the answers that tell of them.
//!
//! Status, title, text and example of a problem are not written here: they are those that `crate::problem` answers.

use super::header;
use super::schema::{AnySchema, Named, Way, id, integer, list, names, object, one, string};
use crate::problem;
use crate::request::Response as Answer;
use domain::error::{CODES, Flaw, Stale};
use domain::id::TransactionId;
use domain::time::Span;
use domain::{Currency, Minor, Money, Refusal};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

pub(super) fn all() -> Vec<Named> {
    vec![("Problem", schema()), ("ProblemCode", codes().into()), ("Flaw", flaw()), ("GatewayMessage", gateway_message())]
}

fn codes() -> ObjectBuilder {
    let about = "What went wrong, for programs. The list is closed. When a request breaks several rules, the first in this order is named.";
    names(about, CODES)
}

fn schema() -> AnySchema {
    object("A refusal, as RFC 9457 writes it.")
        .need("type", string("The code as a URI."))
        .need("title", string("The code in words."))
        .need("status", integer("The HTTP status.", 400, 599))
        .need("detail", string("For people; may change."))
        .need("code", one("ProblemCode", ""))
        .need("requestId", string("Under this id the request is found in the log; the same as in `X-Request-Id`."))
        .may("errors", list("What is wrong with the body or a parameter.", one("Flaw", ""), None))
        .may("transactionId", id("With `already-imported`: the transaction that the payment belongs to."))
        .end(Way::Out)
}

fn flaw() -> AnySchema {
    object("One thing that is wrong.")
        .need("pointer", string("A JSON pointer into the body, or the name of a parameter or header."))
        .need("detail", string("What is wrong with it."))
        .end(Way::Out)
}

fn gateway_message() -> AnySchema {
    object("What the gateway in front answers by itself, before the request reaches this API.")
        .need("message", string("For people."))
        .end(Way::Out)
}

/// What the gateway answers by itself: no `Authorization` header, a path that leads nowhere, too large a body, throttling,
/// a function that failed or did not answer.
const OF_GATEWAY: &[u16] = &[401, 404, 413, 429, 500, 503];

/// Statuses that one code alone leads to, wherever they are answered: described once.
const SHARED: &[u16] = &[401, 403, 412, 413, 429, 500, 503];

/// The answers that tell of these codes, one for each status.
pub(super) fn answers(codes: &[&str]) -> Vec<(String, RefOr<Response>)> {
    let answers = by_status(codes).into_iter().map(|(status, refusals)| match refusals[..] {
        [ref only] if SHARED.contains(&status) => (status.to_string(), Ref::from_response_name(only.code()).into()),
        _ => (status.to_string(), answer(status, &refusals).into()),
    });
    answers.collect()
}

/// Those that are described once, under the names of their codes.
pub(super) fn shared() -> Vec<(&'static str, Response)> {
    let shared = by_status(&CODES).into_iter().filter(|(status, _)| SHARED.contains(status));
    shared.flat_map(|(status, refusals)| refusals.first().map(|only| (only.code(), answer(status, &refusals)))).collect()
}

fn by_status(codes: &[&str]) -> BTreeMap<u16, Vec<Refusal>> {
    let mut by_status = BTreeMap::<u16, Vec<Refusal>>::new();
    for refusal in samples().into_iter().filter(|refusal| codes.contains(&refusal.code())) {
        by_status.entry(problem::status(&refusal)).or_default().push(refusal);
    }
    by_status
}

fn answer(status: u16, refusals: &[Refusal]) -> Response {
    let answers: Vec<_> = refusals.iter().map(|refusal| (refusal.code(), problem::answer(refusal, "3f1c-7"))).collect();
    let lines = refusals.iter().zip(&answers).map(|(refusal, (code, answer))| match tells_more(refusal) {
        true => format!("- `{code}`, for example: {}", detail(answer)),
        false => format!("- `{code}`: {}", detail(answer)),
    });
    let lines: Vec<_> = lines.collect();
    let of_these = ObjectBuilder::new().schema_type(Type::Object).property("code", names("", answers.iter().map(|(code, _)| *code)));
    let examples = answers.iter().map(|(code, answer)| (*code, ExampleBuilder::new().value(Some(body(answer))).build()));
    let problems =
        ContentBuilder::new().schema(Some(AllOfBuilder::new().item(one("Problem", "")).item(of_these))).examples_from_iter(examples);
    let response = ResponseBuilder::new().description(lines.join("\n")).content("application/problem+json", problems.build());
    let response = response.header("X-Request-Id", header::request_id());
    let response = match answers.iter().any(|(_, answer)| answer.headers.iter().any(|(name, _)| *name == "retry-after")) {
        true => response.header("Retry-After", header::retry_after()),
        false => response,
    };
    if !OF_GATEWAY.contains(&status) {
        return response.build();
    }
    let message = ContentBuilder::new().schema(Some(one("GatewayMessage", ""))).example(Some(json!({"message": gateway_words(status)})));
    response.content("application/json", message.build()).build()
}

/// Whether the text of this refusal is about the single case, so that a sample's is an example only.
fn tells_more(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::InsufficientScope { .. }
            | Refusal::InvalidRequest(_)
            | Refusal::MetadataLimit { .. }
            | Refusal::InvalidState { .. }
            | Refusal::TooManyDecimals { .. }
            | Refusal::ExceedsCapturableAmount { .. }
            | Refusal::ExceedsRefundableAmount { .. }
            | Refusal::NotSupportedByPsp { .. }
    )
}

fn gateway_words(status: u16) -> &'static str {
    match status {
        401 => "Unauthorized",
        404 => "Not Found",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

fn body(answer: &Answer) -> Value {
    // Our own writer made it a moment ago.
    serde_json::from_str(&answer.body).unwrap_or_default()
}

fn detail(answer: &Answer) -> String {
    body(answer)["detail"].as_str().unwrap_or_default().to_owned()
}

/// One refusal of each code, `version-conflict` in both of its forms.
fn samples() -> Vec<Refusal> {
    let minute = Span::from_seconds(60);
    let euro = Currency::parse("EUR");
    let remaining = euro.map(|euro| Money::new(Minor::new(2996), euro));
    let with_currency = euro.zip(remaining).into_iter().flat_map(|(currency, remaining)| {
        [
            Refusal::TooManyDecimals { currency },
            Refusal::ExceedsCapturableAmount { remaining },
            Refusal::ExceedsRefundableAmount { remaining },
        ]
    });
    let with_id = TransactionId::new(115_082_731_520_113).map(|transaction| Refusal::AlreadyImported { transaction });
    let others = [
        Refusal::Unauthenticated,
        Refusal::InsufficientScope { needed: "capture" },
        Refusal::RateLimited { retry_after: Span::from_seconds(1) },
        Refusal::BodyTooLarge,
        Refusal::InvalidRequest(vec![Flaw { pointer: "/amuont".to_owned(), detail: "is not a known property".to_owned() }]),
        Refusal::InvalidAmount,
        Refusal::InvalidCurrency,
        Refusal::IdempotencyKeyMissing,
        Refusal::IdempotencyKeyInvalid,
        Refusal::CardDataNotAllowed { pointer: "/note".to_owned() },
        Refusal::MetadataLimit { detail: "metaData has more than 50 keys" },
        Refusal::UrlNotAllowed,
        Refusal::TransactionNotFound,
        Refusal::OperationNotFound,
        Refusal::ConnectionNotFound,
        Refusal::NotificationNotFound,
        Refusal::IdempotencyKeyReused,
        Refusal::VersionConflict { stale: Stale::Body },
        Refusal::VersionConflict { stale: Stale::IfMatch },
        Refusal::ImportNotCompleted,
        Refusal::AlreadyVoided,
        Refusal::AlreadyCaptured,
        Refusal::InvalidState { detail: "The payment has failed." },
        Refusal::OperationInDoubt { retry_after: Some(minute) },
        Refusal::CaptureNotFinal,
        Refusal::CurrencyMismatch,
        Refusal::AmountNotPositive,
        Refusal::LineItemsAmountMismatch,
        Refusal::CaptureIdRequired,
        Refusal::NotSupportedByPsp { detail: "The PSP captures only the whole authorized amount." },
        Refusal::Unavailable { retry_after: minute },
        Refusal::internal("a sample"),
    ];
    let mut samples: Vec<_> = others.into_iter().chain(with_currency).chain(with_id).collect();
    samples.sort_by_key(Refusal::precedence);
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_sample_of_every_code() {
        let mut sampled: Vec<_> = samples().iter().map(Refusal::code).collect();
        sampled.dedup();
        assert_eq!(sampled, CODES);
    }
}
