//! `/reference`: the API's description as a page to read and to try, served whole by this process.
//!
//! The page tells the key of the first space, so it is shown only to a browser that was sent to this machine by its own name:
//! a foreign name that leads here (DNS rebinding) gets nothing. It is data of the page and not of a script, because other
//! sites can run scripts from here but not read pages.

use api::endpoints::status::DESCRIPTION;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const PAGE: &str = include_str!("../reference/page.html");
const START: &str = include_str!("../reference/start.js");
// What the page is drawn with lies here compressed, and every browser takes it so.
const BUNDLE: &[u8] = include_bytes!("../reference/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("../reference/swagger-ui.css.gz");

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The browser holds the page to it: nothing is loaded from elsewhere, and nothing is sent there.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// The page and all that it names; it tries calls with this key.
pub fn router(key: &str) -> Router {
    let page = PAGE.replace("{{key}}", key);
    Router::new()
        .route("/reference", get(move |headers: HeaderMap| async move { show(&headers, page) }))
        .route("/reference/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION) }))
        .route("/reference/start.js", get(|| async { ([(header::CONTENT_TYPE, SCRIPT)], START) }))
        .route("/reference/swagger-ui-bundle.js", get(|| async { compressed(SCRIPT, BUNDLE) }))
        .route("/reference/swagger-ui.css", get(|| async { compressed(CSS, STYLE) }))
}

fn show(headers: &HeaderMap, page: String) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !["127.0.0.1", "localhost"].contains(&name) {
        return (StatusCode::MISDIRECTED_REQUEST, "This page is shown as 127.0.0.1 or localhost.\n").into_response();
    }
    ([(header::CONTENT_TYPE, HTML), (header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")], page).into_response()
}

fn compressed(content_type: &'static str, bytes: &'static [u8]) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CONTENT_ENCODING, "gzip")], bytes).into_response()
}
