//! A person settles what nobody else could: works, repeated, missing, unauthorized, wrong body; and what the PSP says later.

use crate::harness::config::{ALL_SCOPES, Config, api_key, quiet};
use crate::harness::{Answer, Api};
use crate::local_only;
use serde_json::{Value, json};

async fn resolve(api: &Api, operation: &str, body: &Value) -> Answer {
    api.post(&format!("{operation}/resolve"), body).await
}

fn transaction_of(operation: &str) -> &str {
    operation.rsplitn(3, '/').nth(2).expect("a transaction before the operation")
}

#[tokio::test]
async fn what_a_person_says_has_happened_is_booked() {
    local_only!();
    let (api, _psp) = quiet().await;
    for (kind, body, counted) in [
        ("capture", json!({"state": "SUCCESSFUL", "note": "seen at the PSP"}), ("captured", "20.00")),
        ("capture", json!({"state": "SUCCESSFUL", "amount": "5.00", "pspReference": "sbc_x", "note": "seen"}), ("captured", "5.00")),
        ("refund", json!({"state": "SUCCESSFUL", "amount": 5, "note": "only a part of it"}), ("refunded", "5.00")),
        ("refund", json!({"state": "SUCCESSFUL", "note": "all of it"}), ("refunded", "20.00")),
        ("void", json!({"state": "SUCCESSFUL", "note": "nothing is held any more"}), ("voided", "49.90")),
    ] {
        let (path, _) = api.manual_check(kind).await;
        let before = api.get(transaction_of(&path)).await;
        assert_eq!(before.at("/needsAttention"), &json!(true), "{before}");
        let settled = resolve(&api, &path, &body).await.expect(200);
        assert_eq!((settled.text("/state"), settled.text("/kind")), ("SUCCESSFUL".to_owned(), kind.to_uppercase()), "{settled}");
        assert_eq!(settled.digits(counted.0), [counted.1], "{kind} {body}: {settled}");
        if let Some(reference) = body.get("pspReference") {
            assert_eq!(settled.at("/pspReference"), reference);
        }
        assert!(settled.at("/settledOn").is_string() && settled.header("retry-after").is_empty(), "{settled}");
        assert_eq!(settled.header("etag"), format!("\"{}\"", settled.number("/transaction/version")));
        assert!(settled.number("/transaction/version") > before.number("/version"), "{settled}");

        let whole = api.get(transaction_of(&path)).await;
        let last = whole.at("/interactions").as_array().and_then(|log| log.last()).expect("a log").clone();
        assert_eq!((&last["kind"], &last["detail"]), (&json!(format!("transaction.{kind}.successful")), &body["note"]), "{whole}");
        // Said once more it is the same; something else is too late.
        assert_eq!(resolve(&api, &path, &body).await.expect(200).body, settled.body, "{kind} {body}");
        let otherwise = json!({"state": "FAILED", "note": "no, it did not"});
        resolve(&api, &path, &otherwise).await.expect_problem(409, "invalid-state");
        assert_eq!(api.get(transaction_of(&path)).await.body, whole.body, "{kind} {body}");
    }
}

#[tokio::test]
async fn what_a_person_says_has_not_happened_frees_its_amount() {
    local_only!();
    let (api, _psp) = quiet().await;
    for (kind, counted) in [("capture", ("capturePending", "0.00")), ("refund", ("refundable", "30.00")), ("void", ("voidPending", "0.00"))]
    {
        let (path, _) = api.manual_check(kind).await;
        let body = json!({"state": "FAILED", "note": "ticket 4711"});
        let settled = resolve(&api, &path, &body).await.expect(200);
        assert_eq!((settled.text("/state"), settled.digits(counted.0)), ("FAILED".to_owned(), vec![counted.1.to_owned()]), "{settled}");
        assert_eq!(settled.text("/failureReason/code"), "resolved-as-failed", "{settled}");
        assert_eq!(resolve(&api, &path, &body).await.expect(200).body, settled.body);
        resolve(&api, &path, &json!({"state": "SUCCESSFUL", "note": "or did it?"})).await.expect_problem(409, "invalid-state");
        // The key has led to its end, and nothing holds other commands back.
        let (transaction, order) = (transaction_of(&path), if kind == "void" { json!({}) } else { json!({"amount": "20.00"}) });
        assert_eq!(api.command(&format!("{transaction}/{kind}s"), "lost", &order).await.expect(200).text("/state"), "FAILED");
        let next = api.command(&format!("{transaction}/{kind}s"), "next", &order).await.expect(201);
        assert_eq!(next.text("/kind"), kind.to_uppercase(), "{next}");
    }
}

/// Said by a person, contradicted by the PSP: its proof is booked, and a person is told.
#[tokio::test]
async fn what_the_psp_says_is_not_asked_for_a_resolution() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (path, payment) = api.manual_check("capture").await;
    let reads = api.at_sandbox(&payment).await.number("/calls/read");
    resolve(&api, &path, &json!({"state": "SUCCESSFUL", "amount": "5.00", "note": "seen"})).await.expect(200);
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), reads, "nobody asked the PSP");
    let whole = api.post(&format!("{}/reconcile", transaction_of(&path)), &json!({})).await.expect(200);
    assert_eq!((whole.text("/captures/0/state"), whole.digits("captured")), ("SUCCESSFUL".into(), vec!["5.00".to_owned()]), "{whole}");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "5.00", "both agree");
}

#[tokio::test]
async fn only_what_waits_for_a_person_is_settled_by_one() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let done = format!("{transaction}/captures/{}", api.captured(&transaction, "10.00").await.number("/id"));
    api.unreadable(&payment).await;
    let mut operations = vec![(done, "SUCCESSFUL")];
    for (fault, state) in [("refuse", "FAILED"), ("pending", "PENDING"), ("lost-request", "UNKNOWN")] {
        api.fault(&payment, "capture", fault, 1).await;
        let capture = api.command(&format!("{transaction}/captures"), fault, &json!({"amount": "1.00"})).await.expect(201);
        assert_eq!(capture.text("/state"), state, "{capture}");
        operations.push((capture.header("location").to_owned(), state));
    }
    for (path, state) in operations {
        for said in ["SUCCESSFUL", "FAILED"] {
            let answer = resolve(&api, &path, &json!({"state": said, "note": "I think so"})).await;
            match said == state {
                true => assert_eq!(answer.expect(200).text("/state"), state),
                false => drop(answer.expect_problem(409, "invalid-state")),
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_settled() {
    let api = Api::start().await;
    let body = json!({"state": "FAILED", "note": "nobody knows"});
    resolve(&api, "/v1/transactions/123456789/captures/3", &body).await.expect_problem(404, "transaction-not-found");
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let capture = api.captured(&transaction, "20.00").await.number("/id");
    for place in ["captures/999".to_owned(), format!("refunds/{capture}"), format!("voids/{capture}")] {
        resolve(&api, &format!("{transaction}/{place}"), &body).await.expect_problem(404, "operation-not-found");
    }
}

#[tokio::test]
async fn nobody_settles_without_a_key_that_may() {
    local_only!();
    let (admin, others) = (api_key("test", 1), api_key("test", 2));
    let without_admin: Vec<_> = ALL_SCOPES.iter().copied().filter(|scope| *scope != "admin").collect();
    let config = Config::default().space(1).key(&others, &without_admin).key(&admin, &["admin"]).sandbox("sandbox");
    let api = config.start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let operation = format!("{transaction}/captures/{}", api.captured(&transaction, "20.00").await.number("/id"));
    let body = json!({"state": "SUCCESSFUL", "note": "seen"});
    let without = Answer::of(api.http.post(format!("{}{operation}/resolve", api.url)).body(body.to_string())).await;
    assert_eq!(without.status, 401, "{without}");
    resolve(&api.with_key("cp_test_nonsense"), &operation, &body).await.expect_problem(401, "unauthenticated");
    resolve(&api, &operation, &body).await.expect_problem(403, "insufficient-scope");
    resolve(&api.with_key(&admin), &operation, &body).await.expect(200);
}

#[tokio::test]
async fn a_resolution_says_what_happened_and_how_one_knows() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (path, _) = api.manual_check("capture").await;
    let before = api.get(transaction_of(&path)).await;
    for (body, pointer) in [
        (json!({}), "/state"),
        (json!({"note": "x"}), "/state"),
        (json!({"state": "SUCCESSFUL"}), "/note"),
        (json!({"state": "UNKNOWN", "note": "x"}), "/state"),
        (json!({"state": "successful", "note": "x"}), "/state"),
        (json!({"state": "FAILED", "note": ""}), "/note"),
        (json!({"state": "FAILED", "note": "x".repeat(501)}), "/note"),
        (json!({"state": "FAILED", "note": null}), "/note"),
        (json!({"state": "FAILED", "note": "x", "amount": "5.00"}), "/amount"),
        (json!({"state": "FAILED", "note": "x", "amuont": "5.00"}), "/amuont"),
        (json!({"state": "FAILED", "note": "x", "version": 3}), "/version"),
        (json!({"state": "FAILED", "note": "x", "pspReference": "a b"}), "/pspReference"),
    ] {
        let answer = resolve(&api, &path, &body).await.expect_problem(400, "invalid-request");
        assert_eq!(answer.text("/errors/0/pointer"), pointer, "{body}: {answer}");
    }
    for (amount, status, code) in [
        (json!("0.00"), 422, "amount-not-positive"),
        (json!("1.001"), 422, "too-many-decimals"),
        (json!("1e1"), 400, "invalid-amount"),
        (json!("-1.00"), 400, "invalid-amount"),
    ] {
        let body = json!({"state": "SUCCESSFUL", "note": "x", "amount": amount});
        resolve(&api, &path, &body).await.expect_problem(status, code);
    }
    let number = json!({"state": "SUCCESSFUL", "note": "of card 4111 1111 1111 1111"});
    resolve(&api, &path, &number).await.expect_problem(422, "card-data-not-allowed");
    assert_eq!(api.get(transaction_of(&path)).await.body, before.body, "nothing was settled");
    let note = "\u{e4}".repeat(500);
    let settled = resolve(&api, &path, &json!({"state": "FAILED", "note": note})).await.expect(200);
    assert_eq!(settled.text("/state"), "FAILED");

    let (void, _) = api.manual_check("void").await;
    let body = json!({"state": "SUCCESSFUL", "note": "x", "amount": "5.00"});
    assert_eq!(resolve(&api, &void, &body).await.expect_problem(400, "invalid-request").text("/errors/0/pointer"), "/amount");
}

#[tokio::test]
async fn of_two_persons_who_decide_otherwise_at_once_one_counts() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (path, _) = api.manual_check("capture").await;
    let bodies: Vec<_> =
        (0..20).map(|n| json!({"state": if n % 2 == 0 { "SUCCESSFUL" } else { "FAILED" }, "note": format!("person {n}")})).collect();
    let answers = futures_util::future::join_all(bodies.iter().map(|body| resolve(&api, &path, body))).await;
    let settled = api.get(&path).await.text("/state");
    for (body, answer) in bodies.iter().zip(answers) {
        match body["state"] == json!(settled) {
            true => assert_eq!(answer.expect(200).text("/state"), settled),
            false => drop(answer.expect_problem(409, "invalid-state")),
        }
    }
    let whole = api.get(transaction_of(&path)).await;
    let about = |entry: &&Value| entry["detail"].as_str().is_some_and(|detail| detail.starts_with("person "));
    assert_eq!(whole.at("/interactions").as_array().expect("a log").iter().filter(about).count(), 1, "{whole}");
}
