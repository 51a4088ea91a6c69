//! Bodies that are no JSON, too much JSON, or JSON that means two things.

use crate::harness::{Answer, Api, commands, padded};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const IMPORT: &str = "/v1/transactions/import";

/// A hostile body takes well under 50 ms. The bound is far above that because the machine that runs the tests is slow and
/// busy, and one of a few tries may keep to it; what it must catch grows with the square of the body, or without end.
const AT_ONCE: Duration = Duration::from_secs(1);
const TRIES: usize = 3;

/// All of these are refused as capture, refund and import, at once, and nothing happens.
async fn refused_everywhere(bodies: &[(&str, Vec<u8>)], status: u16, code: &str) {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let before = api.get(&transaction).await;
    for (name, body) in bodies {
        for path in commands().map(|kind| format!("{transaction}/{kind}")).chain([IMPORT.to_owned()]) {
            let ask = async || {
                let request = api.request(Method::POST, &path).header("content-type", "application/json").header("idempotency-key", "k");
                let begun = tokio::time::Instant::now();
                (Answer::of(request.body(body.clone())).await, begun.elapsed())
            };
            let (mut answer, mut took) = ask().await;
            for _ in 1..TRIES {
                if took >= AT_ONCE {
                    (answer, took) = ask().await;
                }
            }
            assert!(took < AT_ONCE, "{name}, {path}: {took:?}");
            assert!(answer.text.len() < 20_000, "{name}, {path}: {} bytes of answer", answer.text.len());
            assert_eq!(answer.body["code"], code, "{name}, {path}: {answer}");
            answer.expect_problem(status, code);
        }
    }
    assert_eq!(api.get(&transaction).await.body, before.body);
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

fn text(name: &'static str, text: impl Into<String>) -> (&'static str, Vec<u8>) {
    (name, text.into().into_bytes())
}

#[tokio::test]
async fn what_is_not_one_json_object_is_refused() {
    refused_everywhere(
        &[
            text("a list", "[]"),
            text("a string", "\"amount\""),
            text("a number", "1"),
            text("null", "null"),
            text("nothing but blanks", "  \n "),
            text("half an object", "{\"amount\":"),
            text("a comma too many", "{\"amount\":1,}"),
            text("single quotes", "{'amount':1}"),
            text("a comment", "{\"amount\":1 /* one */}"),
            text("two objects", "{\"amount\":1}{\"amount\":2}"),
            text("trailing garbage", "{\"amount\":1} x"),
            text("a byte order mark", "\u{feff}{\"amount\":1}"),
            text("a form", "amount=1"),
            text("XML", "<amount>1</amount>"),
            text("only a NUL", "\0"),
        ],
        400,
        "invalid-request",
    )
    .await;
}

#[tokio::test]
async fn ten_thousand_levels_of_nesting_do_no_harm() {
    let lists = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    refused_everywhere(
        &[
            text("lists", lists(10_000)),
            text("objects", objects(10_000)),
            text("lists in a property", format!("{{\"lineItems\":{}}}", lists(100_000))),
            text("objects in a property", format!("{{\"metaData\":{}}}", objects(40_000))),
            text("objects in a reference", format!("{{\"merchantReference\":{}}}", objects(10_000))),
            text("never closed", "[".repeat(200_000)),
            text("never closed in a property", format!("{{\"lineItems\":{}", "[{\"uniqueId\":".repeat(10_000))),
        ],
        400,
        "invalid-request",
    )
    .await;
}

#[tokio::test]
async fn more_properties_than_anything_has_are_refused() {
    let many = |count: usize| format!("{{{}}}", (0..count).map(|n| format!("\"p{n}\":0")).collect::<Vec<_>>().join(","));
    let lines = format!("{{\"lineItems\":[{}]}}", vec!["{}"; 80_000].join(","));
    refused_everywhere(
        &[
            text("20,000 properties", many(20_000)),
            text("20,000 of one name", format!("{{{}\"z\":0}}", "\"a\":0,".repeat(20_000))),
            text("20,000 in a property", format!("{{\"lineItems\":{}}}", many(20_000))),
            text("80,000 lines", lines),
            text("a name of 200 kB", format!("{{\"{}\":0}}", "n".repeat(200_000))),
        ],
        400,
        "invalid-request",
    )
    .await;
    refused_everywhere(&[text("100,000 properties", many(100_000))], 413, "body-too-large").await;
}

#[tokio::test]
async fn a_property_that_appears_twice_is_refused() {
    refused_everywhere(
        &[
            text("two amounts", "{\"amount\":\"1.00\",\"amount\":\"2.00\"}"),
            text("the same amount twice", "{\"amount\":1,\"amount\":1}"),
            text("one of them escaped", "{\"amount\":1,\"\\u0061mount\":2}"),
            text("in a line", "{\"lineItems\":[{\"uniqueId\":\"a\",\"quantity\":1,\"amount\":1,\"amount\":2}]}"),
        ],
        400,
        "invalid-request",
    )
    .await;
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let answer = api.post_text(&format!("{transaction}/captures"), Some("k"), "{\"amount\":1,\"amount\":2}").await;
    assert_eq!((answer.text("/errors/0/pointer"), answer.text("/errors/0/detail")), ("/amount".into(), "appears more than once".into()));
}

#[tokio::test]
async fn a_misspelt_property_does_not_capture_everything() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for (body, pointer) in [
        (json!({"amuont": "1.00"}), "/amuont"),
        (json!({"Amount": "1.00"}), "/Amount"),
        (json!({"amount ": "1.00"}), "/amount "),
        (json!({"amount": "1.00", "a/b~c": 1}), "/a~1b~0c"),
        (json!({"__proto__": {"amount": 1}}), "/__proto__"),
        (json!({"amount": "1.00", "captureAll": true}), "/captureAll"),
    ] {
        for kind in commands() {
            let answer = api.command(&format!("{transaction}/{kind}"), "k", &body).await.expect_problem(400, "invalid-request");
            let flaws = answer.at("/errors").as_array().expect("a list");
            assert!(flaws.iter().any(|flaw| flaw["pointer"] == pointer), "{answer}");
        }
    }
    // A void has no amount: whoever names one means something else.
    api.command(&format!("{transaction}/voids"), "k", &json!({"amount": "1.00"})).await.expect_problem(400, "invalid-request");
    let calls = api.at_sandbox(&payment).await;
    assert_eq!((calls.number("/calls/capture"), calls.number("/calls/void")), (0, 0));
}

/// What has a digit or an `@` could be a card's number, a key or somebody's address in the wrong place.
#[tokio::test]
async fn a_name_that_could_be_a_secret_is_not_repeated() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    for name in ["4111111111111111", "ada@example.com", "k3y", "\u{664}\u{661}"] {
        for path in commands().map(|kind| format!("{transaction}/{kind}")).chain([IMPORT.to_owned()]) {
            let answer = api.command(&path, "k", &json!({name: 1})).await.expect_problem(400, "invalid-request");
            assert!(!answer.text.contains(name) && answer.text.contains("not repeated"), "{answer}");
        }
        let twice = format!("{{\"{name}\":1,\"{name}\":1}}");
        let answer = api.post_text(IMPORT, None, &twice).await.expect_problem(400, "invalid-request");
        assert!(!answer.text.contains(name), "{answer}");
        let data = json!({"metaData": {name: 1}});
        let answer = api.post(IMPORT, &data).await;
        assert!(matches!(answer.status, 400 | 422) && !answer.text.contains(name), "{answer}");
        let answer = api.get(&format!("/v1/transactions?{name}={name}")).await.expect_problem(400, "invalid-request");
        assert!(!answer.text.contains(name), "{answer}");
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_refused() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for body in [
        json!({"final": "true"}),
        json!({"final": 1}),
        json!({"final": null}),
        json!({"lineItems": {}}),
        json!({"lineItems": ["a"]}),
        json!({"lineItems": [[]]}),
        json!({"merchantReference": 7}),
        json!({"merchantReference": ""}),
    ] {
        api.command(&format!("{transaction}/captures"), "k", &body).await.expect_problem(400, "invalid-request");
    }
    for body in [
        json!({"captureId": "3"}),
        json!({"captureId": 0}),
        json!({"captureId": -1}),
        json!({"captureId": 9_007_199_254_740_993_u64}),
        json!({"reason": "return"}),
        json!({"reason": "BECAUSE"}),
        json!({"note": ["x"]}),
    ] {
        api.command(&format!("{transaction}/refunds"), "k", &body).await.expect_problem(400, "invalid-request");
    }
    for body in [json!({"reason": 1}), json!({"reason": "BECAUSE"}), json!({"merchantReference": ""}), json!({"version": "1"})] {
        api.command(&format!("{transaction}/voids"), "k", &body).await.expect_problem(400, "invalid-request");
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn text_that_is_no_text_is_refused() {
    let reference = |text: &[u8]| [b"{\"merchantReference\":\"".as_slice(), text, b"\"}"].concat();
    let name = |text: &[u8]| [b"{\"".as_slice(), text, b"\":1}"].concat();
    refused_everywhere(
        &[
            ("invalid UTF-8", reference(b"a\xff\xfeb")),
            ("an overlong slash", reference(b"\xc0\xaf")),
            ("half a character", reference(b"\xe2\x82")),
            ("a surrogate in UTF-8", reference(b"\xed\xa0\x80")),
            ("invalid UTF-8 in a name", name(b"a\xff")),
            ("half a surrogate pair", reference(br"\ud800")),
            ("the other half", reference(br"\udc00")),
            ("the halves turned round", reference(br"\udc00\ud800")),
            ("half a surrogate pair in a name", name(br"\ud800")),
            ("an escaped NUL", reference(br"a\u0000b")),
            ("a NUL", reference(b"a\0b")),
            ("an escaped NUL in a name", name(br"a\u0000")),
            ("a line break that is not escaped", reference(b"a\nb")),
            ("an escape that there is not", reference(br"\x41")),
        ],
        400,
        "invalid-request",
    )
    .await;
}

#[tokio::test]
async fn a_body_may_be_256_kilobytes_and_not_a_byte_more() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    let padded = |bytes: usize| padded("{\"amount\":\"1.00\"}", bytes);
    api.post_text(&captures, Some("k"), &padded(256 * 1024 + 1)).await.expect_problem(413, "body-too-large");
    api.post_text(IMPORT, None, &padded(256 * 1024 + 1)).await.expect_problem(413, "body-too-large");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
    api.post_text(&captures, Some("k"), &padded(256 * 1024)).await.expect(201);
}

#[tokio::test]
async fn beyond_ten_megabytes_it_is_the_gateway_that_answers() {
    let api = Api::start().await;
    let body = padded("{\"amount\":\"1.00\"}", 10 * 1024 * 1024 + 1);
    let answer = api.post_text("/v1/transactions/123456789/captures", Some("k"), &body).await.expect(413);
    assert_eq!(answer.body["code"], json!(null), "{answer}");
}

#[tokio::test]
async fn a_body_counts_whatever_it_is_called() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let kinds =
        ["application/json; charset=utf-8", "application/octet-stream", "text/plain", "application/x-www-form-urlencoded", "\u{e4}"];
    for (key, kind) in kinds.into_iter().enumerate() {
        let request = api.request(Method::POST, &format!("{transaction}/captures")).header("idempotency-key", format!("k-{key}"));
        Answer::of(request.header("content-type", kind).body("{\"amount\":\"1.00\"}")).await.expect(201);
    }
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "5.00");
}
