//! Who asks: from an API key to its space and scopes.
//!
//! A key is `cp_<test|live>_<id>_<secret>_<checksum>`: the id finds the record, the secret (256 bits) proves the holder, the
//! checksum lets a scanner or a typing mistake be recognised without asking us. Stored is the SHA-256 of the whole key; an
//! unknown id costs the same comparison as a known one. Every failure is the same answer.

use crate::ports::settings::{ApiKey, ApiKeys};
use crate::ports::store::StoreError;
use crate::ports::{Clock, Source};
use domain::id::SpaceId;
use domain::scope::Scope;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The holder of a valid key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub space: SpaceId,
    pub key_id: String,
    pub scopes: Vec<Scope>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAuthorized {
    /// No key, or not a valid one: malformed, unknown, expired or revoked.
    Unauthenticated,
    /// The table could not be read.
    Unavailable(String),
}

/// Finds out who asks from the header `Authorization`.
pub async fn authorize<S: ApiKeys, K: Clock>(store: &S, clock: &K, authorization: Option<&str>) -> Result<Caller, NotAuthorized> {
    let presented = authorization.and_then(bearer).and_then(Presented::parse).ok_or(NotAuthorized::Unauthenticated)?;
    let known = store.find_key(presented.id).await.map_err(|error| match error {
        StoreError::Unavailable(detail) => NotAuthorized::Unavailable(detail),
        StoreError::Inconsistent { item, attribute } => NotAuthorized::Unavailable(format!("item {item}: attribute {attribute}")),
    })?;
    let nobody = [0u8; 32];
    let expected = known.as_ref().map_or(nobody.as_slice(), |key| &key.hash);
    let matches: bool = hash(presented.whole).as_slice().ct_eq(expected).into();
    match known {
        Some(key) if matches && is_valid(&key, clock) => Ok(Caller { space: key.space, key_id: key.id, scopes: key.scopes }),
        _ => Err(NotAuthorized::Unauthenticated),
    }
}

/// Makes a new key: the record to store, and the key itself, which is shown once and kept by nobody.
pub fn issue<R: Source>(source: &R, space: SpaceId, scopes: &[Scope], live: bool) -> (ApiKey, String) {
    let id = format!("{:012x}", source.number() & 0xffff_ffff_ffff);
    let secret: String = (0..4).map(|_| format!("{:016x}", source.number())).collect();
    let body = format!("cp_{}_{id}_{secret}", if live { "live" } else { "test" });
    let key = format!("{body}_{}", checksum(&body));
    (record(&key, id, space, scopes), key)
}

/// The record of a key that was made before, as a configuration file may name one.
pub fn adopt(key: &str, space: SpaceId, scopes: &[Scope]) -> Option<ApiKey> {
    let presented = Presented::parse(key)?;
    Some(record(key, presented.id.to_owned(), space, scopes))
}

fn record(key: &str, id: String, space: SpaceId, scopes: &[Scope]) -> ApiKey {
    ApiKey { id, hash: hash(key), space, scopes: scopes.to_vec(), expires_on: None, revoked_on: None }
}

fn is_valid<K: Clock>(key: &ApiKey, clock: &K) -> bool {
    key.revoked_on.is_none() && key.expires_on.is_none_or(|expiry| clock.now() < expiry)
}

struct Presented<'a> {
    whole: &'a str,
    id: &'a str,
}

impl<'a> Presented<'a> {
    fn parse(key: &'a str) -> Option<Self> {
        let (body, sum) = key.rsplit_once('_')?;
        let [prefix, environment, id, secret] = body.split('_').collect::<Vec<_>>().try_into().ok()?;
        let is_hex =
            |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let well_formed = prefix == "cp" && matches!(environment, "test" | "live") && is_hex(id, 12) && is_hex(secret, 64);
        (well_formed && sum == checksum(body)).then_some(Self { whole: key, id })
    }
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

fn hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

/// Eight hexadecimal digits of the hash of what stands before it.
fn checksum(body: &str) -> String {
    Sha256::digest(body.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
