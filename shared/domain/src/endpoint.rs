//! Endpoints: where a space's ERP or shop is told what happened. Which address may be told at all is a rule, and stands here.

use crate::named::named;

named! {
    /// How a notification is sent.
    EndpointKind {
        StandardWebhooks = "standard-webhooks",
        BusinessCentral = "business-central",
    }
}

named! {
    /// What counts as the ERP having processed the notification of an import.
    Acknowledgement {
        On2xx = "on-2xx",
        Explicit = "explicit",
    }
}

impl EndpointKind {
    /// What counts where the endpoint does not say.
    pub const fn acknowledgement(self) -> Acknowledgement {
        match self {
            EndpointKind::BusinessCentral => Acknowledgement::On2xx,
            EndpointKind::StandardWebhooks => Acknowledgement::Explicit,
        }
    }
}

/// An address that notifications may be sent to: https on port 443 of a public name. Where the name leads is checked again
/// when it is used, because a name can be pointed elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl(String);

const LONGEST_URL: usize = 1000;

/// Names that never lead to somebody else's machine.
const PRIVATE_NAMES: &[&str] = &["localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "arpa"];

impl EndpointUrl {
    /// With `allow_loopback` also plain http on this machine, for the dev server and emulators.
    pub fn parse(text: &str, allow_loopback: bool) -> Option<Self> {
        let fits = text.len() <= LONGEST_URL && text.bytes().all(|b| (0x21..=0x7e).contains(&b)) && !text.contains(['#', '\\', '@']);
        let is_allowed = fits && (is_public(text) || allow_loopback && is_loopback(text));
        is_allowed.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_public(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let authority = authority(rest);
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    let labels: Vec<_> = host.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !label.starts_with('-')
    };
    let last = labels.last().copied().unwrap_or_default().to_ascii_lowercase();
    // A last label without a letter first is how addresses are written: decimal, dotted, hexadecimal.
    let is_name = last.starts_with(|c: char| c.is_ascii_alphabetic()) && !PRIVATE_NAMES.contains(&last.as_str());
    labels.len() >= 2 && host.len() <= 253 && labels.iter().all(is_label) && is_name
}

fn is_loopback(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let authority = authority(rest);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    matches!(host, "127.0.0.1" | "[::1]" | "localhost") && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// What stands between the scheme and the path.
fn authority(rest: &str) -> &str {
    rest.split(['/', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_public_name_over_https() {
        for text in ["https://erp.example.com", "https://erp.example.com:443/hook?x=1", "https://ERP.Example.Com/a/b", "https://x-1.io/"] {
            assert_eq!(EndpointUrl::parse(text, false).as_ref().map(EndpointUrl::as_str), Some(text));
        }
        let long = format!("https://erp.example.com/{}", "x".repeat(1000));
        for text in [
            "",
            "erp.example.com",
            "http://erp.example.com",
            "https://",
            "https://localhost/",
            "https://erp/",
            "https://erp.local/",
            "https://db.internal",
            "https://127.0.0.1:9001/",
            "https://169.254.169.254/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0x7f.0x0.0x0.0x1/",
            "https://1.0x7f000001",
            "https://user:pw@h.example/",
            "https://erp.example.com:22/",
            "https://erp.example.com:443:443/",
            "https://erp..example.com/",
            "https://-erp.example.com/",
            "https://erp.example.com/a b",
            "https://erp.example.com/#x",
            "https://erp.example.com\\@evil.example/",
            "https://\u{e4}.example/",
            "ftp://erp.example.com/",
            &long,
        ] {
            assert!(EndpointUrl::parse(text, true).is_none(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_an_address_only_where_that_is_allowed() {
        for text in ["http://127.0.0.1:9001/", "http://localhost/hook", "http://[::1]:80"] {
            assert!(EndpointUrl::parse(text, true).is_some() && EndpointUrl::parse(text, false).is_none(), "{text}");
        }
        for text in ["http://127.0.0.1:0/", "http://127.0.0.1.example.com/", "http://10.0.0.1/", "https://127.0.0.1/"] {
            assert!(EndpointUrl::parse(text, true).is_none(), "{text}");
        }
    }
}
