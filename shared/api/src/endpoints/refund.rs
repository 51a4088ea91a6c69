//! `POST /v1/transactions/{id}/refunds`

use super::{answer_operation, line_items, merchant_reference, money_request, version};
use crate::edge::Edge;
use crate::json::{Object, Value, one_of};
use crate::request::{Request, Response};
use app::ports::limits::Limits;
use app::ports::store::{CommandStore, StatusStore};
use app::ports::{Clock, Connections, Ports, Source};
use domain::Refusal;
use domain::id::OperationId;
use domain::operation::{OperationReason, RefundCommand, RefundTarget};

/// Refunds `amount`, or the sum of `lineItems`, or all that is refundable, of what was captured.
///
/// `captureId` or `captureMerchantReference` ties it to one capture; then no more than that capture still holds is given
/// back.
pub async fn serve<L, S, C, K, R>(edge: &Edge<'_, L, K>, ports: &Ports<'_, S, C, K, R>, request: &Request) -> Response
where
    L: Limits,
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    edge.serve(request, "refund", |caller, _| async move {
        let (asked, command) = money_request(request, caller, read)?;
        let answer = app::refund::refund(ports, &asked, &command).await?;
        answer_operation(&answer, edge.psps, "refunds")
    })
    .await
}

fn read(body: &[u8]) -> Result<(RefundCommand, Option<u64>), Refusal> {
    let mut body = Object::parse(body)?;
    let by_id = body.optional("captureId", |value| {
        let id = u64::try_from(value.integer()?).ok().and_then(OperationId::new);
        id.ok_or_else(|| value.flaw("must be the id of a capture"))
    });
    let by_reference = body.optional("captureMerchantReference", merchant_reference);
    if by_id.is_some() && by_reference.is_some() {
        body.refuse(Refusal::flaw("/captureMerchantReference", "names a capture a second time: leave it or captureId out"));
    }
    let command = RefundCommand {
        amount: body.optional("amount", Value::amount),
        target: by_id.map(RefundTarget::Capture).or(by_reference.map(RefundTarget::CaptureOf)),
        reason: body.optional("reason", one_of(OperationReason::ALL, OperationReason::as_str)),
        note: body.optional("note", |note| note.free_text(500)),
        line_items: body.optional("lineItems", line_items).unwrap_or_default(),
        merchant_reference: body.optional("merchantReference", merchant_reference),
    };
    let version = version(&mut body);
    body.finish()?;
    Ok((command, version))
}
