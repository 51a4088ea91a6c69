//! Words that are sent through the product to see where they end up: a secret, a card number, an e-mail address.
//!
//! They stand in `tests/canaries.json`, which other programs read too, and in nothing that the product makes by itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use std::sync::LazyLock;

pub struct Canary {
    /// What it is called where it is found.
    pub name: &'static str,
    pub text: String,
    /// As it could stand somewhere, in lower case: plain, grouped, escaped, encoded.
    forms: Vec<String>,
}

pub static SECRET: LazyLock<Canary> = LazyLock::new(|| Canary::read("secret"));
pub static CARD_NUMBER: LazyLock<Canary> = LazyLock::new(|| Canary::read("cardNumber"));
pub static EMAIL_ADDRESS: LazyLock<Canary> = LazyLock::new(|| Canary::read("emailAddress"));

impl Canary {
    fn read(name: &'static str) -> Self {
        let all: Value = serde_json::from_str(include_str!("../canaries.json")).expect("JSON");
        let text = all[name].as_str().unwrap_or_else(|| panic!("tests/canaries.json has no {name}")).to_owned();
        Self { name, forms: forms(&text), text }
    }

    /// Whether it stands there in any of its forms.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        self.forms.iter().any(|form| text.contains(form))
    }
}

/// Those of the canaries that stand there.
pub fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    let all = [&*SECRET, &*CARD_NUMBER, &*EMAIL_ADDRESS];
    all.into_iter().filter(|canary| canary.is_in(bytes)).map(|canary| canary.name).collect()
}

fn forms(text: &str) -> Vec<String> {
    let groups = |separator| text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(separator);
    let hexadecimal = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![text.to_owned(), groups(" "), groups("-"), text.replace('@', "%40"), text.replace('@', "\\u0040"), hexadecimal];
    forms.extend((0..3).map(|shift| base64_inside(text, shift)));
    forms.into_iter().map(|form| form.to_lowercase()).collect()
}

/// What base64 of any longer text contains if this one stands in it `shift` bytes behind a multiple of three.
fn base64_inside(text: &str, shift: usize) -> String {
    let encoded = STANDARD_NO_PAD.encode([&b"xxx"[..shift], text.as_bytes()].concat());
    // Characters that hold bits of the neighbours are left out.
    let begin = [0, 2, 3][shift];
    let end = encoded.len() - usize::from(!(shift + text.len()).is_multiple_of(3));
    encoded[begin..end].to_owned()
}

#[test]
fn a_canary_is_found_in_every_form() {
    let (card, email) = (&*CARD_NUMBER, &*EMAIL_ADDRESS);
    for shift in 0..3 {
        let encoded = STANDARD_NO_PAD.encode(format!("{}{}and more", "y".repeat(shift), card.text));
        assert!(card.is_in(encoded.as_bytes()), "{encoded}");
    }
    assert!(card.is_in(b"Card: 4929 4205 7359 5709.") && card.is_in(b"4929-4205-7359-5709"));
    assert!(email.is_in(b"<CANARY.ADA@customer.example>") && email.is_in(b"q=canary.ada%40customer.example"));
    assert_eq!(found_in(b"4929420573595708 ada@customer.example canary-secret"), [""; 0]);
    assert_eq!(found_in(format!("{} {}", SECRET.text, card.text).as_bytes()), ["secret", "cardNumber"]);
}
