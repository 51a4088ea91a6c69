//! Voiding: works, repeated, missing, unauthorized; after a part was captured, at once, and when the PSP does not answer.

use crate::harness::config::{ALL_SCOPES, Config, api_key};
use crate::harness::{Answer, Api, unique};
use crate::local_only;
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_payment_that_is_not_needed_is_released_as_a_whole() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    assert!(api.get(&transaction).await.at("/availableActions").as_array().unwrap().contains(&json!("VOID")));
    let voids = format!("{transaction}/voids");
    let void = api.command(&voids, "cancellation-1", &json!({"reason": "DUPLICATE", "merchantReference": "CAN-1"})).await.expect(201);
    assert_eq!((void.text("/kind"), void.text("/state"), void.text("/actor")), ("VOID".into(), "SUCCESSFUL".into(), "CALLER".into()));
    assert_eq!((void.text("/reason"), void.text("/merchantReference")), ("DUPLICATE".into(), "CAN-1".into()), "{void}");
    assert_eq!(void.digits("amount"), ["49.90"], "{void}");
    assert_eq!(void.text("/transaction/state"), "VOIDED", "{void}");
    assert_eq!((void.digits("voided"), void.digits("capturable")), (vec!["49.90".to_owned()], vec!["0.00".to_owned()]), "{void}");
    assert_eq!(void.at("/transaction/availableActions"), &json!([]), "{void}");
    assert_eq!(void.header("location"), format!("{voids}/{}", void.number("/id")));
    assert_eq!(void.header("etag"), format!("\"{}\"", void.number("/transaction/version")));

    let read = api.get(void.header("location")).await.expect(200);
    assert_eq!((read.number("/id"), read.text("/state")), (void.number("/id"), "SUCCESSFUL".to_owned()), "{read}");
    let whole = api.get(&transaction).await;
    assert_eq!((whole.text("/state"), whole.at("/voids/0/id")), ("VOIDED".to_owned(), void.at("/id")), "{whole}");
    let last = whole.at("/interactions").as_array().unwrap().last().unwrap();
    assert_eq!((&last["kind"], &last["state"]), (&json!("transaction.void.successful"), &json!("VOIDED")), "{whole}");

    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/voided"), at_psp.text("/status")), ("49.90".to_owned(), "voided".to_owned()));
    assert_eq!((at_psp.number("/calls/void"), at_psp.number("/calls/capture")), (1, 0));
}

#[tokio::test]
async fn after_a_part_was_captured_the_rest_is_released() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let voids = format!("{transaction}/voids");
    let void = api.command(&voids, "k", &json!({})).await.expect(201);
    assert_eq!((void.text("/state"), void.text("/transaction/state")), ("SUCCESSFUL".to_owned(), "FULFILL".to_owned()), "{void}");
    assert_eq!((void.digits("amount"), void.digits("voided")), (vec!["29.90".to_owned()], vec!["29.90".to_owned()]), "{void}");
    assert_eq!(void.digits("captured"), ["20.00"], "{void}");
    let at_psp = api.at_sandbox(&payment).await;
    let amounts = (at_psp.text("/captured"), at_psp.text("/voided"), at_psp.text("/status"));
    assert_eq!(amounts, ("20.00".to_owned(), "29.90".to_owned(), "captured".to_owned()));

    api.command(&voids, "k2", &json!({})).await.expect_problem(409, "already-captured");
    api.command(&format!("{transaction}/captures"), "c", &json!({"amount": "1.00"})).await.expect_problem(409, "already-captured");
    let refund = api.command(&format!("{transaction}/refunds"), "r", &json!({})).await.expect(201);
    assert_eq!((refund.text("/state"), refund.digits("refunded")), ("SUCCESSFUL".to_owned(), vec!["20.00".to_owned()]), "{refund}");
}

#[tokio::test]
async fn a_void_needs_no_body_and_has_no_amount() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let voids = format!("{transaction}/voids");
    for (body, pointer) in [
        (json!({"amount": "10.00"}), "/amount"),
        (json!({"final": true}), "/final"),
        (json!({"lineItems": []}), "/lineItems"),
        (json!({"reason": "because"}), "/reason"),
        (json!({"version": -1}), "/version"),
    ] {
        let answer = api.command(&voids, "k", &body).await.expect_problem(400, "invalid-request");
        assert_eq!(answer.text("/errors/0/pointer"), pointer, "{answer}");
    }
    api.command(&voids, "k", &json!({"merchantReference": "4111 1111 1111 1111"})).await.expect_problem(422, "card-data-not-allowed");
    api.post(&voids, &json!({})).await.expect_problem(400, "idempotency-key-missing");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 0);
    let void = Answer::of(api.request(Method::POST, &voids).header("idempotency-key", "k")).await.expect(201);
    assert_eq!(void.text("/state"), "SUCCESSFUL", "{void}");
}

#[tokio::test]
async fn a_repeated_key_repeats_the_answer_and_not_the_void() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let voids = format!("{transaction}/voids");
    let version = api.get(&transaction).await.number("/version");
    let body = json!({"merchantReference": "CAN-1", "version": version});
    let first = api.command(&voids, "k", &body).await.expect(201);
    // Answered before version and state are looked at, which both have moved.
    let again = api.command(&voids, "k", &body).await.expect(200);
    let without_version = api.command(&voids, "\"k\"", &json!({"merchantReference": "CAN-1"})).await.expect(200);
    assert_eq!((again.number("/id"), without_version.number("/id")), (first.number("/id"), first.number("/id")));
    assert_eq!((again.text("/state"), again.header("location")), ("SUCCESSFUL".to_owned(), ""));
    api.command(&voids, "k", &json!({})).await.expect_problem(422, "idempotency-key-reused");
    api.command(&voids, "k", &json!({"merchantReference": "CAN-2"})).await.expect_problem(422, "idempotency-key-reused");
    api.command(&voids, "k2", &json!({"merchantReference": "CAN-1"})).await.expect_problem(409, "already-voided");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 1);
}

#[tokio::test]
async fn a_void_on_a_stale_version_is_refused() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let voids = format!("{transaction}/voids");
    let read = api.get(&transaction).await;
    api.captured(&transaction, "20.00").await;
    let stale = json!({"version": read.number("/version")});
    api.command(&voids, "k", &stale).await.expect_problem(409, "version-conflict");
    let request = api.request(Method::POST, &voids).header("idempotency-key", "k").header("if-match", read.header("etag"));
    Answer::of(request).await.expect_problem(412, "version-conflict");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 0);
    let fresh = json!({"version": api.get(&transaction).await.number("/version")});
    api.command(&voids, "k", &fresh).await.expect(201);
}

#[tokio::test]
async fn a_void_of_what_does_not_exist_is_not_found() {
    let api = Api::start().await;
    api.command("/v1/transactions/123456789/voids", "k", &json!({})).await.expect_problem(404, "transaction-not-found");
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let capture = api.captured(&transaction, "20.00").await.number("/id");
    api.get(&format!("{transaction}/voids/{capture}")).await.expect_problem(404, "operation-not-found");
}

#[tokio::test]
async fn a_payment_that_is_not_authorized_is_not_voided() {
    let api = Api::start().await;
    let body = json!({"amount": "49.90", "currency": "EUR", "merchantReference": "SO-1", "captureMode": "manual", "status": "pending"});
    let payment = api.payment_of(&body).await;
    let imported = api.import(&payment).await.expect(201);
    let voids = format!("{}/voids", imported.header("location"));
    api.command(&voids, "k", &json!({})).await.expect_problem(409, "invalid-state");
    let (captured, payment) = api.imported("49.90", "EUR").await;
    api.captured(&captured, "49.90").await;
    api.command(&format!("{captured}/voids"), "k", &json!({})).await.expect_problem(409, "already-captured");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 0);
}

#[tokio::test]
async fn nobody_voids_without_a_key_that_may() {
    local_only!();
    let (all, other) = (api_key("test", 1), api_key("test", 2));
    let without_void: Vec<_> = ALL_SCOPES.iter().copied().filter(|scope| *scope != "void").collect();
    let config = Config::default().space(1).key(&all, ALL_SCOPES).key(&other, &without_void).sandbox("sandbox");
    let api = config.start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let voids = format!("{transaction}/voids");
    let without = Answer::of(api.http.post(format!("{}{voids}", api.url)).header("idempotency-key", "k").body("{}")).await;
    assert_eq!(without.status, 401, "{without}");
    api.with_key("cp_test_nonsense").command(&voids, "k", &json!({})).await.expect_problem(401, "unauthenticated");
    api.with_key(&other).command(&voids, "k", &json!({})).await.expect_problem(403, "insufficient-scope");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 0);
    api.command(&voids, "k", &json!({})).await.expect(201);
}

#[tokio::test]
async fn a_refused_void_gives_everything_back() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "void", "refuse", 1).await;
    let voids = format!("{transaction}/voids");
    let refused = api.command(&voids, "k", &json!({})).await.expect(201);
    assert_eq!((refused.text("/state"), refused.text("/failureReason/code")), ("FAILED".to_owned(), "declined".to_owned()), "{refused}");
    assert_eq!((refused.digits("capturable"), refused.digits("voidPending")), (vec!["49.90".to_owned()], vec!["0.00".to_owned()]));
    assert_eq!(refused.text("/transaction/state"), "AUTHORIZED");
    // FAILED is final for its key; a new key is a new try.
    assert_eq!(api.command(&voids, "k", &json!({})).await.expect(200).text("/state"), "FAILED");
    api.captured(&transaction, "20.00").await;
    let again = api.command(&voids, "k2", &json!({})).await.expect(201);
    assert_eq!((again.text("/state"), again.digits("amount")), ("SUCCESSFUL".to_owned(), vec!["29.90".to_owned()]), "{again}");
    assert_eq!(api.at_sandbox(&payment).await.text("/voided"), "29.90");
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_leaves_the_void_unknown_and_everything_reserved() {
    let api = Api::start().await;
    for fault in ["lost-answer", "lost-request", "error-500", "error-503", "garbage", "wrong-amount"] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        api.captured(&transaction, "20.00").await;
        api.unreadable(&payment).await;
        api.fault(&payment, "void", fault, 1).await;
        let void = api.command(&format!("{transaction}/voids"), "k", &json!({})).await.expect(201);
        assert_eq!((void.text("/state"), void.text("/transaction/state")), ("UNKNOWN".into(), "AUTHORIZED".into()), "{fault}: {void}");
        let amounts = ["capturable", "voidPending", "voided"].map(|name| void.digits(name).concat());
        assert_eq!(amounts, ["0.00", "29.90", "0.00"], "{fault}: {void}");
        assert!(!void.header("retry-after").is_empty(), "{fault}");
    }
}

#[tokio::test]
async fn a_void_whose_answer_was_lost_is_settled_by_its_webhook() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "void", "lost-answer", 1).await;
    let void = api.command(&format!("{transaction}/voids"), "k", &json!({})).await.expect(201);
    let settled = api.until(void.header("location"), |answer| answer.text("/state") == "SUCCESSFUL").await;
    assert_eq!(
        (settled.text("/transaction/state"), settled.digits("voided")),
        ("VOIDED".to_owned(), vec!["49.90".to_owned()]),
        "{settled}"
    );
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 1);
}

#[tokio::test]
async fn a_void_that_the_psp_settles_later_is_pending_until_its_webhook_comes() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    api.fault(&payment, "void", "pending", 1).await;
    let void = api.command(&format!("{transaction}/voids"), "k", &json!({})).await.expect(201);
    assert_eq!((void.text("/state"), void.text("/transaction/state")), ("PENDING".to_owned(), "AUTHORIZED".to_owned()), "{void}");
    let settled = api.until(void.header("location"), |answer| answer.text("/state") == "SUCCESSFUL").await;
    assert_eq!((settled.text("/transaction/state"), settled.digits("voided")), ("FULFILL".into(), vec!["29.90".to_owned()]), "{settled}");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 1);
}

#[tokio::test]
async fn prefer_wait_answers_with_the_final_state() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "void", "pending", 1).await;
    let request = api.request(Method::POST, &format!("{transaction}/voids"));
    let answer = Answer::of(request.header("idempotency-key", "k").header("prefer", "wait=10")).await;
    assert_eq!(answer.expect(201).text("/transaction/state"), "VOIDED");
}

#[tokio::test]
async fn while_a_slow_void_is_under_way_nothing_is_captured() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "void", "slow", 1).await;
    let slow = {
        let (api, voids) = (api.clone(), format!("{transaction}/voids"));
        tokio::spawn(async move { api.command(&voids, "slow", &json!({})).await })
    };
    let meanwhile = api.until(&transaction, |whole| whole.at("/voids") != &json!([])).await;
    assert_eq!((meanwhile.text("/voids/0/state"), meanwhile.digits("voidPending")), ("REQUESTED".into(), vec!["49.90".to_owned()]));
    let capture = api.command(&format!("{transaction}/captures"), "c", &json!({"amount": "1.00"})).await;
    assert!(blocked_by_a_void(&capture), "{capture}");
    let slow = slow.await.expect("an answer").expect(201);
    assert_eq!((slow.text("/state"), slow.text("/transaction/state")), ("SUCCESSFUL".to_owned(), "VOIDED".to_owned()), "{slow}");
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.number("/calls/void"), at_psp.number("/calls/capture")), (1, 0));
}

/// Refused because a void is open, or was until just now.
fn blocked_by_a_void(answer: &Answer) -> bool {
    answer.status == 409 && ["operation-in-doubt", "already-voided"].contains(&answer.text("/code").as_str())
}

#[tokio::test]
async fn fifty_equal_voids_at_once_are_one_operation() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("100.00", "EUR").await;
    let (voids, body) = (format!("{transaction}/voids"), json!({}));
    let answers = join_all((0..50).map(|_| api.command(&voids, "one", &body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let id = answers[0].number("/id");
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201) && answer.number("/id") == id));
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/voided"), at_psp.number("/calls/void")), ("100.00".to_owned(), 1));
    let whole = api.get(&transaction).await;
    assert_eq!((whole.at("/voids").as_array().map(Vec::len), whole.number("/version")), (Some(1), 4), "{whole}");
}

#[tokio::test]
async fn of_fifty_voids_under_keys_of_their_own_one_is_made() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("100.00", "EUR").await;
    let (voids, body) = (format!("{transaction}/voids"), json!({}));
    let keys: Vec<_> = (0..50).map(|n| format!("v-{n}")).collect();
    let answers = join_all(keys.iter().map(|key| api.command(&voids, key, &body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(made.iter().map(|answer| answer.text("/state")).collect::<Vec<_>>(), ["SUCCESSFUL"]);
    assert!(refused.into_iter().all(blocked_by_a_void));
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/voided"), at_psp.number("/calls/void")), ("100.00".to_owned(), 1));
}

#[tokio::test]
async fn of_a_capture_and_a_void_at_once_one_wins_and_the_psp_agrees() {
    let api = Api::start().await;
    for round in 0..10 {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        let (captures, voids, body) = (format!("{transaction}/captures"), format!("{transaction}/voids"), json!({}));
        // Whoever is polled first sends first.
        let (capture, void) = match round % 2 {
            0 => join(api.command(&captures, "c", &body), api.command(&voids, "v", &body)).await,
            _ => {
                let (void, capture) = join(api.command(&voids, "v", &body), api.command(&captures, "c", &body)).await;
                (capture, void)
            }
        };
        let (won, lost) = if capture.status == 201 { (&capture, &void) } else { (&void, &capture) };
        assert_eq!((won.status, won.text("/state"), lost.status), (201, "SUCCESSFUL".to_owned(), 409), "{capture}\n{void}");
        let (state, amounts, calls) = match won.text("/kind").as_str() {
            "CAPTURE" => ("FULFILL", ["49.90", "0.00"], [1, 0]),
            _ => ("VOIDED", ["0.00", "49.90"], [0, 1]),
        };
        let reasons = ["operation-in-doubt", if state == "VOIDED" { "already-voided" } else { "already-captured" }];
        assert!(reasons.contains(&lost.text("/code").as_str()), "{lost}");
        let whole = api.get(&transaction).await;
        assert_eq!(
            (whole.text("/state").as_str(), ["captured", "voided"].map(|name| whole.digits(name).concat())),
            (state, amounts.map(Into::into))
        );
        let at_psp = api.at_sandbox(&payment).await;
        assert_eq!([at_psp.text("/captured"), at_psp.text("/voided")], amounts);
        assert_eq!(["/calls/capture", "/calls/void"].map(|call| at_psp.number(call)), calls);
    }
}

#[tokio::test]
async fn of_a_capture_of_a_part_and_a_void_at_once_never_more_is_taken_and_released_than_was_held() {
    let api = Api::start().await;
    for _ in 0..10 {
        let (transaction, payment) = api.imported("50.00", "EUR").await;
        let (captures, voids) = (format!("{transaction}/captures"), format!("{transaction}/voids"));
        let (part, all) = (json!({"amount": "20.00"}), json!({}));
        let (key, other) = (unique("c"), unique("v"));
        let (capture, void) = join(api.command(&captures, &key, &part), api.command(&voids, &other, &all)).await;
        let expected = match (capture.status, void.status) {
            // The void came after the capture had settled.
            (201, 201) => ["20.00", "30.00", "0.00"],
            (201, 409) => ["20.00", "0.00", "30.00"],
            (409, 201) => ["0.00", "50.00", "0.00"],
            _ => panic!("{capture}\n{void}"),
        };
        let whole = api.get(&transaction).await;
        assert_eq!(["captured", "voided", "capturable"].map(|name| whole.digits(name).concat()), expected, "{capture}\n{void}");
        let at_psp = api.at_sandbox(&payment).await;
        assert_eq!([at_psp.text("/captured"), at_psp.text("/voided")], expected[..2]);
    }
}
