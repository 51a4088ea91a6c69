//! Commands that come too early, too late, or while something else is open.

use crate::harness::config::{Config, quiet, webhook_secret};
use crate::harness::webhook::{Webhook, event};
use crate::harness::{Answer, Api, Payment, unique, with};
use crate::local_only;
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test]
async fn what_was_released_at_the_psp_cannot_be_captured() {
    local_only!();
    let secret = webhook_secret("1-sandbox");
    let credentials = [("secretKey", "back-office"), ("webhookSecret", secret.as_str())];
    let api = Config::default().space(1).connection("sandbox", &[], &credentials).start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let void = api.http.post(format!("{}/v1/payments/{}/voids", api.sandbox, payment.id)).bearer_auth("back-office");
    Answer::of(void.header("idempotency-key", "v").body("{}")).await.expect(201);
    api.until(&transaction, |whole| whole.text("/state") == "VOIDED").await;
    api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "1.00"})).await.expect_problem(409, "already-voided");
    api.command(&format!("{transaction}/refunds"), "k", &json!({"amount": "1.00"})).await.expect_problem(409, "invalid-state");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);

    let gone = api.import(&Payment { id: voided(&api).await, ..payment }).await.expect(201);
    assert_eq!(gone.text("/importFailure/code"), "authorization-gone", "{gone}");
}

/// A payment that was released before anybody imported it.
async fn voided(api: &Api) -> String {
    let payment = api.payment("49.90", "EUR").await;
    let void = api.http.post(format!("{}/v1/payments/{}/voids", api.sandbox, payment.id)).bearer_auth("back-office");
    Answer::of(void.header("idempotency-key", "w").body("{}")).await.expect(201);
    payment.id
}

#[tokio::test]
async fn what_is_captured_is_captured() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    api.command(&captures, "c", &json!({"amount": "20.00", "final": true})).await.expect(201);
    api.command(&captures, "k", &json!({"amount": "1.00"})).await.expect_problem(409, "already-captured");
    api.command(&captures, "k", &json!({})).await.expect_problem(409, "already-captured");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);
}

#[tokio::test]
async fn while_a_final_capture_is_in_doubt_nothing_else_is_captured() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    api.unreadable(&payment).await;
    api.fault(&payment, "capture", "lost-answer", 1).await;
    let doubt = api.command(&captures, "c", &json!({"amount": "20.00", "final": true})).await.expect(201);
    assert_eq!(doubt.text("/state"), "UNKNOWN", "{doubt}");
    let blocked = api.command(&captures, "k", &json!({"amount": "1.00"})).await.expect_problem(409, "operation-in-doubt");
    assert!(blocked.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{:?}", blocked.headers);
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);

    // As soon as the PSP can be read, the command that is held back has it asked, and then the reason is another one.
    api.fault(&payment, "read", "error-503", 0).await;
    api.command(&captures, "k", &json!({"amount": "1.00"})).await.expect_problem(409, "already-captured");
    assert_eq!(api.command(&captures, "c", &json!({"amount": "20.00", "final": true})).await.expect(200).text("/state"), "SUCCESSFUL");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);
}

#[tokio::test]
async fn what_was_voided_is_neither_captured_nor_voided_again() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let (captures, voids) = (format!("{transaction}/captures"), format!("{transaction}/voids"));
    api.command(&voids, "v", &json!({})).await.expect(201);
    api.command(&captures, "k", &json!({"amount": "1.00"})).await.expect_problem(409, "already-voided");
    api.command(&captures, "k", &json!({})).await.expect_problem(409, "already-voided");
    api.command(&voids, "k", &json!({})).await.expect_problem(409, "already-voided");
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.number("/calls/capture"), at_psp.number("/calls/void")), (0, 1));
}

#[tokio::test]
async fn nothing_is_voided_after_everything_was_captured_and_after_a_part_only_the_rest() {
    let api = Api::start().await;
    for (capture, voided) in [("49.90", None), ("20.00", Some("29.90"))] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        api.captured(&transaction, capture).await;
        let void = api.command(&format!("{transaction}/voids"), "v", &json!({})).await;
        match voided {
            None => drop(void.expect_problem(409, "already-captured")),
            Some(rest) => {
                assert_eq!((void.digits("amount").concat().as_str(), void.text("/transaction/state").as_str()), (rest, "FULFILL"))
            }
        }
        let at_psp = api.at_sandbox(&payment).await;
        assert_eq!((at_psp.text("/captured"), at_psp.text("/voided")), (capture.to_owned(), voided.unwrap_or("0.00").to_owned()));
    }
}

#[tokio::test]
async fn while_a_capture_is_in_doubt_nothing_is_voided_and_the_reverse() {
    local_only!();
    let (api, _psp) = quiet().await;
    for (open, blocked) in [("capture", "void"), ("void", "capture"), ("void", "void")] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        // Neither asking nor sending again leads to anything.
        api.unreadable(&payment).await;
        api.fault(&payment, open, "lost-request", 50).await;
        let doubt = api.command(&format!("{transaction}/{open}s"), "o", &json!({})).await.expect(201);
        assert_eq!(doubt.text("/state"), "UNKNOWN", "{doubt}");
        let answer = api.command(&format!("{transaction}/{blocked}s"), "b", &json!({})).await.expect_problem(409, "operation-in-doubt");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{:?}", answer.headers);
        let at_psp = api.at_sandbox(&payment).await;
        assert_eq!((at_psp.text("/captured"), at_psp.text("/voided")), ("0.00".to_owned(), "0.00".to_owned()));
    }
}

/// Of both, somebody does something else at the PSP by hand, under the reference of an operation that never got there.
#[tokio::test]
async fn who_is_held_back_by_what_a_person_has_to_decide_is_not_told_when_to_come_back() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (five, last) = (json!({"amount": "5.00", "currency": "EUR"}), json!({"amount": "1.00", "final": true}));
    for (stuck, held_back, command) in [("capture", "void", json!({})), ("capture", "capture", last), ("void", "capture", json!({}))] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        api.fault(&payment, stuck, "lost-request", 1).await;
        let order = if stuck == "capture" { json!({"amount": "20.00"}) } else { json!({}) };
        let lost = api.command(&format!("{transaction}/{stuck}s"), "o", &order).await.expect(201);
        assert_eq!(lost.text("/state"), "UNKNOWN", "{lost}");
        let command_path = format!("{transaction}/{held_back}s");
        let soon = api.command(&command_path, "b", &command).await.expect_problem(409, "operation-in-doubt");
        assert_ne!(soon.header("retry-after"), "", "as long as a webhook may settle it");

        let reference = format!("1-{}-{}", transaction.rsplit('/').next().expect("an id"), lost.number("/id"));
        match stuck {
            "capture" => drop(api.office(&payment, "capture", &with(&five, "reference", reference)).await),
            _ => {
                api.office(&payment, "capture", &five).await;
                api.office(&payment, "void", &json!({"reference": reference})).await;
            }
        }
        Webhook::signed("1-sandbox", event("capture.succeeded", &payment)).send(&api, "1/sandbox").await.expect(200);
        let path = format!("{transaction}/{stuck}s/{}", lost.number("/id"));
        assert_eq!(api.get(&path).await.text("/state"), "MANUAL_CHECK", "a {stuck} that is another at the PSP");
        let blocked = api.command(&command_path, "b", &command).await.expect_problem(409, "operation-in-doubt");
        assert_eq!(blocked.header("retry-after"), "", "no time is named at which a person will have decided");
    }
}

#[tokio::test]
async fn nothing_is_refunded_before_its_capture_is_final() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let (captures, refunds) = (format!("{transaction}/captures"), format!("{transaction}/refunds"));
    let five = json!({"amount": "5.00"});
    api.command(&refunds, "r", &five).await.expect_problem(409, "invalid-state");
    api.fault(&payment, "capture", "pending", 1).await;
    let pending = api.command(&captures, "c", &json!({"amount": "20.00"})).await.expect(201);
    assert_eq!(pending.text("/state"), "PENDING", "{pending}");
    api.command(&refunds, "r", &five).await.expect_problem(409, "capture-not-final");
    let bound = json!({"amount": "5.00", "captureId": pending.number("/id")});
    api.command(&refunds, "r", &bound).await.expect_problem(409, "capture-not-final");
    // The same with something captured already: only what is open is waited for.
    api.captured(&transaction, "1.00").await;
    api.command(&refunds, "r", &five).await.expect_problem(409, "capture-not-final");
    api.command(&refunds, "r", &bound).await.expect_problem(409, "capture-not-final");
    api.command(&refunds, "r", &json!({"amount": "21.01"})).await.expect_problem(422, "exceeds-refundable-amount");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/refund"), 0);
}

#[tokio::test]
async fn more_than_was_captured_is_not_refunded_and_what_is_in_doubt_counts() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let refunds = format!("{transaction}/refunds");
    api.captured(&transaction, "30.00").await;
    let too_much = api.command(&refunds, "k", &json!({"amount": "30.01"})).await.expect_problem(422, "exceeds-refundable-amount");
    assert!(too_much.text("/detail").contains("30.00 EUR"), "{too_much}");
    api.command(&refunds, "a", &json!({"amount": "10.00"})).await.expect(201);
    api.fault(&payment, "refund", "lost-answer", 1).await;
    assert_eq!(api.command(&refunds, "b", &json!({"amount": "15.00"})).await.expect(201).text("/state"), "UNKNOWN");
    let rest = api.command(&refunds, "k", &json!({"amount": "5.01"})).await.expect_problem(422, "exceeds-refundable-amount");
    assert!(rest.text("/detail").contains("5.00 EUR"), "{rest}");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/refund"), 2);
    assert_eq!(api.command(&refunds, "k", &json!({"amount": "5.00"})).await.expect(201).text("/state"), "SUCCESSFUL");
    assert_eq!(api.at_sandbox(&payment).await.text("/refunded"), "30.00");
}

#[tokio::test]
async fn a_payment_that_was_not_adopted_takes_no_commands() {
    let api = Api::start().await;
    let nobody = Payment { id: unique("sb_nobody"), amount: "1.00".into(), currency: "EUR".into() };
    let failed = api.import(&nobody).await.expect(201);
    for kind in ["captures", "refunds", "voids"] {
        let path = format!("/v1/transactions/{}/{kind}", failed.number("/id"));
        api.command(&path, "k", &json!({})).await.expect_problem(409, "import-not-completed");
    }
}

#[tokio::test]
async fn a_second_import_asks_nobody_and_changes_nothing() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let before = api.get(&transaction).await;
    assert_eq!(api.import(&payment).await.expect(200).body, before.body);
    let import = |name: &str, value: &str| with(&payment.command(), name, value);
    for other in [import("merchantReference", "SO-2"), import("amount", "49.91"), import("currency", "CHF")] {
        let answer = api.post("/v1/transactions/import", &other).await.expect_problem(409, "already-imported");
        assert_eq!(answer.at("/transactionId"), before.at("/id"));
    }
    assert_eq!(api.get(&transaction).await.body, before.body);
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), 1);
}

#[tokio::test]
async fn of_imports_at_once_under_different_references_each_is_told_what_was_stored() {
    let api = Api::start().await;
    for _ in 0..5 {
        let payment = api.payment("49.90", "EUR").await;
        let commands: Vec<_> = (0..10).map(|n| with(&payment.command(), "merchantReference", format!("SO-{n}"))).collect();
        let answers = join_all(commands.iter().map(|command| api.post("/v1/transactions/import", command))).await;
        let mut won = Vec::new();
        for (command, answer) in commands.iter().zip(answers) {
            match answer.status {
                409 => drop(answer.expect_problem(409, "already-imported")),
                503 => drop(answer.expect_problem(503, "unavailable")),
                _ => {
                    assert_eq!(answer.at("/merchantReference"), &command["merchantReference"], "imported for somebody else: {answer}");
                    won.push(answer);
                }
            }
        }
        let stored = api.get(&format!("/v1/transactions/{}", won[0].number("/id"))).await;
        assert!(won.iter().all(|answer| answer.at("/merchantReference") == stored.at("/merchantReference")), "{stored}");
    }
}
