//! The requests, scene by scene: what is good, repeated, wrong, not allowed; every route, every problem that can be reached.

use super::scene::{AUTHORIZED, Act, Ask, Caller, IMPORT, Scene, ask, command, get, import_with, imported, post};
use crate::harness::canary::{CARD_NUMBER, EMAIL_ADDRESS};
use serde_json::json;

const IMPORTS: &str = "/v1/transactions/import";
const TRANSACTION: &str = "/v1/transactions/{transaction}";
const CAPTURES: &str = "/v1/transactions/{transaction}/captures";
const REFUNDS: &str = "/v1/transactions/{transaction}/refunds";
const VOIDS: &str = "/v1/transactions/{transaction}/voids";
const RECONCILE: &str = "/v1/transactions/{transaction}/reconcile";
const WEBHOOKS: &str = "/v1/webhooks/{space}/sandbox";

pub fn corpus() -> Vec<Scene> {
    vec![
        scene("import", imports()),
        scene("import of what is under way", under_way()),
        scene("import of what was captured", captured_before()),
        scene("import of what cannot be read", unreadable()),
        scene("properties", properties()),
        scene("capture", captures()),
        scene("capture in doubt", in_doubt()),
        scene("capture that settles later", settles_later()),
        scene("refund", refunds()),
        scene("void", voids()),
        scene("reconcile", reconciled()),
        scene("resolve", resolved()),
        scene("search", searches()),
        scene("description", descriptions()),
        scene("access", access()),
        scene("webhook", webhooks()),
        scene("bodies", bodies()),
        scene("gateway", gateway()),
    ]
}

fn scene(name: &'static str, acts: Vec<Act>) -> Scene {
    Scene { name, acts }
}

/// The acts of another scene, and then these.
fn then(mut acts: Vec<Act>, asks: Vec<Ask>) -> Vec<Act> {
    acts.extend(asks.into_iter().map(Act::from));
    acts
}

fn pay(keep: &'static str) -> Act {
    Act::Pay { keep, body: AUTHORIZED }
}

fn imports() -> Vec<Act> {
    let mistaken = r#"{"connection":"sandbox","pspReference":"{mistaken}","merchantReference":"SO-2","amount":"49.91","currency":"EUR"}"#;
    let corrected = mistaken.replace("49.91", "49.90");
    let acts = then(
        imported(),
        vec![
            get("the whole of it", TRANSACTION),
            post("again", IMPORTS, IMPORT),
            post("with another reference", IMPORTS, &import_with("merchantReference", json!("other"))),
            post("with another amount", IMPORTS, &import_with("amount", json!("49.91"))),
            post("with another currency", IMPORTS, &import_with("currency", json!("CHF"))),
            post("of nothing", IMPORTS, &import_with("pspReference", json!("sb_nothing-{reference}"))).keep("nothing", "/id"),
            post("on no connection", IMPORTS, &import_with("connection", json!("nowhere"))),
            post(
                "without an amount",
                IMPORTS,
                r#"{"connection":"sandbox","pspReference":"{payment}","merchantReference":"x","currency":"EUR"}"#,
            ),
            post("with an amount that is none", IMPORTS, &import_with("amount", json!("1e3"))),
            post("with an amount of zero", IMPORTS, &import_with("amount", json!(0))),
            post("with a currency that is none", IMPORTS, &import_with("currency", json!("eur"))),
            post("with a name that is unknown", IMPORTS, &import_with("amout", json!("1.00"))),
        ],
    );
    let acts = acts.into_iter().chain([pay("mistaken")]).collect();
    then(
        acts,
        vec![
            post("mistaken", IMPORTS, mistaken).keep("failed", "/id"),
            command("a capture of what failed", "/v1/transactions/{failed}/captures", "k", "{}"),
            command("a refund of what failed", "/v1/transactions/{failed}/refunds", "k", "{}"),
            command("a void of what failed", "/v1/transactions/{failed}/voids", "k", "{}"),
            post("corrected", IMPORTS, &corrected),
            get("corrected, read", "/v1/transactions/{failed}"),
        ],
    )
}

fn under_way() -> Vec<Act> {
    let body = r#"{"amount":"49.90","currency":"EUR","merchantReference":"{reference}","captureMode":"manual","status":"pending"}"#;
    let mut acts = vec![
        Act::Pay { keep: "payment", body },
        post("the import", IMPORTS, IMPORT).keep("transaction", "/id").into(),
        command("a capture", CAPTURES, "k", "{}").into(),
        command("a void", VOIDS, "k", "{}").into(),
        Act::Shop { path: "/payments/{payment}/authorize" },
        Act::Until { path: TRANSACTION, pointer: "/state", is: "AUTHORIZED" },
        get("authorized", TRANSACTION).into(),
    ];
    acts.push(Act::Pay { keep: "other", body });
    acts.push(Act::Shop { path: "/payments/{other}/fail" });
    let other = IMPORT.replace("{payment}", "{other}");
    acts.push(post("the import of what failed at the PSP", IMPORTS, &other).keep("never", "/id").into());
    acts
}

fn captured_before() -> Vec<Act> {
    let body = r#"{"amount":"49.90","currency":"EUR","merchantReference":"{reference}","captureMode":"automatic"}"#;
    let acts = vec![Act::Pay { keep: "payment", body }];
    then(
        acts,
        vec![
            post("the import", IMPORTS, IMPORT).keep("transaction", "/id").keep("capture", "/captures/0/id"),
            command("a capture", CAPTURES, "k", "{}"),
            command("a refund of it", REFUNDS, "k", r#"{"captureId":{capture},"amount":"9.90","reason":"RETURN","note":"too small"}"#),
            command("a refund of more than is left of it", REFUNDS, "l", r#"{"captureId":{capture},"amount":"40.01"}"#),
            get("the whole of it", TRANSACTION),
        ],
    )
}

fn unreadable() -> Vec<Act> {
    vec![
        pay("payment"),
        Act::Fault { payment: "payment", on: "read", fault: "error-503", times: 3 },
        post("the import", IMPORTS, IMPORT).keep("transaction", "/id").into(),
        get("pending", TRANSACTION).into(),
        Act::Fault { payment: "payment", on: "read", fault: "error-503", times: 0 },
        post("again", IMPORTS, IMPORT).into(),
    ]
}

fn properties() -> Vec<Act> {
    let all = json!({
        "connection": "sandbox", "pspReference": "{payment}", "merchantReference": "{reference}", "amount": 49.90, "currency": "EUR",
        "invoiceMerchantReference": "INV-1", "customerId": "C-7", "customerEmailAddress": EMAIL_ADDRESS.text, "language": "de-CH",
        "billingAddress": {"givenName": "Ada", "familyName": "Lovelace", "country": "CH", "city": "Z\u{fc}rich"},
        "metaData": {"shop": "one", "emoji": "\u{1f980}", "quotes": "\"\\/\u{2028}\t\r\n"},
        "lineItems": [{"uniqueId": "1", "name": "Shoe", "quantity": 1, "amountIncludingTax": 49.90, "type": "PRODUCT"}],
    });
    then(
        vec![pay("payment")],
        vec![
            post("a card number", IMPORTS, &import_with("customerId", json!(CARD_NUMBER.text))),
            post("too much metadata", IMPORTS, &import_with("metaData", json!({"k": "x".repeat(501)}))),
            post("a control character", IMPORTS, &import_with("customerId", json!("a\u{1b}b"))),
            post("all of them", IMPORTS, &all.to_string()).keep("transaction", "/id"),
            get("all of them, read", TRANSACTION),
        ],
    )
}

fn captures() -> Vec<Act> {
    then(
        imported(),
        vec![
            command("a part", CAPTURES, "a", r#"{"amount":"20.00","merchantReference":"INV-1"}"#).keep("capture", "/id"),
            command("a part again", CAPTURES, "a", r#"{"amount":20,"merchantReference":"INV-1"}"#),
            command("another under its key", CAPTURES, "a", r#"{"amount":"20.01"}"#),
            command("without an amount under its key", CAPTURES, "\"a\"", "{}"),
            get("the capture", "/v1/transactions/{transaction}/captures/{capture}"),
            get("the capture, looked for among refunds", "/v1/transactions/{transaction}/refunds/{capture}"),
            get("a capture that is not there", "/v1/transactions/{transaction}/captures/999"),
            post("without a key", CAPTURES, "{}"),
            command("a key that is too long", CAPTURES, &"x".repeat(101), "{}"),
            command("a key of no ASCII", CAPTURES, "caf\u{e9}", "{}"),
            command("a key that is empty", CAPTURES, "", "{}"),
            command("more than is left", CAPTURES, "b", r#"{"amount":"29.91"}"#),
            command("nothing", CAPTURES, "b", r#"{"amount":"0.00"}"#),
            command("a sign", CAPTURES, "b", r#"{"amount":"-1"}"#),
            command("too many decimals", CAPTURES, "b", r#"{"amount":"1.001"}"#),
            command("a name that is unknown", CAPTURES, "b", r#"{"amout":"1.00"}"#),
            command("in the address", "/v1/transactions/{transaction}/captures?amount=1.00", "b", "{}"),
            command("a stale version", CAPTURES, "b", r#"{"amount":"1.00","version":1}"#),
            command("a stale ETag", CAPTURES, "b", r#"{"amount":"1.00"}"#).header("if-match", "\"1\""),
            command("two versions", CAPTURES, "b", r#"{"amount":"1.00","version":1}"#).header("if-match", "\"2\""),
            command("lines that are not the amount", CAPTURES, "b", LINES_AND_ANOTHER_AMOUNT),
            command("lines", CAPTURES, "c", r#"{"lineItems":[{"uniqueId":"1","quantity":1,"amount":"9.90"}]}"#),
            command("refused by the PSP", CAPTURES, "d", r#"{"amount":"13.01"}"#),
            command("refused by the PSP, again", CAPTURES, "d", r#"{"amount":"13.01"}"#),
            command("all that is left", CAPTURES, "e", "{}"),
            command("after the last", CAPTURES, "f", "{}"),
            get("the whole of it", TRANSACTION),
            command("of a transaction that is not there", "/v1/transactions/123456789/captures", "k", "{}"),
            command("of an id that is none", "/v1/transactions/x/captures", "k", "{}"),
        ],
    )
}

const LINES_AND_ANOTHER_AMOUNT: &str = r#"{"amount":"1.00","lineItems":[{"uniqueId":"1","quantity":1,"amount":"2.00"}]}"#;

/// Each of the sandbox's magic amounts that leaves a capture unknown, while nothing can be read.
fn in_doubt() -> Vec<Act> {
    let mut acts = imported();
    acts.push(Act::Fault { payment: "payment", on: "read", fault: "error-503", times: 50 });
    then(
        acts,
        vec![
            command("the connection is closed", CAPTURES, "a", r#"{"amount":"13.02"}"#),
            command("the connection is closed, again", CAPTURES, "a", r#"{"amount":"13.02"}"#),
            command("garbage", CAPTURES, "b", r#"{"amount":"13.08"}"#),
            command("another amount", CAPTURES, "c", r#"{"amount":"13.09"}"#),
            command("a final one beside it", CAPTURES, "d", r#"{"amount":"1.00","final":true}"#),
            command("a void beside it", VOIDS, "d", "{}"),
            command("a refund of it", REFUNDS, "d", r#"{"amount":"1.00"}"#),
            get("the whole of it", TRANSACTION),
        ],
    )
}

fn settles_later() -> Vec<Act> {
    let mut acts = imported();
    acts.push(Act::Fault { payment: "payment", on: "capture", fault: "pending", times: 1 });
    let capture = command("pending", CAPTURES, "a", r#"{"amount":"20.00"}"#).keep("capture", "/id");
    acts.push(capture.into());
    let path = "/v1/transactions/{transaction}/captures/{capture}";
    acts.push(Act::Until { path, pointer: "/state", is: "SUCCESSFUL" });
    acts.push(get("settled", path).into());
    acts.push(Act::Fault { payment: "payment", on: "capture", fault: "pending", times: 1 });
    acts.push(command("waited for", CAPTURES, "b", r#"{"amount":"1.00"}"#).header("prefer", "wait=10").into());
    acts
}

fn refunds() -> Vec<Act> {
    then(
        imported(),
        vec![
            command("before anything is captured", REFUNDS, "a", "{}"),
            command("a capture", CAPTURES, "a", r#"{"amount":"40.00","merchantReference":"INV-1"}"#).keep("capture", "/id"),
            command("a part", REFUNDS, "a", r#"{"amount":"5.00","reason":"GOODWILL"}"#).keep("refund", "/id"),
            command("a part again", REFUNDS, "a", r#"{"amount":"5.0","reason":"GOODWILL"}"#),
            command("of a capture by its reference", REFUNDS, "b", r#"{"amount":"1.00","captureMerchantReference":"INV-1"}"#),
            command("of a capture that is not there", REFUNDS, "c", r#"{"amount":"1.00","captureId":999}"#),
            command("for a reason that is none", REFUNDS, "c", r#"{"amount":"1.00","reason":"NONE"}"#),
            command("more than is left", REFUNDS, "c", r#"{"amount":"34.01"}"#),
            command("refused by the PSP", REFUNDS, "d", r#"{"amount":"13.01"}"#),
            get("the refund", "/v1/transactions/{transaction}/refunds/{refund}"),
            command("all that is left", REFUNDS, "e", "{}"),
            get("the whole of it", TRANSACTION),
        ],
    )
}

fn voids() -> Vec<Act> {
    then(
        imported(),
        vec![
            command("a name that is unknown", VOIDS, "a", r#"{"amount":"1.00"}"#),
            post("without a key", VOIDS, "{}"),
            command("a capture before", CAPTURES, "a", r#"{"amount":"20.00","final":false}"#),
            command("the rest", VOIDS, "a", r#"{"merchantReference":"CN-1"}"#).keep("void", "/id"),
            command("the rest again", VOIDS, "a", r#"{"merchantReference":"CN-1"}"#),
            command("after it", VOIDS, "b", "{}"),
            command("a capture after it", CAPTURES, "b", "{}"),
            get("the void", "/v1/transactions/{transaction}/voids/{void}"),
            get("a void that is not there", "/v1/transactions/{transaction}/voids/999"),
            get("the whole of it", TRANSACTION),
            command("of a transaction that is not there", "/v1/transactions/123456789/voids", "k", "{}"),
        ],
    )
    .into_iter()
    .chain([pay("whole")])
    .chain([
        Act::from(post("another import", IMPORTS, &IMPORT.replace("{payment}", "{whole}")).keep("second", "/id")),
        Act::from(command("all of it", "/v1/transactions/{second}/voids", "a", r#"{"reason":"the order was cancelled"}"#)),
        Act::from(command("a void of what is void", "/v1/transactions/{second}/voids", "b", "{}")),
        Act::from(command("a capture of what is void", "/v1/transactions/{second}/captures", "b", "{}")),
    ])
    .collect()
}

fn reconciled() -> Vec<Act> {
    let mut acts = imported();
    acts.push(Act::Fault { payment: "payment", on: "capture", fault: "lost-request", times: 1 });
    then(
        acts,
        vec![
            post("of nothing that is open", RECONCILE, "{}"),
            command("a capture that gets lost", CAPTURES, "a", r#"{"amount":"20.00"}"#),
            post("of the capture", RECONCILE, "{}"),
            ask("POST", "once more, without a body", RECONCILE),
            post("with a key that may read", RECONCILE, "{}").of(Caller::Reader),
            post("without a key", RECONCILE, "{}").of(Caller::Nobody),
            post("with a name that is unknown", RECONCILE, r#"{"force":true}"#),
            post("of a transaction that is not there", "/v1/transactions/123456789/reconcile", "{}"),
        ],
    )
}

/// Only what a person need not decide: what does is made with the PSP's own key, which no request of the corpus has.
fn resolved() -> Vec<Act> {
    let path = |kind| match kind {
        "capture" => "/v1/transactions/{transaction}/captures/{capture}/resolve",
        "refund" => "/v1/transactions/{transaction}/refunds/{refund}/resolve",
        _ => "/v1/transactions/{transaction}/voids/{void}/resolve",
    };
    let (seen, not_seen) = (r#"{"state":"SUCCESSFUL","note":"seen"}"#, r#"{"state":"FAILED","note":"not seen"}"#);
    then(
        imported(),
        vec![
            command("a capture", CAPTURES, "a", r#"{"amount":"20.00"}"#).keep("capture", "/id"),
            command("a refund", REFUNDS, "a", r#"{"amount":"5.00"}"#).keep("refund", "/id"),
            command("a void", VOIDS, "a", "{}").keep("void", "/id"),
            post("a capture as it is", path("capture"), seen),
            post("a capture otherwise", path("capture"), not_seen),
            post("a refund as it is", path("refund"), seen),
            post("a refund otherwise", path("refund"), not_seen),
            post("a void as it is", path("void"), seen),
            post("a void otherwise", path("void"), not_seen),
            post("with an amount that did not move", path("capture"), r#"{"state":"FAILED","amount":"1.00","note":"x"}"#),
            post("without a note", path("capture"), r#"{"state":"FAILED"}"#),
            post("with a card number", path("capture"), r#"{"state":"FAILED","note":"4111111111111111"}"#),
            post("with a key that may not", path("capture"), seen).of(Caller::Reader),
            post("of a capture that is not there", "/v1/transactions/{transaction}/captures/999/resolve", seen),
            post("of a transaction that is not there", "/v1/transactions/123456789/captures/3/resolve", seen),
        ],
    )
}

fn searches() -> Vec<Act> {
    let second = IMPORT.replace("{payment}", "{second}");
    let acts =
        imported().into_iter().chain([pay("second"), post("the second import", IMPORTS, &second).keep("newer", "/id").into()]).collect();
    then(
        acts,
        vec![
            command("a capture", CAPTURES, "a", r#"{"amount":"20.00","merchantReference":"O-{reference}"}"#),
            get("by merchant reference", "/v1/transactions?merchantReference={reference}"),
            get("one of two", "/v1/transactions?merchantReference={reference}&limit=1").keep("cursor", "/next"),
            get("the next of two", "/v1/transactions?merchantReference={reference}&limit=1&after={cursor}"),
            get("a cursor of another search", "/v1/transactions?pspReference={payment}&after={cursor}"),
            get("a cursor that is none", "/v1/transactions?after=nothing"),
            get("by operation reference", "/v1/transactions?operationReference=O-{reference}"),
            get("by PSP reference", "/v1/transactions?pspReference={payment}"),
            get("by state", "/v1/transactions?merchantReference={reference}&state=VOIDED"),
            get("by a reference that is escaped", "/v1/transactions?merchantReference=a%20b%2Bc%26d+e"),
            get("by nothing that is known", "/v1/transactions?merchant=x"),
            get("by two references", "/v1/transactions?merchantReference=x&pspReference=y"),
            get("by one twice", "/v1/transactions?merchantReference=x&merchantReference=y"),
            get("too many at once", "/v1/transactions?limit=100"),
            get("a transaction that is not there", "/v1/transactions/123456789"),
            get("an id that is none", "/v1/transactions/01"),
            get("a query where none belongs", "/v1/transactions/{transaction}?full=true"),
        ],
    )
}

fn descriptions() -> Vec<Act> {
    then(vec![], vec![get("of PSPs", "/v1/psps"), get("of the API", "/v1/openapi.json")])
}

fn access() -> Vec<Act> {
    let asks = vec![
        get("no key", TRANSACTION).of(Caller::Nobody),
        command("no key for a capture", CAPTURES, "k", "{}").of(Caller::Nobody),
        get("nonsense", TRANSACTION).of(Caller::Unknown("Bearer nonsense")),
        get("another scheme", TRANSACTION).of(Caller::Unknown("Basic Y3A6Y3A=")),
        get("an empty one", TRANSACTION).of(Caller::Unknown("")),
        get("a key in the address", "/v1/transactions/{transaction}?apiKey=x").of(Caller::Nobody),
        get("read with a key that may", TRANSACTION).of(Caller::Reader),
        post("an import with a key that may not", IMPORTS, IMPORT).of(Caller::Reader),
        command("a capture with a key that may not", CAPTURES, "k", "{}").of(Caller::Reader),
        command("a refund with a key that may not", REFUNDS, "k", "{}").of(Caller::Reader),
        command("a void with a key that may not", VOIDS, "k", "{}").of(Caller::Reader),
        get("a request id of one's own", TRANSACTION).header("x-request-id", "my-request.1"),
        get("a request id of one's own, in a problem", "/v1/transactions/1").header("x-request-id", "my-request.2"),
    ];
    then(imported(), asks)
}

fn webhooks() -> Vec<Act> {
    let tell = |name, event, forged| Act::Tell { name, payment: "payment", kind: "payment.authorized", event, forged };
    let acts = vec![
        pay("payment"),
        tell("of a payment that nobody knows", "a", false),
        post("the import", IMPORTS, IMPORT).keep("transaction", "/id").into(),
        tell("of a payment that is known", "b", false),
        tell("a second time", "b", false),
        tell("forged", "c", true),
    ];
    then(
        acts,
        vec![
            post("without a signature", WEBHOOKS, "{}").of(Caller::Nobody),
            post("to another space", "/v1/webhooks/999/sandbox", "{}").of(Caller::Nobody),
            post("to another connection", "/v1/webhooks/{space}/nowhere", "{}").of(Caller::Nobody),
            post("to a space that is none", "/v1/webhooks/x/sandbox", "{}").of(Caller::Nobody),
            ask("GET", "by another method", WEBHOOKS).of(Caller::Nobody),
            get("the whole of it", TRANSACTION),
        ],
    )
}

fn bodies() -> Vec<Act> {
    let large = |bytes: usize| format!("{{\"amount\":\"1.00\"}}{}", " ".repeat(bytes - 17));
    then(
        imported(),
        vec![
            command("not JSON", CAPTURES, "k", "{"),
            command("a list", CAPTURES, "k", "[]"),
            command("twice", CAPTURES, "k", r#"{"amount":"1.00","amount":"2.00"}"#),
            command("null", CAPTURES, "k", r#"{"amount":null}"#),
            command("too large", CAPTURES, "k", &large(256 * 1024 + 1)),
            ask("POST", "not text", CAPTURES)
                .header("idempotency-key", "k")
                .header("content-type", "application/json")
                .bytes(b"{\"a\xff\":1}"),
            ask("POST", "of another kind", CAPTURES)
                .header("idempotency-key", "a")
                .header("content-type", "application/octet-stream")
                .bytes(r#"{"amount":"1.00"}"#),
            ask("POST", "of no kind", CAPTURES).header("idempotency-key", "b").bytes(r#"{"amount":"1.00"}"#),
            ask("POST", "none, which is all", CAPTURES).header("idempotency-key", "c"),
            command("as large as it may be", REFUNDS, "d", &large(256 * 1024)),
        ],
    )
}

/// What the gateway answers by itself, or hands on in its own way.
fn gateway() -> Vec<Act> {
    then(
        imported(),
        vec![
            get("no such path", "/v1/nothing"),
            get("a slash too many", "/v1/transactions/"),
            get("a capital too many", "/V1/psps"),
            ask("PUT", "no such method", TRANSACTION),
            ask("HEAD", "no body wanted", TRANSACTION),
            ask("DELETE", "no such method of a webhook", WEBHOOKS),
            ask("OPTIONS", "a preflight", TRANSACTION).header("origin", "https://shop.example"),
            get("an id with an escaped slash", "/v1/transactions/1%2F2"),
            get("an id with an escaped hash", "/v1/transactions/1%232"),
            get("an id of another script", "/v1/transactions/%D9%A1"),
            get("a header twice", "/v1/psps").header("x-request-id", "one").header("x-request-id", "two"),
            command("beyond what a gateway takes", CAPTURES, "k", &" ".repeat(10 * 1024 * 1024 + 1)),
        ],
    )
}
