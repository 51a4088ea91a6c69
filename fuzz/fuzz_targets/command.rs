//! Commands on a payment of 100.00 EUR, one after the other: `capture 1 lost`, where `1` stands for the id and the third word is
//! what becomes of it at the PSP; then headers, an empty line, and the body. `refund` and `void` are told likewise, `reconcile 1`
//! has the PSP asked, and `resolve-capture 1 3` settles the operation 3. Another command follows after `---`.
//!
//! Whatever is sent, no command moves money twice, none moves more than there is, and the balance is the sum of the operations.
#![no_main]

use api::Request;
use domain::{OperationKind, OperationState};
use fuzz::answer::check;
use fuzz::input::parts;
use fuzz::world::AUTHORIZED;
use fuzz::{PspAnswer, World};
use libfuzzer_sys::fuzz_target;

/// Enough for an input to be read as a story; more only costs time.
const MOST_COMMANDS: usize = 6;

fuzz_target!(|input: &[u8]| {
    let world = World::new();
    let id = world.import().to_string();
    let mut is_settled_by_person = false;
    for part in parts(input).iter().take(MOST_COMMANDS) {
        let mut words = part.words();
        let (name, named, third) = (words.next().unwrap_or_default(), words.next().unwrap_or("1"), words.next().unwrap_or_default());
        let request = |route: &str| {
            let mut request = world.request(route, 1);
            request.path.insert("id".to_owned(), if named == "1" { id.clone() } else { named.to_owned() });
            request.path.insert("op".to_owned(), third.to_owned());
            request.headers = part.headers().collect();
            request.body = part.body.to_vec();
            request
        };
        if let Some(route) = by_function_reconcile(name) {
            let status = check(&world.serve(&request(route))).status;
            is_settled_by_person |= name != "reconcile" && status == 200;
        } else {
            world.psp.answers(PspAnswer::parse(third));
            command(&world, &request(by_own_function(name)), is_settled_by_person);
        }
        add_up(&world, is_settled_by_person);
    }
});

fn by_own_function(name: &str) -> &'static str {
    match name {
        "refund" => "POST /v1/transactions/{id}/refunds",
        "void" => "POST /v1/transactions/{id}/voids",
        _ => "POST /v1/transactions/{id}/captures",
    }
}

fn by_function_reconcile(name: &str) -> Option<&'static str> {
    match name {
        "reconcile" => Some("POST /v1/transactions/{id}/reconcile"),
        "resolve-capture" => Some("POST /v1/transactions/{id}/captures/{op}/resolve"),
        "resolve-refund" => Some("POST /v1/transactions/{id}/refunds/{op}/resolve"),
        "resolve-void" => Some("POST /v1/transactions/{id}/voids/{op}/resolve"),
        _ => None,
    }
}

fn command(world: &World, request: &Request, is_settled_by_person: bool) {
    let before = world.tables().operations.len();
    let first = check(&world.serve(request));
    let stored = world.tables().operations.len() - before;
    assert_eq!(stored, usize::from(first.status == 201), "what is refused or repeated stores no operation: {}", first.body);
    add_up(world, is_settled_by_person);
    if first.status < 300 {
        // The same again, also with a version that is stale by now: the key comes first.
        let again = check(&world.serve(request));
        assert_eq!((again.status, &again.body["id"]), (200, &first.body["id"]), "{}", again.body);
        assert_eq!(again.body["amount"], first.body["amount"]);
    }
}

/// The ledger against its operations, and against the PSP, which a person's word overrules.
fn add_up(world: &World, is_settled_by_person: bool) {
    let tables = world.tables();
    let transaction = tables.transactions.values().next().expect("the transaction");
    let balance = &transaction.facts().balance;
    let sum = |kind: OperationKind, is_counted: fn(OperationState) -> bool| {
        let operations = tables.operations.iter().map(|operation| operation.facts());
        operations.filter(|it| it.kind == kind && is_counted(it.state)).map(|it| it.amount.units()).sum::<i64>()
    };
    let done = |kind| sum(kind, |state| state == OperationState::Successful);
    let open = |kind| sum(kind, OperationState::is_open);
    let (captured, capture_pending) = (done(OperationKind::Capture), open(OperationKind::Capture));
    let (refunded, refund_pending) = (done(OperationKind::Refund), open(OperationKind::Refund));
    assert_eq!((balance.captured.units(), balance.capture_pending.units()), (captured, capture_pending));
    assert_eq!((balance.refunded.units(), balance.refund_pending.units()), (refunded, refund_pending));
    // An open final capture is about to let go what it does not take.
    let facts = tables.operations.iter().map(|operation| operation.facts());
    let letting_go: i64 = facts.filter(|it| it.state.is_open()).map(|it| it.releases.units()).sum();
    assert_eq!(balance.void_pending.units(), open(OperationKind::Void) + letting_go);
    if is_settled_by_person {
        return;
    }
    let voided = balance.voided.units() + balance.void_pending.units();
    assert!(captured + capture_pending + voided <= AUTHORIZED && refunded + refund_pending <= captured);
    for kind in [OperationKind::Capture, OperationKind::Refund, OperationKind::Void] {
        let moved = world.psp.moved(kind);
        assert!((done(kind)..=done(kind) + open(kind)).contains(&moved), "{kind:?}: the PSP moved {moved}");
    }
}
