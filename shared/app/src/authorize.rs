//! Who asks: from an API key to its space and scopes. An unknown id costs the same comparison as a known one, and every
//! failure is the same answer.

use crate::keys::{Presented, hash};
use crate::ports::Clock;
use crate::ports::settings::{ApiKey, ApiKeys};
use domain::id::SpaceId;
use domain::scope::Scope;
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
    let known = store.find_key(presented.id).await.map_err(|error| NotAuthorized::Unavailable(error.for_log()))?;
    match proven(known, presented.whole, |one, other| one.ct_eq(other).into()) {
        Some(key) if key.is_live(clock.now()) => Ok(Caller { space: key.space, key_id: key.id, scopes: key.scopes }),
        _ => Err(NotAuthorized::Unauthenticated),
    }
}

/// The key, if it is the one that was presented. Where there is none, nobody's hash is compared, so that the time tells nothing.
fn proven(known: Option<ApiKey>, presented: &str, equal: impl FnOnce(&[u8], &[u8]) -> bool) -> Option<ApiKey> {
    let nobodys = [0; 32];
    let is_equal = equal(&hash(presented), known.as_ref().map_or(&nobodys, |key| &key.hash));
    known.filter(|_| is_equal)
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use domain::id::ClientName;

    fn key(hash: Vec<u8>) -> ApiKey {
        ApiKey {
            id: "0123456789ab".to_owned(),
            hash,
            space: SpaceId::new(1).unwrap(),
            client: ClientName::parse("erp").unwrap(),
            scopes: vec![],
            created_on: Timestamp::from_seconds(0),
            expires_on: None,
            revoked_on: None,
        }
    }

    #[test]
    fn an_unknown_id_is_compared_like_a_wrong_secret() {
        for (known, is_proven) in [(None, false), (Some(key(hash("another"))), false), (Some(key(hash("this"))), true)] {
            let mut compared = Vec::new();
            let found = proven(known, "this", |one, other| {
                compared.push((one.len(), other.len()));
                one == other
            });
            assert_eq!((found.is_some(), compared), (is_proven, vec![(32, 32)]));
        }
    }

    #[test]
    fn only_a_bearer_token_is_looked_at() {
        for (header, token) in [("Bearer k", Some("k")), ("bEARER   k", Some("k")), ("Bearer", None), ("Basic k", None), ("k", None)] {
            assert_eq!(bearer(header), token, "{header}");
        }
    }
}
