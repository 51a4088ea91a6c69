//! How the sandbox fails on purpose: ordered by `POST /faults`, or by a magic amount.

use crate::sandbox::payment::Kind;
use domain::Money;

/// One way in which a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Declined: recorded as failed and answered 422 `refused`; a read is answered 403 `refused`.
    Refuse,
    /// Not executed; the connection is closed without an answer.
    LostRequest,
    /// Executed; the connection is closed without an answer.
    LostAnswer,
    /// Executed; answered 500, also to a replay by idempotency key.
    Error500,
    /// Not executed; answered 503.
    Error503,
    /// Accepted with status `pending`; succeeds about 300 ms later, told by webhook. Not for reads.
    Pending,
    /// Executed after 5 s, then answered; meanwhile the idempotency key answers 409 `in-progress`.
    Slow,
    /// Executed; the answer's body is cut off and unreadable. A replay by idempotency key is readable.
    Garbage,
    /// Executed as asked, but the answer names one minor unit less.
    WrongAmount,
}

/// Captures and refunds of these amounts, in currencies with two decimals, go wrong without being told to: for people
/// who click. `lost-request` and `error-503` hit only the first try of an idempotency key, so that a resend succeeds.
pub const MAGIC_AMOUNTS: [(&str, Fault); 9] = [
    ("13.01", Fault::Refuse),
    ("13.02", Fault::LostRequest),
    ("13.03", Fault::LostAnswer),
    ("13.04", Fault::Error500),
    ("13.05", Fault::Error503),
    ("13.06", Fault::Pending),
    ("13.07", Fault::Slow),
    ("13.08", Fault::Garbage),
    ("13.09", Fault::WrongAmount),
];

impl Fault {
    pub const ALL: [Self; 9] = [
        Self::Refuse,
        Self::LostRequest,
        Self::LostAnswer,
        Self::Error500,
        Self::Error503,
        Self::Pending,
        Self::Slow,
        Self::Garbage,
        Self::WrongAmount,
    ];

    /// The name in `POST /faults`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::LostRequest => "lost-request",
            Self::LostAnswer => "lost-answer",
            Self::Error500 => "error-500",
            Self::Error503 => "error-503",
            Self::Pending => "pending",
            Self::Slow => "slow",
            Self::Garbage => "garbage",
            Self::WrongAmount => "wrong-amount",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == text)
    }

    /// The call happens at the PSP, whatever the caller then hears.
    pub(super) const fn lets_it_happen(self) -> bool {
        !matches!(self, Self::LostRequest | Self::Error503)
    }
}

/// What a fault can be ordered for, and what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Read,
    Capture,
    Refund,
    Void,
}

impl Call {
    pub const ALL: [Self; 4] = [Self::Read, Self::Capture, Self::Refund, Self::Void];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Void => "void",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.as_str() == text)
    }
}

impl From<Kind> for Call {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Capture => Self::Capture,
            Kind::Refund => Self::Refund,
            Kind::Void => Self::Void,
        }
    }
}

/// The fault that an amount stands for.
pub(super) fn magic(money: Money) -> Option<Fault> {
    let text = (money.currency.decimals() == 2).then(|| money.to_string())?;
    MAGIC_AMOUNTS.iter().find(|(amount, _)| *amount == text).map(|(_, fault)| *fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Currency, Minor};

    #[test]
    fn each_fault_has_a_name_and_a_magic_amount() {
        for (fault, (amount, magical)) in Fault::ALL.into_iter().zip(MAGIC_AMOUNTS) {
            assert_eq!(fault, magical, "{amount}");
            assert_eq!(Fault::parse(fault.as_str()), Some(fault));
        }
    }

    #[test]
    fn amounts_are_magic_with_two_decimals_only() {
        let fault = |units, code| magic(Money::new(Minor::new(units), Currency::parse(code).unwrap()));
        assert_eq!(fault(1301, "EUR"), Some(Fault::Refuse));
        assert_eq!(fault(1309, "CHF"), Some(Fault::WrongAmount));
        for (units, code) in [(1300, "EUR"), (1310, "EUR"), (1301, "JPY"), (13010, "KWD"), (11301, "EUR")] {
            assert_eq!(fault(units, code), None, "{units} {code}");
        }
    }
}
