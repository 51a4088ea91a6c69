//! Ten thousand times somebody asks for what belongs to another space, by every route that takes an id, and is told what is
//! told about what nobody has.
//!
//! `STRANGERS_SEED=<number>` repeats a run; a failed run names its seed.

use crate::harness::config::{ALL_SCOPES, Config, api_key};
use crate::harness::random::{Random, seed};
use crate::harness::{Answer, Api, Payment, unique, with};
use crate::local_only;
use ::api::routes::{ROUTES, Route};
use futures_util::StreamExt;
use futures_util::stream::iter;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const PAIRS: usize = 10_000;
/// Spaces, and transactions in each.
const SPACES: u64 = 4;
const TRANSACTIONS: u64 = 4;
/// Requests on their way at once.
const AT_ONCE: usize = 16;

/// A space with its key and what it owns.
struct Tenant {
    api: Api,
    owned: Vec<Owned>,
}

struct Owned {
    id: u64,
    payment: Payment,
    merchant_reference: String,
    /// Its operations; further transactions have more of them, so their ids are not those of the first.
    operations: Vec<u64>,
    /// The idempotency keys of its commands, and their merchant references.
    keys: Vec<String>,
}

impl Owned {
    /// By what it is found: the parameter of the search, and its value.
    fn references(&self) -> [(&'static str, &str); 3] {
        [("pspReference", &self.payment.id), ("merchantReference", &self.merchant_reference), ("operationReference", &self.keys[0])]
    }
}

#[tokio::test]
async fn ten_thousand_times_what_belongs_to_another_space_is_not_there_to_the_byte() {
    local_only!();
    let mut random = Random(seed("STRANGERS_SEED"));
    let tenants = tenants().await;
    let before = everything(&tenants).await;

    let asked: Vec<_> = (0..PAIRS).map(|_| Question::draw(&mut random, &tenants)).collect();
    let tenants = &tenants;
    // What is told about what nobody has, once for each kind of question.
    let kinds: HashMap<_, _> = asked.iter().map(|question| (question.kind.clone(), question)).collect();
    let nobodys: HashMap<_, _> = iter(kinds)
        .map(async |(kind, question)| (kind, question.ask(tenants, &question.nobodys).await))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let kinds_of = |part: &str| nobodys.keys().filter(|kind| kind.contains(part)).count();
    assert!(kinds_of("{id}") > 20 && kinds_of("{op}") > 5 && kinds_of("Reference=") > 5, "all kinds are asked: {:?}", nobodys.keys());
    let wrong: Vec<_> = iter(&asked)
        .map(async |question| {
            let theirs = question.ask(tenants, &question.theirs).await;
            let nobodys = &nobodys[&question.kind];
            (theirs.bytes() != nobodys.bytes()).then(|| format!("{}: {theirs} instead of {nobodys}", question.kind))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} answers differ, such as {:?}", wrong.len(), &wrong[..wrong.len().min(3)]);
    for (kind, answer) in &nobodys {
        let expected = if kind.contains("{id}") { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{kind}: {answer}");
    }
    assert_eq!(everything(tenants).await, before, "nobody's transactions, payments or calls have changed");
}

/// A question that a space asks with its own key about something of another space.
struct Question {
    /// Questions of one kind have one answer.
    kind: String,
    asker: usize,
    method: Method,
    body: Option<Value>,
    key: String,
    /// The path with what belongs to another space, and the same with what nobody has.
    theirs: String,
    nobodys: String,
}

impl Question {
    fn draw(random: &mut Random, tenants: &[Tenant]) -> Self {
        let asker = random.below(tenants.len());
        let other = (asker + 1 + random.below(tenants.len() - 1)) % tenants.len();
        let theirs = random.one_of(&tenants[other].owned);
        let own = random.one_of(&tenants[asker].owned);
        let routes: Vec<_> = ROUTES.iter().filter(|route| route.path.contains("{id}")).collect();
        if random.below(routes.len() + 1) == 0 {
            return Self::search(random, asker, theirs);
        }
        let route = *random.one_of(&routes);
        let operation = *random.one_of(&theirs.operations);
        let path = |id: u64, operation: u64| route.path.replace("{id}", &id.to_string()).replace("{op}", &operation.to_string());
        // Among the transactions of this time, and as long as theirs.
        let unknown = theirs.id ^ (1 << (12 + random.below(20)));
        // Asked about an operation on a transaction of one's own, only the operation is another space's.
        let is_foreign_operation = route.path.contains("{op}") && !own.operations.contains(&operation) && random.below(2) == 0;
        let (of, theirs_path, nobodys) = match is_foreign_operation {
            true => ("own", path(own.id, operation), path(own.id, 1_000_000 + operation)),
            false => ("foreign", path(theirs.id, operation), path(unknown, operation)),
        };
        let body = (route.method != "GET").then(|| random.one_of(&commands(route, theirs)).clone());
        let key = if random.below(2) == 0 { random.one_of(&theirs.keys).clone() } else { "k".to_owned() };
        let kind = format!("{asker}: {} {of} {}", route.key(), body.as_ref().map(ToString::to_string).unwrap_or_default());
        let method = Method::from_bytes(route.method.as_bytes()).expect("a method");
        Self { kind, asker, method, body, key, theirs: theirs_path, nobodys }
    }

    /// By the references of another space nothing is found.
    fn search(random: &mut Random, asker: usize, theirs: &Owned) -> Self {
        let (name, reference) = *random.one_of(&theirs.references());
        let path = |reference: &str| format!("/v1/transactions?{name}={reference}");
        let kind = format!("{asker}: GET /v1/transactions?{name}=");
        let (theirs, nobodys) = (path(reference), path("nobody"));
        Self { kind, asker, method: Method::GET, body: None, key: "k".to_owned(), theirs, nobodys }
    }

    async fn ask(&self, tenants: &[Tenant], path: &str) -> Answer {
        let request = tenants[self.asker].api.request(self.method.clone(), path).header("x-request-id", "same");
        Answer::of(match &self.body {
            Some(body) => request.header("idempotency-key", &self.key).body(body.to_string()),
            None => request,
        })
        .await
    }
}

/// Commands that would be fine on one's own transaction, and some that the owner's rules would refuse.
fn commands(route: &Route, theirs: &Owned) -> Vec<Value> {
    let any = vec![json!({}), json!({"version": 1}), json!({"version": 999})];
    let amounts = vec![json!({"amount": "1.00"}), json!({"amount": "99999.00"}), json!({"amount": "0.001"})];
    match route.function {
        "capture" => [any, amounts, vec![json!({"final": true})]].concat(),
        "refund" => [any, amounts, vec![json!({"captureId": theirs.operations[0]}), json!({"reason": "FRAUD"})]].concat(),
        "reconcile" if route.path.ends_with("/resolve") => {
            ["SUCCESSFUL", "FAILED"].map(|state| json!({"state": state, "note": "x"})).into()
        }
        "reconcile" => vec![json!({})],
        _ => any,
    }
}

async fn tenants() -> Vec<Tenant> {
    let key = |space| api_key("test", space);
    let config = (1..=SPACES).fold(Config::default(), |config, space| config.space(space).key(&key(space), ALL_SCOPES).sandbox("sandbox"));
    let api = config.start().await;
    let mut tenants = Vec::new();
    for space in 1..=SPACES {
        let api = Api { space, ..api.with_key(&key(space)) };
        let mut owned = Vec::new();
        for number in 0..TRANSACTIONS {
            owned.push(own(&api, number).await);
        }
        tenants.push(Tenant { api, owned });
    }
    settled(&tenants).await;
    tenants
}

/// An imported payment with so many captures, and a refund of each.
async fn own(api: &Api, captures: u64) -> Owned {
    let account = format!("{}-sandbox", api.space);
    let payment = api.payment_of(&json!({"amount": "49.90", "currency": "EUR", "account": account})).await;
    let merchant_reference = unique("SO");
    let import = with(&payment.command(), "merchantReference", merchant_reference.as_str());
    let id = api.post("/v1/transactions/import", &import).await.expect(201).number("/id");
    let mut owned = Owned { id, payment, merchant_reference, operations: vec![], keys: vec![] };
    for kind in ["captures", "refunds"] {
        for _ in 0..=captures {
            let key = unique(kind);
            let body = json!({"amount": "2.00", "merchantReference": key});
            let answer = api.command(&format!("/v1/transactions/{id}/{kind}"), &key, &body).await.expect(201);
            owned.operations.push(answer.number("/id"));
            owned.keys.push(key);
        }
    }
    for (name, reference) in owned.references() {
        let found = api.get(&format!("/v1/transactions?{name}={reference}")).await.expect(200);
        assert_eq!(found.at("/transactions/0/id"), id, "its owner finds it by {name}");
    }
    owned
}

/// Waits until the PSP's webhooks have come in: two looks in a row see the same.
async fn settled(tenants: &[Tenant]) {
    let mut last = everything(tenants).await;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let now = everything(tenants).await;
        if now == last {
            return;
        }
        last = now;
    }
    panic!("the tenants' payments do not come to rest");
}

/// All that is known of what the tenants own: here, and at the PSP with the number of its calls.
async fn everything(tenants: &[Tenant]) -> Vec<String> {
    let mut all = Vec::new();
    for tenant in tenants {
        for owned in &tenant.owned {
            all.push(tenant.api.get(&format!("/v1/transactions/{}", owned.id)).await.expect(200).text);
            all.push(tenant.api.at_sandbox(&owned.payment).await.text);
        }
    }
    all
}
