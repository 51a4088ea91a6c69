//! Idempotency keys: repeated, reused for something else, missing, malformed.

use crate::harness::config::{ALL_SCOPES, Config, api_key};
use crate::harness::raw::{authorization, raw};
use crate::harness::{Api, Payment, Server, commands, data_folder, with};
use crate::local_only;
use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::json;

async fn nothing_was_called(api: &Api, payment: &Payment) {
    let calls = api.at_sandbox(payment).await;
    assert_eq!(["capture", "refund", "void"].map(|call| calls.number(&format!("/calls/{call}"))), [0, 0, 0], "{calls}");
}

#[tokio::test]
async fn fifty_equal_refunds_at_once_are_one_operation() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("100.00", "EUR").await;
    api.captured(&transaction, "100.00").await;
    let (refunds, body) = (format!("{transaction}/refunds"), json!({"amount": "30.00"}));
    let answers = join_all((0..50).map(|_| api.command(&refunds, "one", &body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let id = answers[0].number("/id");
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201) && answer.number("/id") == id));
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/refunded"), at_psp.number("/calls/refund")), ("30.00".to_owned(), 1));
}

#[tokio::test]
async fn a_key_names_one_command_of_one_kind_on_one_transaction() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let (captures, refunds) = (format!("{transaction}/captures"), format!("{transaction}/refunds"));
    let command = json!({"amount": "10.00", "merchantReference": "INV-1"});
    let first = api.command(&captures, "k", &command).await.expect(201);
    for other in [
        with(&command, "amount", "10.01"),
        with(&command, "merchantReference", "INV-2"),
        with(&command, "final", true),
        with(&command, "final", false),
        with(&command, "lineItems", json!([{"uniqueId": "a", "quantity": 1, "amount": 10}])),
        json!({"amount": "10.00"}),
        json!({}),
    ] {
        api.command(&captures, "k", &other).await.expect_problem(422, "idempotency-key-reused");
    }
    // Keys are told apart by case.
    assert_ne!(api.command(&captures, "K", &command).await.expect(201).number("/id"), first.number("/id"));
    // The version on which the caller decided is no part of the command.
    let again = api.command(&captures, "k", &with(&command, "version", 999)).await.expect(200);
    assert_eq!(again.number("/id"), first.number("/id"));
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "20.00");

    let refund = api.command(&refunds, "k", &json!({"amount": "5.00"})).await.expect(201);
    assert_eq!(refund.text("/kind"), "REFUND");
    let released = api.command(&format!("{transaction}/voids"), "k", &json!({})).await.expect(201);
    assert_eq!((released.text("/kind"), released.digits("amount")[0].as_str()), ("VOID".to_owned(), "29.90"), "{released}");
    api.command(&format!("{transaction}/voids"), "k", &json!({"merchantReference": "V-1"}))
        .await
        .expect_problem(422, "idempotency-key-reused");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/void"), 1);
    let (another, its_payment) = api.imported("49.90", "EUR").await;
    api.command(&format!("{another}/captures"), "k", &json!({"amount": "11.00"})).await.expect(201);
    assert_eq!(api.at_sandbox(&its_payment).await.text("/captured"), "11.00");
}

#[tokio::test]
async fn a_key_of_another_space_tells_nothing() {
    local_only!();
    let (first, second) = (api_key("test", 1), api_key("test", 2));
    let config = Config::default().space(1).key(&first, ALL_SCOPES).sandbox("sandbox").space(2).key(&second, ALL_SCOPES).sandbox("sandbox");
    let one = config.start().await;
    let two = one.with_key(&second);
    let (transaction, _) = one.imported("49.90", "EUR").await;
    one.command(&format!("{transaction}/captures"), "k", &json!({"amount": "10.00"})).await.expect(201);

    let body = json!({"amount": "49.90", "currency": "EUR", "account": "2-sandbox"});
    let payment = two.payment_of(&body).await;
    let own = two.import(&payment).await.expect(201);
    let captures = format!("/v1/transactions/{}/captures", own.number("/id"));
    let capture = two.command(&captures, "k", &json!({"amount": "11.00"})).await.expect(201);
    assert_eq!(capture.digits("captured"), ["11.00"], "{capture}");
    two.command(&format!("{transaction}/captures"), "k", &json!({"amount": "10.00"})).await.expect_problem(404, "transaction-not-found");
}

#[tokio::test]
async fn a_command_without_a_key_is_refused() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for kind in commands() {
        let path = format!("{transaction}/{kind}");
        api.post(&path, &json!({})).await.expect_problem(400, "idempotency-key-missing");
    }
    nothing_was_called(&api, &payment).await;
}

#[tokio::test]
async fn a_key_is_one_to_a_hundred_printable_characters() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    let (longest, long) = ("x".repeat(100), "x".repeat(101));
    for key in
        ["", "\"\"", &long, &"x".repeat(300), &format!("\"{long}\""), "\"k", "k\"", "\"", "\"a\"b\"", "a\tb", "caf\u{e9}", "\u{1f511}"]
    {
        for kind in commands() {
            let answer =
                api.command(&format!("{transaction}/{kind}"), key, &json!({})).await.expect_problem(400, "idempotency-key-invalid");
            assert!(key.len() < 3 || !answer.text.contains(key), "the key is repeated: {answer}");
        }
    }
    nothing_was_called(&api, &payment).await;
    for key in [longest.as_str(), "INV 2026/1 #a:b", "~!@$%^&*()_+{}|<>?"] {
        assert_eq!(api.command(&captures, key, &json!({"amount": "1.00"})).await.expect(201).text("/idempotencyKey"), key);
    }
}

#[tokio::test]
async fn control_characters_in_a_key_do_not_pass() {
    local_only!();
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for control in ["\0", "\u{1}", "\u{1b}", "\r", "\u{7f}"] {
        let headers = format!("{}idempotency-key: a{control}b\r\n", authorization(&api));
        for kind in commands() {
            let answer = raw(&api, &format!("POST {transaction}/{kind}"), headers.as_bytes(), b"{}").await;
            assert_eq!(answer.status, 400, "{control:?}: {answer}");
        }
    }
    nothing_was_called(&api, &payment).await;
}

#[tokio::test]
async fn a_key_lives_as_long_as_its_operation() {
    local_only!();
    let folder = data_folder("keys");
    let data = ["--data", folder.to_str().expect("UTF-8")];
    let api = Api::local(&data).await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    let first = api.command(&captures, "k", &json!({"amount": "10.00"})).await.expect(201);
    api.server.as_ref().expect("a server").kill().await;

    // It is kept with the operation, in no cache of its own that could forget it.
    let api = Api::of(Server::start(&data).await);
    assert_eq!(api.get(first.header("location")).await.expect(200).text("/idempotencyKey"), "k");
    assert_eq!(api.command(&captures, "k", &json!({"amount": "10.00"})).await.expect(200).number("/id"), first.number("/id"));
    api.command(&captures, "k", &json!({"amount": "11.00"})).await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);

    // Nor does anything of a transaction end by itself: a year later it is all there.
    let table = Connection::open(folder.join("table.sqlite")).expect("the table");
    let count = |condition: &str| {
        let sql = format!("SELECT count(*) FROM \"collana-pay\" WHERE pk LIKE 'S:S#1#T#%' AND {condition}");
        table.query_row(&sql, [], |row| row.get::<_, u64>(0)).expect("a number")
    };
    assert_eq!((count("sk LIKE 'S:O#CAPTURE#%'"), count("item_json LIKE '%expiresAt%'")), (1, 0));
}

/// What could be the number of a card is not kept, and a key is kept.
#[tokio::test]
async fn a_key_is_no_number_of_a_card() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for kind in commands() {
        for key in ["4111111111111111", "\"4111 1111 1111 1111\"", "INV 5555-5555-5555-4444"] {
            let answer = api.command(&format!("{transaction}/{kind}"), key, &json!({})).await.expect_problem(422, "card-data-not-allowed");
            assert_eq!(answer.text("/errors/0/pointer"), "Idempotency-Key", "{answer}");
            for part in ["11111111", "1111 1111", "5555-5555"] {
                assert!(!answer.text.contains(part), "{answer}");
            }
        }
    }
    nothing_was_called(&api, &payment).await;
    // Keys that programs make are none, whatever digits they have.
    for key in
        ["b7e4a2f0-1c3d-4539-9201-34247a6f9be2", "20261122101530123456", "9f86d081884c4539920134247aa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f0"]
    {
        api.command(&format!("{transaction}/captures"), key, &json!({"amount": "1.00"})).await.expect(201);
    }
}
