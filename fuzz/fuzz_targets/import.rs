//! The body of an import. What is taken is shown, and what is shown can be sent: it is read as the same again.
#![no_main]

use api::{Request, Response};
use domain::id::TransactionId;
use domain::transaction::properties::Properties;
use fuzz::World;
use fuzz::answer::{Checked, check};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What an import must say, and what the answer calls otherwise.
const OWN: [&str; 5] = ["connection", "pspReference", "merchantReference", "amount", "currency"];

/// The properties of an object, each as the text that stands there, so that no number passes through a float.
type Texts = BTreeMap<String, Box<RawValue>>;

fuzz_target!(|input: &[u8]| {
    let world = World::new();
    let mut request = world.request("POST /v1/transactions/import", 1);
    request.body = input.to_vec();
    let answer = world.serve(&request);
    if check(&answer).status != 201 {
        assert!(world.tables().transactions.is_empty(), "what is refused stores nothing");
        return;
    }
    let (id, properties) = stored(&world, &answer);
    if !check(&answer).body["importFailure"].is_null() {
        return;
    }
    let again = check(&world.serve(&request));
    assert_eq!((again.status, again.body["id"].as_u64()), (200, Some(id.number())), "the same again is the same");

    send_back(&world, request, &answer, &properties);
});

/// Imports another payment with the properties that the answer shows of the first.
fn send_back(world: &World, mut request: Request, answer: &Response, properties: &Properties) {
    let sent: Texts = serde_json::from_slice(&request.body).expect("what was taken is an object");
    let shown: Texts = serde_json::from_str(&answer.body).expect("an answer is an object");
    let mut body = Texts::new();
    for (name, text) in sent {
        if name == "pspReference" {
            let other = RawValue::from_string(r#""another-payment""#.to_owned()).expect("a string is JSON");
            body.insert(name, other);
        } else if OWN.contains(&name.as_str()) {
            body.insert(name, text);
        } else if let Some(shown) = shown.get(&name) {
            body.insert(name, shown.clone());
        } else {
            assert!(matches!(text.get().trim_matches(['[', ']', '{', '}', ' ', '\t', '\n', '\r']), ""), "{name} is lost: {text}");
        }
    }
    request.body = serde_json::to_vec(&body).expect("texts are JSON");
    let answer = world.serve(&request);
    assert_eq!(check(&answer).status, 201, "what is shown can be sent: {}", answer.body);
    assert!(stored(world, &answer).1 == *properties, "what is shown is read as something else: {}", answer.body);
}

fn stored(world: &World, answer: &Response) -> (TransactionId, Properties) {
    let Checked { body, .. } = check(answer);
    let id = body["id"].as_u64().and_then(TransactionId::new).expect("the id of a transaction");
    (id, world.tables().properties[&id].clone())
}
