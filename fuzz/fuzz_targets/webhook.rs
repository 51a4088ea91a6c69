//! Webhooks: `stripe` or `sandbox`, headers, an empty line, and the body. In headers `{signature}` stands for the right signature of
//! the body, so that what lies around it is reached too.
//!
//! What the PSP has signed is an event, whatever it is. Nothing else ever is.
#![no_main]

use app::ports::psp::{RawWebhook, WebhookRefused};
use app::ports::{Psp, WebhookEvent};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use futures_util::FutureExt;
use fuzz::input::Part;
use fuzz::world::NOW;
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use psp::{Account, Secret};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::Sha256;
use std::sync::{Arc, LazyLock};

fuzz_target!(|input: &[u8]| {
    let part = Part::read(input);
    let signer = if part.words().next() == Some("stripe") { &*STRIPE } else { &*SANDBOX };
    let now = NOW.seconds();

    let genuine = signer.signed(now, SECRET, part.body);
    let event = signer.receive(genuine.clone()).expect("what was signed is an event");
    look_at(&event, part.body);
    for seconds in [now - 300, now + 300] {
        assert_eq!(signer.receive(signer.signed(seconds, SECRET, part.body)).as_ref(), Ok(&event));
    }

    let forged = Err(WebhookRefused::Forged);
    for seconds in [now - 301, now + 301] {
        assert_eq!(signer.receive(signer.signed(seconds, SECRET, part.body)), forged, "it is not of today");
    }
    assert_eq!(signer.receive(signer.signed(now, b"another secret", part.body)), forged);
    assert_eq!(signer.receive(RawWebhook { headers: vec![], ..genuine.clone() }), forged);
    let longer = [part.body, b" "].concat();
    assert_eq!(signer.receive(RawWebhook { body: longer, ..genuine.clone() }), forged);
    if !part.body.is_empty() {
        let mut body = part.body.to_vec();
        let at = body.iter().map(|byte| usize::from(*byte)).sum::<usize>() % body.len();
        body[at] ^= 1 << (body.len() % 8);
        assert_eq!(signer.receive(RawWebhook { body, ..genuine }), forged);
    }

    let told: Vec<_> = part.headers().collect();
    let is_signed = told.iter().any(|(_, value)| value.contains("{signature}"));
    let claimed = signer.receive(signer.claimed(&told, part.body));
    assert!(is_signed || claimed == forged, "taken without a signature");
    if let Ok(claimed) = claimed {
        assert_eq!((&claimed.kind, &claimed.references), (&event.kind, &event.references), "an event is what its body says");
    }
});

const SECRET: &[u8] = b"secret of the PSP";
static STRIPE: LazyLock<Signer> = LazyLock::new(Signer::stripe);
static SANDBOX: LazyLock<Signer> = LazyLock::new(Signer::sandbox);

/// A PSP, and how it signs.
struct Signer {
    psp: Arc<dyn Psp>,
    /// What is signed before the body, and the headers, with `{now}` and `{signature}` in their places.
    prefix: &'static str,
    headers: &'static [(&'static str, &'static str)],
    write: fn(&[u8]) -> String,
}

impl Signer {
    fn stripe() -> Self {
        Self {
            psp: open("stripe", Map::new(), &String::from_utf8_lossy(SECRET)),
            prefix: "{now}.",
            headers: &[("stripe-signature", "t={now},v1={signature}")],
            write: |mac| mac.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    fn sandbox() -> Self {
        let url = Value::from("http://127.0.0.1:1");
        Self {
            psp: open("sandbox", Map::from_iter([("baseUrl".to_owned(), url)]), &format!("whsec_{}", STANDARD.encode(SECRET))),
            prefix: "msg_1.{now}.",
            headers: &[("webhook-id", "msg_1"), ("webhook-timestamp", "{now}"), ("webhook-signature", "v1,{signature}")],
            write: |mac| STANDARD.encode(mac),
        }
    }

    /// A webhook as the PSP sends it.
    fn signed(&self, seconds: i64, secret: &[u8], body: &[u8]) -> RawWebhook {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
        mac.update(self.prefix.replace("{now}", &seconds.to_string()).as_bytes());
        mac.update(body);
        let signature = (self.write)(&mac.finalize().into_bytes());
        let filled = |text: &str| text.replace("{now}", &seconds.to_string()).replace("{signature}", &signature);
        RawWebhook { headers: self.headers.iter().map(|(name, value)| ((*name).to_owned(), filled(value))).collect(), body: body.to_vec() }
    }

    /// A webhook as a stranger sends it, who may know one right signature.
    fn claimed(&self, headers: &[(String, String)], body: &[u8]) -> RawWebhook {
        let genuine = self.signed(NOW.seconds(), SECRET, body);
        let (_, last) = genuine.headers.last().expect("the signature is the last header");
        let signature = last.trim_start_matches("v1,").rsplit("v1=").next().unwrap_or_default();
        let filled = |text: &str| text.replace("{now}", &NOW.seconds().to_string()).replace("{signature}", signature);
        RawWebhook { headers: headers.iter().map(|(name, value)| (name.clone(), filled(value))).collect(), body: body.to_vec() }
    }

    fn receive(&self, raw: RawWebhook) -> Result<WebhookEvent, WebhookRefused> {
        self.psp.webhook(&raw, Timestamp::from_seconds(NOW.seconds())).now_or_never().expect("nothing waits")
    }
}

fn open(psp: &str, settings: Map<String, Value>, webhook_secret: &str) -> Arc<dyn Psp> {
    let secrets = [("secretKey", "sk_test_1"), ("webhookSecret", webhook_secret)];
    let credentials = secrets.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    let account = Account { settings, credentials, allow_loopback: true };
    psp::open(psp, account, psp::http_client().expect("a client")).expect("the account is complete")
}

/// What is stored of an event, and becomes part of keys and lines of the log, is plain.
fn look_at(event: &WebhookEvent, body: &[u8]) {
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| (0x21..=0x7e).contains(&b));
    assert!(is_plain(&event.kind) && event.kind.len() <= 64, "kind {:?}", event.kind);
    assert!(event.id.as_deref().is_none_or(|id| is_plain(id) && id.len() <= 64), "id {:?}", event.id);
    assert!(event.references.iter().all(|reference| is_plain(reference.as_str()) && reference.as_str().len() <= 255));
    // Of what nobody looks at only the brackets have to be right, not the encoding of texts.
    let text = String::from_utf8_lossy(body);
    let is_json = serde_json::from_str::<&RawValue>(&text).is_ok_and(|json| json.get().starts_with(['{', '[']));
    assert!(is_json || !event.is_readable);
    assert!(event.is_readable || event.references.is_empty());
}
