//! Bugs of the protocol that tests plant, one at a time, to see that the simulator finds each of them.
//!
//! Only the feature `planted` can plant one, and only tests have it: without it `is_planted` is `false` at compile time, and
//! nothing of a bug is in the program.

use crate::named::named;

named! {
    /// What is done wrong.
    Bug {
        NoReservation = "no reservation",
        NoDurableIntent = "no durable intent",
        RecordDeletedOnError = "record deleted on error",
        TimeoutIsFailure = "timeout taken as failure",
        SettleWhatIsFinal = "settle without the final-state condition",
        KeyPerAttempt = "a key per attempt",
        NotFoundTrusted = "\"not found\" trusted",
        AcknowledgedBeforeStored = "webhook acknowledged before it is stored",
        ResendUnconditionally = "unconditional resend",
        ResendAfterWindow = "resend after the window",
        KeylessRefusalFinal = "keyless refusal final",
        SendAfterLease = "send after the own lease",
    }
}

#[cfg(not(feature = "planted"))]
pub const fn is_planted(_: Bug) -> bool {
    false
}

#[cfg(feature = "planted")]
pub use switch::{is_planted, plant};

#[cfg(feature = "planted")]
mod switch {
    use super::Bug;
    use std::cell::Cell;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    pub fn is_planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Plants a bug in what this thread does from now on, or none.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }
}
