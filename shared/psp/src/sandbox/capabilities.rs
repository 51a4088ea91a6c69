//! What the sandbox can do: everything, so that every rule can be tried out.

use domain::Capabilities;
use domain::capability::{KeepsRest, KeyWindow, KeyWindows};
use domain::time::Span;

const KEYS: KeyWindow = KeyWindow::For(Span::from_hours(24));

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    reads_payments: true,
    captures_in_part: true,
    keeps_rest: KeepsRest::Always,
    releases_rest: true,
    refunds_in_part: true,
    refunds_per_capture: false,
    voids: true,
    key_window: KeyWindows { capture: KEYS, refund: KEYS, void: KEYS },
};
