//! The kinds of PSP that worlds are made with: what they say they can do, and how they behave.

use domain::Capabilities;
use domain::capability::{KeepsRest, KeyWindow, KeyWindows};
use domain::time::Span;

pub(super) struct Profile {
    pub name: &'static str,
    pub capabilities: Capabilities,
    /// Movements show the reference that they were ordered with.
    pub keeps_reference: bool,
    /// How long after it was executed a movement is shown at most.
    pub longest_lag: Span,
    /// The same of what ends a payment, at least and at most: a void, a final capture. It may be longer than what the product waits
    /// for, because the PSP refuses to do that twice.
    pub lag_of_end: (Span, Span),
    /// How long an order that is being worked on takes at most.
    pub slowest: Span,
    /// How long an order can be on its way at most. Where no key protects, all of these together stay below the 300 s that the
    /// product waits for copies of its own.
    pub latest_arrival: Span,
}

impl Profile {
    pub fn find(name: &str) -> Option<&'static Self> {
        PROFILES.iter().copied().find(|profile| profile.name == name)
    }

    pub fn is_keyless(&self) -> bool {
        self.capabilities.key_window.capture == KeyWindow::Keyless
    }
}

pub(super) const PROFILES: &[&Profile] = &[&DAY, &HOUR, &KEYLESS, &FOREVER, &CLOSING, &NAMELESS];

const fn keys(window: KeyWindow) -> Capabilities {
    Capabilities {
        reads_payments: true,
        captures_in_part: true,
        keeps_rest: KeepsRest::Always,
        releases_rest: true,
        refunds_in_part: true,
        refunds_per_capture: false,
        voids: true,
        key_window: KeyWindows { capture: window, refund: window, void: window },
    }
}

const KEYED: Profile = Profile {
    name: "",
    capabilities: keys(KeyWindow::For(Span::from_hours(24))),
    keeps_reference: true,
    longest_lag: Span::from_seconds(90),
    lag_of_end: (Span::from_millis(1), Span::from_seconds(90)),
    slowest: Span::from_seconds(40),
    latest_arrival: Span::from_seconds(300),
};

/// Keys are known for a day.
const DAY: Profile = Profile { name: "keyed-24h", ..KEYED };

/// Keys are known for an hour.
const HOUR: Profile = Profile { name: "keyed-1h", capabilities: keys(KeyWindow::For(Span::from_hours(1))), ..KEYED };

/// There are no keys: whatever is sent twice happens twice.
const KEYLESS: Profile = Profile {
    name: "keyless",
    capabilities: keys(KeyWindow::Keyless),
    longest_lag: Span::from_seconds(20),
    lag_of_end: (Span::from_seconds(60), Span::from_seconds(2400)),
    slowest: Span::from_seconds(10),
    latest_arrival: Span::from_seconds(270),
    ..KEYED
};

/// Keys are never forgotten, and a refund is one of a capture.
const FOREVER: Profile =
    Profile { name: "forever", capabilities: Capabilities { refunds_per_capture: true, ..keys(KeyWindow::Forever) }, ..KEYED };

/// The rest of an authorization is released with the first capture, unless the shop had it granted.
const CLOSING: Profile = Profile {
    name: "closing",
    capabilities: Capabilities { keeps_rest: KeepsRest::IfGranted, ..keys(KeyWindow::For(Span::from_hours(24))) },
    ..KEYED
};

/// Keys are known for an hour, and movements do not show what they were ordered with.
const NAMELESS: Profile =
    Profile { name: "nameless", capabilities: keys(KeyWindow::For(Span::from_hours(1))), keeps_reference: false, ..KEYED };
