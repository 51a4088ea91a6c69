//! Every route, once: the gateway of the template, the dev server and the tests are held to this list.

use domain::scope::Scope;

/// One method on one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: &'static str,
    /// With parameters in braces, as API Gateway writes them.
    pub path: &'static str,
    /// The function that serves it.
    pub function: &'static str,
    /// What the caller's key must allow; none for what callers without a key reach.
    pub scope: Option<Scope>,
}

pub const ROUTES: &[Route] = &[
    route("POST", "/v1/transactions/import", "import", Scope::Import),
    route("GET", TRANSACTIONS, "status", Scope::Read),
    route("GET", TRANSACTION, "status", Scope::Read),
    route("GET", CAPTURE, "status", Scope::Read),
    route("GET", REFUND, "status", Scope::Read),
    route("GET", VOID, "status", Scope::Read),
    route("GET", PSPS, "status", Scope::Read),
    route("GET", OPENAPI, "status", Scope::Read),
    route("POST", "/v1/transactions/{id}/captures", "capture", Scope::Capture),
    route("POST", "/v1/transactions/{id}/refunds", "refund", Scope::Refund),
    route("POST", "/v1/transactions/{id}/voids", "void", Scope::Void),
    // Whoever may read may have the PSP asked: nothing comes of it that the schedule would not bring about a little later.
    route("POST", RECONCILE, "reconcile", Scope::Read),
    route("POST", RESOLVE_CAPTURE, "reconcile", Scope::Admin),
    route("POST", RESOLVE_REFUND, "reconcile", Scope::Admin),
    route("POST", RESOLVE_VOID, "reconcile", Scope::Admin),
    Route { method: "POST", path: "/v1/webhooks/{space}/{connection}", function: "psp-webhook", scope: None },
];

pub(crate) const TRANSACTIONS: &str = "/v1/transactions";
pub(crate) const TRANSACTION: &str = "/v1/transactions/{id}";
pub(crate) const CAPTURE: &str = "/v1/transactions/{id}/captures/{op}";
pub(crate) const REFUND: &str = "/v1/transactions/{id}/refunds/{op}";
pub(crate) const VOID: &str = "/v1/transactions/{id}/voids/{op}";
pub(crate) const RECONCILE: &str = "/v1/transactions/{id}/reconcile";
pub(crate) const RESOLVE_CAPTURE: &str = "/v1/transactions/{id}/captures/{op}/resolve";
pub(crate) const RESOLVE_REFUND: &str = "/v1/transactions/{id}/refunds/{op}/resolve";
pub(crate) const RESOLVE_VOID: &str = "/v1/transactions/{id}/voids/{op}/resolve";
pub(crate) const PSPS: &str = "/v1/psps";
pub(crate) const OPENAPI: &str = "/v1/openapi.json";

const fn route(method: &'static str, path: &'static str, function: &'static str, scope: Scope) -> Route {
    Route { method, path, function, scope: Some(scope) }
}

impl Route {
    /// The route as API Gateway names it: `POST /v1/transactions/import`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The route of a key, if we have it.
    pub fn find(key: &str) -> Option<&'static Route> {
        let (method, path) = key.split_once(' ')?;
        ROUTES.iter().find(|route| route.method == method && route.path == path)
    }
}
