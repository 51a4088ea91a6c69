//! The one place that every request passes before its endpoint: who asks, may they, and what went wrong.

use crate::problem;
use crate::request::{Authorization, LARGEST_BODY, Request, Response};
use crate::routes::{Route, TRANSACTIONS};
use app::authorize::Caller;
use domain::Refusal;
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use tracing::Instrument;

/// Serves a request of a route that needs a key.
pub(crate) async fn serve<F, A>(request: &Request, function: &str, endpoint: F) -> Response
where
    F: FnOnce(Caller, &'static Route) -> A,
    A: Future<Output = Result<Response, Refusal>>,
{
    let work = async {
        let (caller, route) = admit(request, function)?;
        endpoint(caller, route).await
    };
    finish(request, function, work).await
}

/// Serves a request of a route whose callers prove themselves otherwise.
pub(crate) async fn serve_open<A>(request: &Request, function: &str, endpoint: A) -> Response
where
    A: Future<Output = Result<Response, Refusal>>,
{
    let work = async {
        check_size(request)?;
        endpoint.await
    };
    finish(request, function, work).await
}

/// 401 unless the authorizer named a caller, 403 unless the caller's key has the route's scope.
fn admit(request: &Request, function: &str) -> Result<(Caller, &'static Route), Refusal> {
    let caller = match &request.authorization {
        Authorization::Caller(caller) => caller.clone(),
        Authorization::Nobody => return Err(Refusal::Unauthenticated),
    };
    let route = Route::find(&request.route_key).filter(|route| route.function == function);
    let route = route.ok_or_else(|| Refusal::internal(format!("function {function} was given route {}", request.route_key)))?;
    let needed = route.scope.ok_or_else(|| Refusal::internal(format!("route {} has no scope", request.route_key)))?;
    if !caller.scopes.contains(&needed) {
        return Err(Refusal::InsufficientScope { needed: needed.as_str() });
    }
    check_size(request)?;
    check_query(request, route)?;
    Ok((caller, route))
}

fn check_size(request: &Request) -> Result<(), Refusal> {
    if request.body.len() > LARGEST_BODY { Err(Refusal::BodyTooLarge) } else { Ok(()) }
}

/// Only a search is told anything in its address: an `amount` that went there by mistake must not capture everything.
fn check_query(request: &Request, route: &Route) -> Result<(), Refusal> {
    let is_search = route.method == "GET" && route.path == TRANSACTIONS;
    if is_search || request.query.is_empty() { Ok(()) } else { Err(Refusal::flaw("query", "must be empty: only a search has parameters")) }
}

/// Turns whatever happens, a panic too, into an answer, and logs it once.
async fn finish(request: &Request, function: &str, work: impl Future<Output = Result<Response, Refusal>>) -> Response {
    let span = tracing::info_span!("request", function, request_id = request.id(), trace = request.trace(), route = request.route_key);
    let work = async {
        let result = AssertUnwindSafe(work).catch_unwind().await;
        let response = match result {
            Ok(Ok(response)) => response,
            Ok(Err(refusal)) => problem::answer(&refusal, request.id()),
            Err(_) => problem::answer(&Refusal::internal("an endpoint panicked"), request.id()),
        };
        tracing::info!(status = response.status, "answered");
        response.with("x-request-id", request.id())
    };
    work.instrument(span).await
}
