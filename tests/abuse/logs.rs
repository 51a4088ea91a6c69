//! What is not for the log: keys, secrets, and what callers write.

use crate::harness::config::{ALL_SCOPES, Config, api_key, webhook_secret};
use crate::harness::webhook::{Webhook, event};
use crate::harness::{Answer, data_folder};
use crate::local_only;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// A word that stands in every text that the test sends, and in none that the product makes.
const CANARY: &str = "canary7f3a";

#[tokio::test]
async fn neither_secrets_nor_what_callers_write_get_into_the_log() {
    local_only!();
    let (key, secret) = (api_key("test", 1), webhook_secret("1-sandbox"));
    let credentials = [("secretKey", "secret-of-the-psp"), ("webhookSecret", secret.as_str())];
    let config = Config::default().space(1).key(&key, ALL_SCOPES).connection("sandbox", &[], &credentials);
    let log = data_folder("log");
    let api = config.start_logging_with(&log, &["--log-json"]).await;

    let payment = api.payment("49.90", "EUR").await;
    let mut import = payment.command();
    let texts = ["customerId", "customerEmailAddress", "shippingMethod", "invoiceMerchantReference", "merchantReference"];
    let texts = texts.map(|name| (name.to_owned(), Value::from(CANARY)));
    import.as_object_mut().expect("an object").extend(Map::from_iter(texts));
    import["billingAddress"] = json!({"givenName": CANARY, "city": CANARY});
    import["metaData"] = json!({CANARY: CANARY});
    let transaction = api.post("/v1/transactions/import", &import).await.expect(201).header("location").to_owned();

    let (captures, refunds) = (format!("{transaction}/captures"), format!("{transaction}/refunds"));
    api.command(&captures, CANARY, &json!({"amount": "20.00", "merchantReference": CANARY})).await.expect(201);
    api.command(&refunds, CANARY, &json!({"amount": "1.00", "note": CANARY})).await.expect(201);
    for (on, fault) in [("capture", "garbage"), ("capture", "lost-answer"), ("capture", "refuse")] {
        api.fault(&payment, on, fault, 1).await;
        api.command(&captures, &format!("{CANARY}-{fault}"), &json!({"amount": "1.00"})).await.expect(201);
    }
    // What is refused, for every reason that looks at text.
    api.command(&captures, &format!("\"{CANARY}"), &json!({})).await.expect_problem(400, "idempotency-key-invalid");
    api.command(&captures, "k", &json!({CANARY: CANARY})).await.expect_problem(400, "invalid-request");
    api.command(&captures, "k", &json!({"amount": CANARY})).await.expect_problem(400, "invalid-amount");
    api.command(&captures, "k", &json!({"merchantReference": "4111111111111111"})).await.expect_problem(422, "card-data-not-allowed");
    api.post_text(&captures, Some("k"), &format!("{{{CANARY}")).await.expect_problem(400, "invalid-request");
    api.get(&format!("/v1/transactions?{CANARY}={CANARY}")).await.expect_problem(400, "invalid-request");
    api.get(&format!("/v1/transactions?merchantReference={CANARY}")).await.expect(200);
    api.get(&format!("/v1/transactions/{CANARY}")).await.expect_problem(400, "invalid-request");
    api.with_key(&format!("{CANARY}{}", api_key("test", 2))).get(&transaction).await.expect_problem(401, "unauthenticated");
    api.with_key(&api_key("test", 2)).get(&transaction).await.expect_problem(401, "unauthenticated");
    let request = api.request(Method::GET, &transaction);
    let headers = ["traceparent", "tracestate", "user-agent", "cookie", "referer", "x-forwarded-for", "prefer"];
    Answer::of(headers.into_iter().fold(request, |request, name| request.header(name, CANARY))).await.expect(200);
    let forged = Webhook { signature: format!("v1,{CANARY}"), ..Webhook::signed("1-sandbox", event(CANARY, &payment)) };
    forged.send(&api, "1/sandbox").await.expect_problem(401, "unauthenticated");
    Webhook::signed("1-sandbox", format!("{{\"type\":\"{CANARY}\",\"data\":{{\"x\":\"{CANARY}\"}}}}"))
        .send(&api, "1/sandbox")
        .await
        .expect(200);

    let log = std::fs::read_to_string(&log).expect("the log");
    let written =
        ["answered", "card-data-not-allowed", "money command", "\"import\"", "\"webhook\"", "PspCallMillis", "WebhooksUnverifiable"];
    assert!(written.iter().all(|text| log.contains(text)), "the log is written: {log}");
    let bearer = key.split('_').nth(3).expect("the secret of a key");
    let forbidden = [CANARY, bearer, &api_key("test", 2), &secret, &secret["whsec_".len()..], "secret-of-the-psp", "4111111111111111"];
    // A line of the log is an object. What else is there tells a person how to begin.
    for line in log.lines().filter(|line| line.starts_with('{')) {
        for word in forbidden {
            assert!(!line.contains(word), "{word:?} is in the log: {line}");
        }
    }
}

#[tokio::test]
async fn a_trace_is_passed_on_if_it_is_one() {
    local_only!();
    let log = data_folder("trace-log");
    let api = Config::default().space(1).sandbox("sandbox").start_logging(&log).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    Answer::of(api.request(Method::GET, "/v1/psps").header("traceparent", trace)).await.expect(200);
    assert!(std::fs::read_to_string(&log).expect("the log").contains(trace));
}
