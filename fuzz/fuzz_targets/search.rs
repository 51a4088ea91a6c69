//! What status is asked: `list`, `one 7` or `capture 7 2` (`refund`, `void`), then the parameters of the address, one a line.
//!
//! A search is understood whole or refused, and a cursor leads on in its own search of its own space and nowhere else.
#![no_main]

use app::ports::store::Search;
use fuzz::World;
use fuzz::answer::{Checked, check};
use fuzz::input::Part;
use libfuzzer_sys::fuzz_target;

const PARAMETERS: [&str; 10] = [
    "merchantReference",
    "operationReference",
    "pspReference",
    "state",
    "importState",
    "needsAttention",
    "createdFrom",
    "createdTo",
    "limit",
    "after",
];

fuzz_target!(|input: &[u8]| {
    let part = Part::read(input);
    let mut words = part.words();
    let (first, id, operation) = (words.next(), words.next(), words.next());
    let query: Vec<_> = part.pairs('=').map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let world = World::new();
    world.import();
    match first {
        Some("one") => look_up(&world, "GET /v1/transactions/{id}", id, operation, query),
        Some("capture") => look_up(&world, "GET /v1/transactions/{id}/captures/{op}", id, operation, query),
        Some("refund") => look_up(&world, "GET /v1/transactions/{id}/refunds/{op}", id, operation, query),
        Some("void") => look_up(&world, "GET /v1/transactions/{id}/voids/{op}", id, operation, query),
        _ => list(&world, query),
    }
});

fn look_up(world: &World, route: &str, id: Option<&str>, operation: Option<&str>, query: Vec<(String, String)>) {
    let mut request = world.request(route, 1);
    for (name, value) in [("id", id), ("op", operation)] {
        request.path.insert(name.to_owned(), value.unwrap_or_default().to_owned());
    }
    let is_told_more = !query.is_empty();
    request.query = query;
    let Checked { status, body } = check(&world.serve(&request));
    assert!(matches!(status, 200 | 400 | 404) && !(status == 200 && is_told_more), "{status}: {body}");
    if status == 200 {
        assert_eq!(body["id"].to_string(), id.unwrap_or_default(), "an id is written in one way");
    }
}

fn list(world: &World, query: Vec<(String, String)>) {
    let is_known = query.iter().all(|(name, _)| PARAMETERS.contains(&name.as_str()));
    let Some((page, first)) = search(world, 1, query.clone()) else { return };
    assert!(is_known, "a parameter that nobody knows was overlooked");
    assert!((1..=99).contains(&first.limit) && page["transactions"].as_array().is_some_and(|found| found.len() == 1), "{page}");

    let cursor = page["next"].as_str().expect("there is more").to_owned();
    let filters: Vec<_> = query.iter().filter(|(name, _)| name != "after").cloned().collect();
    if let Some((_, after)) = query.iter().rfind(|(name, _)| name == "after") {
        // The store says that more begins where this page began: the cursor that leads there was given.
        assert!(first.before.is_some());
        assert_eq!(*after, cursor, "a cursor is written in one way");
    }
    let with_cursor = |filters: &[(String, String)]| [filters, &[("after".to_owned(), cursor.clone())]].concat();
    let (_, next) = search(world, 1, with_cursor(&filters)).expect("the cursor of a page leads on");
    assert!(next.before.is_some() && next == Search { before: next.before, ..first.clone() }, "the same search goes on");

    assert!(search(world, 2, with_cursor(&filters)).is_none(), "a cursor of another space was taken");
    let other = [filters.as_slice(), &[("createdTo".to_owned(), "2001-02-03T04:05:06Z".to_owned())]].concat();
    if search(world, 1, other.clone()).is_some_and(|(_, other)| other != Search { before: None, ..first }) {
        assert!(search(world, 1, with_cursor(&other)).is_none(), "a cursor of another search was taken");
    }
}

/// The page, and what the store was asked for; none if the search was refused.
fn search(world: &World, space: u64, query: Vec<(String, String)>) -> Option<(serde_json::Value, Search)> {
    let mut request = world.request("GET /v1/transactions", space);
    request.query = query;
    world.tables().searched = None;
    let Checked { status, body } = check(&world.serve(&request));
    let searched = world.tables().searched.take();
    assert_eq!(status == 200, searched.is_some(), "{status}: {body}");
    assert!(matches!(status, 200 | 400), "{status}: {body}");
    Some((body, searched?))
}
