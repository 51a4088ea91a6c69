//! From API Gateway's event to the edge and back; and from a schedule's event to what it is for.

use crate::authorizer;
use crate::system::SystemClock;
use crate::wiring::REQUEST_TIME;
use api::{Request, Response};
use app::ports::Clock;
use domain::time::Timestamp;
use futures_util::future::Either;
use lambda_http::http::header::{HeaderName, HeaderValue};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt, service_fn};
use std::collections::BTreeMap;
use std::future::Future;

pub use lambda_http::Error;

/// Serves events of the HTTP API until Lambda ends the process. Any other event fails: what would be answered to it, the gateway
/// could take for a success.
pub async fn serve<F, A>(endpoint: F) -> Result<(), Error>
where
    F: Fn(Request) -> A,
    A: Future<Output = Response> + Send,
{
    serve_scheduled(endpoint, |_| async { Err(Error::from("not an event of the HTTP API")) }).await
}

/// The same for a function that a schedule calls, too: every event that is not the gateway's is the schedule's, and is given
/// the moment at which the function is ended. Which of the two it is, the runtime tells, and never a path, which callers write.
pub async fn serve_scheduled<F, A, G, B>(endpoint: F, scheduled: G) -> Result<(), Error>
where
    F: Fn(Request) -> A,
    A: Future<Output = Response> + Send,
    G: Fn(Timestamp) -> B,
    B: Future<Output = Result<(), Error>> + Send,
{
    let (endpoint, scheduled) = (&endpoint, &scheduled);
    lambda_http::run(service_fn(|event: lambda_http::Request| {
        let deadline = deadline(&event);
        let work = match request(event) {
            Some(request) => Either::Left(endpoint(request)),
            None => Either::Right(scheduled(deadline)),
        };
        async move {
            match work {
                Either::Left(answer) => Ok(response(answer.await)),
                Either::Right(run) => run.await.map(|()| lambda_http::Response::new(Body::Empty)),
            }
        }
    }))
    .await
}

/// When the function is ended.
fn deadline(event: &lambda_http::Request) -> Timestamp {
    match event.lambda_context_ref() {
        Some(context) => Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
        None => SystemClock.now().plus(REQUEST_TIME),
    }
}

/// The request that an event of payload version 2.0 describes; none where the event is another one.
pub fn request(event: lambda_http::Request) -> Option<Request> {
    // A function that a schedule calls, too, may have more time than the gateway waits.
    let deadline = deadline(&event).min(SystemClock.now().plus(REQUEST_TIME));
    let (route_key, request_id, authorization) = match event.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let fields = context.authorizer.as_ref().map(|authorizer| &authorizer.fields);
            (context.route_key.clone(), context.request_id.clone(), authorizer::read_context(fields))
        }
        _ => return None,
    };
    let pairs = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let path = event.path_parameters().iter().map(|(name, value)| pairs(name, value)).collect();
    let mut query: Vec<_> = event.query_string_parameters().iter().map(|(name, value)| pairs(name, value)).collect();
    // They come in another order each time; what is refused must not depend on chance.
    query.sort_by(|(one, _), (other, _)| one.cmp(other));
    let (parts, body) = event.into_parts();
    Some(Request {
        route_key: route_key.unwrap_or_default(),
        path,
        query,
        headers: headers(&parts.headers),
        body: match body {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            _ => Vec::new(),
        },
        authorization,
        request_id: request_id.unwrap_or_default(),
        deadline,
    })
}

/// Repeated headers become one, joined by commas. One that is not ASCII is kept, too: were it left out, a precondition or a key
/// that is wrong would count as none.
fn headers(map: &lambda_http::http::HeaderMap) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers.entry(name.as_str().to_owned()).and_modify(|all| all.extend([",", &value])).or_insert_with(|| value.to_string());
    }
    headers
}

fn response(answer: Response) -> lambda_http::Response<Body> {
    let mut response = lambda_http::Response::new(Body::Text(answer.body));
    *response.status_mut() = answer.status.try_into().unwrap_or(lambda_http::http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
