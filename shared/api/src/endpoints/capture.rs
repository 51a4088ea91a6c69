//! `POST /v1/transactions/{id}/captures`

use super::{answer_operation, line_items, merchant_reference, money_request, version};
use crate::edge::Edge;
use crate::json::{Object, Value};
use crate::request::{Request, Response};
use app::ports::limits::Limits;
use app::ports::store::{CommandStore, StatusStore};
use app::ports::{Clock, Connections, Ports, Source};
use domain::Refusal;
use domain::operation::CaptureCommand;

/// Captures `amount`, or the sum of `lineItems`, or all that is capturable, of what the PSP holds.
///
/// `final: true` says that nothing more will be captured: what remains is released. It is true by itself where nothing
/// would remain, and required where the PSP does not keep the rest of a payment after a partial capture.
pub async fn serve<L, S, C, K, R>(edge: &Edge<'_, L, K>, ports: &Ports<'_, S, C, K, R>, request: &Request) -> Response
where
    L: Limits,
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    edge.serve(request, "capture", |caller, _| async move {
        let (asked, command) = money_request(request, caller, read)?;
        let answer = app::capture::capture(ports, &asked, &command).await?;
        answer_operation(&answer, edge.psps, "captures")
    })
    .await
}

fn read(body: &[u8]) -> Result<(CaptureCommand, Option<u64>), Refusal> {
    let mut body = Object::parse(body)?;
    let command = CaptureCommand {
        amount: body.optional("amount", Value::amount),
        is_final: body.optional("final", Value::boolean),
        line_items: body.optional("lineItems", line_items).unwrap_or_default(),
        merchant_reference: body.optional("merchantReference", merchant_reference),
    };
    let version = version(&mut body);
    body.finish()?;
    Ok((command, version))
}
