//! The sandbox's webhooks, signed as Standard Webhooks says: HMAC-SHA256 over "{id}.{timestamp}.{body}", in base64.

use super::wire::Event;
use crate::outcome::is_code;
use crate::signature::{Claim, SigningKey, Verified, seconds, verify};
use app::ports::psp::RawWebhook;
use app::ports::{WebhookEvent, WebhookRefused};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::id::PspReference;

pub(super) fn receive(raw: &RawWebhook, keys: &[SigningKey], now: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
    let id = raw.header("webhook-id").ok_or(WebhookRefused::Forged)?;
    let claim = claim(id, raw).ok_or(WebhookRefused::Forged)?;
    let verified = verify(claim, keys, now)?;
    Ok(parse(id, &verified))
}

fn claim<'a>(id: &str, raw: &'a RawWebhook) -> Option<Claim<'a>> {
    let timestamp = raw.header("webhook-timestamp")?;
    let signatures = raw.header("webhook-signature")?.split(' ');
    Some(Claim {
        prefix: format!("{id}.{timestamp}."),
        body: &raw.body,
        signed_on: seconds(timestamp)?,
        signatures: signatures.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok()).collect(),
    })
}

/// What was signed is an event even if its body is not what we know.
fn parse(id: &str, verified: &Verified<'_>) -> WebhookEvent {
    let event: Option<Event> = serde_json::from_slice(verified.body()).ok();
    let payment = event.as_ref().and_then(|event| event.data.as_ref()?.payment_id.as_deref());
    WebhookEvent {
        is_readable: event.is_some(),
        id: is_code(id).then(|| id.to_owned()),
        references: payment.and_then(PspReference::parse).into_iter().collect(),
        kind: event.map(|event| event.kind).filter(|kind| is_code(kind)).unwrap_or_else(|| "unknown".to_owned()),
    }
}
