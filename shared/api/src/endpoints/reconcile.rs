//! `POST /v1/transactions/{id}/reconcile`, and the function's other routes (`super::resolve`)

use super::{capabilities_of, etag, resolve};
use crate::edge::Edge;
use crate::json::Object;
use crate::parameters::transaction_id;
use crate::request::{Request, Response};
use crate::{routes, view};
use app::authorize::Caller;
use app::ports::limits::Limits;
use app::ports::store::{ImportStore, StatusStore};
use app::ports::{Clock, Connections, Ports, Source};
use domain::{OperationKind, Refusal};

/// Everything that the function `reconcile` does for callers; what a schedule has it do is `app::reconcile::sweep`.
pub async fn serve<L, S, C, K, R>(edge: &Edge<'_, L, K>, ports: &Ports<'_, S, C, K, R>, request: &Request) -> Response
where
    L: Limits,
    S: ImportStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    edge.serve(request, "reconcile", |caller, route| async move {
        match route.path {
            routes::RECONCILE => reconcile(edge, ports, request, caller).await,
            routes::RESOLVE_CAPTURE => resolve::resolve(edge, ports, request, caller, OperationKind::Capture).await,
            routes::RESOLVE_REFUND => resolve::resolve(edge, ports, request, caller, OperationKind::Refund).await,
            routes::RESOLVE_VOID => resolve::resolve(edge, ports, request, caller, OperationKind::Void).await,
            other => Err(Refusal::internal(format!("reconcile was given {other}"))),
        }
    })
    .await
}

/// Asks the PSP now about everything that is open in a transaction, and answers with the transaction as it then stands.
///
/// It needs no more than the scope `read`: nothing happens that the schedule would not do by itself a little later.
async fn reconcile<L, S, C, K, R>(
    edge: &Edge<'_, L, K>,
    ports: &Ports<'_, S, C, K, R>,
    request: &Request,
    caller: Caller,
) -> Result<Response, Refusal>
where
    S: ImportStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let id = transaction_id(request)?;
    Object::parse(&request.body)?.finish()?;
    let whole = app::reconcile::reconcile(ports, caller.space, id, request.deadline).await?;
    let transaction = whole.head.transaction();
    let body = view::whole(&whole, capabilities_of(edge.psps, transaction)?)?;
    Ok(Response::json(200, &body).with("etag", etag(transaction.version())))
}
