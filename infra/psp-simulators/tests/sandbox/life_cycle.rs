//! From the shop's order to the last refund, with the limits, and with the accounts kept apart.

use crate::server::{OTHER, Server, http};
use serde_json::json;

#[tokio::test]
async fn a_payment_is_made_captured_in_parts_and_refunded() {
    let server = Server::start().await;
    let made = server.shop_raw("/payments", r#"{"amount":49.90,"currency":"EUR","merchantReference":"SO-1","captureMode":"manual"}"#).await;
    assert_eq!((made.status, made.text("status"), made.text("amount")), (201, "authorized", "49.90"));
    let id = made.text("id").to_owned();
    assert!(id.starts_with("sb_"), "{id}");
    assert_eq!(
        made,
        {
            let look = server.look(&id).await;
            crate::server::Seen { status: 201, ..look }
        },
        "both have the same shape"
    );

    let read = server.read(&id).await.unwrap();
    assert_eq!(
        read.body,
        json!({
            "id": id, "account": "demo", "mode": "test", "status": "authorized", "amount": "49.90", "currency": "EUR",
            "merchantReference": "SO-1", "captureMode": "manual", "captured": "0.00", "refunded": "0.00", "voided": "0.00",
            "createdOn": "2026-11-15T10:00:00Z", "authorizedOn": "2026-11-15T10:00:00Z", "expiresOn": "2026-11-22T10:00:00Z",
            "captures": [], "refunds": [], "voids": [],
        })
    );

    let capture = server.capture(&id, "20.00", "c1").await;
    assert!(capture.text("id").starts_with("sbc_"), "{capture:?}");
    assert_eq!(
        capture.body,
        json!({
            "id": capture.text("id"), "reference": "c1", "amount": "20.00", "currency": "EUR", "final": false,
            "status": "succeeded", "createdOn": "2026-11-15T10:00:00Z",
        })
    );
    assert_eq!(server.state(&id).await, "authorized captured 20.00 refunded 0.00 voided 0.00");
    assert_eq!(server.capture(&id, "29.90", "c2").await.status, 201);
    let refund = server.refund(&id, "5.00", "r1").await;
    assert!(refund.text("id").starts_with("sbr_") && refund.body.get("final").is_none(), "{refund:?}");
    assert_eq!(server.state(&id).await, "captured captured 49.90 refunded 5.00 voided 0.00");

    let read = server.read(&id).await.unwrap();
    assert_eq!(read.body["captures"][0], capture.body);
    assert_eq!(read.body["captures"][1]["amount"], "29.90");
    assert_eq!(read.body["refunds"], json!([refund.body]));
    assert_eq!(server.calls(&id).await, [4, 2, 1, 0], "looking from the shop's side counts nothing");
}

#[tokio::test]
async fn limits_and_states_are_enforced() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    assert_eq!(server.refund(&id, "0.01", "r0").await.verdict(), "422 invalid-state");
    assert_eq!(server.capture(&id, "49.91", "c0").await.verdict(), "422 amount-too-large");
    let dollars = json!({ "amount": "1.00", "currency": "USD" });
    assert_eq!(server.send(server.command(&id, "captures", "usd", &dollars)).await.unwrap().verdict(), "422 currency-mismatch");
    assert_eq!(server.capture(&id, "20.00", "c1").await.status, 201);
    assert_eq!(server.refund(&id, "20.01", "r1").await.verdict(), "422 amount-too-large");
    assert_eq!(server.final_capture(&id, "9.90", "c2").await.status, 201);
    assert_eq!(server.state(&id).await, "captured captured 29.90 refunded 0.00 voided 20.00");
    assert_eq!(server.capture(&id, "0.01", "c3").await.verdict(), "422 invalid-state");
    assert_eq!(server.void(&id, "v1").await.verdict(), "422 invalid-state");
    assert_eq!(server.read(&id).await.unwrap().body["voids"], json!([]), "the rest was released by the capture");
}

#[tokio::test]
async fn a_void_releases_the_rest_and_names_it() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    assert_eq!(server.capture(&id, "20.00", "c1").await.status, 201);
    let void = server.void(&id, "v1").await;
    assert_eq!((void.status, void.text("amount"), void.text("reference")), (201, "29.90", "v1"));
    assert!(void.text("id").starts_with("sbv_"), "{void:?}");
    assert_eq!(server.state(&id).await, "captured captured 20.00 refunded 0.00 voided 29.90");

    let untouched = server.payment("10.00").await;
    let without_body =
        http().post(format!("{}/v1/payments/{untouched}/voids", server.url)).bearer_auth("sk_demo").header("idempotency-key", "v2");
    assert_eq!(server.send(without_body).await.unwrap().text("amount"), "10.00");
    assert_eq!(server.state(&untouched).await, "voided captured 0.00 refunded 0.00 voided 10.00");
}

#[tokio::test]
async fn an_automatic_payment_is_captured_and_a_pending_one_waits() {
    let server = Server::start().await;
    let order = json!({ "amount": "500", "currency": "JPY", "merchantReference": "SO-2", "captureMode": "automatic" });
    let made = server.shop("/payments", order).await;
    assert_eq!((made.text("status"), made.text("amount"), made.text("captured")), ("captured", "500", "500"));
    assert_eq!((&made.body["captures"][0]["reference"], &made.body["captures"][0]["final"]), (&json!(null), &json!(true)));

    for (finish, status) in [("authorize", "authorized"), ("fail", "failed")] {
        let made = server.shop("/payments", json!({ "amount": "10", "currency": "EUR", "status": "pending" })).await;
        let id = made.text("id");
        assert_eq!((made.text("status"), made.body.get("expiresOn")), ("pending", None));
        assert_eq!(server.capture(id, "1.00", finish).await.verdict(), "422 invalid-state");
        assert_eq!(server.shop(&format!("/payments/{id}/{finish}"), json!({})).await.text("status"), status);
        assert_eq!(server.shop(&format!("/payments/{id}/{finish}"), json!({})).await.verdict(), "422 invalid-state");
    }
}

#[tokio::test]
async fn an_expired_payment_refuses_captures_but_not_refunds() {
    let server = Server::start().await;
    let made = server.shop("/payments", json!({ "amount": "10", "currency": "EUR", "expiresInSeconds": 60 })).await;
    let (id, captured) = (made.text("id"), server.payment("10.00").await);
    assert_eq!(made.text("expiresOn"), "2026-11-15T10:01:00Z");
    assert_eq!(server.capture(&captured, "4.00", "c1").await.status, 201);
    server.pass(59_999);
    assert_eq!(server.state(id).await, "authorized captured 0.00 refunded 0.00 voided 0.00");
    server.pass(1);
    assert_eq!(server.state(id).await, "expired captured 0.00 refunded 0.00 voided 10.00");
    assert_eq!(server.capture(id, "1.00", "c2").await.verdict(), "422 invalid-state");
    server.pass(7 * 24 * 3_600_000);
    assert_eq!(server.state(&captured).await, "captured captured 4.00 refunded 0.00 voided 6.00");
    assert_eq!(server.refund(&captured, "4.00", "r1").await.status, 201);
}

#[tokio::test]
async fn accounts_see_only_their_own_payments() {
    let server = Server::start().await;
    let made = server.shop("/payments", json!({ "amount": "10", "currency": "EUR", "account": "other" })).await;
    let id = made.text("id");
    assert_eq!(made.text("account"), "other");
    let foreign = server.read(id).await.unwrap();
    let unknown = server.read("sb_unknown").await.unwrap();
    assert_eq!((foreign.verdict(), unknown.verdict()), ("404 not-found".to_owned(), "404 not-found".to_owned()));
    assert_eq!(foreign.body.to_string().replace(id, "sb_unknown"), unknown.body.to_string());
    assert_eq!(server.capture(id, "1.00", "c1").await.verdict(), "404 not-found");
    assert_eq!(server.calls(id).await, [0; 4]);

    let url = format!("{}/v1/payments/{id}", server.url);
    let own = http().get(&url).bearer_auth(OTHER);
    assert_eq!(server.send(own).await.unwrap().status, 200);
    for request in [http().get(&url), http().get(&url).bearer_auth("sk_wrong"), http().get(&url).basic_auth(OTHER, None::<&str>)] {
        assert_eq!(server.send(request).await.unwrap().verdict(), "401 unauthorized");
    }
    let keyless = http().post(format!("{url}/captures")).json(&json!({ "amount": "1.00", "currency": "EUR" }));
    assert_eq!(server.send(keyless).await.unwrap().verdict(), "401 unauthorized");
}

#[tokio::test]
async fn bad_input_is_refused_with_the_reason() {
    let server = Server::start().await;
    for (path, body, verdict) in [
        ("/payments", "", "400 invalid-request"),
        ("/payments", "[", "400 invalid-request"),
        ("/payments", r#"{"amount":"1","currency":"EUR","amout":"2"}"#, "400 invalid-request"),
        ("/payments", r#"{"amount":"1","amount":"2","currency":"EUR"}"#, "400 invalid-request"),
        ("/payments", r#"{"amount":"1","currency":"EUR","captureMode":"later"}"#, "400 invalid-request"),
        ("/payments", r#"{"amount":"1","currency":"EUR","expiresInSeconds":-1}"#, "400 invalid-request"),
        ("/payments", r#"{"amount":"1","currency":"EUR","expiresInSeconds":400000000}"#, "400 invalid-request"),
        ("/payments", r#"{"amount":"1","currency":"EUR","merchantReference":""}"#, "400 invalid-request"),
        ("/payments", r#"{"amount":"1","currency":"EUR","account":"nobody"}"#, "422 unknown-account"),
        ("/payments", r#"{"amount":-1,"currency":"EUR"}"#, "400 invalid-amount"),
        ("/payments", r#"{"amount":1e2,"currency":"EUR"}"#, "400 invalid-amount"),
        ("/payments", r#"{"amount":"1","currency":"eur"}"#, "400 invalid-currency"),
        ("/payments", r#"{"amount":0,"currency":"EUR"}"#, "422 amount-not-positive"),
        ("/payments", r#"{"amount":"1.001","currency":"EUR"}"#, "422 too-many-decimals"),
        ("/payments/sb_unknown/authorize", "", "404 not-found"),
        ("/faults", r#"{"on":"status","fault":"refuse"}"#, "400 invalid-request"),
        ("/faults", r#"{"on":"capture","fault":"explode"}"#, "400 invalid-request"),
        ("/faults", r#"{"on":"capture"}"#, "400 invalid-request"),
        ("/faults", r#"{"on":"read","fault":"pending"}"#, "422 fault-not-for-reads"),
        ("/faults", r#"{"on":"read","fault":"refuse","payment":"sb_unknown"}"#, "404 not-found"),
        ("/faults", r#"{"on":"read","fault":"refuse","account":"nobody"}"#, "422 unknown-account"),
        ("/nothing", "", "404 not-found"),
    ] {
        assert_eq!(server.shop_raw(path, body).await.verdict(), verdict, "{path} {body}");
    }
    let typo = server.shop_raw("/payments", r#"{"amount":"1","currency":"EUR","amout":"2"}"#).await;
    assert!(typo.body["error"]["message"].as_str().unwrap().contains("unknown field `amout`"), "{typo:?}");

    let id = server.payment("10.00").await;
    let bad = [
        ("captures", json!({ "currency": "EUR" }), "400 invalid-request"),
        ("captures", json!({ "amount": "1.00", "currency": "EUR", "finale": true }), "400 invalid-request"),
        ("refunds", json!({ "amount": "1.00", "currency": "EUR", "final": true }), "400 invalid-request"),
        ("voids", json!({ "amount": "1.00" }), "400 invalid-request"),
    ];
    for (what, body, verdict) in bad {
        assert_eq!(server.send(server.command(&id, what, "k", &body)).await.unwrap().verdict(), verdict, "{what} {body}");
    }
    assert_eq!(server.calls(&id).await, [0; 4]);
    assert_eq!(server.capture(&id, "1.00", "k").await.status, 201, "a malformed request leaves its key free");
}
