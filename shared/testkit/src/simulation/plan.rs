//! What a seed draws before its world begins: how wild it is, how long, and when the table or the PSP is away.

use super::chance::Chance;
use super::faults::Fault;
use super::profile::{PROFILES, Profile};
use domain::Timestamp;
use domain::time::Span;

/// When every world begins: 2030-01-01T00:00:00Z. Later than any real day, so that nothing of it has expired by a real clock.
const BEGIN: Timestamp = Timestamp::from_seconds(1_893_456_000);

/// How long it goes on without faults: until PSPs have forgotten every key, and the hourly and daily questions have been asked.
const CALM: Span = Span::from_hours(52);

const BEFORE_OUTAGE: Span = Span::from_seconds(-90);

pub(super) struct Plan {
    pub profile: &'static Profile,
    pub begin: Timestamp,
    /// From here on nothing goes wrong any more, and nobody asks for anything new.
    pub calm_on: Timestamp,
    pub end: Timestamp,
    pub transactions: u64,
    pub minutes_between_sweeps: i64,
    pub table: Rates,
    pub psp: Rates,
    /// How often, in ten thousand, a worker's answer does not reach its caller.
    pub lost_answers: u64,
    pub habits: Habits,
    outages: Vec<Outage>,
}

/// How often each fault happens, in ten thousand points at which it could.
pub(super) struct Rates(Vec<(Fault, u64)>);

/// How often, in ten thousand, the PSP does other than it is asked at once.
pub(super) struct Habits {
    pub declines: u64,
    pub pends: u64,
    pub fails_late: u64,
    pub keeps_errors: u64,
    pub is_slow: u64,
    pub misnames_amount: u64,
    pub moves_other_amount: u64,
    pub loses_webhooks: u64,
    pub delays_webhooks: u64,
    pub doubles_webhooks: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Away {
    Table,
    Psp,
    /// The PSP takes orders and does not tell how payments stand.
    PspReads,
    PspOrders,
}

struct Outage {
    what: Away,
    from: Timestamp,
    to: Timestamp,
}

impl Plan {
    pub fn draw(chance: &Chance, profile: Option<&'static Profile>, is_small: bool) -> Self {
        let drawn = chance.of(PROFILES);
        let wildness = chance.of(&[0, 1, 1, 1, 2, 4, 8, 30]);
        // The wilder the smaller: where hardly anything works there is little to see for the time that it takes.
        let (most, longest) = match wildness {
            0..30 => (120, chance.of(&[Span::from_hours(2), Span::from_hours(8), Span::from_days(1), Span::from_days(3)])),
            _ => (30, chance.of(&[Span::from_hours(2), Span::from_hours(8)])),
        };
        let length = chance.span(Span::from_seconds(1800), longest);
        let calm_on = BEGIN.plus(length);
        Self {
            profile: profile.unwrap_or(drawn),
            begin: BEGIN,
            calm_on,
            end: calm_on.plus(CALM),
            transactions: if is_small { 3 } else { most / 3 + chance.below(most) },
            minutes_between_sweeps: chance.of(&[1, 10, 30]),
            table: Rates::draw(chance, wildness, Fault::OF_TABLE),
            psp: Rates::draw(chance, wildness * 3, Fault::OF_PSP),
            lost_answers: chance.below(wildness * 3),
            habits: Habits::draw(chance, wildness),
            outages: (0..chance.of(&[0, 0, 0, 1, 2])).map(|_| Outage::draw(chance, length)).collect(),
        }
    }

    pub fn is_calm(&self, now: Timestamp) -> bool {
        now >= self.calm_on
    }

    pub fn is_away(&self, what: Away, now: Timestamp) -> bool {
        self.outages.iter().any(|outage| outage.what == what && outage.from <= now && now < outage.to)
    }

    /// It is about to be away: it still does what it is asked, and nobody hears of it.
    pub fn is_going(&self, what: Away, now: Timestamp) -> bool {
        self.outages.iter().any(|outage| outage.what == what && outage.from.plus(BEFORE_OUTAGE) <= now && now < outage.from)
    }
}

impl Outage {
    fn draw(chance: &Chance, length: Span) -> Self {
        let what = chance.of(&[Away::Table, Away::Psp, Away::PspReads, Away::PspOrders]);
        // Sooner rather than later, because most happens in the beginning.
        let from = BEGIN.plus(chance.span(Span::from_seconds(60), length));
        let to = from.plus(chance.span(Span::from_seconds(5), Span::from_days(2)));
        Self { what, from, to: to.min(BEGIN.plus(length)) }
    }
}

impl Rates {
    fn draw(chance: &Chance, wildness: u64, faults: &[Fault]) -> Self {
        // What ends or stops a worker is what the protocol is for.
        let most = |fault| if matches!(fault, Fault::Crash | Fault::Freeze) { wildness * 2 } else { wildness };
        Self(faults.iter().map(|fault| (*fault, chance.below(most(*fault) + 1))).collect())
    }

    /// What goes wrong at a point that allows these faults, if anything does.
    pub fn pick(&self, chance: &Chance, allowed: &[Fault]) -> Option<Fault> {
        let mut number = chance.below(10_000);
        for (fault, rate) in self.0.iter().filter(|(fault, _)| allowed.contains(fault)) {
            if number < *rate {
                return Some(*fault);
            }
            number -= rate;
        }
        None
    }
}

impl Habits {
    fn draw(chance: &Chance, wildness: u64) -> Self {
        Self {
            declines: chance.below(1000),
            pends: chance.below(1500),
            fails_late: chance.of(&[0, 50, 200]),
            keeps_errors: chance.below(wildness * 3),
            is_slow: chance.below(wildness * 5),
            misnames_amount: chance.below(wildness),
            moves_other_amount: chance.below(wildness / 2 + 1),
            loses_webhooks: chance.of(&[0, 300, 5000, 10_000]),
            delays_webhooks: chance.of(&[100, 1000, 5000]),
            doubles_webhooks: chance.of(&[0, 500, 3000]),
        }
    }
}
