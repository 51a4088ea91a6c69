//! A secret, a card number and an e-mail address are sent through everything; then we look where they ended up.

use crate::harness::canary::{CARD_NUMBER, EMAIL_ADDRESS, SECRET, found_in};
use crate::harness::config::{ALL_SCOPES, Config, api_key};
use crate::harness::fake_psp::{self, FakePsp, Reply, authorized, captured};
use crate::harness::webhook::{Webhook, event, now};
use crate::harness::{Answer, Api, Payment, data_folder, unique, with};
use crate::local_only;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;

const IMPORT: &str = "/v1/transactions/import";

/// Where the e-mail address may be: what kind of item, and which attribute of it.
const MEANT_FOR_IT: &[&str] = &[
    "DATA /order/metaData/contact",
    "DATA /payer/billingAddress/emailAddress",
    "DATA /payer/customerEmailAddress",
    "DATA /payer/customerId",
    "DATA /payer/shippingAddress/emailAddress",
    // What a person wrote about a refund.
    "O#REFUND /note",
    // The body of a webhook that the PSP signed and nobody could read, for whoever looks at it.
    "INBOX /unread",
];

#[tokio::test]
async fn canaries_are_found_where_they_belong_and_nowhere_else() {
    local_only!();
    let psp = FakePsp::start(talkative).await;
    let webhook_secret = format!("whsec_{}", STANDARD.encode(format!("{:=<40}", SECRET.text)));
    let credentials = [("secretKey", SECRET.text.as_str()), ("webhookSecret", webhook_secret.as_str())];
    let config = Config::default().space(1).key(&api_key("test", 1), ALL_SCOPES).connection("sandbox", &[], &credentials);
    let config = config.connection("talkative", &[("baseUrl", &psp.url)], &credentials);
    let (folder, log) = (data_folder("canaries"), data_folder("canaries-log"));
    let api = config.start_logging_with(&log, &["--data", folder.to_str().expect("UTF-8")]).await;

    let (transaction, payment) = send_what_is_stored(&api).await;
    send_to_a_talkative_psp(&api).await;
    send_what_is_refused(&api, &transaction).await;
    send_in_headers_and_paths(&api, &transaction).await;
    send_webhooks(&api, &payment, &webhook_secret).await;
    let whole = api.get(&transaction).await.expect(200);
    assert_eq!(found_in(whole.at("/interactions").to_string().as_bytes()), [""; 0], "{whole}");
    assert_eq!(whole.text("/customerEmailAddress"), EMAIL_ADDRESS.text, "who wrote it reads it");
    api.server.as_ref().expect("a server").kill().await;

    let log = std::fs::read_to_string(&log).expect("the log");
    assert!(log.contains("answered") && log.contains("card-data-not-allowed"), "the log is written: {log}");
    for line in log.lines() {
        assert_eq!(found_in(line.as_bytes()), [""; 0], "in the log: {line}");
    }
    for file in ["table.sqlite", "table.sqlite-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
        assert!(!SECRET.is_in(&bytes) && !CARD_NUMBER.is_in(&bytes), "{file} has {:?}", found_in(&bytes));
    }
    let places = places(&folder.join("table.sqlite"));
    let meant: BTreeSet<_> = MEANT_FOR_IT.iter().map(|place| (EMAIL_ADDRESS.name, (*place).to_owned())).collect();
    assert_eq!(places, meant);
}

/// A PSP that tells more than it should, whatever it is asked.
fn talkative(asked: &fake_psp::Asked) -> Reply {
    let chat = json!({
        "card": {"number": CARD_NUMBER.text, "holder": EMAIL_ADDRESS.text},
        "customer": {"email": EMAIL_ADDRESS.text},
        "apiKey": SECRET.text,
        "description": format!("{} paid with {}", EMAIL_ADDRESS.text, CARD_NUMBER.text),
    });
    let with_chat = |mut body: Value| {
        body.as_object_mut().expect("an object").extend(chat.as_object().expect("an object").clone());
        body
    };
    if asked.method == "GET" {
        return Reply::json(200, &with_chat(authorized(&[])));
    }
    let message = format!("key {} cannot take from {} of {}", SECRET.text, CARD_NUMBER.text, EMAIL_ADDRESS.text);
    match asked.body["amount"].as_str() {
        Some("1.00") => Reply::json(422, &json!({"error": {"code": message, "message": message}})),
        Some("2.00") => Reply::json(401, &json!({"error": {"code": "unauthorized", "message": message}})),
        Some("3.00") => Reply::json(500, &json!({"error": message})),
        Some("4.00") => Reply::text("200 OK", &format!("x-debug: {message}\r\nset-cookie: {message}\r\n"), &message),
        Some("5.00") => Reply::json(201, &with_chat(captured(asked, &json!({"status": "failed", "failureCode": message})))),
        _ => Reply::json(201, &with_chat(captured(asked, &json!({})))),
    }
}

/// An e-mail address in every text of a payer, and in what the ERP wrote.
async fn send_what_is_stored(api: &Api) -> (String, Payment) {
    let payment = api.payment("49.90", "EUR").await;
    let email = EMAIL_ADDRESS.text.as_str();
    let mut import = payment.command();
    for name in ["customerId", "customerEmailAddress"] {
        import[name] = email.into();
    }
    for name in ["billingAddress", "shippingAddress"] {
        import[name] = json!({"givenName": "Ada", "emailAddress": email});
    }
    import["metaData"] = json!({"contact": email});
    let transaction = api.post(IMPORT, &import).await.expect(201).header("location").to_owned();
    api.captured(&transaction, "20.00").await;
    let note = format!("{email} sent one back");
    api.command(&format!("{transaction}/refunds"), "k", &json!({"amount": "1.00", "note": note})).await.expect(201);
    // Failures keep what the command said, too.
    let failed = Payment { amount: "50.00".to_owned(), ..api.payment("49.90", "EUR").await };
    let failed = with(&failed.command(), "customerEmailAddress", email);
    assert_eq!(api.post(IMPORT, &failed).await.expect(201).text("/importState"), "IMPORT_FAILED");
    (transaction, payment)
}

async fn send_to_a_talkative_psp(api: &Api) {
    let import = with(&fake_psp::payment().command(), "connection", "talkative");
    let transaction = api.post(IMPORT, &import).await.expect(201);
    assert_eq!(transaction.text("/importState"), "IMPORT_COMPLETED", "{transaction}");
    let captures = format!("{}/captures", transaction.header("location"));
    for (amount, state) in
        [("1.00", "FAILED"), ("2.00", "FAILED"), ("5.00", "FAILED"), ("6.00", "SUCCESSFUL"), ("3.00", "UNKNOWN"), ("4.00", "UNKNOWN")]
    {
        let capture = api.command(&captures, &unique("k"), &json!({"amount": amount})).await.expect(201);
        assert_eq!(capture.text("/state"), state, "{amount}: {capture}");
    }
}

/// All three wherever a request can hold a text, where the request is refused for it or for something else.
async fn send_what_is_refused(api: &Api, transaction: &str) {
    let (card, email, secret) = (CARD_NUMBER.text.as_str(), EMAIL_ADDRESS.text.as_str(), SECRET.text.as_str());
    let payment = api.payment("49.90", "EUR").await;
    let commands = ["captures", "refunds", "voids"].map(|kind| format!("{transaction}/{kind}"));
    let refused = |answer: Answer| assert!((400..500).contains(&answer.status), "{answer}");
    for canary in [card, email, secret] {
        let wrong = [
            json!({canary: "1.00"}),
            json!({"amount": {canary: canary}}),
            json!({"version": canary}),
            json!({"merchantReference": [canary]}),
            json!({"amount": "1.00", "merchantReference": format!("{canary}\n")}),
            json!({"lineItems": [{canary: canary}]}),
        ];
        for path in commands.iter().map(String::as_str).chain([IMPORT]) {
            for body in &wrong {
                refused(api.command(path, "refused", body).await);
            }
            for body in [format!("{{\"{canary}"), canary.to_owned(), format!("{{\"a\":1,\"{canary}\":1,\"{canary}\":2}}")] {
                refused(api.post_text(path, Some("refused"), &body).await);
            }
        }
        for (name, value) in [
            ("connection", json!(canary.to_uppercase())),
            ("currency", json!(canary)),
            ("amount", json!(format!("{canary}x"))),
            ("language", json!(canary)),
            ("timeZone", json!(format!("{canary}!"))),
            ("environment", json!(canary)),
            ("successUrl", json!(canary)),
            ("metaData", json!({"x".repeat(41): canary})),
            ("metaData", json!({canary: {}})),
            ("metaData", json!({canary: "\u{1}"})),
            ("lineItems", json!([{"uniqueId": "1", "name": "a", "quantity": 1, "amountIncludingTax": 1, "type": canary}])),
        ] {
            refused(api.post(IMPORT, &with(&payment.command(), name, value)).await);
        }
        for key in [format!("\"{canary}"), format!("{canary}\u{e4}"), canary.repeat(9)] {
            refused(api.command(&commands[0], &key, &json!({"amount": "1.00"})).await);
        }
        for query in ["state", "createdFrom", "after", "limit", "needsAttention", canary] {
            refused(api.get(&format!("/v1/transactions?{query}={canary}")).await);
            refused(api.get(&format!("{transaction}?{query}={canary}")).await);
        }
    }
    // A card number is refused wherever it would be kept.
    for name in [
        "merchantReference",
        "pspReference",
        "invoiceMerchantReference",
        "customerId",
        "customerEmailAddress",
        "shippingMethod",
        "timeZone",
    ] {
        api.post(IMPORT, &with(&payment.command(), name, card)).await.expect_problem(422, "card-data-not-allowed");
    }
    for value in [json!({"card": card}), json!({card: "card"})] {
        api.post(IMPORT, &with(&payment.command(), "metaData", value)).await.expect_problem(422, "card-data-not-allowed");
    }
    for path in &commands {
        for key in [card.to_owned(), format!("\"{card}\""), format!("INV {card}")] {
            api.command(path, &key, &json!({})).await.expect_problem(422, "card-data-not-allowed");
        }
        api.command(path, "refused", &json!({"merchantReference": card})).await.expect_problem(422, "card-data-not-allowed");
    }
    api.command(&commands[1], "refused", &json!({"note": format!("card {card}")})).await.expect_problem(422, "card-data-not-allowed");
}

async fn send_in_headers_and_paths(api: &Api, transaction: &str) {
    let key = api.key.as_str();
    for canary in [&CARD_NUMBER.text, &EMAIL_ADDRESS.text, &SECRET.text] {
        let request = api.request(Method::GET, transaction);
        let headers = ["traceparent", "tracestate", "user-agent", "cookie", "referer", "x-forwarded-for", "prefer", "accept", "from"];
        Answer::of(headers.into_iter().fold(request, |request, name| request.header(name, canary))).await.expect(200);
        for authorization in [format!("Bearer {canary}"), canary.clone(), format!("Basic {}", STANDARD.encode(canary))] {
            let request = api.http.get(format!("{}{transaction}", api.url)).header("authorization", authorization);
            Answer::of(request).await.expect_problem(401, "unauthenticated");
        }
        let capture =
            api.request(Method::POST, &format!("{transaction}/captures")).header("idempotency-key", "k").header("if-match", canary);
        Answer::of(capture.body("{}")).await.expect_problem(400, "invalid-request");
        for path in
            [format!("/v1/transactions/{canary}"), format!("/v1/transactions/{canary}/captures/1"), format!("{transaction}/voids/{canary}")]
        {
            let answer = api.get(&path).await;
            assert!(matches!(answer.status, 400 | 404), "{path}: {answer}");
        }
        for path in
            [format!("/v1/transactions/{canary}/captures"), format!("/v1/webhooks/1/{canary}"), format!("/v1/webhooks/{canary}/sandbox")]
        {
            let answer = api.command(&path, "k", &json!({})).await;
            assert!(matches!(answer.status, 400 | 401 | 404), "{path}: {answer}");
        }
        api.get(&format!("/v1/transactions?pspReference={canary}")).await.expect(200);
    }
    // A request id is repeated and logged, unless it looks like what is not for logs.
    for id in [CARD_NUMBER.text.as_str(), "order-4929-4205-7359-5709", EMAIL_ADDRESS.text.as_str(), key] {
        let answer = Answer::of(api.request(Method::GET, transaction).header("x-request-id", id)).await.expect(200);
        assert!(!answer.header("x-request-id").is_empty() && answer.header("x-request-id") != id, "{id}");
    }
}

async fn send_webhooks(api: &Api, payment: &Payment, secret: &str) {
    let (card, email) = (&CARD_NUMBER.text, &EMAIL_ADDRESS.text);
    let mut body: Map<String, Value> = serde_json::from_str(&event("capture.succeeded", payment)).expect("JSON");
    body.extend(Map::from_iter([
        ("card".to_owned(), json!({"number": card})),
        ("email".to_owned(), json!(email)),
        ("key".to_owned(), json!(SECRET.text)),
    ]));
    body["data"]["payer"] = json!({"email": email, "card": card, "name": SECRET.text});
    let body = Value::from(body).to_string();
    let genuine = |body: String| Webhook::signed_at(secret, &unique("msg"), now(), body);
    genuine(body.clone()).send(api, "1/sandbox").await.expect(200);
    // About a payment that nobody imported.
    genuine(body.replace(&payment.id, "sb_nobody")).send(api, "1/sandbox").await.expect(200);
    genuine(format!("an unreadable body about {email}")).send(api, "1/sandbox").await.expect(200);
    for text in [card, email, &SECRET.text] {
        let forged = Webhook { signature: format!("v1,{text}"), ..genuine(body.clone()) };
        forged.send(api, "1/sandbox").await.expect_problem(401, "unauthenticated");
        let forged = Webhook { id: text.clone(), ..genuine(body.clone()) };
        forged.send(api, "1/sandbox").await.expect_problem(401, "unauthenticated");
    }
}

/// Where in the table canaries are: their names, kinds of items, and attributes.
fn places(file: &Path) -> BTreeSet<(&'static str, String)> {
    let table = Connection::open(file).expect("the table");
    let names = |sql: &str| {
        let mut rows = table.prepare(sql).expect("a query");
        let names = rows.query_map([], |row| row.get::<_, String>(0)).expect("names");
        names.collect::<Result<Vec<_>, _>>().expect("names")
    };
    let mut places = BTreeSet::new();
    let mut items = 0;
    for name in names("SELECT name FROM sqlite_master WHERE type = 'table'") {
        let has_items = names(&format!("SELECT name FROM pragma_table_info('{name}')")).contains(&"item_json".to_owned());
        let column = if has_items { "item_json" } else { "*" };
        let mut rows = table.prepare(&format!("SELECT {column} FROM \"{name}\"")).expect("a query");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for at in 0..columns {
                let text = match row.get_ref(at).expect("a value") {
                    rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => bytes,
                    _ => continue,
                };
                if !has_items {
                    places.extend(found_in(text).into_iter().map(|canary| (canary, name.clone())));
                    continue;
                }
                let item: Value = serde_json::from_slice(text).expect("an item");
                items += 1;
                let sort = item["sk"]["S"].as_str().unwrap_or_default();
                // Operations and interactions have a name of their own behind their kind.
                let kind = sort.rsplit_once('#').map_or(sort, |(kind, _)| kind);
                walk(&item, "", &mut |path, text| {
                    places.extend(found_in(text.as_bytes()).into_iter().map(|canary| (canary, format!("{kind} {path}"))));
                });
            }
        }
    }
    assert!(items > 20, "only {items} items");
    places
}

/// Every text of an item, and every name, with the attribute that it stands in; the types of values are left out of the path.
fn walk(value: &Value, path: &str, see: &mut impl FnMut(&str, &str)) {
    const TYPES: &[&str] = &["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                see(path, name);
                let is_type = TYPES.contains(&name.as_str());
                walk(value, &if is_type { path.to_owned() } else { format!("{path}/{name}") }, see);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, path, see)),
        Value::String(text) => see(path, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
