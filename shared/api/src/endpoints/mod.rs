//! One file for each operation: its words in, its words out. The doc comment of an endpoint is its rule.

pub mod capture;
pub mod import;
pub mod psp_webhook;
pub mod reconcile;
pub mod refund;
mod resolve;
pub mod status;
pub mod void;

use crate::json::{Object, Value};
use crate::parameters::transaction_id;
use crate::request::{Request, Response};
use crate::view;
use app::authorize::Caller;
use app::money_command::{self, Answer};
use domain::id::MerchantReference;
use domain::operation::OperationLine;
use domain::{Capabilities, Refusal, Transaction};

/// What is said about PSPs beside the use cases: their names and capabilities.
pub type Psps<'a> = &'a [(&'static str, &'static Capabilities)];

/// The capabilities of a stored transaction's PSP; that PSP was known when the transaction was stored.
fn capabilities_of(psps: Psps<'_>, transaction: &Transaction) -> Result<&'static Capabilities, Refusal> {
    let name = &transaction.facts().psp;
    let found = psps.iter().find(|(psp, _)| psp == name);
    found.map(|(_, capabilities)| *capabilities).ok_or_else(|| Refusal::internal(format!("no PSP is named {name}")))
}

/// More lines than an invoice of an ERP has.
const MOST_LINES: usize = 500;

/// The operation as it stands: 201 with its place if it is new, 200 where the key was known.
fn answer_operation(answer: &Answer, psps: Psps<'_>, place: &str) -> Result<Response, Refusal> {
    let Answer { transaction, operation, is_new } = answer;
    let body = view::operation(operation, transaction, capabilities_of(psps, transaction)?)?;
    let response = Response::json(if *is_new { 201 } else { 200 }, &body).with("etag", etag(transaction.version()));
    let response = match is_new {
        true => response.with("location", format!("/v1/transactions/{}/{place}/{}", transaction.facts().id, operation.facts().id)),
        false => response,
    };
    Ok(match operation.state().asked_after() {
        Some(span) => response.with("retry-after", span.seconds().min(60).to_string()),
        None => response,
    })
}

fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// What a money command says in path, body and headers. Of all that is wrong in body and headers, what comes first in the order
/// of refusals is named.
fn money_request<T>(
    request: &Request,
    caller: Caller,
    read: impl FnOnce(&[u8]) -> Result<(T, Option<u64>), Refusal>,
) -> Result<(money_command::Request, T), Refusal> {
    let transaction = transaction_id(request)?;
    let body = read(&request.body);
    let version = body.as_ref().ok().and_then(|(_, version)| *version);
    let (command, key, precondition) = match (body, request.idempotency_key(), request.precondition(version)) {
        (Ok((command, _)), Ok(key), Ok(precondition)) => (command, key, precondition),
        (body, key, precondition) => {
            let refusals = [body.err(), key.err(), precondition.err()].into_iter().flatten();
            let first = refusals.min_by_key(Refusal::precedence);
            return Err(first.unwrap_or_else(|| Refusal::internal("a refused command without a refusal")));
        }
    };
    let (wait, deadline) = (request.wait(), request.deadline);
    Ok((money_command::Request { space: caller.space, transaction, key, precondition, wait, deadline }, command))
}

/// Lines that a capture or refund covers: `uniqueId`, `quantity` and the total including tax as `amount`.
fn line_items(value: &Value<'_>) -> Result<Vec<OperationLine>, Refusal> {
    value.each(MOST_LINES, |line| {
        let mut line = line.object()?;
        let unique_id = line.required("uniqueId", |id| id.free_text(200));
        let quantity = line.required("quantity", Value::decimal);
        let amount = line.required("amount", Value::amount);
        line.finish()?;
        match (unique_id, quantity, amount) {
            (Some(unique_id), Some(quantity), Some(amount)) => Ok(OperationLine { unique_id, quantity, amount }),
            _ => Err(Refusal::internal("a required property without a flaw")),
        }
    })
}

fn merchant_reference(value: &Value<'_>) -> Result<MerchantReference, Refusal> {
    let text = value.free_text(100)?;
    MerchantReference::parse(&text).ok_or_else(|| value.flaw("must be 1 to 100 printable ASCII characters"))
}

/// Property `version`: the version of the transaction that the caller decided on.
fn version(body: &mut Object<'_>) -> Option<u64> {
    body.optional("version", |value| u64::try_from(value.integer()?).map_err(|_| value.flaw("must be a version of the transaction")))
}
