//! Two spaces side by side: what belongs to one does not exist for the other.

use crate::harness::config::{ALL_SCOPES, Config, api_key};
use crate::harness::{Answer, Api, Payment, unique, with};
use crate::local_only;
use reqwest::Method;
use serde_json::{Value, json};

const IMPORT: &str = "/v1/transactions/import";

/// Two spaces that each have a connection named `sandbox`; the second has one more.
async fn two_spaces() -> (Api, Api) {
    let (first, second) = (api_key("test", 1), api_key("test", 2));
    let config = Config::default().space(1).key(&first, ALL_SCOPES).sandbox("sandbox");
    let config = config.space(2).key(&second, ALL_SCOPES).sandbox("sandbox").sandbox("second");
    let one = config.start().await;
    let two = one.with_key(&second);
    (one, two)
}

async fn payment_of(api: &Api, account: &str) -> Payment {
    api.payment_of(&json!({"amount": "49.90", "currency": "EUR", "account": account})).await
}

/// An answer that differs from an equal one in nothing but its date.
async fn asked(api: &Api, method: Method, path: &str, body: &Value) -> Answer {
    let request = api.request(method, path).header("x-request-id", "same").header("idempotency-key", "k");
    Answer::of(if body.is_null() { request } else { request.body(body.to_string()) }).await
}

#[tokio::test]
async fn what_belongs_to_another_space_is_not_there_to_the_byte() {
    local_only!();
    let (one, two) = two_spaces().await;
    let payment = payment_of(&one, "1-sandbox").await;
    let id = one.import(&payment).await.expect(201).number("/id");
    let capture = one.captured(&format!("/v1/transactions/{id}"), "20.00").await.number("/id");
    let before = one.get(&format!("/v1/transactions/{id}")).await;
    // A neighbour of the same length, which nobody has.
    let nobody = id ^ 1;
    let amount = json!({"amount": "1.00"});
    for (method, rest, body) in [
        (Method::GET, String::new(), Value::Null),
        (Method::GET, format!("/captures/{capture}"), Value::Null),
        (Method::GET, format!("/refunds/{capture}"), Value::Null),
        (Method::POST, "/captures".to_owned(), amount.clone()),
        (Method::POST, "/captures".to_owned(), json!({"amount": "20.00"})),
        (Method::POST, "/captures".to_owned(), json!({"amount": "99999.00"})),
        (Method::POST, "/captures".to_owned(), json!({"amount": "1.00", "version": 1})),
        (Method::POST, "/refunds".to_owned(), amount.clone()),
        (Method::POST, "/refunds".to_owned(), json!({"captureId": capture})),
        (Method::POST, "/voids".to_owned(), json!({})),
        (Method::POST, "/voids".to_owned(), json!({"version": 1})),
        (Method::POST, "/reconcile".to_owned(), json!({})),
        (Method::POST, format!("/captures/{capture}/resolve"), json!({"state": "SUCCESSFUL", "note": "seen"})),
        (Method::POST, format!("/captures/{capture}/resolve"), json!({"state": "FAILED", "note": "not seen"})),
    ] {
        let theirs = asked(&two, method.clone(), &format!("/v1/transactions/{id}{rest}"), &body).await;
        let nobodys = asked(&two, method.clone(), &format!("/v1/transactions/{nobody}{rest}"), &body).await;
        assert_eq!(theirs.bytes(), nobodys.bytes(), "{method} {rest} {body}");
        assert_eq!(theirs.status, 404, "{method} {rest} {body}");
    }
    assert_eq!(one.get(&format!("/v1/transactions/{id}")).await.body, before.body);
    let at_psp = one.at_sandbox(&payment).await;
    assert_eq!(["capture", "refund", "void"].map(|call| at_psp.number(&format!("/calls/{call}"))), [1, 0, 0]);
}

#[tokio::test]
async fn a_list_and_its_cursors_end_at_the_space() {
    local_only!();
    let (one, two) = two_spaces().await;
    for _ in 0..3 {
        one.import(&payment_of(&one, "1-sandbox").await).await.expect(201);
    }
    let payment = payment_of(&two, "2-sandbox").await;
    let own = two.import(&payment).await.expect(201).number("/id");
    two.import(&payment_of(&two, "2-sandbox").await).await.expect(201);
    let page = one.until("/v1/transactions?limit=1", |page| page.body["next"].is_string()).await;
    let cursor = page.text("/next");
    two.get(&format!("/v1/transactions?limit=1&after={cursor}")).await.expect_problem(400, "invalid-request");
    // Neither does a cursor of one search lead on in another one.
    one.get(&format!("/v1/transactions?limit=1&state=AUTHORIZED&after={cursor}")).await.expect_problem(400, "invalid-request");
    let (head, tail) = cursor.split_at(cursor.len() - 1);
    let altered = format!("{head}{}", if tail == "A" { "B" } else { "A" });
    for cursor in ["", "nonsense", "MQ", &format!("{cursor}{cursor}"), &altered, &cursor[1..]] {
        one.get(&format!("/v1/transactions?limit=1&after={cursor}")).await.expect_problem(400, "invalid-request");
    }
    let listed = two.until("/v1/transactions", |page| page.at("/transactions").as_array().is_some_and(|list| list.len() > 1)).await;
    let spaces: Vec<_> = listed.at("/transactions").as_array().expect("a list").iter().map(|one| one["linkedSpaceId"].clone()).collect();
    assert_eq!(spaces, [2, 2], "{listed}");
    assert!(listed.text.contains(&own.to_string()));
    for query in [format!("pspReference={}", payment.id), "merchantReference=SO-1".to_owned()] {
        let seen = one.get(&format!("/v1/transactions?{query}")).await.expect(200);
        assert!(!seen.text.contains(&own.to_string()), "{query}: {seen}");
    }
}

#[tokio::test]
async fn a_payment_of_another_space_is_asked_for_with_own_credentials_and_not_found() {
    local_only!();
    let (one, two) = two_spaces().await;
    let payment = payment_of(&one, "1-sandbox").await;
    let stranger = two.import(&payment).await.expect(201);
    assert_eq!(
        (stranger.text("/importState"), stranger.text("/importFailure/code")),
        ("IMPORT_FAILED".to_owned(), "not-found-at-psp".to_owned()),
        "{stranger}"
    );
    assert!(!stranger.text.contains("importFailure\":{\"psp"), "{stranger}");
    // It is answered as what nobody has: nothing of the payment is told.
    let nobody = two.import(&Payment { id: unique("sb_nobody"), ..payment.clone() }).await.expect(201);
    assert_eq!(stranger.at("/importFailure"), nobody.at("/importFailure"));
    assert_eq!(one.at_sandbox(&payment).await.number("/calls/read"), 0);
    // Whoever failed with it keeps nobody from importing it.
    assert_eq!(one.import(&payment).await.expect(201).text("/importState"), "IMPORT_COMPLETED");
}

#[tokio::test]
async fn a_connection_of_another_space_is_not_there_to_the_byte() {
    local_only!();
    let (one, two) = two_spaces().await;
    let payment = payment_of(&two, "2-second").await;
    let theirs = asked(&one, Method::POST, IMPORT, &with(&payment.command(), "connection", "second")).await;
    let nobodys = asked(&one, Method::POST, IMPORT, &with(&payment.command(), "connection", "nobody")).await;
    assert_eq!(theirs.bytes(), nobodys.bytes());
    assert_eq!(theirs.status, 404, "{theirs}");
    assert_eq!(two.at_sandbox(&payment).await.number("/calls/read"), 0);
    let own = two.post(IMPORT, &with(&payment.command(), "connection", "second")).await.expect(201);
    assert_eq!(own.text("/importState"), "IMPORT_COMPLETED", "{own}");
}

#[tokio::test]
async fn one_reference_on_two_connections_is_two_payments() {
    local_only!();
    let (_, two) = two_spaces().await;
    let payment = payment_of(&two, "2-sandbox").await;
    let other = two.post(IMPORT, &with(&payment.command(), "connection", "second")).await.expect(201);
    assert_eq!(other.text("/importFailure/code"), "not-found-at-psp", "{other}");
    let right = two.import(&payment).await.expect(201);
    assert_eq!(right.text("/importState"), "IMPORT_COMPLETED", "{right}");
    assert_ne!(right.number("/id"), other.number("/id"));
}
