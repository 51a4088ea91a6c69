//! Every endpoint: what it is for, what it takes, what it answers.

use super::schema::{AnySchema, boolean, id, integer, moment, one, reference, string};
use super::{example, header, problem, transaction};
use crate::routes::Route;
use domain::scope::Scope;
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, ContentBuilder, Required, ResponseBuilder};

pub(super) const BEARER: &str = "bearer";
const JSON: &str = "application/json";

/// What every call with a key can be answered with.
const OF_EVERY_CALL: &[&str] =
    &["unauthenticated", "insufficient-scope", "rate-limited", "body-too-large", "invalid-request", "unavailable", "internal"];

/// What every money command can be answered with, beside that.
const OF_EVERY_COMMAND: &[&str] = &[
    "idempotency-key-missing",
    "idempotency-key-invalid",
    "card-data-not-allowed",
    "transaction-not-found",
    "idempotency-key-reused",
    "version-conflict",
    "import-not-completed",
    "invalid-state",
    "operation-in-doubt",
    "not-supported-by-psp",
];

/// Of commands that name an amount.
const OF_AMOUNTS: &[&str] = &["invalid-amount", "too-many-decimals", "amount-not-positive", "line-items-amount-mismatch"];

/// The description of a route; none for one that nobody has described.
pub(super) fn describe(route: &Route) -> Option<OperationBuilder> {
    let operation = match (route.method, route.path) {
        ("POST", "/v1/transactions/import") => import(),
        ("GET", "/v1/transactions") => search(),
        ("GET", "/v1/transactions/{id}") => read_transaction(),
        ("GET", "/v1/transactions/{id}/captures/{op}") => read_operation("capture", example::capture()),
        ("GET", "/v1/transactions/{id}/refunds/{op}") => read_operation("refund", example::refund()),
        ("GET", "/v1/transactions/{id}/voids/{op}") => read_operation("void", example::void()),
        ("POST", "/v1/transactions/{id}/captures") => capture(),
        ("POST", "/v1/transactions/{id}/refunds") => refund(),
        ("POST", "/v1/transactions/{id}/voids") => void(),
        ("POST", "/v1/transactions/{id}/reconcile") => reconcile(),
        ("POST", "/v1/transactions/{id}/captures/{op}/resolve") => resolve("capture", example::capture()),
        ("POST", "/v1/transactions/{id}/refunds/{op}/resolve") => resolve("refund", example::refund()),
        ("POST", "/v1/transactions/{id}/voids/{op}/resolve") => resolve("void", example::void()),
        ("GET", "/v1/psps") => psps(),
        ("GET", "/v1/openapi.json") => openapi(),
        ("POST", "/v1/webhooks/{space}/{connection}") => return Some(webhook()),
        _ => return None,
    };
    Some(with_key(operation, route.scope?))
}

/// The key that a call needs, and the header that every call may have.
fn with_key(operation: OperationBuilder, scope: Scope) -> OperationBuilder {
    operation.parameter(header::request_id_of_caller()).security(SecurityRequirement::new(BEARER, [scope.as_str()]))
}

fn import() -> OperationBuilder {
    let about = "Adopts a payment that a shop's plugin has taken at the PSP, after comparing amount and currency with what the PSP says. \
                 Needs the scope `import`.\n\n\
                 The answer is 201 the first time, whatever came of it: read `importState` and `importFailure`. The same import sent again \
                 is 200 with the same id. After a failure a corrected import tries again under the same id. A completed one with another \
                 merchant reference, amount or currency is 409 `already-imported`. While the PSP cannot be asked the import stays \
                 `IMPORT_PENDING`; sending it again asks again.";
    let body = [
        ("a-payment", "A payment of the sandbox", example::import_command()),
        ("with-properties", "A payment at Stripe, with properties of the order", example::import_command_with_properties()),
    ];
    let answers =
        [("imported", "The PSP said the same", example::imported()), ("refused", "The PSP said another amount", example::import_failed())];
    let codes = [
        "invalid-amount",
        "invalid-currency",
        "card-data-not-allowed",
        "metadata-limit",
        "connection-not-found",
        "already-imported",
        "too-many-decimals",
        "amount-not-positive",
    ];
    let created = json_answer("New: stored under an id of ours.", "Transaction", &answers).header("ETag", header::etag());
    let known = json_answer("Known: as it stands.", "Transaction", &answers[..1]).header("ETag", header::etag());
    let operation = start("importTransaction", "transactions", "Import a payment", about)
        .request_body(Some(json_body("ImportCommand", Required::True, &body)))
        .response("201", of_transaction(created.header("Location", header::location()), "$response.body#/id"))
        .response("200", of_transaction(known, "$response.body#/id"));
    refused(operation, &[&codes])
}

fn search() -> OperationBuilder {
    let about = "Lists the transactions of your space, newest first, without their properties, operations and log. Needs the \
                 scope `read`.\n\n\
                 Name at most one of `merchantReference`, `operationReference` and `pspReference`; these and the times are looked up, the \
                 others are filtered. A page can be shorter than `limit`, or empty, and still have a `next`. An unknown parameter is \
                 refused.";
    let answers = [("a-page", "A page with a following one", example::page())];
    let operation = start("searchTransactions", "transactions", "Search transactions", about)
        .parameter(query("merchantReference", "Your number of the transaction.", reference("", 1, 255)))
        .parameter(query("operationReference", "Your number of a capture, refund or void.", reference("", 1, 255)))
        .parameter(query("pspReference", "The PSP's id of the payment.", reference("", 1, 255)))
        .parameter(query("state", "Only transactions in this state.", one("TransactionState", "")))
        .parameter(query("importState", "Only transactions whose import is in this state.", one("ImportState", "")))
        .parameter(query("needsAttention", "Only those that a person should look at, or only the others.", boolean("")))
        .parameter(query("createdFrom", "Imported at this moment or later.", moment("")))
        .parameter(query("createdTo", "Imported before this moment.", moment("")))
        .parameter(query("limit", "How many at most; 20 if absent.", integer("", 1, 99)))
        .parameter(query("after", "`next` of the page before, with the same filters.", string("")))
        .response("200", json_answer("A page.", "TransactionList", &answers));
    refused(operation, &[])
}

fn read_transaction() -> OperationBuilder {
    let about =
        "The whole transaction with its properties, operations and log, as it is stored. The PSP is not asked. Needs the scope `read`.";
    let answers = [("imported", "After an import", example::imported())];
    let operation = start("readTransaction", "transactions", "Read a transaction", about)
        .parameter(transaction_id())
        .response("200", json_answer("The transaction.", "Transaction", &answers).header("ETag", header::etag()));
    refused(operation, &[&["transaction-not-found"]])
}

fn read_operation(kind: &str, answer: Value) -> OperationBuilder {
    let about = format!("One {kind} as it stands, with its transaction's state and balance. The PSP is not asked. Needs the scope `read`.");
    let name = format!("read{}{}", kind[..1].to_uppercase(), &kind[1..]);
    let answers = [(kind, "As it stands", answer)];
    let operation = start(&name, "operations", &format!("Read a {kind}"), &about)
        .parameter(transaction_id())
        .parameter(path("op", &format!("The `id` of the {kind}."), id(""), 3.into()))
        .response("200", json_answer("The operation.", "OperationAnswer", &answers).header("ETag", header::etag()));
    refused(operation, &[&["transaction-not-found", "operation-not-found"]])
}

fn capture() -> OperationBuilder {
    let about = "Captures `amount`, or the sum of `lineItems`, or all that is capturable, of what the PSP holds. Needs the \
                 scope `capture`.\n\n\
                 `final: true` says that nothing more will be captured: what remains is released. It is true by itself where nothing would \
                 remain and no other capture is open, and must be sent where the PSP does not keep the rest of a payment after a partial \
                 capture. A capture that the PSP refuses is still an operation: 201 with `FAILED` and `failureReason`.";
    let body = [
        ("a-part", "A part", example::capture_part()),
        ("the-rest", "All that is held", example::capture_rest()),
        ("by-lines", "The lines of an invoice, and nothing after it", example::capture_lines()),
    ];
    let answers = [
        ("successful", "The PSP did it", example::capture()),
        ("unknown", "The PSP did not answer; the amount stays reserved", example::capture_unknown()),
        ("failed", "The PSP refused; the amount is free again", example::capture_failed()),
    ];
    let codes = ["already-voided", "already-captured", "exceeds-capturable-amount"];
    let operation = start("capture", "operations", "Capture", about);
    command(operation, "CaptureCommand", &body, "readCapture", &answers, &[OF_AMOUNTS, &codes])
}

fn refund() -> OperationBuilder {
    let about = "Refunds `amount`, or the sum of `lineItems`, or all that is refundable, of what was captured. Needs the \
                 scope `refund`.\n\n\
                 `captureId` or `captureMerchantReference` ties it to one capture; then no more than that capture still holds is \
                 given back.";
    let body = [("a-part", "A part of one capture", example::refund_part())];
    let answers = [("successful", "The PSP did it", example::refund())];
    let codes = ["operation-not-found", "capture-not-final", "exceeds-refundable-amount", "capture-id-required"];
    let operation = start("refund", "operations", "Refund", about);
    command(operation, "RefundCommand", &body, "readRefund", &answers, &[OF_AMOUNTS, &codes])
}

fn void() -> OperationBuilder {
    let about = "Releases all that is held and not captured, also after partial captures. Needs the scope `void`.\n\n\
                 While a capture is open a void is `operation-in-doubt`.";
    let body = [("all-of-it", "There is no amount to choose", example::void_command())];
    let answers = [("successful", "The PSP did it", example::void())];
    let operation = start("void", "operations", "Void", about);
    command(operation, "VoidCommand", &body, "readVoid", &answers, &[&["already-voided", "already-captured"]])
}

fn reconcile() -> OperationBuilder {
    let about = "Asks the PSP now about everything that is open in the transaction, and answers with the transaction as it then stands: \
                 what the PSP proves is recorded, and what surely was not executed is sent again under the same key at the PSP. Needs the \
                 scope `read`.\n\n\
                 Nothing happens that would not happen by itself within minutes, so it is harmless however often it is sent. Where the PSP \
                 cannot be asked, or cannot tell either, the answer is 200 all the same: read `state` of the operations.";
    let body = [("nothing", "There is nothing to say", example::nothing())];
    let answers = [("settled", "What was in doubt is settled", example::settled())];
    let settled = json_answer("The transaction as it stands now.", "Transaction", &answers).header("ETag", header::etag());
    let operation = start("reconcileTransaction", "transactions", "Ask the PSP now", about)
        .parameter(transaction_id())
        .request_body(Some(json_body("ReconcileCommand", Required::False, &body)))
        .response("200", of_transaction(settled, "$response.body#/id"));
    refused(operation, &[&["transaction-not-found"]])
}

fn resolve(kind: &str, answer: Value) -> OperationBuilder {
    let about = format!(
        "Settles a {kind} in `MANUAL_CHECK` by what a person found out; the PSP is not asked. Needs the scope `admin`.\n\n\
         `MANUAL_CHECK` means that asking and sending again are used up, or that the PSP has something else than was asked for. What is \
         said here moves the balance, so look at the PSP's own pages first. Sent again with the same `state` it is answered with the \
         {kind} as it stands; with another `state`, or for a {kind} that is not in `MANUAL_CHECK`, it is 409 `invalid-state`."
    );
    let body = [
        ("done", "The PSP has done it", example::resolve_command()),
        ("not-done", "The PSP has not done it", example::resolve_command_failed()),
    ];
    let name = format!("resolve{}{}", kind[..1].to_uppercase(), &kind[1..]);
    let answers = [(kind, "As it stands now", answer)];
    let codes =
        ["card-data-not-allowed", "invalid-amount", "operation-not-found", "invalid-state", "too-many-decimals", "amount-not-positive"];
    let operation = start(&name, "operations", &format!("Settle a {kind} by hand"), &about)
        .parameter(transaction_id())
        .parameter(path("op", &format!("The `id` of the {kind}."), id(""), 3.into()))
        .request_body(Some(json_body("ResolveCommand", Required::True, &body)))
        .response("200", json_answer("The operation.", "OperationAnswer", &answers).header("ETag", header::etag()));
    refused(operation, &[&["transaction-not-found"], &codes])
}

fn psps() -> OperationBuilder {
    let about = "What each PSP can do: whether it captures and refunds in parts, and what becomes of the rest. Needs the scope `read`.";
    let answers = [("stripe", "One PSP", example::psps())];
    let operation = start("listPsps", "description", "List the PSPs", about);
    refused(operation.response("200", json_answer("What they can do.", "PspList", &answers)), &[])
}

fn openapi() -> OperationBuilder {
    let about = "This description, in OpenAPI 3.1. Needs the scope `read`.";
    let document = string("The version of OpenAPI.").pattern(Some(r"^3\.1\.")).into();
    let schema: AnySchema = ObjectBuilder::new().property::<_, AnySchema>("openapi", document).required("openapi").into();
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(serde_json::json!({"openapi": "3.1.0"}))).build();
    let answer = ResponseBuilder::new().description("The description.").content(JSON, content).header("X-Request-Id", header::request_id());
    refused(start("readOpenApi", "description", "Read this description", about).response("200", answer), &[])
}

fn webhook() -> OperationBuilder {
    let about = "Takes a webhook of a PSP: 200 once it is stored, 401 if the PSP did not sign it, 503 if it has to come again. No key is \
                 needed; the PSP signs the raw body with the secret of the connection, in the headers that it uses (the sandbox: \
                 `webhook-id`, `webhook-timestamp`, `webhook-signature`). What the webhook says is only a hint: the payment is read from \
                 the PSP. Whether the path names a space and connection of ours is not told: the answer is then that of a wrong signature.";
    let content =
        ContentBuilder::new().schema(Some(ObjectBuilder::new().description(Some("What the PSP sends, unread until it is verified."))));
    let content = content.example(Some(serde_json::json!({"type": "payment.updated", "data": {"id": "sb_4tq9"}}))).build();
    let operation = start("receiveWebhook", "webhooks", "Receive a PSP's webhook", about)
        .parameter(path("space", "The space.", id(""), 1.into()))
        .parameter(path("connection", "The connection.", transaction::connection(""), "sandbox".into()))
        .request_body(Some(RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build()))
        .response("200", ResponseBuilder::new().description("Stored.").header("X-Request-Id", header::request_id()));
    with_problems(operation, &["unauthenticated", "rate-limited", "body-too-large", "unavailable", "internal"])
}

/// What captures, refunds and voids have in common.
fn command(
    operation: OperationBuilder,
    schema: &str,
    body: &[(&str, &str, Value)],
    read_by: &str,
    answers: &[(&str, &str, Value)],
    codes: &[&[&str]],
) -> OperationBuilder {
    let created = json_answer("New: the operation as it stands, whatever became of it. Read `state`.", "OperationAnswer", answers);
    let known = json_answer("The key is known: the operation as it stands now.", "OperationAnswer", &answers[..1]);
    let with_headers = |response: ResponseBuilder| {
        let link = LinkBuilder::new().operation_id(read_by);
        let link = link.parameter("id", "$response.body#/transactionId").parameter("op", "$response.body#/id");
        response.header("ETag", header::etag()).header("Retry-After", header::retry_after()).link(read_by, link.build())
    };
    let operation = operation
        .parameter(transaction_id())
        .parameter(header::idempotency_key())
        .parameter(header::if_match())
        .parameter(header::prefer())
        .request_body(Some(json_body(schema, Required::False, body)))
        .response("201", with_headers(created).header("Location", header::location()))
        .response("200", with_headers(known));
    refused(operation, &[&[OF_EVERY_COMMAND], codes].concat())
}

fn start(name: &str, tag: &str, summary: &str, about: &str) -> OperationBuilder {
    OperationBuilder::new().operation_id(Some(name)).tag(tag).summary(Some(summary)).description(Some(about))
}

/// The problems of every call with a key, and these.
fn refused(operation: OperationBuilder, codes: &[&[&str]]) -> OperationBuilder {
    with_problems(operation, &[&[OF_EVERY_CALL], codes].concat().concat())
}

fn with_problems(operation: OperationBuilder, codes: &[&str]) -> OperationBuilder {
    problem::answers(codes).into_iter().fold(operation, |operation, (status, answer)| operation.response(status, answer))
}

/// What can be done with the transaction that was answered.
fn of_transaction(response: ResponseBuilder, id: &str) -> ResponseBuilder {
    ["readTransaction", "capture", "refund", "void", "reconcileTransaction"]
        .into_iter()
        .fold(response, |response, name| response.link(name, LinkBuilder::new().operation_id(name).parameter("id", id).build()))
}

fn transaction_id() -> Parameter {
    path("id", "The `id` that the import answered.", id(""), 115_082_731_520_113_u64.into())
}

fn path(name: &str, about: &str, schema: impl Into<AnySchema>, example: Value) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .description(Some(about))
        .required(Required::True)
        .schema(Some(schema))
        .example(Some(example))
        .build()
}

fn query(name: &str, about: &str, schema: impl Into<AnySchema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(about))
        .required(Required::False)
        .schema(Some(schema))
        .build()
}

fn json_body(schema: &str, required: Required, examples: &[(&str, &str, Value)]) -> RequestBody {
    RequestBodyBuilder::new().content(JSON, json_content(schema, examples)).required(Some(required)).build()
}

fn json_answer(about: &str, schema: &str, examples: &[(&str, &str, Value)]) -> ResponseBuilder {
    ResponseBuilder::new().description(about).content(JSON, json_content(schema, examples)).header("X-Request-Id", header::request_id())
}

fn json_content(schema: &str, examples: &[(&str, &str, Value)]) -> Content {
    let examples =
        examples.iter().map(|(name, about, value)| (*name, ExampleBuilder::new().summary(*about).value(Some(value.clone())).build()));
    ContentBuilder::new().schema(Some(one(schema, ""))).examples_from_iter(examples).build()
}
