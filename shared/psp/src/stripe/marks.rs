//! Our marks in the metadata of a PaymentIntent: which captures it has had, and for which operation.
//!
//! Stripe has no object for a capture, only the sum `amount_received`. With one capture the sum tells everything and
//! `collana_operation` says whose it is. With multicapture a later capture overwrites that mark, so each capture that leaves
//! something for later writes a mark of its own, with its amount; metadata of several requests are merged by Stripe. A
//! payment may have 50 metadata entries, as many as captures.
//!
//! Invariant: the marks only divide what Stripe says was received; they never add to it.

use super::wire::Metadata;
use domain::id::OperationReference;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The operation that wrote last; also on refunds, which are objects of their own.
pub(super) const OPERATION: &str = "collana_operation";
/// The void that released the rest of a partly captured payment.
pub(super) const VOID: &str = "collana_void";
const PART: &str = "collana_part_";

/// One capture: how much, in Stripe's units, and for which operation if it is one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Capture {
    pub(super) amount: i64,
    pub(super) operation: Option<String>,
    /// It has a mark of its own: others may have come after it.
    pub(super) is_part: bool,
}

/// The mark of a capture after which others may come. The key is a hash because keys end after 40 characters.
pub(super) fn part(operation: &OperationReference, amount: i64) -> (String, String) {
    let mut key = PART.to_owned();
    for byte in Sha256::digest(operation.as_str()).iter().take(8) {
        let _ = write!(key, "{byte:02x}");
    }
    (key, format!("{amount} {}", operation.as_str()))
}

/// What was received, divided into captures, oldest first. None if the marks say more than was received or cannot be read:
/// then nobody can tell what was captured for whom.
pub(super) fn captures(metadata: Option<&Metadata>, received: i64) -> Option<Vec<Capture>> {
    let mut captures = parts(metadata)?;
    let marked = captures.iter().try_fold(0i64, |sum, part| sum.checked_add(part.amount))?;
    let rest = received.checked_sub(marked).filter(|rest| *rest >= 0)?;
    if rest > 0 {
        let last = metadata.and_then(|metadata| metadata.get(OPERATION)).cloned();
        let is_marked = captures.iter().any(|part| part.operation == last);
        captures.push(Capture { amount: rest, operation: last.filter(|_| !is_marked), is_part: false });
    }
    Some(captures)
}

/// What was received by a capture of this operation alone, so far as the marks of others say.
pub(super) fn received_by(operation: &OperationReference, metadata: Option<&Metadata>, received: i64) -> Option<i64> {
    let others = parts(metadata)?.into_iter().filter(|part| part.operation.as_deref() != Some(operation.as_str()));
    others.map(|part| part.amount).try_fold(received, i64::checked_sub)
}

fn parts(metadata: Option<&Metadata>) -> Option<Vec<Capture>> {
    let marks = metadata.into_iter().flatten().filter(|(key, _)| key.starts_with(PART));
    let mut parts = marks.map(|(_, value)| read_part(value)).collect::<Option<Vec<_>>>()?;
    // References of one transaction end in ascending numbers, so a longer one is a later one.
    parts.sort_by_key(|part| part.operation.as_ref().map(|operation| (operation.len(), operation.clone())));
    Some(parts)
}

fn read_part(value: &str) -> Option<Capture> {
    let (amount, operation) = value.split_once(' ')?;
    let amount: i64 = amount.parse().ok()?;
    (amount > 0).then(|| Capture { amount, operation: Some(operation.to_owned()), is_part: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(last: Option<&str>, parts: &[(&str, i64)]) -> Metadata {
        let mut metadata: Metadata = parts.iter().map(|(name, amount)| part(&OperationReference::seen(name), *amount)).collect();
        metadata.insert("order_id".to_owned(), "10042".to_owned());
        metadata.extend(last.map(|last| (OPERATION.to_owned(), last.to_owned())));
        metadata
    }

    fn divided(last: Option<&str>, parts: &[(&str, i64)], received: i64) -> Option<Vec<(i64, Option<String>)>> {
        let captures = captures(Some(&metadata(last, parts)), received)?;
        Some(captures.into_iter().map(|capture| (capture.amount, capture.operation)).collect())
    }

    fn ours(amount: i64, name: &str) -> (i64, Option<String>) {
        (amount, Some(name.to_owned()))
    }

    #[test]
    fn one_capture_is_whose_the_last_mark_says() {
        assert_eq!(divided(Some("1-7-2"), &[], 4990), Some(vec![ours(4990, "1-7-2")]));
        assert_eq!(divided(None, &[], 4990), Some(vec![(4990, None)]));
        assert_eq!(divided(Some("1-7-2"), &[], 0), Some(vec![]));
        assert_eq!(captures(None, 4990), Some(vec![Capture { amount: 4990, operation: None, is_part: false }]));
    }

    #[test]
    fn several_captures_are_told_apart_by_their_own_marks() {
        let parts = [("1-7-12", 1500), ("1-7-4", 2000)];
        assert_eq!(divided(Some("1-7-12"), &parts, 3500), Some(vec![ours(2000, "1-7-4"), ours(1500, "1-7-12")]));
        let final_one = Some(vec![ours(2000, "1-7-4"), ours(1500, "1-7-12"), ours(490, "1-7-13")]);
        assert_eq!(divided(Some("1-7-13"), &parts, 3990), final_one);
    }

    #[test]
    fn what_no_mark_explains_is_nobodys() {
        assert_eq!(divided(Some("1-7-4"), &[("1-7-4", 2000)], 2500), Some(vec![ours(2000, "1-7-4"), (500, None)]));
    }

    #[test]
    fn marks_never_add_to_what_was_received() {
        assert_eq!(divided(Some("1-7-4"), &[("1-7-4", 2000)], 1999), None);
        assert_eq!(divided(None, &[("a", i64::MAX), ("b", i64::MAX)], 10), None);
        let mut broken = metadata(None, &[]);
        for value in ["", "2000", "x 1-7-4", "-5 1-7-4", "0 1-7-4"] {
            broken.insert(format!("{PART}1"), value.to_owned());
            assert_eq!(captures(Some(&broken), 5000), None, "{value:?}");
        }
    }

    #[test]
    fn a_mark_fits_into_metadata() {
        let (key, value) = part(&OperationReference::seen(&"9".repeat(60)), i64::MAX);
        assert!(key.len() <= 40 && value.len() <= 500, "{key}");
    }
}
