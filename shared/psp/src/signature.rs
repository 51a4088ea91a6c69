//! HMAC-SHA256 signatures of webhooks. Only `verify` makes a `Verified`, and only a `Verified` can be parsed.
//!
//! Invariant: the bytes that are parsed are the bytes that were signed, never a copy that was written again.

use app::ports::WebhookRefused;
use domain::Timestamp;
use domain::time::Span;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How far the clock of the signature may be from ours, in either direction.
const TOLERANCE: Span = Span::from_seconds(300);
/// Rotation needs two; more than this is an attempt to make us compute.
const MOST_SIGNATURES: usize = 16;

/// A key that the PSP signs with.
pub(crate) struct SigningKey(Vec<u8>);

impl SigningKey {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }
}

/// What a webhook claims: this was signed then, with these signatures. The signed text is the prefix followed by the body.
pub(crate) struct Claim<'a> {
    pub(crate) prefix: String,
    pub(crate) body: &'a [u8],
    pub(crate) signed_on: Timestamp,
    pub(crate) signatures: Vec<Vec<u8>>,
}

/// The raw body of a webhook that the PSP has signed, not long ago.
pub(crate) struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    pub(crate) fn body(&self) -> &'a [u8] {
        self.0
    }
}

/// Accepts a claim if one of its signatures was made with one of the keys. Takes the same time whichever fails.
pub(crate) fn verify<'a>(claim: Claim<'a>, keys: &[SigningKey], now: Timestamp) -> Result<Verified<'a>, WebhookRefused> {
    let mut matches = subtle::Choice::from(0);
    for key in keys {
        let expected = sign(key, &claim)?;
        for signature in claim.signatures.iter().take(MOST_SIGNATURES) {
            matches |= expected.as_slice().ct_eq(signature);
        }
    }
    let is_recent = now.since(claim.signed_on).millis().unsigned_abs() <= TOLERANCE.millis().unsigned_abs();
    if bool::from(matches) && is_recent { Ok(Verified(claim.body)) } else { Err(WebhookRefused::Forged) }
}

fn sign(key: &SigningKey, claim: &Claim<'_>) -> Result<Vec<u8>, WebhookRefused> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).map_err(|_| WebhookRefused::Forged)?;
    mac.update(claim.prefix.as_bytes());
    mac.update(claim.body);
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Seconds since 1970 as the header has them: digits alone.
pub(crate) fn seconds(text: &str) -> Option<Timestamp> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().map(Timestamp::from_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2: key "Jefe", text "what do ya want for nothing?".
    const RFC_4231: [u8; 32] = [
        0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
        0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
    ];

    fn check(keys: &[&str], signatures: &[&[u8]], body: &str, signed_on: i64, now: i64) -> bool {
        let claim = Claim {
            prefix: "what do ya ".to_owned(),
            body: body.as_bytes(),
            signed_on: Timestamp::from_seconds(signed_on),
            signatures: signatures.iter().map(|signature| signature.to_vec()).collect(),
        };
        let keys: Vec<_> = keys.iter().map(|key| SigningKey::new(*key)).collect();
        verify(claim, &keys, Timestamp::from_seconds(now)).is_ok_and(|verified| verified.body() == body.as_bytes())
    }

    #[test]
    fn any_of_several_signatures_and_keys_may_match() {
        let body = "want for nothing?";
        assert!(check(&["Jefe"], &[&RFC_4231], body, 0, 0));
        assert!(check(&["new", "Jefe"], &[b"other", &RFC_4231], body, 0, 0));
        assert!(!check(&["new"], &[&RFC_4231], body, 0, 0));
        assert!(!check(&["Jefe"], &[&RFC_4231], "want for nothing!", 0, 0));
        assert!(!check(&["Jefe"], &[&RFC_4231[..31]], body, 0, 0));
        assert!(!check(&["Jefe"], &[&[]], body, 0, 0));
        assert!(!check(&["Jefe"], &[], body, 0, 0));
        assert!(!check(&[], &[&RFC_4231], body, 0, 0));
    }

    #[test]
    fn a_signature_is_valid_for_five_minutes_before_and_after() {
        let at = |now| check(&["Jefe"], &[&RFC_4231], "want for nothing?", 1_000_000, now);
        assert!(at(1_000_300) && at(999_700));
        assert!(!at(1_000_301) && !at(999_699) && !at(1_004_000) && !at(i64::MAX) && !at(i64::MIN));
    }

    #[test]
    fn a_time_is_digits_alone() {
        assert_eq!(seconds("1492774577"), Some(Timestamp::from_seconds(1_492_774_577)));
        for text in ["", "-1", "+1", "1.5", " 1", "1e3", "9999999999999", "\u{661}"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
