//! The caller's own names and values: opaque to us, limited in number and size, never part of a key.

use crate::error::Refusal;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Default, PartialEq, Eq)]
pub struct MetaData(BTreeMap<String, String>);

impl MetaData {
    pub const MOST_KEYS: usize = 50;
    pub const LONGEST_KEY_CHARS: usize = 40;
    pub const LONGEST_VALUE_CHARS: usize = 500;
    pub const MOST_BYTES: usize = 16 * 1024;

    /// The refusal of more keys than `MOST_KEYS`, for readers that stop counting there.
    pub const TOO_MANY_KEYS: Refusal = Refusal::MetadataLimit { detail: "metaData has more than 50 keys" };

    pub fn new(entries: BTreeMap<String, String>) -> Result<Self, Refusal> {
        let limit = |detail| Err(Refusal::MetadataLimit { detail });
        if entries.len() > Self::MOST_KEYS {
            return Err(Self::TOO_MANY_KEYS);
        }
        entries.keys().try_for_each(|key| Self::check_key(key))?;
        if entries.values().any(|value| value.chars().count() > Self::LONGEST_VALUE_CHARS) {
            return limit("metaData has a value of more than 500 characters");
        }
        let bytes: usize = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > Self::MOST_BYTES { limit("metaData has more than 16 kB in all") } else { Ok(Self(entries)) }
    }

    /// Whether a key is as long as keys may be; for readers that are about to repeat it.
    pub fn check_key(key: &str) -> Result<(), Refusal> {
        if (1..=Self::LONGEST_KEY_CHARS).contains(&key.chars().count()) {
            return Ok(());
        }
        Err(Refusal::MetadataLimit { detail: "metaData has a key that is empty or has more than 40 characters" })
    }

    pub const fn entries(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

/// Nobody knows what merchants write there, so logs get only how much it is.
impl fmt::Debug for MetaData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} keys redacted]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta_data(keys: usize, key_chars: usize, value_chars: usize) -> Result<MetaData, Refusal> {
        let key = |n: usize| format!("{n:0key_chars$}");
        MetaData::new((0..keys).map(|n| (key(n), "\u{e4}".repeat(value_chars))).collect())
    }

    #[test]
    fn each_limit_is_reached_and_not_passed() {
        for (keys, key_chars, value_chars) in [(0, 1, 0), (50, 40, 100), (1, 40, 500), (16, 24, 500)] {
            assert!(meta_data(keys, key_chars, value_chars).is_ok(), "{keys} {key_chars} {value_chars}");
        }
        for (keys, key_chars, value_chars) in [(51, 2, 0), (1, 41, 0), (1, 1, 501), (16, 25, 500), (50, 40, 500)] {
            let refusal = meta_data(keys, key_chars, value_chars).map_err(|refusal| refusal.code());
            assert_eq!(refusal, Err("metadata-limit"), "{keys} {key_chars} {value_chars}");
        }
        assert!(MetaData::new(BTreeMap::from([(String::new(), String::new())])).is_err());
    }

    #[test]
    fn a_log_shows_neither_names_nor_values() {
        let secret = MetaData::new(BTreeMap::from([("pin".into(), "1234".into())])).unwrap();
        assert_eq!(format!("{secret:?}"), "[1 keys redacted]");
    }
}
