//! Status: shows everything, calls nobody; search, single operations, PSPs.

use crate::harness::{Answer, Api, with};
use serde_json::json;

#[tokio::test]
async fn status_shows_everything_that_happened_and_calls_nobody() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let capture = api.captured(&transaction, "20.00").await;
    api.captured(&transaction, "29.90").await;
    let refund = api.command(&format!("{transaction}/refunds"), "r", &json!({"amount": "5.00"})).await.expect(201);
    // The sandbox tells of these by webhook, and each webhook is a reason to read; let them come in first.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let before = api.at_sandbox(&payment).await;
    let whole = api.get(&transaction).await.expect(200);
    assert_eq!(
        (whole.text("/state"), whole.digits("completedAmount"), whole.digits("refundedAmount")),
        ("FULFILL".to_owned(), vec!["49.90".to_owned()], vec!["5.00".to_owned()])
    );
    let kinds: Vec<_> =
        whole.at("/interactions").as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect();
    let successful = "transaction.capture.successful";
    assert_eq!(kinds, ["transaction.import.completed", successful, successful, "transaction.refund.successful"]);
    let one = api.get(capture.header("location")).await.expect(200);
    assert_eq!((one.number("/id"), one.text("/kind")), (capture.number("/id"), "CAPTURE".to_owned()));
    assert_eq!(api.get(refund.header("location")).await.expect(200).text("/kind"), "REFUND");
    api.get("/v1/transactions").await.expect(200);
    assert_eq!(api.at_sandbox(&payment).await.at("/calls"), before.at("/calls"));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let capture = api.captured(&transaction, "20.00").await.number("/id");
    api.get("/v1/transactions/123456789").await.expect_problem(404, "transaction-not-found");
    api.get(&format!("{transaction}/captures/999")).await.expect_problem(404, "operation-not-found");
    // A capture is no refund, even where the number fits.
    api.get(&format!("{transaction}/refunds/{capture}")).await.expect_problem(404, "operation-not-found");
    api.get(&format!("{transaction}/voids/{capture}")).await.expect_problem(404, "operation-not-found");
    assert_eq!(api.get("/v1/nowhere").await.status, 404);
}

#[tokio::test]
async fn nobody_reads_without_a_key() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    assert_eq!(Answer::of(api.http.get(format!("{}{transaction}", api.url))).await.status, 401);
    api.with_key("wrong").get(&transaction).await.expect_problem(401, "unauthenticated");
    api.with_key("wrong").get("/v1/transactions").await.expect_problem(401, "unauthenticated");
    api.with_key("wrong").get("/v1/psps").await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn transactions_are_found_by_each_reference_and_narrowed_by_state() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let reference = crate::harness::unique("SO");
    let command = with(&payment.command(), "merchantReference", reference.as_str());
    let id = api.post("/v1/transactions/import", &command).await.expect(201).number("/id");
    let invoice = crate::harness::unique("INV");
    let captures = format!("/v1/transactions/{id}/captures");
    api.command(&captures, "c", &json!({"amount": "10.00", "merchantReference": invoice})).await.expect(201);
    for query in [
        format!("merchantReference={reference}"),
        format!("operationReference={invoice}"),
        format!("pspReference={}", payment.id),
        format!("merchantReference={reference}&state=AUTHORIZED&importState=IMPORT_COMPLETED&needsAttention=false"),
    ] {
        let page = api.until(&format!("/v1/transactions?{query}"), |page| !page.at("/transactions").as_array().unwrap().is_empty()).await;
        let ids: Vec<_> = page.at("/transactions").as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, [id], "{query}: {page}");
    }
    for query in [
        format!("merchantReference={reference}&state=FULFILL"),
        "merchantReference=nobody".to_owned(),
        "createdFrom=2999-01-01T00:00:00Z".to_owned(),
    ] {
        let page = api.get(&format!("/v1/transactions?{query}")).await.expect(200);
        assert_eq!(page.at("/transactions"), &json!([]), "{query}");
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page_newest_first_without_gap_or_repetition() {
    let api = Api::start().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(api.import(&api.payment("1.00", "EUR").await).await.expect(201).number("/id"));
    }
    let mut seen = Vec::new();
    let mut path = "/v1/transactions?limit=3".to_owned();
    for _ in 0..50 {
        let page = api.get(&path).await.expect(200);
        seen.extend(page.at("/transactions").as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()));
        let Some(next) = page.body["next"].as_str() else { break };
        if made.iter().all(|id| seen.contains(id)) {
            break;
        }
        path = format!("/v1/transactions?limit=3&after={next}");
    }
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");
    assert!(made.iter().all(|id| seen.contains(id)), "{made:?} in {seen:?}");
}

#[tokio::test]
async fn a_misspelt_filter_is_refused_instead_of_listing_everything() {
    let api = Api::start().await;
    for query in [
        "merchantreference=SO-1",
        "state=PAID",
        "limit=0",
        "limit=1000",
        "after=nonsense",
        "createdFrom=yesterday",
        "needsAttention=maybe",
        "merchantReference=a&pspReference=b",
        "key=cp_test_x",
    ] {
        let answer = api.get(&format!("/v1/transactions?{query}")).await.expect_problem(400, "invalid-request");
        assert!(!answer.at("/errors").as_array().unwrap().is_empty(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn what_each_psp_can_do_is_told() {
    let api = Api::start().await;
    let answer = api.get("/v1/psps").await.expect(200);
    let psps: Vec<_> = answer.at("/psps").as_array().unwrap().iter().map(|one| one["psp"].as_str().unwrap().to_owned()).collect();
    assert_eq!(psps, ["sandbox", "stripe"]);
    assert_eq!(answer.text("/psps/1/keepsRestAfterPartialCapture"), "IF_GRANTED", "{answer}");
}
