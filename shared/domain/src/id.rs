//! Names of things, checked once where they come in: whoever holds one of these types needs no second look.

use crate::time::Timestamp;
use std::fmt;

/// A space: one customer of an installation; owns everything that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpaceId(u64);

/// A transaction. Positive and below 2^53, so that JavaScript and Business Central hold it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(u64);

/// An operation: the version of the transaction that created it, hence unique in its transaction and ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(u64);

const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// A positive integer in plain decimal digits, at most 2^53 - 1; anything else is no id.
fn parse_positive(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 16 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    let number = plain.then(|| text.parse().ok()).flatten()?;
    (number <= LARGEST_EXACT).then_some(number)
}

macro_rules! positive_id {
    ($name:ident) => {
        impl $name {
            pub const fn new(number: u64) -> Option<Self> {
                if number > 0 && number <= LARGEST_EXACT { Some(Self(number)) } else { None }
            }

            pub fn parse(text: &str) -> Option<Self> {
                parse_positive(text).map(Self)
            }

            pub const fn number(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

positive_id!(SpaceId);
positive_id!(TransactionId);
positive_id!(OperationId);

impl TransactionId {
    /// 2026-01-01T00:00:00Z.
    const EPOCH_MILLIS: i64 = 1_767_225_600_000;

    /// Milliseconds since 2026 in the high 41 bits, 12 random bits below: sorted by time, and a collision is refused by the
    /// conditional put and drawn again.
    pub fn draw(now: Timestamp, random: u64) -> Self {
        Self::earliest_at(now).map_or(Self(1), |first| Self(first.0 | (random & 0xfff)))
    }

    /// The smallest id of that millisecond: the border for a search by creation time.
    pub fn earliest_at(moment: Timestamp) -> Option<Self> {
        let millis = u64::try_from(moment.millis().checked_sub(Self::EPOCH_MILLIS)?).ok()?;
        Self::new(millis.checked_mul(1 << 12)?)
    }
}

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Option<Self> {
                let allowed: fn(&str) -> bool = $allowed;
                allowed(text).then(|| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn printable_ascii(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

/// What operators name things with: lower case letters, digits and hyphens.
fn is_plain_name(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

text_name!(
    /// A connection: one PSP account of a space.
    ConnectionName,
    is_plain_name
);
text_name!(
    /// An endpoint: where one of a space's systems is notified.
    EndpointName,
    is_plain_name
);
text_name!(
    /// A client: the program or partner that an API key was made for.
    ClientName,
    is_plain_name
);
text_name!(
    /// The PSP's id of one thing: a payment, a capture, a refund. Opaque; never taken apart outside its adapter.
    PspReference,
    |text| printable_ascii(text, 255) && !text.contains(' ')
);
text_name!(
    /// The caller's own reference: the order number on a transaction, the document number on an operation.
    MerchantReference,
    |text| printable_ascii(text, 100)
);
text_name!(
    /// The caller's name for one command; the same command under the same key happens once.
    IdempotencyKey,
    |text| printable_ascii(text, 100)
);

/// What we tell the PSP as our reference of an operation, and recognise when we read the payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationReference(String);

impl OperationReference {
    pub fn new(space: SpaceId, transaction: TransactionId, operation: OperationId) -> Self {
        Self(format!("{space}-{transaction}-{operation}"))
    }

    /// A text that a PSP gave back; it is ours if it equals the reference of one of our operations.
    pub fn seen(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_positive_integers_below_two_to_the_53() {
        assert_eq!(TransactionId::parse("9007199254740991").map(TransactionId::number), Some(9_007_199_254_740_991));
        for text in [
            "",
            "0",
            "-1",
            "1.0",
            "01",
            "9007199254740992",
            "9007199254740993",
            "99999999999999999999",
            "../../x",
            "1; DROP",
            "S#1",
            "\u{661}",
            "1 ",
        ] {
            assert_eq!(TransactionId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn ids_ascend_with_time_and_stay_exact_until_2095() {
        let at = |millis| Timestamp::from_millis(millis);
        let early = TransactionId::draw(at(1_767_225_600_001), u64::MAX);
        let later = TransactionId::draw(at(1_767_225_600_002), 0);
        assert!(early < later);
        let in_2095 = TransactionId::draw(at(3_960_000_000_000), u64::MAX);
        assert!(in_2095.number() <= LARGEST_EXACT);
        assert_eq!(TransactionId::draw(at(0), 7).number(), 1);
    }

    #[test]
    fn a_reference_is_printable_ascii_of_a_length() {
        for (longest, parse) in [
            (255, (|text| PspReference::parse(text).is_some()) as fn(&str) -> bool),
            (100, |text| MerchantReference::parse(text).is_some()),
            (100, |text| IdempotencyKey::parse(text).is_some()),
        ] {
            assert!(parse("~") && parse(&"x".repeat(longest)));
            for text in ["", "\u{e4}", "a\u{7f}", "a\nb", "\0", &"x".repeat(longest + 1)] {
                assert!(!parse(text), "{text:?}");
            }
        }
        assert!(MerchantReference::parse("INV 1").is_some() && PspReference::parse("pi 1").is_none());
    }

    #[test]
    fn an_operation_is_told_to_the_psp_by_all_its_numbers() {
        let (space, transaction) = (SpaceId::new(1).expect("an id"), TransactionId::new(20).expect("an id"));
        let reference = OperationReference::new(space, transaction, OperationId::new(3).expect("an id"));
        assert_eq!((reference.as_str(), &reference), ("1-20-3", &OperationReference::seen("1-20-3")));
    }

    #[test]
    fn a_connection_name_is_lower_case_letters_digits_and_hyphens() {
        assert!(ConnectionName::parse("stripe-2").is_some());
        for text in ["", "Stripe", "a#b", "a/b", "\u{e4}", &"a".repeat(41)] {
            assert!(ConnectionName::parse(text).is_none(), "{text:?}");
        }
    }
}
