//! `POST /v1/transactions/{id}/captures/{op}/resolve` (`refunds`, `voids`)

use super::{capabilities_of, etag};
use crate::edge::Edge;
use crate::json::{Object, Value, one_of};
use crate::parameters::{operation_id, transaction_id};
use crate::request::{Request, Response};
use crate::view;
use app::authorize::Caller;
use app::ports::store::CommandStore;
use app::ports::{Clock, Ports, Source};
use domain::id::PspReference;
use domain::operation::{Resolution, ResolveCommand};
use domain::{OperationKind, Refusal};

/// Settles an operation in `MANUAL_CHECK` by what a person found out at the PSP. The PSP is not asked.
///
/// Sent again with the same `state`, it is answered with the operation as it stands; with another, 409.
pub(super) async fn resolve<L, S, C, K, R>(
    edge: &Edge<'_, L, K>,
    ports: &Ports<'_, S, C, K, R>,
    request: &Request,
    caller: Caller,
    kind: OperationKind,
) -> Result<Response, Refusal>
where
    S: CommandStore,
    K: Clock,
    R: Source,
{
    let (id, operation) = (transaction_id(request)?, operation_id(request)?);
    let command = read(&request.body)?;
    let answer = app::resolve::resolve(ports, caller.space, id, kind, operation, &command).await?;
    let body = view::operation(&answer.operation, &answer.transaction, capabilities_of(edge.psps, &answer.transaction)?)?;
    Ok(Response::json(200, &body).with("etag", etag(answer.transaction.version())))
}

fn read(body: &[u8]) -> Result<ResolveCommand, Refusal> {
    let mut body = Object::parse(body)?;
    let state = body.required("state", one_of(Resolution::ALL, Resolution::as_str));
    let amount = body.optional("amount", Value::amount);
    let psp_reference = body.optional("pspReference", |value| {
        value.parsed(PspReference::parse, "must be the PSP's id of the operation: printable ASCII, at most 255")
    });
    let note = body.required("note", note);
    body.finish()?;
    match (state, note) {
        (Some(state), Some(note)) => Ok(ResolveCommand { state, amount, psp_reference, note }),
        _ => Err(Refusal::internal("a required property without a flaw")),
    }
}

/// What the log of the transaction says for good of how it was found out.
fn note(value: &Value<'_>) -> Result<String, Refusal> {
    let note = value.free_text(500)?;
    if note.is_empty() { Err(value.flaw("must have 1 to 500 characters")) } else { Ok(note) }
}
