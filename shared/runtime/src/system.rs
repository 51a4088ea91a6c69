//! The machine's clock and randomness, behind the ports.

use app::ports::{Clock, Source};
use domain::time::{Span, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, span: Span) {
        tokio::time::sleep(Duration::from_millis(u64::try_from(span.millis()).unwrap_or(0))).await;
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSource;

impl Source for SystemSource {
    fn number(&self) -> u64 {
        u64::from_ne_bytes(random())
    }

    fn unique(&self) -> String {
        let mut bytes: [u8; 16] = random();
        // RFC 9562, section 5.4: version 4, variant 10.
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

#[expect(clippy::disallowed_methods, clippy::panic, reason = "the one place that draws randomness; without any, no key and no id is safe")]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes,
        Err(error) => panic!("the system gives no randomness: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_names_are_version_four_uuids() {
        let names: std::collections::BTreeSet<_> = (0..1000).map(|_| SystemSource.unique()).collect();
        assert_eq!(names.len(), 1000);
        for name in names {
            assert!(name.len() == 36 && &name[14..15] == "4" && "89ab".contains(&name[19..20]), "{name}");
        }
    }
}
