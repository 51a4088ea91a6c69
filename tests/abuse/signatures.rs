//! Webhooks that their PSP did not sign, not now, or not for this endpoint.

use crate::harness::config::{Config, quiet, webhook_secret};
use crate::harness::random::{Random, seed};
use crate::harness::webhook::{Webhook, event, now};
use crate::harness::{Answer, Api, Payment, Server, unique};
use crate::local_only;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const ACCOUNT: &str = "1-sandbox";
const PLACE: &str = "1/sandbox";

/// A payment that was under way when it was imported and is authorized by now: a webhook that counts makes it AUTHORIZED.
async fn to_be_told(api: &Api) -> (String, Payment) {
    let payment = api.payment_of(&json!({"amount": "49.90", "currency": "EUR", "status": "pending"})).await;
    let transaction = api.import(&payment).await.expect(201).header("location").to_owned();
    Answer::of(api.http.post(format!("{}/payments/{}/authorize", api.sandbox, payment.id))).await.expect(200);
    assert_eq!(api.get(&transaction).await.text("/state"), "PROCESSING");
    (transaction, payment)
}

/// All of these are refused with one body, and leave nothing behind: the genuine webhook of the same event is then the first.
async fn refused(webhooks: impl Fn(&Webhook) -> Vec<(&'static str, Webhook)>) {
    let (api, _psp): (Api, Server) = quiet().await;
    let (transaction, payment) = to_be_told(&api).await;
    let genuine = Webhook::signed(ACCOUNT, event("payment.authorized", &payment));
    let mut bodies = Vec::new();
    for (name, webhook) in webhooks(&genuine) {
        let answer = webhook.send(&api, PLACE).await;
        assert_eq!(answer.body["code"], "unauthenticated", "{name}: {answer}");
        bodies.push(answer.expect_problem(401, "unauthenticated").text);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    assert_eq!(api.get(&transaction).await.text("/state"), "PROCESSING");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), 1);

    genuine.send(&api, PLACE).await.expect(200);
    assert_eq!(api.get(&transaction).await.text("/state"), "AUTHORIZED");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), 2);
}

/// The same webhook, signed over this text with this key.
fn signed_over(webhook: &Webhook, key: &[u8], text: &str) -> Webhook {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(text.as_bytes());
    Webhook { signature: format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())), ..webhook.clone() }
}

#[tokio::test]
async fn a_forged_signature_is_refused_and_nothing_is_stored() {
    local_only!();
    refused(|genuine| {
        let secret = webhook_secret(ACCOUNT);
        let key = STANDARD.decode(&secret["whsec_".len()..]).expect("base64");
        let body = String::from_utf8(genuine.body.clone()).expect("text");
        let whole = format!("{}.{}.{body}", genuine.id, genuine.timestamp);
        let signature = |signature: &str| Webhook { signature: signature.to_owned(), ..genuine.clone() };
        let plain = genuine.signature.strip_prefix("v1,").expect("a signature of version 1");
        vec![
            ("another key", Webhook::signed_at(&webhook_secret("9-sandbox"), &genuine.id, now(), genuine.body.clone())),
            ("an empty key", signed_over(genuine, b"", &whole)),
            ("the secret as it is written", signed_over(genuine, secret.as_bytes(), &whole)),
            ("only the body is signed", signed_over(genuine, &key, &body)),
            ("no time is signed", signed_over(genuine, &key, &format!("{}.{body}", genuine.id))),
            ("no algorithm", signature("none,")),
            ("an algorithm named none", signature(&format!("none,{plain}"))),
            ("another version", signature(&format!("v2,{plain}"))),
            ("the public-key version", signature(&format!("v1a,{plain}"))),
            ("no version", signature(plain)),
            ("an empty signature", signature("v1,")),
            ("half a signature", signature(&genuine.signature[..genuine.signature.len() / 2])),
            (
                "a longer signature",
                signature(&format!("v1,{}", STANDARD.encode([STANDARD.decode(plain).expect("base64"), vec![0]].concat()))),
            ),
            ("hexadecimal", signature(&format!("v1,{}", "ab".repeat(32)))),
            ("a thousand signatures", signature(&vec!["v1,AAAA"; 1000].join(" "))),
            ("the genuine one behind a hundred others", signature(&format!("{} {}", vec!["v1,AAAA"; 100].join(" "), genuine.signature))),
        ]
    })
    .await;
}

#[tokio::test]
async fn a_webhook_without_one_of_its_headers_is_refused() {
    local_only!();
    refused(|genuine| {
        let none = String::new();
        vec![
            ("no id", Webhook { id: none.clone(), ..genuine.clone() }),
            ("no time", Webhook { timestamp: none.clone(), ..genuine.clone() }),
            ("no signature", Webhook { signature: none.clone(), ..genuine.clone() }),
            ("none of them", Webhook { id: none.clone(), timestamp: none.clone(), signature: none, ..genuine.clone() }),
            ("another id", Webhook { id: unique("msg"), ..genuine.clone() }),
            ("another time", Webhook { timestamp: (now() - 1).to_string(), ..genuine.clone() }),
        ]
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_is_old_or_from_the_future_is_refused() {
    local_only!();
    refused(|genuine| {
        let at = |seconds: i64| Webhook::signed_at(&webhook_secret(ACCOUNT), &genuine.id, now() + seconds, genuine.body.clone());
        let written = |timestamp: &str| Webhook { timestamp: timestamp.to_owned(), ..genuine.clone() };
        vec![
            ("301 seconds old", at(-301)),
            ("10 minutes old", at(-600)),
            ("30 days old", at(-30 * 86_400)),
            // Not 301: the clock is read again when it comes in.
            ("310 seconds ahead", at(310)),
            ("10 minutes ahead", at(600)),
            ("long ago", Webhook::signed_at(&webhook_secret(ACCOUNT), &genuine.id, 0, genuine.body.clone())),
            ("milliseconds", written(&format!("{}000", genuine.timestamp))),
            ("a fraction", written(&format!("{}.0", genuine.timestamp))),
            ("a sign", written(&format!("+{}", genuine.timestamp))),
            ("a word", written("now")),
            ("more than 64 bits", written("99999999999999999999")),
        ]
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_to_the_byte_is_refused() {
    local_only!();
    refused(|genuine| {
        let text = String::from_utf8(genuine.body.clone()).expect("text");
        let body = |body: String| Webhook { body: body.into_bytes(), ..genuine.clone() };
        let value: Value = serde_json::from_str(&text).expect("JSON");
        vec![
            ("one byte", body(text.replacen("authorized", "authorizee", 1))),
            ("one blank", body(text.replacen(':', ": ", 1))),
            ("written again", body(serde_json::to_string_pretty(&value).expect("JSON"))),
            ("another order", body(format!("{{\"data\":{},\"type\":{}}}", value["data"], value["type"]))),
            ("a line break at the end", body(format!("{text}\n"))),
            ("a byte order mark", body(format!("\u{feff}{text}"))),
            ("one byte less", body(text[..text.len() - 1].to_owned())),
            ("no body", body(String::new())),
        ]
    })
    .await;
}

/// One way of many to spoil a webhook: a bit of it, a part of it, its key or its time.
fn spoiled(genuine: &Webhook, random: &mut Random) -> (&'static str, Webhook) {
    let flipped = |text: &str, random: &mut Random| loop {
        let mut bytes = text.as_bytes().to_vec();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(7);
        // Anything else is no header, and is not even sent.
        if let Some(text) = String::from_utf8(bytes).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic())) {
            return text;
        }
    };
    let webhook = genuine.clone();
    match random.below(8) {
        0 => {
            let mut body = webhook.body;
            let at = random.below(body.len());
            body[at] ^= 1 << random.below(8);
            ("a bit of the body", Webhook { body, ..genuine.clone() })
        }
        1 => ("a bit of the id", Webhook { id: flipped(&webhook.id, random), ..webhook }),
        2 => ("a bit of the time", Webhook { timestamp: flipped(&webhook.timestamp, random), ..webhook }),
        3 => ("a bit of the signature", Webhook { signature: flipped(&webhook.signature, random), ..webhook }),
        4 => ("a truncated body", Webhook { body: webhook.body[..random.below(webhook.body.len())].to_vec(), ..webhook }),
        5 => (
            "a truncated signature",
            Webhook { signature: webhook.signature[..random.below(webhook.signature.len())].to_owned(), ..webhook },
        ),
        6 => {
            let secret = webhook_secret(&format!("{}-sandbox", random.next()));
            ("another key", Webhook::signed_at(&secret, &webhook.id, now(), webhook.body))
        }
        _ => {
            let age = 301 + i64::try_from(random.below(100_000_000)).expect("small");
            ("too old", Webhook::signed_at(&webhook_secret(ACCOUNT), &webhook.id, now() - age, webhook.body))
        }
    }
}

#[tokio::test]
async fn hundreds_of_forgeries_are_refused_and_nothing_is_stored() {
    local_only!();
    let seed = seed("FORGERIES_SEED");
    refused(|genuine| {
        let mut random = Random(seed);
        (0..300).map(|_| spoiled(genuine, &mut random)).collect()
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_a_little_off_is_forgiven() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = to_be_told(&api).await;
    for (seconds, state) in [(-290, "AUTHORIZED"), (290, "AUTHORIZED")] {
        let body = event("payment.authorized", &payment);
        Webhook::signed_at(&webhook_secret(ACCOUNT), &unique("msg"), now() + seconds, body).send(&api, PLACE).await.expect(200);
        assert_eq!(api.get(&transaction).await.text("/state"), state);
    }
}

#[tokio::test]
async fn while_secrets_are_rotated_both_count_and_no_third() {
    local_only!();
    let psp = Server::start(&["--sandbox-only"]).await;
    let sandbox = psp.ready["sandbox"].as_str().expect("where the sandbox is").to_owned();
    let [first, second, third, fourth] = ["new", "newer", "old", "oldest"].map(webhook_secret);
    let both = format!("{first} {second}");
    let credentials = [("webhookSecret", both.as_str()), ("previousWebhookSecret", third.as_str())];
    let api = Config::default().space(1).connection("sandbox", &[("baseUrl", &sandbox)], &credentials).start().await;
    let api = Api { sandbox, ..api };
    let (transaction, payment) = to_be_told(&api).await;
    let body = event("payment.authorized", &payment);
    Webhook::signed_at(&fourth, "msg_1", now(), body.clone()).send(&api, PLACE).await.expect_problem(401, "unauthenticated");
    for (secret, id) in [(&first, "msg_1"), (&second, "msg_2"), (&third, "msg_3")] {
        Webhook::signed_at(secret, id, now(), body.clone()).send(&api, PLACE).await.expect(200);
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), 4);
    assert_eq!(api.get(&transaction).await.text("/state"), "AUTHORIZED");
    // As the specification has it: one header, a signature with each key.
    let old = Webhook::signed_at(&fourth, "msg_4", now(), body.clone());
    let new = Webhook::signed_at(&first, "msg_4", now(), body);
    let two = Webhook { signature: format!("{} {}", old.signature, new.signature), ..new };
    two.send(&api, PLACE).await.expect(200);
}

#[tokio::test]
async fn a_webhook_for_another_space_or_connection_is_refused_like_a_forged_one() {
    local_only!();
    let config = Config::default().space(1).sandbox("sandbox").space(2).sandbox("sandbox").sandbox("second");
    let api = config.start().await;
    let (transaction, payment) = to_be_told_by_its_psp(&api).await;
    let webhook = Webhook::signed(ACCOUNT, event("payment.authorized", &payment));
    let forged =
        Webhook { signature: "v1,AAAA".to_owned(), ..webhook.clone() }.send(&api, PLACE).await.expect_problem(401, "unauthenticated");
    let places = ["2/sandbox", "2/second", "1/second", "3/sandbox", "0/sandbox", "-1/sandbox", "x/sandbox", "1/SANDBOX", "1/sand%23box"];
    for place in places {
        let answer = webhook.send(&api, place).await;
        assert_eq!((answer.status, &answer.text), (401, &forged.text), "{place}");
    }
    // Signed by the other space's PSP, it is a webhook of the other space, where nobody knows the payment.
    let before = (api.get(&transaction).await.body, api.at_sandbox(&payment).await.number("/calls/read"));
    Webhook::signed("2-sandbox", webhook.body.clone()).send(&api, "2/sandbox").await.expect(200);
    let after = (api.get(&transaction).await.body, api.at_sandbox(&payment).await.number("/calls/read"));
    assert_eq!(before, after);
    // Nothing was stored at the wrong places, under the event's id: at the right one it counts.
    webhook.send(&api, PLACE).await.expect(200);
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), before.1 + 1);
}

/// An imported payment whose own webhooks have all come in.
async fn to_be_told_by_its_psp(api: &Api) -> (String, Payment) {
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    (transaction, payment)
}
