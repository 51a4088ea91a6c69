//! Stripe's webhooks: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over "{t}.{body}".
//! <https://docs.stripe.com/webhooks#verify-manually>

use super::wire::Event;
use crate::outcome::is_code;
use crate::signature::{Claim, SigningKey, Verified, seconds, verify};
use app::ports::psp::RawWebhook;
use app::ports::{WebhookEvent, WebhookRefused};
use domain::Timestamp;
use domain::id::PspReference;
use serde_json::Value;

pub(super) fn receive(raw: &RawWebhook, keys: &[SigningKey], now: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
    let claim = claim(raw).ok_or(WebhookRefused::Forged)?;
    let verified = verify(claim, keys, now)?;
    Ok(parse(&verified))
}

fn claim(raw: &RawWebhook) -> Option<Claim<'_>> {
    let parts: Vec<_> = raw.header("stripe-signature")?.split(',').filter_map(|part| part.split_once('=')).collect();
    let timestamp = parts.iter().find(|(name, _)| *name == "t").map(|(_, value)| *value)?;
    Some(Claim {
        prefix: format!("{timestamp}."),
        body: &raw.body,
        signed_on: seconds(timestamp)?,
        // Of other schemes `v0` is Stripe's fake signature for tests: only v1 counts.
        signatures: parts.iter().filter(|(name, _)| *name == "v1").filter_map(|(_, value)| hex(value)).collect(),
    })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let digits = digits.collect::<Option<Vec<u8>>>()?;
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// What was signed is an event even if its body is not what we know.
fn parse(verified: &Verified<'_>) -> WebhookEvent {
    let Ok(event) = serde_json::from_slice::<Event>(verified.body()) else {
        return WebhookEvent { id: None, kind: "unknown".to_owned(), references: vec![], is_readable: false };
    };
    let object = event.data.and_then(|data| data.object).unwrap_or_default();
    WebhookEvent {
        is_readable: true,
        references: references(&event.kind, &object),
        id: Some(event.id).filter(|id| is_code(id)),
        kind: Some(event.kind).filter(|kind| is_code(kind)).unwrap_or_else(|| "unknown".to_owned()),
    }
}

/// The ids by which the payment may be known, the canonical one first.
fn references(kind: &str, object: &Value) -> Vec<PspReference> {
    let is_about_a_payment = ["payment_intent.", "charge.", "refund.", "checkout.session."].iter().any(|prefix| kind.starts_with(prefix));
    if !is_about_a_payment {
        return vec![];
    }
    let is_payment = |id: &&str| ["pi_", "ch_", "py_", "cs_"].iter().any(|prefix| id.starts_with(prefix));
    let ids = [id_of(&object["payment_intent"]), id_of(&object["charge"]), id_of(object)];
    ids.into_iter().flatten().filter(is_payment).filter_map(PspReference::parse).collect()
}

/// An object is named by its id or stands there itself.
fn id_of(object: &Value) -> Option<&str> {
    object.as_str().or_else(|| object["id"].as_str())
}
