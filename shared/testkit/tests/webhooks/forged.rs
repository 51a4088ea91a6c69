//! Webhooks that their PSP did not sign, not now, or not for this connection: none is accepted, and none reaches the table.

use super::psp::{Accounts, Payments, Signer};
use super::table::Table;
use super::{Chance, seed, stopwatch};
use app::ports::psp::RawWebhook;
use app::ports::{Clock, Ports};
use app::webhook::{Acknowledgement, receive};
use domain::time::Span;
use std::collections::BTreeMap;
use testkit::builders::NOW;
use testkit::{TestClock, TestSource};

/// One genuine webhook, and ways to spoil it.
const FORGERIES: &[(&str, Forgery)] = &[
    ("a bit of the body", flip_body),
    ("a bit of a header", flip_header),
    ("a truncated body", cut_body),
    ("a truncated header", cut_header),
    ("a missing header", drop_header),
    ("a longer body", |forge| RawWebhook { body: [&forge.genuine.body[..], b" "].concat(), ..forge.genuine.clone() }),
    ("another key", |forge| forge.signed_by(&Signer::new(9, "nobody", forge.signer.psp))),
    ("the secret of another connection", |forge| forge.signed_by(forge.other_connection)),
    ("the secret of another space", |forge| forge.signed_by(forge.other_space)),
    ("too old", |forge| forge.signed_at(-forge.beyond())),
    ("from the future", |forge| forge.signed_at(forge.beyond())),
    ("the signature of another body", |forge| {
        let other = forge.signer.sign(&forge.event, NOW, &forge.signer.body(&forge.event, "pi_other"));
        RawWebhook { headers: other.headers, ..forge.genuine.clone() }
    }),
];

type Forgery = fn(&Forge<'_>) -> RawWebhook;

/// Everything that a forger may have.
struct Forge<'a> {
    chance: &'a Chance,
    signer: &'a Signer,
    other_connection: &'a Signer,
    other_space: &'a Signer,
    event: String,
    body: String,
    genuine: RawWebhook,
}

impl Forge<'_> {
    fn signed_by(&self, other: &Signer) -> RawWebhook {
        self.signer.with_secret_of(other).sign(&self.event, NOW, &self.body)
    }

    fn signed_at(&self, seconds: i64) -> RawWebhook {
        self.signer.sign(&self.event, NOW.plus(Span::from_seconds(seconds)), &self.body)
    }

    /// More seconds than a clock may be off.
    fn beyond(&self) -> i64 {
        301 + i64::try_from(self.chance.below(100_000_000)).unwrap()
    }

    fn with_header(&self, at: usize, value: String) -> RawWebhook {
        let mut raw = self.genuine.clone();
        raw.headers[at].1 = value;
        raw
    }

    fn a_header(&self) -> (usize, &str) {
        let at = self.chance.below(self.genuine.headers.len());
        (at, &self.genuine.headers[at].1)
    }
}

fn flip_body(forge: &Forge<'_>) -> RawWebhook {
    let mut raw = forge.genuine.clone();
    let at = forge.chance.below(raw.body.len());
    raw.body[at] ^= 1 << forge.chance.below(8);
    raw
}

fn flip_header(forge: &Forge<'_>) -> RawWebhook {
    loop {
        let (at, value) = forge.a_header();
        let mut bytes = value.as_bytes().to_vec();
        let byte = forge.chance.below(bytes.len());
        bytes[byte] ^= 1 << forge.chance.below(7);
        let flipped = String::from_utf8(bytes).unwrap();
        // Stripe's hexadecimal digits are the same signature in upper case.
        if !(forge.signer.psp == "stripe" && flipped.eq_ignore_ascii_case(value)) {
            return forge.with_header(at, flipped);
        }
    }
}

fn cut_body(forge: &Forge<'_>) -> RawWebhook {
    let body = forge.genuine.body[..forge.chance.below(forge.genuine.body.len())].to_vec();
    RawWebhook { body, ..forge.genuine.clone() }
}

fn cut_header(forge: &Forge<'_>) -> RawWebhook {
    let (at, value) = forge.a_header();
    forge.with_header(at, value[..forge.chance.below(value.len())].to_owned())
}

fn drop_header(forge: &Forge<'_>) -> RawWebhook {
    let mut raw = forge.genuine.clone();
    raw.headers.remove(forge.a_header().0);
    raw
}

#[tokio::test(start_paused = true)]
async fn no_forged_webhook_is_accepted_or_stored() {
    forged(100_000).await;
}

async fn forged(count: usize) {
    let (seed, begin) = (seed(), stopwatch());
    let (chance, table, payments) = (Chance::seeded(seed), Table::new().await, Payments::default());
    let signers = ["sandbox", "stripe"].map(|psp| {
        let [second, elsewhere] = [(1, "second"), (2, "first")].map(|(space, name)| Signer::new(space, &format!("{psp}-{name}"), psp));
        [Signer::new(1, &format!("{psp}-first"), psp), second, elsewhere]
    });
    let accounts = Accounts::open(signers.as_flattened(), &payments);
    let (clock, source, store) = (TestClock::at(NOW), TestSource::seeded(seed), table.open());
    let ports = Ports { store: &store, connections: &accounts, clock: &clock, source: &source };
    let mut tried = BTreeMap::<_, usize>::new();
    let mut accepted = Vec::new();
    for number in 0..count {
        let [signer, other_connection, other_space] = chance.one_of(&signers);
        let (event, payment) = (format!("evt_{number}"), format!("pi_{}", chance.below(1000)));
        let body = signer.body(&event, &payment);
        let genuine = signer.sign(&event, clock.now(), &body);
        let forge = Forge { chance: &chance, signer, other_connection, other_space, event, body, genuine };
        let (name, spoil) = chance.one_of(FORGERIES);
        let raw = spoil(&forge);
        *tried.entry((signer.psp, *name)).or_default() += 1;
        if receive(&ports, signer.space, &signer.connection, &raw).await != Acknowledgement::Forged {
            accepted.push(format!("{} {name}: {raw:?}", signer.psp));
        }
    }
    println!(
        "forged webhooks: {count} in {} kinds, accepted {}, calls of the table {}; {} ms, WEBHOOKS_SEED={seed}",
        tried.len(),
        accepted.len(),
        table.calls(),
        begin.elapsed().as_millis(),
    );
    assert!(accepted.is_empty(), "WEBHOOKS_SEED={seed}: {accepted:#?}");
    assert_eq!((table.calls(), table.stored()), (0, 0), "WEBHOOKS_SEED={seed}: nothing is even looked up");
    assert_eq!(tried.len(), 2 * FORGERIES.len(), "every kind was tried: {tried:?}");

    // The same webhooks, not spoiled, are taken.
    for (number, signer) in signers.as_flattened().iter().enumerate() {
        let event = format!("evt_{number}");
        let raw = signer.sign(&event, clock.now(), &signer.body(&event, "pi_1"));
        assert_eq!(receive(&ports, signer.space, &signer.connection, &raw).await, Acknowledgement::Stored);
    }
    assert_eq!(table.stored(), 6);
}
