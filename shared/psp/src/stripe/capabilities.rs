//! What Stripe can do. <https://docs.stripe.com/payments/multicapture>, <https://docs.stripe.com/api/idempotent_requests>

use domain::Capabilities;
use domain::capability::{KeepsRest, KeyWindow, KeyWindows};
use domain::time::Span;

/// Keys are kept for at least 24 hours.
const KEYS: KeyWindow = KeyWindow::For(Span::from_hours(24));

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    reads_payments: true,
    captures_in_part: true,
    // Multicapture, which the shop's plugin asks for when it makes the payment; without it the rest is released.
    keeps_rest: KeepsRest::IfGranted,
    releases_rest: true,
    refunds_in_part: true,
    refunds_per_capture: false,
    voids: true,
    key_window: KeyWindows { capture: KEYS, refund: KEYS, void: KEYS },
};
