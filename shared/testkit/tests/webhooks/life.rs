//! What becomes of payments: what callers order here before any webhook comes, and then step by step what happens at the PSP.

use domain::id::OperationReference;
use domain::money::{Minor, Money};
use domain::outcome::Failure;
use domain::payment::{Movement, MovementState, PspPayment};
use domain::{OperationKind, TransactionState};
use testkit::builders::{euros, payment, psp_reference};

/// What a caller orders; its answer gets lost.
#[derive(Clone, Copy)]
pub enum Order {
    Capture { cents: i64, is_final: bool },
    Refund { cents: i64 },
    Void,
}

/// What happens at the PSP; each step is told by one webhook.
#[derive(Clone, Copy)]
pub enum Step {
    /// The payer is done.
    Authorized,
    /// What is held is gone.
    Expired,
    /// What was ordered first, second … gets this far.
    Ordered(usize, How),
    /// Somebody does it in the PSP's back office.
    Office(OperationKind, i64, How),
    /// And what was done there last succeeds.
    OfficeSucceeds,
}

#[derive(Clone, Copy)]
pub enum How {
    Pending,
    Succeeds,
    Fails,
}

/// A payment, as it is when it begins and in what follows.
pub struct Life {
    pub begin: fn(&str) -> PspPayment,
    /// Imported when webhooks of it have come already.
    pub is_late: bool,
    pub orders: &'static [Order],
    pub steps: &'static [Step],
}

use How::{Fails, Pending, Succeeds};
use OperationKind::{Capture, Refund};
use Step::{Authorized, Expired, Office, OfficeSucceeds, Ordered};

/// Payments of 100.00 EUR.
pub const LIVES: &[Life] = &[
    Life {
        begin: payment,
        is_late: false,
        orders: &[Order::Capture { cents: 2000, is_final: false }, Order::Capture { cents: 3000, is_final: false }],
        steps: &[Ordered(0, Pending), Ordered(0, Succeeds), Ordered(1, Succeeds), Office(Refund, 500, Succeeds)],
    },
    Life {
        begin: payment,
        is_late: false,
        orders: &[Order::Capture { cents: 2000, is_final: false }],
        steps: &[Ordered(0, Pending), Ordered(0, Fails)],
    },
    // Fails after it had succeeded.
    Life {
        begin: payment,
        is_late: false,
        orders: &[Order::Capture { cents: 2000, is_final: false }],
        steps: &[Ordered(0, Succeeds), Ordered(0, Fails)],
    },
    Life {
        begin: payment,
        is_late: false,
        orders: &[Order::Capture { cents: 6000, is_final: true }],
        steps: &[Ordered(0, Pending), Ordered(0, Succeeds), Office(Refund, 100, Succeeds)],
    },
    Life { begin: payment, is_late: false, orders: &[Order::Void], steps: &[Ordered(0, Pending), Ordered(0, Succeeds)] },
    Life {
        begin: captured,
        is_late: false,
        orders: &[Order::Refund { cents: 4000 }, Order::Refund { cents: 1000 }],
        steps: &[Ordered(0, Pending), Ordered(1, Fails), Ordered(0, Succeeds)],
    },
    Life {
        begin: payment,
        is_late: false,
        orders: &[],
        steps: &[Office(Capture, 1000, Succeeds), Office(Refund, 300, Pending), OfficeSucceeds, Office(Capture, 9000, Succeeds)],
    },
    Life { begin: under_way, is_late: false, orders: &[], steps: &[Authorized, Expired] },
    Life {
        begin: under_way,
        is_late: true,
        orders: &[],
        steps: &[Authorized, Office(Capture, 10_000, Succeeds), Office(Refund, 1, Succeeds)],
    },
    Life { begin: payment, is_late: true, orders: &[], steps: &[Office(Capture, 4000, Pending), OfficeSucceeds, Expired] },
];

fn under_way(reference: &str) -> PspPayment {
    PspPayment { state: TransactionState::Processing, authorized_on: None, ..payment(reference) }
}

fn captured(reference: &str) -> PspPayment {
    let mut captured = payment(reference);
    Office(Capture, 10_000, Succeeds).happens(&mut captured, &[]);
    captured
}

impl Step {
    /// `ordered` are our references of what was ordered.
    pub fn happens(self, payment: &mut PspPayment, ordered: &[(OperationKind, i64, bool, OperationReference)]) {
        match self {
            Authorized => payment.state = TransactionState::Authorized,
            Expired => payment.released = Minor::new(10_000 - sum(payment, Capture)),
            Ordered(position, how) => {
                let (kind, cents, is_final, reference) = &ordered[position];
                let known = payment.movements.iter_mut().find(|movement| movement.ours.as_ref() == Some(reference));
                match known {
                    Some(movement) => movement.state = how.state(),
                    None => make(payment, *kind, *cents, how, Some(reference.clone())),
                }
                let releases = *kind == OperationKind::Void || *is_final;
                if releases && matches!(how, Succeeds) {
                    payment.released = Minor::new(10_000 - sum(payment, Capture));
                }
            }
            Office(kind, cents, how) => make(payment, kind, cents, how, None),
            OfficeSucceeds => payment.movements.last_mut().unwrap().state = MovementState::Successful,
        }
        if payment.state == TransactionState::Processing {
            return;
        }
        let captured = sum(payment, Capture);
        payment.state = match captured + payment.released.units() {
            10_000 if captured > 0 => TransactionState::Completed,
            10_000 => TransactionState::Voided,
            _ => TransactionState::Authorized,
        };
    }
}

impl How {
    fn state(self) -> MovementState {
        match self {
            Pending => MovementState::Pending,
            Succeeds => MovementState::Successful,
            Fails => MovementState::Failed(Failure::credentials_refused()),
        }
    }
}

fn make(payment: &mut PspPayment, kind: OperationKind, cents: i64, how: How, ours: Option<OperationReference>) {
    let id = format!("{}_{}", payment.reference, payment.movements.len());
    let money = Money::new(Minor::new(cents), euros());
    payment.movements.push(Movement { kind, psp_reference: psp_reference(&id), ours, money, state: how.state(), on: None });
}

/// What succeeded of a kind, in cents.
pub fn sum(payment: &PspPayment, kind: OperationKind) -> i64 {
    let succeeded = |movement: &&Movement| movement.kind == kind && movement.state == MovementState::Successful;
    payment.movements.iter().filter(succeeded).map(|movement| movement.money.amount.units()).sum()
}
