//! Everything around a request, for one execution: a store, a PSP, time and chance, all new and all the same each time.

use crate::answer::{Checked, check};
use crate::memory::{Memory, NoLimits, Tables};
use crate::sandbox::{OneConnection, Sandbox};
use api::endpoints::{capture, import, reconcile, refund, status, void};
use api::{Authorization, Edge, Request, Response};
use app::authorize::Caller;
use app::ports::{Clock, Ports, Source};
use app::rate_limit::RateLimit;
use domain::id::{SpaceId, TransactionId};
use domain::scope::Scope;
use domain::time::Span;
use domain::{Currency, Minor, Money, Timestamp};
use futures_util::FutureExt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// 2026-11-22T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);
/// What the PSP holds, in cents.
pub const AUTHORIZED: i64 = 10_000;

pub struct World {
    pub store: Memory,
    pub psp: Arc<Sandbox>,
    connections: OneConnection,
    rate_limit: RateLimit<NoLimits>,
    clock: Ticking,
    source: Counting,
}

impl World {
    pub fn new() -> Self {
        let euros = Currency::parse("EUR").expect("a currency");
        let (_, capabilities) = psp::PSPS.iter().find(|(name, _)| *name == "sandbox").expect("the sandbox is listed");
        let psp = Arc::new(Sandbox::new(Money::new(Minor::new(AUTHORIZED), euros), capabilities));
        Self {
            store: Memory::default(),
            connections: OneConnection(psp.clone()),
            psp,
            rate_limit: RateLimit::new(NoLimits, NonZeroU32::MAX),
            clock: Ticking(AtomicI64::new(NOW.millis())),
            source: Counting(AtomicU64::new(1)),
        }
    }

    pub fn tables(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.store.tables()
    }

    /// The request to a route of `api::routes`, as a caller of the space who may do everything sends it.
    pub fn request(&self, route: &str, space: u64) -> Request {
        let space = SpaceId::new(space).expect("a space");
        let caller = Caller { space, key_id: "fuzz".to_owned(), scopes: Scope::ALL.to_vec() };
        Request {
            route_key: route.to_owned(),
            path: Default::default(),
            query: vec![],
            headers: Default::default(),
            body: vec![],
            authorization: Authorization::Caller(caller),
            request_id: "request".to_owned(),
            deadline: self.clock.now().plus(Span::from_seconds(29)),
        }
    }

    /// Imports the payment that the PSP holds; the id of the transaction.
    pub fn import(&self) -> TransactionId {
        let mut request = self.request("POST /v1/transactions/import", 1);
        request.body =
            br#"{"connection":"sandbox","pspReference":"sb_1","merchantReference":"SO-1","amount":100,"currency":"EUR"}"#.to_vec();
        let Checked { status, body } = check(&self.serve(&request));
        assert_eq!((status, body["state"].as_str()), (201, Some("AUTHORIZED")), "{body}");
        body["id"].as_u64().and_then(TransactionId::new).expect("the id of a transaction")
    }

    /// What the function that serves the route answers.
    pub fn serve(&self, request: &Request) -> Response {
        let edge = Edge { rate_limit: &self.rate_limit, clock: &self.clock, psps: psp::PSPS };
        let ports = Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source };
        let route = api::routes::Route::find(&request.route_key).expect("a route");
        let answer = async {
            match route.function {
                "import" => import::serve(&edge, &ports, request).await,
                "capture" => capture::serve(&edge, &ports, request).await,
                "refund" => refund::serve(&edge, &ports, request).await,
                "void" => void::serve(&edge, &ports, request).await,
                "reconcile" => reconcile::serve(&edge, &ports, request).await,
                _ => status::serve(&edge, &self.store, request).await,
            }
        };
        answer.now_or_never().expect("nothing waits")
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Time passes by sleeping alone, and whoever sleeps wakes at once.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, span: Span) {
        self.0.fetch_add(span.millis(), Ordering::Relaxed);
    }
}

/// No chance at all: one, two, three.
struct Counting(AtomicU64);

impl Source for Counting {
    fn number(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn unique(&self) -> String {
        format!("unique-{}", self.number())
    }
}
