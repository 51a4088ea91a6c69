//! `GET /v1/transactions`, `/v1/transactions/{id}` and its operations, `/v1/psps`, `/v1/openapi.json`

use super::{Psps, capabilities_of, etag};
use crate::edge::Edge;
use crate::json_out::Json;
use crate::parameters::{operation_id, search, transaction_id, write_cursor};
use crate::request::{Request, Response};
use crate::{routes, view};
use app::authorize::Caller;
use app::ports::Clock;
use app::ports::limits::Limits;
use app::ports::store::StatusStore;
use app::status;
use domain::{OperationKind, Refusal};

/// The OpenAPI document, as `crate::openapi` makes it; a test compares the two.
pub const DESCRIPTION: &str = include_str!("../../../../docs/openapi.json");

/// What is stored about transactions. A PSP is never asked here.
pub async fn serve<L: Limits, S: StatusStore, K: Clock>(edge: &Edge<'_, L, K>, store: &S, request: &Request) -> Response {
    let psps = edge.psps;
    edge.serve(request, "status", |caller, route| async move {
        match route.path {
            routes::TRANSACTIONS => list(store, psps, request, caller).await,
            routes::TRANSACTION => whole(store, psps, request, caller).await,
            routes::CAPTURE => operation(store, psps, request, caller, OperationKind::Capture).await,
            routes::REFUND => operation(store, psps, request, caller, OperationKind::Refund).await,
            routes::VOID => operation(store, psps, request, caller, OperationKind::Void).await,
            routes::PSPS => Ok(list_psps(psps)),
            routes::OPENAPI => Ok(description()),
            other => Err(Refusal::internal(format!("status was given {other}"))),
        }
    })
    .await
}

/// The whole transaction with all operations and interactions.
async fn whole<S: StatusStore>(store: &S, psps: Psps<'_>, request: &Request, caller: Caller) -> Result<Response, Refusal> {
    let whole = status::transaction(store, caller.space, transaction_id(request)?).await?;
    let transaction = whole.head.transaction();
    let body = view::whole(&whole, capabilities_of(psps, transaction)?)?;
    Ok(Response::json(200, &body).with("etag", etag(transaction.version())))
}

/// One operation as it stands, with its transaction's state and balance.
async fn operation<S: StatusStore>(
    store: &S,
    psps: Psps<'_>,
    request: &Request,
    caller: Caller,
    kind: OperationKind,
) -> Result<Response, Refusal> {
    let id = transaction_id(request)?;
    let (whole, operation) = status::operation(store, caller.space, id, kind, operation_id(request)?).await?;
    let transaction = whole.head.transaction();
    let body = view::operation(&operation, transaction, capabilities_of(psps, transaction)?)?;
    Ok(Response::json(200, &body).with("etag", etag(transaction.version())))
}

/// Transactions of the space, newest first, without their operations. `next` is the cursor of the following page.
async fn list<S: StatusStore>(store: &S, psps: Psps<'_>, request: &Request, caller: Caller) -> Result<Response, Refusal> {
    let search = search(request, caller.space)?;
    let page = status::search(store, caller.space, &search).await?;
    let transactions = page.transactions.iter().map(|transaction| {
        let can = capabilities_of(psps, transaction)?;
        view::summary(transaction, can).map(Json::from)
    });
    let transactions = transactions.collect::<Result<Vec<_>, Refusal>>()?;
    let next = page.next.map(|before| write_cursor(before, caller.space, &search));
    Ok(Response::json(200, &Json::object().with("transactions", transactions).with_some("next", next).into()))
}

/// Which PSPs there are and what each can do.
fn list_psps(psps: Psps<'_>) -> Response {
    let psps: Vec<_> = psps.iter().map(|(name, can)| view::capabilities(name, can)).collect();
    Response::json(200, &Json::object().with("psps", psps).into())
}

/// How to call all this.
fn description() -> Response {
    Response { status: 200, headers: vec![("content-type", "application/json".to_owned())], body: DESCRIPTION.to_owned() }
}
