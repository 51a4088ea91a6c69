//! What PSPs answer that they should not: nothing, too late, something else, too much.

use crate::harness::config::{Config, quiet};
use crate::harness::fake_psp::{Asked, FakePsp, Reply, authorized, captured, payment};
use crate::harness::webhook::{Webhook, event};
use crate::harness::{Answer, Api, Payment};
use crate::local_only;
use futures_util::future::join;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ACCOUNT: &str = "1-sandbox";
const PLACE: &str = "1/sandbox";

/// A system whose PSP knows one payment and answers commands in this way.
async fn system(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (Api, FakePsp) {
    let psp = FakePsp::start(move |asked| match asked.method.as_str() {
        "GET" => Reply::json(200, &authorized(&[])),
        _ => answer(asked),
    })
    .await;
    (Config::default().space(1).sandbox_at("sandbox", &psp.url).start().await, psp)
}

async fn imported(api: &Api) -> String {
    let answer = api.import(&payment()).await.expect(201);
    assert_eq!(answer.text("/importState"), "IMPORT_COMPLETED", "{answer}");
    answer.header("location").to_owned()
}

async fn capture(api: &Api, transaction: &str, amount: &str) -> Answer {
    api.command(&format!("{transaction}/captures"), "k", &json!({"amount": amount})).await
}

/// Answers in ways that prove nothing.
fn unbelievable(asked: &Asked, name: &str) -> Reply {
    let html = "<html><body><h1>Welcome</h1></body></html>";
    let with = |changes: Value| Reply::json(201, &captured(asked, &changes));
    match name {
        "a page" => Reply::text("200 OK", "content-type: text/html\r\n", html),
        "an empty body" => Reply::text("200 OK", "content-type: application/json\r\n", ""),
        "no content" => Reply::Bytes(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec()),
        "an empty object" => Reply::json(200, &json!({})),
        "three megabytes" => with(json!({"padding": "x".repeat(3 * 1024 * 1024)})),
        "no end" => Reply::Endless,
        "a body that breaks off" => Reply::Bytes(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"id\":".to_vec()),
        "no HTTP" => Reply::Bytes(b"220 mail.example ESMTP\r\n".to_vec()),
        "a closed connection" => Reply::Bytes(vec![]),
        "nested lists" => Reply::text("200 OK", "", &"[".repeat(100_000)),
        "a server error" => Reply::json(500, &json!({"error": {"code": "internal"}})),
        "a server error as a page" => Reply::text("502 Bad Gateway", "content-type: text/html\r\n", html),
        "a redirect" => Reply::text("302 Found", "location: http://169.254.169.254/latest/meta-data/\r\n", ""),
        "a conflict" => Reply::json(409, &json!({"error": {"code": "in-progress"}})),
        "a refusal as a page" => Reply::text("422 Unprocessable", "content-type: text/html\r\n", html),
        "a teapot" => Reply::json(418, &json!({"error": {"code": "refused"}})),
        "another amount" => with(json!({"amount": "4.99"})),
        "a hundred times the amount" => with(json!({"amount": "500.00"})),
        "another currency" => with(json!({"currency": "CHF"})),
        "an amount that is a number" => with(json!({"amount": 5.0})),
        "a negative amount" => with(json!({"amount": "-5.00"})),
        "no amount" => with(json!({"amount": null})),
        "another operation" => with(json!({"reference": "1-1-1"})),
        "no operation" => with(json!({"reference": null})),
        "a state that there is not" => with(json!({"status": "exploded"})),
        other => panic!("no such answer: {other}"),
    }
}

const UNBELIEVABLE: &[&str] = &[
    "a page",
    "an empty body",
    "no content",
    "an empty object",
    "three megabytes",
    "no end",
    "a body that breaks off",
    "no HTTP",
    "a closed connection",
    "nested lists",
    "a server error",
    "a server error as a page",
    "a redirect",
    "a conflict",
    "a refusal as a page",
    "a teapot",
    "another amount",
    "a hundred times the amount",
    "another currency",
    "an amount that is a number",
    "a negative amount",
    "no amount",
    "another operation",
    "no operation",
    "a state that there is not",
];

#[tokio::test]
async fn an_answer_that_proves_nothing_leaves_a_capture_unknown_and_its_amount_set_aside() {
    local_only!();
    for name in UNBELIEVABLE {
        let (api, psp) = system(|asked| unbelievable(asked, name)).await;
        let transaction = imported(&api).await;
        let begun = tokio::time::Instant::now();
        let answer = capture(&api, &transaction, "5.00").await.expect(201);
        assert!(begun.elapsed() < Duration::from_secs(8), "{name}: reading goes on and on");
        assert_eq!(answer.text("/state"), "UNKNOWN", "{name}: {answer}");
        assert_eq!(
            (answer.digits("capturePending"), answer.digits("captured")),
            (vec!["5.00".to_owned()], vec!["0.00".to_owned()]),
            "{name}"
        );
        assert!(!answer.header("retry-after").is_empty() && !answer.text.contains("Welcome"), "{name}: {answer}");
        // Sent again, it is repeated here and not there.
        assert_eq!(capture(&api, &transaction, "5.00").await.expect(200).text("/state"), "UNKNOWN", "{name}");
        assert_eq!(psp.asked("POST").len(), 1, "{name}");
        let kinds: Vec<_> =
            api.get(&transaction).await.at("/interactions").as_array().expect("a list").iter().map(|i| i["kind"].clone()).collect();
        assert_eq!(kinds, ["transaction.import.completed", "transaction.capture.unknown"], "{name}");
    }
}

#[tokio::test]
async fn the_same_answers_leave_a_refund_unknown() {
    local_only!();
    let answers = Arc::new(Mutex::new(None));
    let next = Arc::clone(&answers);
    let (api, psp) = system(move |asked| match *next.lock().expect("the name") {
        None => Reply::json(201, &captured(asked, &json!({}))),
        Some(name) => unbelievable(asked, name),
    })
    .await;
    let transaction = imported(&api).await;
    assert_eq!(capture(&api, &transaction, "40.00").await.expect(201).text("/state"), "SUCCESSFUL");
    let names = ["a page", "an empty body", "three megabytes", "a server error", "another currency", "another operation"];
    for name in names {
        *answers.lock().expect("the name") = Some(name);
        let refund = api.command(&format!("{transaction}/refunds"), name, &json!({"amount": "5.00"})).await.expect(201);
        assert_eq!(refund.text("/state"), "UNKNOWN", "{name}: {refund}");
    }
    assert_eq!(api.get(&transaction).await.digits("refundPending"), ["30.00"]);
    assert_eq!(psp.asked("POST").len(), 1 + names.len());
}

#[tokio::test]
async fn an_answer_that_proves_nothing_leaves_an_import_pending() {
    local_only!();
    let answers = Arc::new(Mutex::new(None));
    let next = Arc::clone(&answers);
    let psp = FakePsp::start(move |asked| match *next.lock().expect("the name") {
        None => Reply::json(200, &authorized(&[])),
        Some("another payment") => Reply::json(200, &json!({"id": "sb_other"})),
        Some("not found, as a page") => Reply::text("404 Not Found", "content-type: text/html\r\n", "<h1>404</h1>"),
        Some("too many requests") => Reply::text("429 Too Many Requests", "retry-after: 1\r\n", ""),
        Some(name) => unbelievable(asked, name),
    })
    .await;
    let api = Config::default().space(1).sandbox_at("sandbox", &psp.url).start().await;
    let about_payments = UNBELIEVABLE.iter().take_while(|name| **name != "a conflict");
    let mut id = None;
    for name in about_payments.chain(&["another payment", "not found, as a page", "too many requests"]) {
        *answers.lock().expect("the name") = Some(*name);
        let answer = api.import(&payment()).await;
        assert!(matches!(answer.status, 200 | 201), "{name}: {answer}");
        assert_eq!(
            (answer.text("/importState"), answer.text("/state")),
            ("IMPORT_PENDING".to_owned(), "CREATE".to_owned()),
            "{name}: {answer}"
        );
        assert_eq!(*id.get_or_insert(answer.number("/id")), answer.number("/id"), "{name}");
        let captures = format!("/v1/transactions/{}/captures", answer.number("/id"));
        api.command(&captures, "k", &json!({})).await.expect_problem(409, "import-not-completed");
    }
    *answers.lock().expect("the name") = None;
    let done = api.import(&payment()).await.expect(200);
    assert_eq!((Some(done.number("/id")), done.text("/importState")), (id, "IMPORT_COMPLETED".to_owned()), "{done}");
}

#[tokio::test]
async fn a_psp_that_asks_to_wait_was_not_asked_to_pay() {
    local_only!();
    let (api, psp) =
        system(|_| Reply::text("429 Too Many Requests", "retry-after: 7\r\ncontent-type: text/html\r\n", "<h1>slow</h1>")).await;
    let transaction = imported(&api).await;
    let answer = capture(&api, &transaction, "5.00").await.expect(201);
    assert_eq!((answer.text("/state"), answer.digits("capturePending")), ("REQUESTED".to_owned(), vec!["5.00".to_owned()]), "{answer}");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(capture(&api, &transaction, "5.00").await.expect(200).text("/state"), "REQUESTED");
    assert_eq!(psp.asked("POST").len(), 1);
}

#[tokio::test]
async fn a_psp_that_cannot_be_reached_leaves_the_operation_requested() {
    local_only!();
    let (api, psp) = system(|_| Reply::Silence).await;
    let transaction = imported(&api).await;
    psp.stop().await;
    for (kind, status) in [("captures", 201), ("captures", 200)] {
        let answer = api.command(&format!("{transaction}/{kind}"), "k", &json!({"amount": "5.00"})).await.expect(status);
        assert_eq!((answer.text("/state"), answer.digits("capturePending")), ("REQUESTED".to_owned(), vec!["5.00".to_owned()]), "{answer}");
        assert!(!answer.header("retry-after").is_empty());
    }
    let whole = api.get(&transaction).await.expect(200);
    assert_eq!((whole.text("/state"), whole.text("/captures/0/state")), ("AUTHORIZED".to_owned(), "REQUESTED".to_owned()), "{whole}");
    let other = Payment { id: "sb_other".to_owned(), ..payment() };
    assert_eq!(api.import(&other).await.expect(201).text("/importState"), "IMPORT_PENDING");
}

#[tokio::test]
async fn wrong_credentials_are_a_refusal_that_tells_nothing_of_them() {
    local_only!();
    let (api, _psp) =
        system(|_| Reply::json(401, &json!({"error": {"code": "unauthorized", "message": "sk_sandbox_1_sandbox is wrong"}}))).await;
    let transaction = imported(&api).await;
    let answer = capture(&api, &transaction, "5.00").await.expect(201);
    assert_eq!((answer.text("/state"), answer.digits("capturable")), ("FAILED".to_owned(), vec!["49.90".to_owned()]), "{answer}");
    assert_eq!(answer.text("/failureReason/category"), "CONFIGURATION", "{answer}");
}

#[tokio::test]
async fn a_silent_psp_is_given_up_in_time_and_its_webhook_settles_what_it_did() {
    local_only!();
    let executed = Arc::new(Mutex::new(None));
    let (seen, read) = (Arc::clone(&executed), Arc::clone(&executed));
    let psp = FakePsp::start(move |asked| match asked.method.as_str() {
        "GET" => Reply::json(200, &authorized(&Vec::from_iter(read.lock().expect("the capture").clone()))),
        _ => {
            *seen.lock().expect("the capture") = Some(captured(asked, &json!({})));
            Reply::Silence
        }
    })
    .await;
    let api = Config::default().space(1).sandbox_at("sandbox", &psp.url).start().await;
    let transaction = imported(&api).await;
    let begun = tokio::time::Instant::now();
    let answer = capture(&api, &transaction, "5.00").await.expect(201);
    // A gateway waits 29 s at most.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!((answer.text("/state"), answer.digits("capturePending")), ("UNKNOWN".to_owned(), vec!["5.00".to_owned()]), "{answer}");
    Webhook::signed(ACCOUNT, event("capture.succeeded", &payment())).send(&api, PLACE).await.expect(200);
    let settled = capture(&api, &transaction, "5.00").await.expect(200);
    assert_eq!((settled.text("/state"), settled.digits("captured")), ("SUCCESSFUL".to_owned(), vec!["5.00".to_owned()]), "{settled}");
    assert_eq!(psp.asked("POST").len(), 1);
}

#[tokio::test]
async fn a_slow_psp_is_waited_for_and_meanwhile_the_operation_is_there() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "slow", 1).await;
    let meanwhile = async {
        api.until(&transaction, |whole| whole.at("/captures") != &json!([])).await;
        capture(&api, &transaction, "5.00").await.expect(200)
    };
    let (slow, meanwhile) = join(capture(&api, &transaction, "5.00"), meanwhile).await;
    assert_eq!(meanwhile.text("/state"), "REQUESTED", "{meanwhile}");
    assert_eq!(slow.expect(201).text("/state"), "SUCCESSFUL");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);
}

#[tokio::test]
async fn a_psp_that_did_something_else_than_asked_is_a_matter_for_a_person() {
    local_only!();
    let executed = Arc::new(Mutex::new(None));
    let (seen, read) = (Arc::clone(&executed), Arc::clone(&executed));
    let psp = FakePsp::start(move |asked| match asked.method.as_str() {
        "GET" => Reply::json(200, &authorized(&Vec::from_iter(read.lock().expect("the capture").clone()))),
        _ => {
            let other = captured(asked, &json!({"amount": "6.00"}));
            *seen.lock().expect("the capture") = Some(other.clone());
            Reply::json(201, &other)
        }
    })
    .await;
    let api = Config::default().space(1).sandbox_at("sandbox", &psp.url).start().await;
    let transaction = imported(&api).await;
    assert_eq!(capture(&api, &transaction, "5.00").await.expect(201).text("/state"), "UNKNOWN");
    for _ in 0..2 {
        Webhook::signed(ACCOUNT, event("capture.succeeded", &payment())).send(&api, PLACE).await.expect(200);
    }
    let whole = api.get(&transaction).await;
    assert_eq!(whole.text("/captures/0/state"), "MANUAL_CHECK", "{whole}");
    assert_eq!((whole.digits("captured"), whole.digits("capturePending")), (vec!["0.00".to_owned()], vec!["5.00".to_owned()]), "{whole}");
    assert_eq!(whole.at("/needsAttention"), &json!(true));
    let blocked = api.command(&format!("{transaction}/voids"), "v", &json!({})).await.expect_problem(409, "operation-in-doubt");
    assert_eq!(blocked.header("retry-after"), "", "no time is named at which a person will have decided");
    let kinds: Vec<_> = whole.at("/interactions").as_array().expect("a list").iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["transaction.import.completed", "transaction.capture.unknown", "transaction.capture.manual-check"]);
}
