//! Stands in for API Gateway: turns HTTP into the events that it sends (payload version 2.0), asks the authorizer, and hands
//! the event to the function's own endpoint.
//!
//! What the gateway answers by itself is copied: 401 without `Authorization`, 404 for an unknown route, 413.

use crate::connections::LocalConnections;
use api::routes::{ROUTES, Route};
use api::{Response, endpoints};
use app::ports::{Clock, Source};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::any;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use runtime::system::{SystemClock, SystemSource};
use runtime::wiring::System;
use runtime::{authorizer, lambda};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What API Gateway lets through.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// The system, as the gateway and the schedule share it.
pub type Shared = Arc<System<LocalConnections, LocalConnections>>;

/// All routes of the product, and 404 for the rest.
pub fn router(system: Shared) -> Router {
    let paths: BTreeSet<_> = ROUTES.iter().map(|route| route.path).collect();
    let routed = paths.into_iter().fold(Router::new(), |router, path| {
        let handle = move |State(system): State<Shared>, parameters: RawPathParams, request: Request<Body>| async move {
            // Chosen here: axum would serve HEAD beside GET and name the methods that it has, which API Gateway does not.
            match ROUTES.iter().find(|route| route.path == path && request.method() == route.method) {
                Some(route) => serve(system, route, parameters, request).await,
                None => not_found().await,
            }
        };
        router.route(path, any(handle))
    });
    routed.fallback(not_found).with_state(system)
}

async fn not_found() -> axum::response::Response {
    gateway_answer(StatusCode::NOT_FOUND, "Not Found")
}

fn gateway_answer(status: StatusCode, message: &str) -> axum::response::Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json!({"message": message}).to_string()).into_response()
}

async fn serve(system: Shared, route: &'static Route, parameters: RawPathParams, request: Request<Body>) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    if route.scope.is_some() && !parts.headers.contains_key(header::AUTHORIZATION) {
        return gateway_answer(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return gateway_answer(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let mut event = event(route, &parameters, &parts, &body);
    if route.scope.is_some() {
        match authorizer::answer(&system.store, &SystemClock, &event).await {
            Ok(answer) => event["requestContext"]["authorizer"] = json!({"lambda": answer["context"]}),
            Err(_) => return gateway_answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    }
    match lambda_http::request::from_str(&event.to_string()).ok().and_then(lambda::request) {
        // A caller that hangs up does not stop a function, so it must not stop this either.
        Some(request) => match tokio::spawn(async move { call(&system, route, request).await }).await {
            Ok(response) => answer(response),
            Err(_) => gateway_answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        },
        None => {
            tracing::error!(route = route.key(), "the event cannot be read");
            gateway_answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
    }
}

/// The function that the route leads to.
async fn call(system: &Shared, route: &Route, request: api::Request) -> Response {
    match route.function {
        "import" => endpoints::import::serve(&system.edge(), &system.ports(), &request).await,
        "status" => endpoints::status::serve(&system.edge(), &system.store, &request).await,
        "capture" => endpoints::capture::serve(&system.edge(), &system.ports(), &request).await,
        "refund" => endpoints::refund::serve(&system.edge(), &system.ports(), &request).await,
        "void" => endpoints::void::serve(&system.edge(), &system.ports(), &request).await,
        "reconcile" => endpoints::reconcile::serve(&system.edge(), &system.ports(), &request).await,
        "psp-webhook" => endpoints::psp_webhook::serve(&system.ports(), &request).await,
        other => {
            tracing::error!(function = other, "a route leads to a function that the dev server does not have");
            Response { status: 500, headers: vec![], body: json!({"message": "Internal Server Error"}).to_string() }
        }
    }
}

/// The event of API Gateway, payload version 2.0.
fn event(route: &Route, parameters: &RawPathParams, parts: &axum::http::request::Parts, body: &Bytes) -> Value {
    let query = parts.uri.query().unwrap_or_default();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = content_type.starts_with("text/") || content_type.contains("json");
    let text = is_text.then(|| std::str::from_utf8(body).ok()).flatten();
    let (body, is_base64) = text.map_or_else(|| (STANDARD.encode(body), true), |text| (text.to_owned(), false));
    let path_parameters: Map<String, Value> = parameters.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let now = SystemClock.now().millis();
    json!({
        "version": "2.0",
        "routeKey": route.key(),
        "rawPath": parts.uri.path(),
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "queryStringParameters": query_parameters(query),
        "pathParameters": path_parameters,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "local",
            "http": {
                "method": parts.method.as_str(),
                "path": parts.uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default(),
            },
            "requestId": SystemSource.unique(),
            "routeKey": route.key(),
            "stage": "$default",
            "time": "",
            "timeEpoch": now,
        },
        "body": body,
        "isBase64Encoded": is_base64,
    })
}

/// Names in lower case, repeated ones joined by commas.
fn headers(map: &HeaderMap) -> Map<String, Value> {
    let joined = |name| map.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(",");
    map.keys().map(|name| (name.as_str().to_owned(), joined(name).into())).collect()
}

/// Decoded, repeated ones joined by commas.
fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters: Map<String, Value> = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        let joined = match parameters.get(&name).and_then(Value::as_str) {
            Some(earlier) => format!("{earlier},{value}"),
            None => value,
        };
        parameters.insert(name, joined.into());
    }
    parameters
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn answer(answer: Response) -> axum::response::Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
