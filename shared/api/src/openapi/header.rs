//! Headers of requests and answers.

use super::schema::{AnySchema, integer, string};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Header, Required};

pub(super) fn idempotency_key() -> Parameter {
    let about = "Your name for this command, 1 to 100 printable ASCII characters, quotes around it allowed. The same command under the \
                 same key happens once, however often it is sent; a known key is answered with the operation as it stands.";
    let schema = string("").pattern(Some(r#"^("[ !#-~]{1,100}"|[!#-~]([ !#-~]{0,98}[!#-~])?)$"#));
    parameter("Idempotency-Key", about, schema, Required::True).example(Some("invoice-1".into())).build()
}

pub(super) fn if_match() -> Parameter {
    let about = "The `ETag` of the transaction that you decided on; if it is no longer the current one, the answer is 412. `*` is any.";
    parameter("If-Match", about, string("").pattern(Some(r#"^(\*|"[0-9]{1,19}")$"#)), Required::False).build()
}

pub(super) fn prefer() -> Parameter {
    let about = "`wait=N` (RFC 7240): after the PSP was called, wait up to N seconds, at most 20, for a final state. Other preferences \
                 are ignored.";
    parameter("Prefer", about, string(""), Required::False).build()
}

pub(super) fn request_id_of_caller() -> Parameter {
    let about = "Your id for this request: 1 to 100 letters, digits, `.`, `_`, `:` or `-`. Anything else is replaced by an id of ours.";
    parameter("X-Request-Id", about, string(""), Required::False).build()
}

fn parameter(name: &str, about: &str, schema: impl Into<AnySchema>, required: Required) -> ParameterBuilder {
    ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).description(Some(about)).required(required).schema(Some(schema))
}

pub(super) fn request_id() -> Header {
    header("Under this id the request is found in the log.", string(""))
}

pub(super) fn etag() -> Header {
    header("The transaction's version, for `If-Match`.", string("").pattern(Some(r#"^"[0-9]+"$"#)))
}

pub(super) fn location() -> Header {
    header("The path of what was made.", string("").pattern(Some("^/v1/")))
}

pub(super) fn retry_after() -> Header {
    header("In so many seconds it is worth asking again.", integer("", 0, 86_400))
}

fn header(about: &str, schema: impl Into<AnySchema>) -> Header {
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}
