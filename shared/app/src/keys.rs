//! API keys: what one looks like, and how one is made.
//!
//! A key is `cp_<test|live>_<id>_<secret>_<checksum>`: the id finds the record, the secret (256 bits) proves the holder, the
//! checksum lets a scanner or a typing mistake be recognised without asking us. Stored is the SHA-256 of the whole key.

use crate::ports::settings::{ApiKey, Configure};
use crate::ports::store::StoreError;
use crate::ports::{Clock, Source};
use domain::id::{ClientName, SpaceId};
use domain::scope::Scope;
use domain::time::Timestamp;
use sha2::{Digest, Sha256};

/// What a key is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    pub space: SpaceId,
    pub client: ClientName,
    pub scopes: Vec<Scope>,
    pub expires_on: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotIssued {
    /// The client has as many live keys as it may: one in use, one to change over to. Their ids.
    TooMany(Vec<String>),
    Store(StoreError),
}

/// Live keys of one client: one in use, one to change over to.
const LIVE_KEYS: usize = 2;

/// Makes and stores a new key: its record, and the key itself, which is shown once and kept by nobody.
pub async fn issue<S: Configure, K: Clock, R: Source>(
    store: &S,
    clock: &K,
    source: &R,
    purpose: Purpose,
    live: bool,
) -> Result<(ApiKey, String), NotIssued> {
    let now = clock.now();
    let keys = store.list_keys(purpose.space).await.map_err(NotIssued::Store)?;
    let theirs = keys.into_iter().filter(|key| key.client == purpose.client && key.is_live(now));
    let theirs: Vec<_> = theirs.map(|key| key.id).collect();
    if theirs.len() >= LIVE_KEYS {
        return Err(NotIssued::TooMany(theirs));
    }
    let (record, key) = make(source, now, purpose, live);
    store.put_key(&record).await.map_err(NotIssued::Store)?;
    Ok((record, key))
}

/// A new key that is not stored yet.
pub fn make<R: Source>(source: &R, now: Timestamp, purpose: Purpose, live: bool) -> (ApiKey, String) {
    let id = format!("{:012x}", source.number() & 0xffff_ffff_ffff);
    let secret: String = (0..4).map(|_| format!("{:016x}", source.number())).collect();
    let body = format!("cp_{}_{id}_{secret}", if live { "live" } else { "test" });
    let key = format!("{body}_{}", checksum(&body));
    (record(&key, id, now, purpose), key)
}

/// The record of a key that was made before, as a settings file may name one.
pub fn adopt(key: &str, now: Timestamp, purpose: Purpose) -> Option<ApiKey> {
    let presented = Presented::parse(key)?;
    Some(record(key, presented.id.to_owned(), now, purpose))
}

fn record(key: &str, id: String, now: Timestamp, purpose: Purpose) -> ApiKey {
    let Purpose { space, client, scopes, expires_on } = purpose;
    ApiKey { id, hash: hash(key), space, client, scopes, created_on: now, expires_on, revoked_on: None }
}

/// A key of the right form, which proves nothing yet.
pub(crate) struct Presented<'a> {
    pub whole: &'a str,
    pub id: &'a str,
}

impl<'a> Presented<'a> {
    pub fn parse(key: &'a str) -> Option<Self> {
        let (body, sum) = key.rsplit_once('_')?;
        let [prefix, environment, id, secret] = body.split('_').collect::<Vec<_>>().try_into().ok()?;
        let is_hex =
            |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let well_formed = prefix == "cp" && matches!(environment, "test" | "live") && is_hex(id, 12) && is_hex(secret, 64);
        (well_formed && sum == checksum(body)).then_some(Self { whole: key, id })
    }
}

pub(crate) fn hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

/// Eight hexadecimal digits of the hash of what stands before it.
fn checksum(body: &str) -> String {
    Sha256::digest(body.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
