//! Importing: works, repeated, missing, unauthorized; and every reason for which a payment is not adopted.

use crate::harness::{Answer, Api, Payment, unique, with};
use futures_util::future::join_all;
use serde_json::json;

const IMPORT: &str = "/v1/transactions/import";

#[tokio::test]
async fn a_payment_is_adopted_after_amount_and_currency_were_compared_with_the_psp() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let answer = api.import(&payment).await.expect(201);
    assert_eq!((answer.text("/importState"), answer.text("/state")), ("IMPORT_COMPLETED".to_owned(), "AUTHORIZED".to_owned()), "{answer}");
    assert_eq!((answer.digits("authorizationAmount"), answer.text("/verified")), (vec!["49.90".to_owned()], "READ".to_owned()));
    assert_eq!(answer.at("/availableActions"), &json!(["CAPTURE", "CAPTURE_PARTIAL", "VOID"]));
    assert_eq!(answer.text("/interactions/0/kind"), "transaction.import.completed");
    assert_eq!(answer.header("location"), format!("/v1/transactions/{}", answer.number("/id")));
    assert!(answer.number("/id") < 1 << 53);
    let read = api.get(answer.header("location")).await.expect(200);
    assert_eq!(read.body, answer.body);
}

#[tokio::test]
async fn a_second_import_answers_with_the_first_and_another_reference_is_a_conflict() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let first = api.import(&payment).await.expect(201);
    let again = api.import(&payment).await.expect(200);
    assert_eq!(first.body, again.body);
    let other = api.post(IMPORT, &with(&payment.command(), "merchantReference", "SO-2")).await.expect_problem(409, "already-imported");
    assert_eq!(other.number("/transactionId"), first.number("/id"));
    api.post(IMPORT, &with(&payment.command(), "amount", "49.91")).await.expect_problem(409, "already-imported");
}

#[tokio::test]
async fn fifty_equal_imports_at_once_make_one_transaction() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let answers = join_all((0..50).map(|_| api.import(&payment))).await;
    let id = answers[0].number("/id");
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201) && answer.number("/id") == id));
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let settled = api.get(&format!("/v1/transactions/{id}")).await;
    assert_eq!((settled.text("/importState"), settled.number("/version")), ("IMPORT_COMPLETED".to_owned(), 2), "{settled}");
}

#[tokio::test]
async fn a_wrong_amount_or_currency_fails_with_the_reason_and_a_corrected_import_keeps_the_id() {
    let api = Api::start().await;
    for (property, value, reason) in [("amount", "49.91", "amount-mismatch"), ("currency", "CHF", "currency-mismatch")] {
        let payment = api.payment("49.90", "EUR").await;
        let failed = api.post(IMPORT, &with(&payment.command(), property, value)).await.expect(201);
        assert_eq!(
            (failed.text("/importState"), failed.text("/importFailure/code")),
            ("IMPORT_FAILED".to_owned(), reason.to_owned()),
            "{failed}"
        );
        assert_eq!(failed.text("/state"), "CREATE");
        let path = format!("/v1/transactions/{}", failed.number("/id"));
        api.command(&format!("{path}/captures"), "k", &json!({"amount": "1.00"})).await.expect_problem(409, "import-not-completed");
        api.command(&format!("{path}/refunds"), "k", &json!({"amount": "1.00"})).await.expect_problem(409, "import-not-completed");
        let corrected = api.import(&payment).await.expect(200);
        assert_eq!(
            (corrected.number("/id"), corrected.text("/importState")),
            (failed.number("/id"), "IMPORT_COMPLETED".to_owned()),
            "{corrected}"
        );
    }
}

#[tokio::test]
async fn an_unknown_reference_is_not_found_at_the_psp() {
    let api = Api::start().await;
    let nobody = Payment { id: unique("sb_nobody"), amount: "1.00".into(), currency: "EUR".into() };
    let failed = api.import(&nobody).await.expect(201);
    assert_eq!(failed.text("/importFailure/code"), "not-found-at-psp", "{failed}");
}

#[tokio::test]
async fn an_unknown_connection_is_not_found() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    api.post(IMPORT, &with(&payment.command(), "connection", "nowhere")).await.expect_problem(404, "connection-not-found");
}

#[tokio::test]
async fn nobody_imports_without_a_key() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let without = Answer::of(api.http.post(format!("{}{IMPORT}", api.url)).body(payment.command().to_string())).await;
    assert_eq!(without.status, 401);
    api.with_key("wrong").import(&payment).await.expect_problem(401, "unauthenticated");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), 0);
}

#[tokio::test]
async fn a_payment_that_was_captured_directly_is_imported_as_it_is_and_can_be_refunded() {
    let api = Api::start().await;
    let body = json!({"amount": "49.90", "currency": "EUR", "merchantReference": "SO-1", "captureMode": "automatic"});
    let payment = api.payment_of(&body).await;
    let answer = api.import(&payment).await.expect(201);
    assert_eq!((answer.text("/state"), answer.digits("completedAmount")), ("FULFILL".to_owned(), vec!["49.90".to_owned()]), "{answer}");
    assert_eq!((answer.text("/captures/0/actor"), answer.text("/captures/0/state")), ("PSP".to_owned(), "SUCCESSFUL".to_owned()));
    let refunds = format!("/v1/transactions/{}/refunds", answer.number("/id"));
    let refund = api.command(&refunds, "k", &json!({"captureId": answer.number("/captures/0/id")})).await.expect(201);
    assert_eq!((refund.text("/state"), refund.digits("amount")), ("SUCCESSFUL".to_owned(), vec!["49.90".to_owned()]), "{refund}");
}

#[tokio::test]
async fn a_payment_under_way_is_followed_until_it_is_authorized() {
    let api = Api::start().await;
    let body = json!({"amount": "49.90", "currency": "EUR", "merchantReference": "SO-1", "captureMode": "manual", "status": "pending"});
    let payment = api.payment_of(&body).await;
    let answer = api.import(&payment).await.expect(201);
    assert_eq!((answer.text("/importState"), answer.text("/state")), ("IMPORT_COMPLETED".to_owned(), "PROCESSING".to_owned()), "{answer}");
    let path = answer.header("location").to_owned();
    api.command(&format!("{path}/captures"), "k", &json!({})).await.expect_problem(409, "invalid-state");
    Answer::of(api.http.post(format!("{}/payments/{}/authorize", api.sandbox, payment.id))).await;
    let authorized = api.until(&path, |answer| answer.text("/state") == "AUTHORIZED").await;
    assert_eq!(authorized.text("/interactions/1/kind"), "transaction.state.authorized", "{authorized}");
    assert_eq!(api.command(&format!("{path}/captures"), "k", &json!({})).await.expect(201).text("/state"), "SUCCESSFUL");
}

#[tokio::test]
async fn a_failed_payment_is_not_adopted() {
    let api = Api::start().await;
    let body = json!({"amount": "49.90", "currency": "EUR", "merchantReference": "SO-1", "captureMode": "manual", "status": "pending"});
    let payment = api.payment_of(&body).await;
    Answer::of(api.http.post(format!("{}/payments/{}/fail", api.sandbox, payment.id))).await;
    assert_eq!(api.import(&payment).await.expect(201).text("/importFailure/code"), "payment-failed");
}

#[tokio::test]
async fn a_psp_that_cannot_be_read_leaves_the_import_pending_and_the_next_try_completes_it() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    api.fault(&payment, "read", "error-503", 5).await;
    let pending = api.import(&payment).await.expect(201);
    assert_eq!(pending.text("/importState"), "IMPORT_PENDING", "{pending}");
    api.fault(&payment, "read", "error-503", 0).await;
    let done = api.import(&payment).await.expect(200);
    assert_eq!((done.number("/id"), done.text("/importState")), (pending.number("/id"), "IMPORT_COMPLETED".to_owned()), "{done}");
}

#[tokio::test]
async fn everything_that_a_merchant_may_write_is_stored_and_answered() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let mut command = payment.command();
    let written = json!({
        "invoiceMerchantReference": "INV-1",
        "customerId": "C-7",
        "customerEmailAddress": "ada@example.com",
        "language": "de-CH",
        "billingAddress": {"givenName": "Ada", "familyName": "Lovelace", "country": "CH", "city": "Z\u{fc}rich"},
        "metaData": {"shop": "one", "emoji": "\u{1f980}"},
        "lineItems": [{"uniqueId": "1", "name": "Shoe", "quantity": 1, "amountIncludingTax": 49.90, "type": "PRODUCT"}],
    });
    command.as_object_mut().unwrap().extend(written.as_object().unwrap().clone());
    let answer = api.post(IMPORT, &command).await.expect(201);
    let read = api.get(answer.header("location")).await.expect(200);
    for (name, value) in written.as_object().unwrap() {
        assert_eq!(&read.body[name], value, "{name}: {read}");
    }
}

#[tokio::test]
async fn another_import_of_a_payment_that_is_being_imported_is_a_conflict() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    api.fault(&payment, "read", "slow", 1).await;
    let first = {
        let (api, payment) = (api.clone(), payment.clone());
        tokio::spawn(async move { api.import(&payment).await })
    };
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    api.post(IMPORT, &with(&payment.command(), "merchantReference", "SO-2")).await.expect_problem(409, "already-imported");
    let first = first.await.expect("an answer").expect(201);
    assert_eq!((first.text("/merchantReference"), first.text("/importState")), ("SO-1".to_owned(), "IMPORT_COMPLETED".to_owned()));
}
