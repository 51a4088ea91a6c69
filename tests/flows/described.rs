//! What is really answered is what the description says, to the last property; and the page that shows the description.

use crate::harness::config::{ALL_SCOPES, Config, api_key};
use crate::harness::description::Description;
use crate::harness::{Answer, Api, with};
use crate::local_only;
use reqwest::Method;
use serde_json::{Value, json};

/// Calls a route and holds the answer to its description.
struct Caller {
    api: Api,
    description: Description,
}

impl Caller {
    async fn start() -> Self {
        Self { api: Api::start().await, description: Description::read() }
    }

    async fn get(&self, route: &str, path: &str) -> Answer {
        let answer = self.api.get(path).await;
        self.description.expect("GET", route, &answer);
        answer
    }

    async fn command(&self, route: &str, transaction: &str, key: &str, body: &Value) -> Answer {
        let place = route.rsplit('/').next().expect("a route has a last part");
        let answer = self.api.command(&format!("{transaction}/{place}"), key, body).await;
        self.description.expect("POST", route, &answer);
        answer
    }

    async fn import(&self, body: &Value) -> Answer {
        let answer = self.api.post(IMPORT, body).await;
        self.description.expect("POST", IMPORT, &answer);
        answer
    }
}

const IMPORT: &str = "/v1/transactions/import";
const TRANSACTION: &str = "/v1/transactions/{id}";
const CAPTURES: &str = "/v1/transactions/{id}/captures";
const REFUNDS: &str = "/v1/transactions/{id}/refunds";
const VOIDS: &str = "/v1/transactions/{id}/voids";

#[tokio::test]
async fn an_import_with_every_property_is_answered_as_described() {
    let caller = Caller::start().await;
    let payment = caller.api.payment("49.90", "EUR").await;
    let mut command = payment.command();
    let properties = command.as_object_mut().expect("an object");
    properties.extend(everything().as_object().expect("an object").clone());
    caller.description.validate("/components/schemas/ImportCommand", &command).unwrap_or_else(|wrong| panic!("{wrong}"));
    let imported = caller.import(&command).await.expect(201);
    for name in everything().as_object().expect("an object").keys() {
        assert!(imported.body.get(name).is_some(), "{name}: {imported}");
    }
    caller.import(&command).await.expect(200);
    let other = caller.import(&with(&command, "merchantReference", "SO-2")).await;
    other.expect_problem(409, "already-imported");
    caller.get(TRANSACTION, imported.header("location")).await.expect(200);
    caller.get(TRANSACTION, "/v1/transactions/123456789").await.expect(404);
    caller.get(TRANSACTION, "/v1/transactions/none").await.expect(400);
}

/// Every property that a caller may write, with a value.
fn everything() -> Value {
    let address = json!({
        "salutation": "Ms", "givenName": "Ada", "familyName": "Muster", "dateOfBirth": "1985-03-27", "gender": "FEMALE",
        "socialSecurityNumber": "756.1", "organizationName": "Muster AG", "commercialRegisterNumber": "CHE-1", "salesTaxNumber": "CHE-2",
        "legalOrganizationForm": 7, "street": "Seestrasse 1", "postcode": "8000", "city": "Zürich", "postalState": "ZH", "country": "CH",
        "dependentLocality": "a", "sortingCode": "b", "emailAddress": "ada@shop.example", "phoneNumber": "+41 1",
        "mobilePhoneNumber": "+41 2",
    });
    json!({
        "invoiceMerchantReference": "INV-1", "shippingMethod": "post", "metaData": {"a": "b"}, "customerId": "C-1",
        "customerEmailAddress": "ada@shop.example", "billingAddress": address, "shippingAddress": address, "language": "de-CH",
        "timeZone": "Europe/Zurich", "customersPresence": "VIRTUAL_PRESENT", "deviceSessionIdentifier": "0123456789",
        "successUrl": "https://shop.example/thanks", "failedUrl": "https://shop.example/sorry", "allowedPaymentMethodBrands": [1],
        "allowedPaymentMethodConfigurations": [2], "spaceViewId": 3, "emailsDisabled": true, "environment": "LIVE",
        "environmentSelectionStrategy": "USE_CONFIGURATION", "completionBehavior": "COMPLETE_DEFERRED", "autoConfirmationEnabled": true,
        "chargeRetryEnabled": false, "tokenizationMode": "FORCE_UPDATE", "token": 4,
        "lineItems": [
            {"uniqueId": "1", "name": "Shoe", "quantity": "1.5", "amountIncludingTax": 54.95, "type": "PRODUCT", "sku": "S-1",
             "shippingRequired": true, "taxes": [{"title": "VAT", "rate": "8.1"}],
             "attributes": {"colour": {"label": "Colour", "value": "red"}, "size": "42"}, "discountIncludingTax": "1.05"},
            {"uniqueId": "2", "name": "Voucher", "quantity": 1, "amountIncludingTax": "-5.05", "type": "DISCOUNT"}
        ]
    })
}

#[tokio::test]
async fn an_import_that_fails_or_waits_is_answered_as_described() {
    let caller = Caller::start().await;
    let payment = caller.api.payment("49.90", "EUR").await;
    let failed = caller.import(&with(&payment.command(), "amount", "50.00")).await.expect(201);
    assert_eq!(failed.text("/importFailure/code"), "amount-mismatch", "{failed}");
    let transaction = format!("/v1/transactions/{}", failed.number("/id"));
    caller.command(CAPTURES, &transaction, "k", &json!({})).await.expect_problem(409, "import-not-completed");
    let other = caller.api.payment("49.90", "EUR").await;
    caller.api.unreadable(&other).await;
    assert_eq!(caller.import(&other.command()).await.expect(201).text("/importState"), "IMPORT_PENDING");
    for (wrong, status, code) in [
        (json!({}), 400, "invalid-request"),
        (with(&payment.command(), "amount", "1e2"), 400, "invalid-amount"),
        (with(&payment.command(), "connection", "nobody"), 404, "connection-not-found"),
    ] {
        caller.import(&wrong).await.expect_problem(status, code);
    }
}

#[tokio::test]
async fn commands_are_answered_as_described_whatever_becomes_of_them() {
    let caller = Caller::start().await;
    let (transaction, payment) = caller.api.imported("49.90", "EUR").await;
    let lines = json!([{"uniqueId": "1", "quantity": 2, "amount": "20.00"}]);
    let body = json!({"lineItems": lines, "merchantReference": "INV-1", "version": 2});
    let capture = caller.command(CAPTURES, &transaction, "c-1", &body).await.expect(201);
    caller.command(CAPTURES, &transaction, "c-1", &body).await.expect(200);
    caller.command(CAPTURES, &transaction, "c-1", &json!({})).await.expect_problem(422, "idempotency-key-reused");
    caller.command(CAPTURES, &transaction, "c-2", &json!({"amount": "99"})).await.expect_problem(422, "exceeds-capturable-amount");
    caller.command(CAPTURES, &transaction, "c-2", &body).await.expect_problem(409, "version-conflict");
    caller.get("/v1/transactions/{id}/captures/{op}", capture.header("location")).await.expect(200);

    caller.api.fault(&payment, "capture", "refuse", 1).await;
    let refused = caller.command(CAPTURES, &transaction, "c-3", &json!({"amount": "1.00"})).await.expect(201);
    assert!(refused.at("/failureReason/code").is_string(), "{refused}");
    let refund =
        json!({"amount": "5.00", "captureId": capture.number("/id"), "reason": "RETURN", "note": "too small", "merchantReference": "CM"});
    let refund = caller.command(REFUNDS, &transaction, "r-1", &refund).await.expect(201);
    caller.get("/v1/transactions/{id}/refunds/{op}", refund.header("location")).await.expect(200);
    caller.command(REFUNDS, &transaction, "r-2", &json!({"amount": "99"})).await.expect_problem(422, "exceeds-refundable-amount");
    caller.api.unreadable(&payment).await;
    caller.api.fault(&payment, "capture", "lost-answer", 1).await;
    let unknown = caller.command(CAPTURES, &transaction, "c-4", &json!({"amount": "2.00"})).await.expect(201);
    assert_eq!(unknown.text("/state"), "UNKNOWN", "{unknown}");
    caller.command(VOIDS, &transaction, "v-1", &json!({})).await.expect_problem(409, "operation-in-doubt");
    let whole = caller.get(TRANSACTION, &transaction).await.expect(200);
    assert!(whole.at("/interactions").as_array().is_some_and(|entries| entries.len() > 3), "{whole}");
}

#[tokio::test]
async fn a_void_is_answered_as_described() {
    let caller = Caller::start().await;
    let (transaction, _) = caller.api.imported("49.90", "EUR").await;
    let void = caller.command(VOIDS, &transaction, "v", &json!({"reason": "OTHER", "merchantReference": "SO-1"})).await.expect(201);
    caller.command(VOIDS, &transaction, "v", &json!({"reason": "OTHER", "merchantReference": "SO-1"})).await.expect(200);
    caller.get("/v1/transactions/{id}/voids/{op}", void.header("location")).await.expect(200);
    caller.command(CAPTURES, &transaction, "c", &json!({})).await.expect_problem(409, "already-voided");
    caller.get(TRANSACTION, &transaction).await.expect(200);
}

#[tokio::test]
async fn what_is_only_read_is_answered_as_described() {
    let caller = Caller::start().await;
    let (first, _) = caller.api.imported("49.90", "EUR").await;
    caller.api.captured(&first, "20.00").await;
    caller.api.imported("500", "JPY").await;
    let page = caller.get("/v1/transactions", "/v1/transactions?limit=1").await.expect(200);
    caller.get("/v1/transactions", &format!("/v1/transactions?limit=1&after={}", page.text("/next"))).await.expect(200);
    caller.get("/v1/transactions", "/v1/transactions?state=NONE").await.expect(400);
    caller.get("/v1/psps", "/v1/psps").await.expect(200);
    let document = caller.get("/v1/openapi.json", "/v1/openapi.json").await.expect(200);
    assert_eq!(document.body, caller.description.document);
}

#[tokio::test]
async fn who_may_not_is_answered_as_described() {
    local_only!();
    let (all, none) = (api_key("test", 1), api_key("test", 2));
    let api = Config::default().space(1).key(&all, ALL_SCOPES).key(&none, &[]).sandbox("sandbox").start().await;
    let description = Description::read();
    for (method, path, _) in description.operations() {
        let address = ["id", "op", "space"]
            .iter()
            .fold(path.replace("{connection}", "sandbox"), |path, name| path.replace(&format!("{{{name}}}"), "7"));
        let request = |key: Option<&str>| {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let request = api.http.request(method, format!("{}{address}", api.url));
            key.into_iter().fold(request, |request, key| request.bearer_auth(key))
        };
        for key in [None, Some("nonsense"), Some(&none)] {
            let answer = Answer::of(request(key)).await;
            assert!(matches!(answer.status, 401 | 403), "{method} {path}: {answer}");
            description.expect(&method, &path, &answer);
        }
    }
}

#[tokio::test]
async fn the_reference_page_and_all_it_names_come_from_this_server() {
    local_only!();
    let api = Api::start().await;
    // The page holds the key to try it with, which no other answer may: so it is not looked at as an `Answer`.
    let fetch = async |path: &str, host: Option<&str>| {
        let request = api.http.get(format!("{}{path}", api.url));
        host.into_iter().fold(request, |request, host| request.header("host", host)).send().await.expect("an answer")
    };
    let page = fetch("/reference", None).await;
    assert_eq!((page.status().as_u16(), header(&page, "content-type")), (200, "text/html; charset=utf-8".to_owned()));
    let policy = header(&page, "content-security-policy");
    assert!(policy.starts_with("default-src 'self'") && !policy.contains("http"), "{policy}");
    let page = page.text().await.expect("a text");
    assert!(!page.contains("//"), "the page names no other server: {page}");
    assert!(page.contains("/reference/openapi.json") && page.contains(&api.key), "{page}");

    let named: Vec<_> =
        ["src=\"", "href=\""].iter().flat_map(|mark| page.split(mark).skip(1)).filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.iter().any(|name| name.ends_with(".js")) && named.iter().any(|name| name.ends_with(".css")), "{named:?}");
    for name in named.into_iter().filter(|name| *name != "data:,") {
        assert!(name.starts_with("/reference/"), "{name}");
        let asset = fetch(name, None).await;
        let expected = if name.ends_with(".js") { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
        assert_eq!((asset.status().as_u16(), header(&asset, "content-type").as_str()), (200, expected), "{name}");
        assert!(!asset.bytes().await.expect("a body").is_empty(), "{name}");
    }
    let described = fetch("/reference/openapi.json", None).await;
    assert_eq!(header(&described, "content-type"), "application/json");
    let described: Value = serde_json::from_str(&described.text().await.expect("a text")).expect("JSON");
    assert_eq!(described, Description::read().document);

    // A name that somebody else made lead to this machine gets nothing: the page tells a key.
    let elsewhere = fetch("/reference", Some("attacker.example:8080")).await;
    assert_eq!(elsewhere.status().as_u16(), 421);
    assert!(!elsewhere.text().await.expect("a text").contains(&api.key));
}

fn header(response: &reqwest::Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
