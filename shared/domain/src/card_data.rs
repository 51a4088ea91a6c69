//! Recognises card numbers in text that is about to be stored. We hold no card data, so such text is refused.
//!
//! A guard against accidents, not against people who want to get a number through. It must leave alone what ERPs and shops
//! really send: order numbers, article numbers, telephone numbers, IBANs. Hence a number counts only if a card scheme gives
//! out numbers of that beginning *and* that length, and its check digit (Luhn) is right. Digits may stand in groups, with one
//! blank or hyphen between them.
//!
//! Thirteen digits are the narrow case: the old form of Visa looks like an article number (EAN-13) of Germany or Japan, so
//! a number that is a valid EAN-13 is let through. So are numbers after a plus sign (telephone), the groups of an IBAN, and
//! the digits of UUIDs and hashes, which contain every number sooner or later.

use std::ops::RangeInclusive;

/// Whether a number of a payment card stands anywhere in the text.
pub fn contains_card_number(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    digit_runs(&characters).iter().any(|run| run.has_card_number() && !is_hexadecimal_word(&characters, run.begin))
}

/// Digits in groups with a single separator between them, as long as possible.
struct Run {
    /// The place of its first digit.
    begin: usize,
    groups: Vec<Vec<u8>>,
    follows_plus: bool,
    /// The two characters before are letters, as the country of an IBAN.
    follows_letters: bool,
}

impl Run {
    fn has_card_number(&self) -> bool {
        let is_iban = self.follows_letters && self.groups[0].len() == 2;
        !is_iban && (0..self.groups.len()).any(|start| self.has_card_number_from(start))
    }

    /// Whether one or more groups from this one on make a card number; a card number never begins or ends within a group.
    fn has_card_number_from(&self, start: usize) -> bool {
        let is_telephone = self.follows_plus && start == 0;
        let mut number = Vec::new();
        for group in &self.groups[start..] {
            number.extend(group);
            if number.len() > LONGEST {
                return false;
            }
            if !is_telephone && is_card_number(&number) {
                return true;
            }
        }
        false
    }
}

fn digit_runs(characters: &[char]) -> Vec<Run> {
    let digit = |at: usize| characters.get(at).and_then(|c| c.to_digit(10)).and_then(|d| u8::try_from(d).ok());
    let mut runs = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        if digit(at).is_none() {
            at += 1;
            continue;
        }
        let before = |n: usize| at.checked_sub(n).and_then(|i| characters.get(i));
        let follows_plus = before(1) == Some(&'+');
        let follows_letters = (1..=2).all(|n| before(n).is_some_and(char::is_ascii_alphabetic));
        let begin = at;
        let mut groups = vec![Vec::new()];
        while let Some(value) = digit(at) {
            if let Some(group) = groups.last_mut() {
                group.push(value);
            }
            at += 1;
            if characters.get(at).is_some_and(|c| SEPARATORS.contains(c)) && digit(at + 1).is_some() {
                groups.push(Vec::new());
                at += 1;
            }
        }
        runs.push(Run { begin, groups, follows_plus, follows_letters });
    }
    runs
}

/// Whether the word around this place is as long as a UUID and has letters, all of them hexadecimal. No further than a long
/// hash reaches is looked at, so that a long text costs little.
fn is_hexadecimal_word(characters: &[char], at: usize) -> bool {
    let is_part = |c: &&char| c.is_ascii_alphanumeric() || **c == '-';
    let (before, after) = characters.split_at(at);
    let (before, after) = (before.iter().rev().take(128), after.iter().take(128));
    let word = || before.clone().take_while(is_part).chain(after.clone().take_while(is_part)).filter(|c| **c != '-');
    word().count() >= 32 && word().all(char::is_ascii_hexdigit) && word().any(char::is_ascii_alphabetic)
}

fn is_card_number(digits: &[u8]) -> bool {
    (SHORTEST..=LONGEST).contains(&digits.len()) && is_issued(digits) && has_luhn_digit(digits) && !is_article_number(digits)
}

/// Whether a scheme gives out numbers that begin like this one and are as long.
fn is_issued(digits: &[u8]) -> bool {
    let beginning = digits.iter().take(4).fold(0, |number, digit| number * 10 + u16::from(*digit));
    ISSUED.iter().any(|(beginnings, lengths)| beginnings.contains(&beginning) && lengths.contains(&digits.len()))
}

/// The check digit of cards: every second digit from the right is doubled, the sum ends in zero.
fn has_luhn_digit(digits: &[u8]) -> bool {
    let worth = |(place, digit): (usize, &u8)| match digit * 2 {
        _ if place % 2 == 0 => u32::from(*digit),
        doubled if doubled > 9 => u32::from(doubled - 9),
        doubled => u32::from(doubled),
    };
    digits.iter().rev().enumerate().map(worth).sum::<u32>().is_multiple_of(10)
}

/// A valid EAN-13: every second digit from the right counts three times, the sum ends in zero.
fn is_article_number(digits: &[u8]) -> bool {
    let worth = |(place, digit): (usize, &u8)| u32::from(*digit) * if place % 2 == 0 { 1 } else { 3 };
    digits.len() == 13 && digits.iter().rev().enumerate().map(worth).sum::<u32>().is_multiple_of(10)
}

const SHORTEST: usize = 13;
const LONGEST: usize = 19;
const SEPARATORS: [char; 3] = [' ', '-', '\u{a0}'];

/// The first four digits that schemes use, with the lengths of their numbers; from the public lists of issuer ranges.
const ISSUED: &[(RangeInclusive<u16>, &[usize])] = &[
    (2200..=2204, &[16, 17, 18, 19]),         // Mir
    (2221..=2720, &[16]),                     // Mastercard
    (3000..=3059, &[14, 16, 17, 18, 19]),     // Diners Club
    (3095..=3095, &[14, 16, 17, 18, 19]),     // Diners Club
    (3400..=3499, &[15]),                     // American Express
    (3528..=3589, &[16, 17, 18, 19]),         // JCB
    (3600..=3699, &[14, 15, 16, 17, 18, 19]), // Diners Club
    (3700..=3799, &[15]),                     // American Express
    (3800..=3999, &[14, 16, 17, 18, 19]),     // Diners Club
    (4000..=4999, &[13, 16, 19]),             // Visa
    (5018..=5018, MAESTRO),
    (5019..=5019, &[16]), // Dankort
    (5020..=5020, MAESTRO),
    (5038..=5038, MAESTRO),
    (5100..=5599, &[16]), // Mastercard
    (5893..=5893, MAESTRO),
    (6011..=6011, &[16, 17, 18, 19]), // Discover
    (6200..=6299, &[16, 17, 18, 19]), // UnionPay
    (6304..=6304, MAESTRO),
    (6440..=6599, &[16, 17, 18, 19]), // Discover
    (6759..=6759, MAESTRO),
    (6761..=6763, MAESTRO),
];
const MAESTRO: &[usize] = &[13, 14, 15, 16, 17, 18, 19];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_scheme_are_found() {
        for number in [
            "4111111111111111",
            "4242424242424242",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "30569309025904",
            "38520000023237",
            "3530111333300000",
            "6011111111111117",
            "6200000000000005",
            "6759649826438453",
            "6200000000000000000",
        ] {
            assert!(contains_card_number(number), "{number}");
        }
    }

    #[test]
    fn numbers_are_found_in_groups_and_inside_other_text() {
        for text in [
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "3782 822463 10005",
            "card:4111111111111111.",
            "VISA4111111111111111 exp 12/27",
            "4111 1111 1111 1111 12/27 123",
            "order 12 4111 1111 1111 1111",
            "tel. +41 4111 1111 1111 1111",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "\u{1f600}4111111111111111\u{e4}",
        ] {
            assert!(contains_card_number(text), "{text}");
        }
    }

    #[test]
    fn what_merchants_really_send_is_let_through() {
        for text in [
            "",
            "4111111111111112",                                                 // wrong check digit
            "41111111111111111111111111",                                       // longer than any card number
            "4111  1111  1111  1111",                                           // two blanks: a table, not one number
            "1767225600000",                                                    // a moment in milliseconds
            "4006381333931",                                                    // an article number of Germany
            "4000000000006",                                                    // the same, and right as a card number too
            "4006381330169",                                                    // the same, with digits that count three times
            "0000004111111",                                                    // an order number with leading zeros
            "9999999999999995",                                                 // right check digit, but no scheme begins with 9
            "+4915112345678",                                                   // a telephone number
            "DE12 4107 0024 4111 0004 11",                                      // an IBAN in groups
            "CH9300762011623852957",                                            // an IBAN in one piece
            "2026-08-20 2026-08-21 12",                                         // dates
            "b7e4a2f0-1c3d-4539-9201-34247a6f9be2",                             // a UUID
            "9f86d081884c4539920134247aa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f0", // a hash
            "SO-100045 / INV-200045 / 4711",                                    // documents
        ] {
            assert!(!contains_card_number(text), "{text}");
        }
    }

    #[test]
    fn the_let_through_numbers_are_exempt_for_the_reason_they_name() {
        let digits = |text: &str| text.bytes().map(|b| b - b'0').collect::<Vec<_>>();
        let thirteen = digits("4000000000006");
        assert!(is_issued(&thirteen) && has_luhn_digit(&thirteen) && is_article_number(&thirteen));
        assert!(contains_card_number("4915112345678"), "without the plus sign");
        assert!(contains_card_number("4107 0024 4111 0004 11"), "without the country");
        assert!(contains_card_number("4539-9201-34247a"), "in a word that is not long enough");
        assert!(contains_card_number("4539920134247a"), "in a word that is not long enough");
        assert!(contains_card_number("4111-1111-1111-1111-4111-1111-1111-1111"), "in a word without letters");
    }

    #[test]
    fn of_arbitrary_order_numbers_few_are_refused() {
        let order_numbers = (0..100_000u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 10_000_000_000_000_000);
        let refused = order_numbers.filter(|number| contains_card_number(&format!("{number:016}"))).count();
        assert!(refused < 3_000, "{refused}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_at_without_a_panic(text in "[0-9 +A-Z\u{a0}-]{0,80}") {
            contains_card_number(&text);
        }
    }
}
