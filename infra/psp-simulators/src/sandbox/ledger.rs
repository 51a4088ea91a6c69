//! What may be done with a payment, and what is then recorded. Pure: no storage, no clock, no HTTP.
//!
//! When an order breaks several rules, the first of `Refusal` in the order written there is the answer.

use crate::sandbox::payment::{Balance, CaptureMode, Kind, Operation, OperationStatus, Payment, Phase, Status};
use domain::{Minor, Money};

/// What the merchant orders.
pub enum Order {
    Capture {
        money: Money,
        /// Release what remains.
        last: bool,
    },
    Refund {
        money: Money,
        reason: Option<String>,
    },
    /// Release all that is held.
    Void,
}

impl Order {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Capture { .. } => Kind::Capture,
            Self::Refund { .. } => Kind::Refund,
            Self::Void => Kind::Void,
        }
    }

    pub const fn money(&self) -> Option<Money> {
        match self {
            Self::Capture { money, .. } | Self::Refund { money, .. } => Some(*money),
            Self::Void => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    CurrencyMismatch { expected: domain::Currency },
    InvalidState { kind: Kind, status: Status },
    AmountTooLarge { most: Money },
}

/// The amount that the order moves, if the rules allow it.
pub fn permit(order: &Order, payment: &Payment, balance: &Balance) -> Result<Minor, Refusal> {
    if order.money().is_some_and(|money| money.currency != payment.currency) {
        return Err(Refusal::CurrencyMismatch { expected: payment.currency });
    }
    let (state_allows, asked, most) = match order {
        Order::Capture { money, .. } => (balance.status == Status::Authorized, money.amount, balance.capturable),
        Order::Refund { money, .. } => (balance.captured.is_positive(), money.amount, balance.refundable),
        Order::Void => (balance.capturable.is_positive() && !balance.capture_open, balance.held, balance.held),
    };
    match () {
        () if !state_allows => Err(Refusal::InvalidState { kind: order.kind(), status: balance.status }),
        () if asked > most => Err(Refusal::AmountTooLarge { most: payment.money(most) }),
        () => Ok(asked),
    }
}

/// The payer is done: the amount is held, and captured at once if the shop asked for that.
pub fn authorize(payment: &mut Payment, capture_id: String, now: i64) {
    payment.phase = Phase::Authorized { on: now, expires_on: now.saturating_add(payment.expires_after_ms) };
    if payment.capture_mode == CaptureMode::Automatic {
        payment.operations.push(Operation {
            id: capture_id,
            kind: Kind::Capture,
            reference: None,
            amount: payment.amount,
            last: true,
            reason: None,
            status: OperationStatus::Succeeded,
            failure_code: None,
            created_on: now,
        });
    }
}

/// Brings a pending operation to success; `None` if there is none of that id.
pub fn settle<'a>(payment: &'a mut Payment, operation: &str) -> Option<&'a Operation> {
    let open = payment.operations.iter_mut().find(|o| o.id == operation && o.status == OperationStatus::Pending)?;
    open.status = OperationStatus::Succeeded;
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::payment::Calls;
    use domain::Currency;

    const EXPIRY: i64 = 1000;

    fn payment(units: i64) -> Payment {
        let mut payment = Payment {
            id: "sb_1".to_owned(),
            account: "demo".to_owned(),
            amount: Minor::new(units),
            currency: Currency::parse("EUR").unwrap(),
            merchant_reference: None,
            capture_mode: CaptureMode::Manual,
            created_on: 0,
            expires_after_ms: EXPIRY,
            phase: Phase::Pending,
            operations: Vec::new(),
            calls: Calls::default(),
            keys: Vec::new(),
        };
        authorize(&mut payment, String::new(), 0);
        payment
    }

    /// One line of a scenario: `capture 400`, `final 400`, `refund 100`, `void`, with ` pending` behind if it stays open;
    /// `settle` brings all that is open to success, `expire` lets the time pass. Answers what the payment looks like.
    fn play(payment: &mut Payment, now: &mut i64, line: &str) -> String {
        let words: Vec<_> = line.split(' ').collect();
        let money = || payment.money(Minor::new(words[1].parse().unwrap()));
        let order = match words[0] {
            "capture" | "final" => Order::Capture { money: money(), last: words[0] == "final" },
            "refund" => Order::Refund { money: money(), reason: None },
            "void" => Order::Void,
            "settle" => {
                while let Some(open) = payment.operations.iter().find(|o| o.status == OperationStatus::Pending) {
                    let id = open.id.clone();
                    settle(payment, &id).unwrap();
                }
                return look(payment, *now);
            }
            "expire" => {
                *now = EXPIRY;
                return look(payment, *now);
            }
            other => panic!("{other}"),
        };
        let status = if words.last() == Some(&"pending") { OperationStatus::Pending } else { OperationStatus::Succeeded };
        match permit(&order, payment, &payment.balance(*now).unwrap()) {
            Err(Refusal::CurrencyMismatch { .. }) => "currency-mismatch".to_owned(),
            Err(Refusal::InvalidState { .. }) => "invalid-state".to_owned(),
            Err(Refusal::AmountTooLarge { most }) => format!("amount-too-large {}", most.amount.units()),
            Ok(amount) => {
                let id = payment.operations.len().to_string();
                let (kind, last) = (order.kind(), matches!(order, Order::Capture { last: true, .. }));
                let (reference, reason, failure_code) = (None, None, None);
                payment.operations.push(Operation { id, kind, reference, amount, last, reason, status, failure_code, created_on: 0 });
                look(payment, *now)
            }
        }
    }

    fn look(payment: &Payment, now: i64) -> String {
        let b = payment.balance(now).unwrap();
        let [captured, refunded, released, held] = [b.captured, b.refunded, b.released, b.held].map(Minor::units);
        format!("{} captured {captured} refunded {refunded} released {released} held {held}", b.status.as_str())
    }

    fn check(scenario: &str) {
        let (mut payment, mut now) = (payment(1000), 0);
        for line in scenario.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (what, expected) = line.split_once("->").unwrap();
            assert_eq!(play(&mut payment, &mut now, what.trim()), expected.trim(), "{line}");
        }
    }

    #[test]
    fn captures_and_refunds_in_parts() {
        check(
            "capture 400   -> authorized captured 400 refunded 0 released 0 held 600
             capture 601   -> amount-too-large 600
             refund 401    -> amount-too-large 400
             refund 100    -> authorized captured 400 refunded 100 released 0 held 600
             capture 600   -> captured captured 1000 refunded 100 released 0 held 0
             capture 1     -> invalid-state
             void          -> invalid-state
             refund 900    -> captured captured 1000 refunded 1000 released 0 held 0
             refund 1      -> amount-too-large 0",
        );
    }

    #[test]
    fn a_final_capture_releases_the_rest() {
        check(
            "final 400     -> captured captured 400 refunded 0 released 600 held 0
             capture 1     -> invalid-state
             void          -> invalid-state
             expire        -> captured captured 400 refunded 0 released 600 held 0",
        );
    }

    #[test]
    fn a_void_releases_what_is_held() {
        check(
            "void          -> voided captured 0 refunded 0 released 1000 held 0
             refund 1      -> invalid-state
             capture 1     -> invalid-state
             expire        -> voided captured 0 refunded 0 released 1000 held 0",
        );
        check(
            "capture 400   -> authorized captured 400 refunded 0 released 0 held 600
             void          -> captured captured 400 refunded 0 released 600 held 0",
        );
    }

    #[test]
    fn what_is_open_is_reserved() {
        check(
            "capture 400 pending -> authorized captured 0 refunded 0 released 0 held 600
             capture 601         -> amount-too-large 600
             void                -> invalid-state
             refund 1            -> invalid-state
             final 100 pending   -> authorized captured 0 refunded 0 released 0 held 500
             capture 1           -> amount-too-large 0
             settle              -> captured captured 500 refunded 0 released 500 held 0
             refund 400 pending  -> captured captured 500 refunded 0 released 500 held 0
             refund 101          -> amount-too-large 100
             settle              -> captured captured 500 refunded 400 released 500 held 0",
        );
        check(
            "void pending        -> authorized captured 0 refunded 0 released 0 held 1000
             capture 1           -> amount-too-large 0
             void                -> invalid-state
             settle              -> voided captured 0 refunded 0 released 1000 held 0",
        );
    }

    #[test]
    fn expiry_releases_what_is_held_and_refuses_captures() {
        check(
            "expire     -> expired captured 0 refunded 0 released 1000 held 0
             capture 1  -> invalid-state
             void       -> invalid-state",
        );
        check(
            "capture 400         -> authorized captured 400 refunded 0 released 0 held 600
             capture 100 pending -> authorized captured 400 refunded 0 released 0 held 500
             expire              -> authorized captured 400 refunded 0 released 500 held 0
             capture 1           -> amount-too-large 0
             settle              -> captured captured 500 refunded 0 released 500 held 0
             refund 500          -> captured captured 500 refunded 500 released 500 held 0",
        );
    }

    #[test]
    fn another_currency_and_a_payment_under_way_are_refused() {
        let mut payment = payment(1000);
        let dollars = Order::Capture { money: Money::new(Minor::new(1), Currency::parse("USD").unwrap()), last: false };
        let refusal = permit(&dollars, &payment, &payment.balance(0).unwrap());
        assert_eq!(refusal, Err(Refusal::CurrencyMismatch { expected: payment.currency }));

        payment.phase = Phase::Pending;
        for order in [Order::Capture { money: payment.money(Minor::new(1)), last: false }, Order::Void] {
            let refusal = permit(&order, &payment, &payment.balance(0).unwrap());
            assert_eq!(refusal, Err(Refusal::InvalidState { kind: order.kind(), status: Status::Pending }));
        }
    }
}
