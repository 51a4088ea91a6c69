//! The amounts of a transaction: the only place where they are added up.
//!
//! Invariant: what is captured, released and reserved for either never exceeds what was authorized, and what is refunded
//! and reserved for it never exceeds what was captured, as long as only our own operations move them. What the PSP proves
//! beyond that is booked as it is; `capturable` and `refundable` then stay at zero.

use crate::money::{Minor, Overflow};
use crate::operation::OperationKind;
use crate::planted::{Bug, is_planted};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub authorized: Minor,
    pub captured: Minor,
    pub capture_pending: Minor,
    pub refunded: Minor,
    pub refund_pending: Minor,
    pub voided: Minor,
    pub void_pending: Minor,
}

/// Where one amount stands in the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Capture,
    Refund,
    Void,
}

impl Share {
    pub const fn of(kind: OperationKind) -> Self {
        match kind {
            OperationKind::Capture => Self::Capture,
            OperationKind::Refund => Self::Refund,
            OperationKind::Void => Self::Void,
        }
    }
}

impl Balance {
    pub fn authorized(amount: Minor) -> Self {
        Self { authorized: amount, ..Self::default() }
    }

    /// Held and free to be captured.
    pub fn capturable(&self) -> Result<Minor, Overflow> {
        let taken = Minor::sum([self.captured, self.capture_pending, self.voided, self.void_pending])?;
        self.authorized.less(taken)
    }

    /// Captured and free to be given back.
    pub fn refundable(&self) -> Result<Minor, Overflow> {
        self.captured.less(self.refunded.plus(self.refund_pending)?)
    }

    /// Every amount is zero or more; a stored balance that is not was written by a bug.
    pub fn is_sound(&self) -> bool {
        let Self { authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending } = *self;
        [authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending].iter().all(|amount| *amount >= Minor::ZERO)
            && self.capturable().is_ok()
            && self.refundable().is_ok()
    }

    /// Sets an amount aside for an open operation.
    pub fn reserve(self, share: Share, amount: Minor) -> Result<Self, Overflow> {
        if is_planted(Bug::NoReservation) {
            return Ok(self);
        }
        Ok(self.with_pending(share, self.pending(share).plus(amount)?))
    }

    /// Gives back what an operation had set aside.
    pub fn release(self, share: Share, amount: Minor) -> Result<Self, Overflow> {
        let left = self.pending(share).minus(if is_planted(Bug::NoReservation) { Minor::ZERO } else { amount })?;
        if left < Minor::ZERO { Err(Overflow) } else { Ok(self.with_pending(share, left)) }
    }

    /// Turns what was set aside into what has happened.
    pub fn book(self, share: Share, amount: Minor) -> Result<Self, Overflow> {
        self.release(share, amount)?.add(share, amount)
    }

    /// Records what happened without a reservation of ours.
    pub fn add(self, share: Share, amount: Minor) -> Result<Self, Overflow> {
        Ok(match share {
            Share::Capture => Self { captured: self.captured.plus(amount)?, ..self },
            Share::Refund => Self { refunded: self.refunded.plus(amount)?, ..self },
            Share::Void => Self { voided: self.voided.plus(amount)?, ..self },
        })
    }

    /// Undoes what had happened: the PSP proved later that it did not last.
    pub fn take_back(self, share: Share, amount: Minor) -> Result<Self, Overflow> {
        Ok(match share {
            Share::Capture => Self { captured: self.captured.less(amount)?, ..self },
            Share::Refund => Self { refunded: self.refunded.less(amount)?, ..self },
            Share::Void => Self { voided: self.voided.less(amount)?, ..self },
        })
    }

    fn pending(&self, share: Share) -> Minor {
        match share {
            Share::Capture => self.capture_pending,
            Share::Refund => self.refund_pending,
            Share::Void => self.void_pending,
        }
    }

    fn with_pending(self, share: Share, amount: Minor) -> Self {
        match share {
            Share::Capture => Self { capture_pending: amount, ..self },
            Share::Refund => Self { refund_pending: amount, ..self },
            Share::Void => Self { void_pending: amount, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserving_and_booking_moves_amounts_once() {
        let balance = Balance::authorized(Minor::new(4990)).reserve(Share::Capture, Minor::new(2000)).unwrap();
        assert_eq!(balance.capturable(), Ok(Minor::new(2990)));
        let balance = balance.book(Share::Capture, Minor::new(2000)).unwrap();
        assert_eq!((balance.captured, balance.capture_pending), (Minor::new(2000), Minor::ZERO));
        assert_eq!(balance.refundable(), Ok(Minor::new(2000)));
    }

    #[test]
    fn releasing_more_than_was_set_aside_is_refused() {
        let balance = Balance::authorized(Minor::new(100)).reserve(Share::Void, Minor::new(40)).unwrap();
        assert_eq!(balance.release(Share::Void, Minor::new(41)), Err(Overflow));
    }

    #[test]
    fn what_the_psp_proves_beyond_a_limit_leaves_nothing_but_never_less() {
        let balance = Balance::authorized(Minor::new(100)).add(Share::Capture, Minor::new(150)).unwrap();
        assert_eq!(balance.capturable(), Ok(Minor::ZERO));
        let balance = balance.add(Share::Refund, Minor::new(200)).unwrap();
        assert_eq!(balance.refundable(), Ok(Minor::ZERO));
    }
}
