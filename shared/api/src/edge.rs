//! The one place that every request passes before its endpoint: who asks, may they, and what went wrong.

use crate::endpoints::Psps;
use crate::problem;
use crate::request::{Authorization, LARGEST_BODY, Request, Response};
use crate::routes::{Route, TRANSACTIONS};
use app::authorize::Caller;
use app::metric::{self, Metric};
use app::ports::Clock;
use app::ports::limits::Limits;
use app::rate_limit::RateLimit;
use domain::Refusal;
use domain::error::Loudness;
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use tracing::{Instrument, Span};

/// What every endpoint has beside the ports of its use case.
pub struct Edge<'a, L, K> {
    pub rate_limit: &'a RateLimit<L>,
    pub clock: &'a K,
    pub psps: Psps<'a>,
}

impl<L: Limits, K: Clock> Edge<'_, L, K> {
    /// Serves a request of a route that needs a key.
    pub(crate) async fn serve<F, A>(&self, request: &Request, function: &str, endpoint: F) -> Response
    where
        F: FnOnce(Caller, &'static Route) -> A,
        A: Future<Output = Result<Response, Refusal>>,
    {
        let work = async {
            let (caller, route) = self.admit(request, function).await?;
            endpoint(caller, route).await
        };
        finish(self.clock, request, function, work).await
    }

    /// 401 unless the authorizer named a caller, 403 unless the caller's key has the route's scope, 429 if its space asks too
    /// often; only then is looked at what was sent.
    async fn admit(&self, request: &Request, function: &str) -> Result<(Caller, &'static Route), Refusal> {
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
        self.rate_limit.admit(self.clock, caller.space).await?;
        check_size(request)?;
        check_query(request, route)?;
        Ok((caller, route))
    }
}

/// Serves a request of a route whose callers prove themselves otherwise.
pub(crate) async fn serve_open<K, A>(clock: &K, request: &Request, function: &str, endpoint: A) -> Response
where
    K: Clock,
    A: Future<Output = Result<Response, Refusal>>,
{
    let work = async {
        check_size(request)?;
        endpoint.await
    };
    finish(clock, request, function, work).await
}

fn check_size(request: &Request) -> Result<(), Refusal> {
    if request.body.len() > LARGEST_BODY { Err(Refusal::BodyTooLarge) } else { Ok(()) }
}

/// Only a search is told anything in its address: an `amount` that went there by mistake must not capture everything.
fn check_query(request: &Request, route: &Route) -> Result<(), Refusal> {
    let is_search = route.method == "GET" && route.path == TRANSACTIONS;
    if is_search || request.query.is_empty() { Ok(()) } else { Err(Refusal::flaw("query", "must be empty: only a search has parameters")) }
}

/// Turns whatever happens, a panic too, into an answer, and tells of it in one line.
async fn finish<K: Clock>(clock: &K, request: &Request, function: &str, work: impl Future<Output = Result<Response, Refusal>>) -> Response {
    let work = async {
        let begin = clock.now();
        let result = AssertUnwindSafe(work).catch_unwind().await;
        let result = result.unwrap_or_else(|_| Err(Refusal::internal("an endpoint panicked")));
        let (response, refusal) = match result {
            Ok(response) => (response, None),
            Err(refusal) => (problem::answer(&refusal, request.id()), Some(refusal)),
        };
        tell(response.status, refusal.as_ref(), clock.now().since(begin));
        response.with("x-request-id", request.id())
    };
    work.instrument(span(request, function)).await
}

/// What every line says that is logged on the way; of the loudest level, so that no filter takes it from a line.
fn span(request: &Request, function: &str) -> Span {
    let caller = match &request.authorization {
        Authorization::Caller(caller) => Some(caller),
        Authorization::Nobody => None,
    };
    tracing::error_span!(
        "request",
        function,
        route = request.route_key,
        requestId = request.id(),
        // Where the caller chose the other one, this is the one that the gateway logs.
        gatewayRequestId = (request.id() != request.request_id).then_some(request.request_id.as_str()),
        trace = request.trace(),
        space = caller.map(|caller| caller.space.number()),
        keyId = caller.map(|caller| caller.key_id.as_str()),
    )
}

/// The line at the end of a request, as loud as its refusal.
fn tell(status: u16, refusal: Option<&Refusal>, took: domain::time::Span) {
    let (problem, took) = (refusal.map(Refusal::code), took.millis());
    if let Some(Refusal::RateLimited { .. }) = refusal {
        metric::count(Metric::RequestsRefusedByRate);
    }
    match refusal.map(|refusal| (refusal.loudness(), refusal)) {
        Some((Loudness::Alarm, Refusal::Internal(internal))) => {
            tracing::error!(status, problem, internal = internal.0, durationMs = took, "answered");
        }
        Some((Loudness::Alarm, _)) => tracing::error!(status, problem, durationMs = took, "answered"),
        Some((Loudness::Counted, _)) => tracing::warn!(status, problem, durationMs = took, "answered"),
        Some((Loudness::Quiet, _)) | None => tracing::info!(status, problem, durationMs = took, "answered"),
    }
}
