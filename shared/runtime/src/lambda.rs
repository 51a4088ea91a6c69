//! From API Gateway's event to the edge and back.

use crate::authorizer;
use crate::system::SystemClock;
use crate::wiring::FUNCTION_TIME;
use api::{Request, Response};
use app::ports::Clock;
use domain::time::Timestamp;
use lambda_http::http::header::{HeaderName, HeaderValue};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt, service_fn};
use std::collections::BTreeMap;
use std::future::Future;

pub use lambda_http::Error;

/// Serves events of the HTTP API until Lambda ends the process.
pub async fn serve<F, A>(endpoint: F) -> Result<(), Error>
where
    F: Fn(Request) -> A,
    A: Future<Output = Response> + Send,
{
    let endpoint = &endpoint;
    lambda_http::run(service_fn(|event: lambda_http::Request| {
        let answer = endpoint(request(event));
        async move { Ok::<_, Error>(response(answer.await)) }
    }))
    .await
}

/// The request that an event of payload version 2.0 describes.
pub fn request(event: lambda_http::Request) -> Request {
    let deadline = match event.lambda_context_ref() {
        Some(context) => Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
        None => SystemClock.now().plus(FUNCTION_TIME),
    };
    let (route_key, request_id, authorization) = match event.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let fields = context.authorizer.as_ref().map(|authorizer| &authorizer.fields);
            (context.route_key.clone(), context.request_id.clone(), authorizer::read_context(fields))
        }
        _ => (None, None, api::Authorization::Nobody),
    };
    let pairs = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let path = event.path_parameters().iter().map(|(name, value)| pairs(name, value)).collect();
    let mut query: Vec<_> = event.query_string_parameters().iter().map(|(name, value)| pairs(name, value)).collect();
    // They come in another order each time; what is refused must not depend on chance.
    query.sort_by(|(one, _), (other, _)| one.cmp(other));
    let (parts, body) = event.into_parts();
    Request {
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
    }
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
