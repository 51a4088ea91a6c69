//! `POST /v1/transactions/{id}/voids`

use super::{answer_operation, merchant_reference, money_request, version};
use crate::edge::Edge;
use crate::json::{Object, one_of};
use crate::request::{Request, Response};
use app::ports::limits::Limits;
use app::ports::store::{CommandStore, StatusStore};
use app::ports::{Clock, Connections, Ports, Source};
use domain::Refusal;
use domain::operation::{OperationReason, VoidCommand};

/// Releases all that the PSP holds and that was not captured, also after captures of a part; there is no amount.
///
/// It ends the transaction: VOIDED if nothing was captured, otherwise as a final capture does. An open capture or void must
/// settle first.
pub async fn serve<L, S, C, K, R>(edge: &Edge<'_, L, K>, ports: &Ports<'_, S, C, K, R>, request: &Request) -> Response
where
    L: Limits,
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    edge.serve(request, "void", |caller, _| async move {
        let (asked, command) = money_request(request, caller, read)?;
        let answer = app::void::void(ports, &asked, &command).await?;
        answer_operation(&answer, edge.psps, "voids")
    })
    .await
}

fn read(body: &[u8]) -> Result<(VoidCommand, Option<u64>), Refusal> {
    let mut body = Object::parse(body)?;
    let command = VoidCommand {
        reason: body.optional("reason", one_of(OperationReason::ALL, OperationReason::as_str)),
        merchant_reference: body.optional("merchantReference", merchant_reference),
    };
    let version = version(&mut body);
    body.finish()?;
    Ok((command, version))
}
