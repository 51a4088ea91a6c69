//! The API describes itself: the OpenAPI 3.1 document, made from the routes, codes, states and limits of the code.
//!
//! Endpoints read and write JSON by hand, so the schemas here are written beside them; tests hold real answers and every
//! example to them (`tests/project/openapi.rs`, `tests/flows/described.rs`). No function links this: it is behind the feature
//! `openapi`, and what is served is the committed file.

mod endpoint;
mod example;
mod header;
mod operation;
mod problem;
mod properties;
mod schema;
mod transaction;

use crate::routes::ROUTES;
use utoipa::openapi::path::{HttpMethod, PathItem, PathsBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, ServerBuilder};

/// The description of every route that somebody has described.
pub fn description() -> OpenApi {
    let info = InfoBuilder::new()
        .title("collana-pay")
        .version("1")
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let tags = [
        ("transactions", "Payments that were imported from a PSP."),
        ("operations", "Captures, refunds and voids."),
        ("description", "What the PSPs and this API can do."),
        ("webhooks", "What PSPs send."),
    ];
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").description(Some("The server that this description came from.")).build()]))
        .tags(Some(tags.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build())))
        .paths(paths())
        .components(Some(components()))
        .build()
}

const ABOUT: &str = "\
One API between ERP systems or shops and payment service providers (PSPs): import a payment that a shop has taken, capture it, \
refund it, release it, read it, whatever the PSP.

**Money** is in major units. It is sent as a JSON number or as text and read from its exact digits; it is answered as a JSON \
number with exactly the currency's decimals. Never put it through binary floating point.

**Commands** that move money need an `Idempotency-Key`. After no answer, 429, 5xx or `operation-in-doubt`, send the same request \
with the same key later; after another 4xx, a person looks. The HTTP status tells about the request, `state` tells about the \
money.

**Objects** that you send may have no other properties than those described, and none may be `null`. Objects that you receive may \
have more properties one day: ignore what you do not know. A property that is not set is absent.

**Problems** are `application/problem+json` with a `code` of a closed list. Some answers are made by the gateway in front: their \
body is `{\"message\": …}`, and they have no `X-Request-Id`.";

fn paths() -> Paths {
    let mut paths = PathsBuilder::new();
    for route in ROUTES {
        let method = match route.method {
            "GET" => HttpMethod::Get,
            "POST" => HttpMethod::Post,
            "PUT" => HttpMethod::Put,
            "PATCH" => HttpMethod::Patch,
            _ => continue,
        };
        if let Some(operation) = endpoint::describe(route) {
            paths = paths.path(route.path, PathItem::new(method, operation));
        }
    }
    paths.build()
}

fn components() -> Components {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("API key").description(Some(
        "An API key. It stands for a space and for scopes; a call without the scope that it needs is 403 `insufficient-scope`.",
    ));
    let schemas = [schema::all(), problem::all(), operation::all(), transaction::all(), transaction::psps(), properties::all()].concat();
    schemas
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema))
        .responses_from_iter(problem::shared())
        .security_scheme(endpoint::BEARER, SecurityScheme::Http(bearer.build()))
        .build()
}
