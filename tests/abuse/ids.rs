//! Ids in paths that are none, and paths that lead elsewhere.

use crate::harness::config::{ALL_SCOPES, Config, api_key, with_checksum};
use crate::harness::raw::{authorization, raw};
use crate::harness::{Api, commands, unique, with};
use crate::local_only;
use serde_json::json;

/// What callers put where a number belongs.
fn no_ids() -> Vec<String> {
    let long = "7".repeat(2048);
    let texts = [
        "0",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "01",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551617",
        "x",
        "1;%20DROP%20TABLE%20transactions",
        "..%5C..%5Cx",
        "S%232%23T%231",
        "1%23HEAD",
        "1%00",
        "1%0d%0aX-Evil:%201",
        "%D9%A1",
        "1%20",
        "%201",
        "null",
        "%7B%22S%22:%221%22%7D",
        "'%20OR%20'1'='1",
    ];
    texts.into_iter().map(str::to_owned).chain([long]).collect()
}

#[tokio::test]
async fn what_is_no_id_is_refused_before_anything_is_looked_up() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let capture = api.captured(&transaction, "20.00").await.number("/id");
    for id in no_ids() {
        for path in [
            format!("/v1/transactions/{id}"),
            format!("/v1/transactions/{id}/captures/{capture}"),
            format!("{transaction}/captures/{id}"),
            format!("{transaction}/refunds/{id}"),
            format!("{transaction}/voids/{id}"),
        ] {
            let answer = api.get(&path).await.expect_problem(400, "invalid-request");
            assert!(answer.text.len() < 1000 && !answer.headers.contains_key("x-evil"), "{path}: {answer}");
        }
        for kind in commands() {
            let path = format!("/v1/transactions/{id}/{kind}");
            api.command(&path, "k", &json!({})).await.expect_problem(400, "invalid-request");
        }
        let resolution = json!({"state": "FAILED", "note": "nobody knows"});
        api.post(&format!("/v1/transactions/{id}/reconcile"), &json!({})).await.expect_problem(400, "invalid-request");
        api.post(&format!("{transaction}/captures/{id}/resolve"), &resolution).await.expect_problem(400, "invalid-request");
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);
}

/// A gateway may take an escaped slash for one, and then there is no such route.
#[tokio::test]
async fn an_escaped_slash_leads_nowhere_either() {
    let api = Api::start().await;
    for id in ["%2e%2e%2f%2e%2e%2fx", "..%2F..%2Fx", "1%2Fcaptures%2F2"] {
        for path in [format!("/v1/transactions/{id}"), format!("/v1/transactions/{id}/captures/2")] {
            let answer = api.get(&path).await;
            assert!(matches!(answer.status, 400 | 404), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_leads_nowhere() {
    local_only!();
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let headers = authorization(&api);
    for path in [
        "/v1/transactions/../../x",
        "/v1/../v1/transactions",
        "/v1//transactions",
        "//v1/transactions",
        "/v1/transactions/",
        "/V1/transactions",
        "/v1/transactions/1/captures/",
        "/v1/transactions/1/captures/2/3",
        "/",
        "/v1",
        "/v1/webhooks",
        "/%761/transactions",
    ] {
        let answer = raw(&api, &format!("GET {path}"), headers.as_bytes(), b"").await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer}");
        assert_eq!(answer.body.get("transactions"), None, "{path}: {answer}");
    }
    for (method, path) in [("DELETE", transaction.as_str()), ("PUT", transaction.as_str()), ("TRACE", "/v1/transactions"), ("GET", "*")] {
        let answer = raw(&api, &format!("{method} {path}"), headers.as_bytes(), b"").await;
        assert!(matches!(answer.status, 400 | 404), "{method} {path}: {answer}");
    }
    // Bytes that are no UTF-8.
    for path in ["/v1/transactions/%ff", "/v1/transactions/1/captures/%c0%af", "/v1/webhooks/1/%ff"] {
        let answer = raw(&api, &format!("GET {path}"), headers.as_bytes(), b"").await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer}");
    }
}

#[tokio::test]
async fn references_that_look_like_keys_of_the_table_are_only_references() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let reference = format!("S#2#T#1#{}", unique("R"));
    let id = api.post("/v1/transactions/import", &with(&payment.command(), "merchantReference", reference.as_str())).await.expect(201);
    let path = format!("/v1/transactions?merchantReference={}", reference.replace('#', "%23"));
    let page = api.until(&path, |page| page.at("/transactions") != &json!([])).await;
    let ids: Vec<_> = page.at("/transactions").as_array().expect("a list").iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [id.at("/id").clone()], "{page}");
    for other in ["S%232%23T%231%23", "S%232", "%2523"] {
        let page = api.get(&format!("/v1/transactions?merchantReference={other}")).await.expect(200);
        assert_eq!(page.at("/transactions"), &json!([]), "{page}");
    }
    // The same for the PSP's reference and for names of connections.
    for reference in ["sb_1#REF", "../../v1/payments", "sb_1?x=1", "S#2#R#sandbox#x", "..", "."] {
        let failed = api.post("/v1/transactions/import", &with(&payment.command(), "pspReference", reference)).await.expect(201);
        assert_eq!(failed.text("/importFailure/code"), "not-found-at-psp", "{failed}");
    }
    for reference in ["", "a b", "a\nb", "\u{e4}", &"x".repeat(256)] {
        let command = with(&payment.command(), "pspReference", reference);
        api.post("/v1/transactions/import", &command).await.expect_problem(400, "invalid-request");
    }
    for connection in ["", "Sandbox", "sand#box", "../sandbox", "sandbox ", &"a".repeat(41)] {
        let command = with(&payment.command(), "connection", connection);
        api.post("/v1/transactions/import", &command).await.expect_problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_key_that_names_another_item_finds_none() {
    local_only!();
    let key = api_key("test", 1);
    let api = Config::default().space(1).key(&key, ALL_SCOPES).sandbox("sandbox").start().await;
    let secret = key.split('_').nth(3).expect("the secret").to_owned();
    for id in ["00000000000g", "#", "..", "00000000001", "0000000000010", "00000000000A", ""] {
        let forged = with_checksum(&format!("cp_test_{id}_{secret}"));
        api.with_key(&forged).get("/v1/transactions").await.expect_problem(401, "unauthenticated");
    }
}
