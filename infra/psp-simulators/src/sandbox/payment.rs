//! A payment as it is stored, and what follows from its operations: amounts and status. Nothing derived is stored.

use crate::sandbox::Broken;
use crate::sandbox::faults::Call;
use domain::{Currency, Minor, Money};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
pub struct Payment {
    pub id: String,
    pub account: String,
    #[serde(with = "stored_amount")]
    pub amount: Minor,
    #[serde(with = "stored_currency")]
    pub currency: Currency,
    pub merchant_reference: Option<String>,
    pub capture_mode: CaptureMode,
    /// Milliseconds since 1970, like all moments here.
    pub created_on: i64,
    pub expires_after_ms: i64,
    pub phase: Phase,
    pub operations: Vec<Operation>,
    pub calls: Calls,
    #[serde(default)]
    pub keys: Vec<KeyUse>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptureMode {
    Manual,
    Automatic,
}

/// How far the payer has come; what the merchant did afterwards stands in the operations.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Pending,
    Authorized { on: i64, expires_on: i64 },
    Failed,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Operation {
    pub id: String,
    pub kind: Kind,
    pub reference: Option<String>,
    #[serde(with = "stored_amount")]
    pub amount: Minor,
    /// A final capture releases what remains.
    pub last: bool,
    pub reason: Option<String>,
    pub status: OperationStatus,
    pub failure_code: Option<String>,
    pub created_on: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Capture,
    Refund,
    Void,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Void => "void",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationStatus {
    Pending,
    Succeeded,
    Failed,
}

/// Calls of the PSP API that reached the payment: a read that was made, a command that was decided on (also refused).
///
/// Not counted: a replay by idempotency key, and what a fault kept from happening (`lost-request`, `error-503`).
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Calls {
    read: u64,
    capture: u64,
    refund: u64,
    void: u64,
}

impl Calls {
    pub fn count(&mut self, call: Call) {
        let counter = match call {
            Call::Read => &mut self.read,
            Call::Capture => &mut self.capture,
            Call::Refund => &mut self.refund,
            Call::Void => &mut self.void,
        };
        *counter = counter.saturating_add(1);
    }
}

/// How often requests with one idempotency key came in, whatever came of them: also a replay, and what a fault swallowed.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyUse {
    pub kind: Kind,
    pub key: String,
    pub requests: u64,
}

/// What has become of the amount. Always: authorized amount = captured + being captured + held + released.
#[derive(Clone, Copy, Debug)]
pub struct Balance {
    pub captured: Minor,
    pub refunded: Minor,
    /// Released by a void, by a final capture or by expiry.
    pub released: Minor,
    /// Reserved and not being captured; an open void or final capture still holds it.
    pub held: Minor,
    pub capturable: Minor,
    pub refundable: Minor,
    pub capture_open: bool,
    pub status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pending,
    Authorized,
    Captured,
    Voided,
    Failed,
    Expired,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
}

impl Payment {
    pub fn money(&self, amount: Minor) -> Money {
        Money::new(amount, self.currency)
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |o| o.kind == kind)
    }

    pub fn balance(&self, now: i64) -> Result<Balance, Broken> {
        let captured = self.total(Kind::Capture, OperationStatus::Succeeded)?;
        let capturing = self.total(Kind::Capture, OperationStatus::Pending)?;
        let refunded = self.total(Kind::Refund, OperationStatus::Succeeded)?;
        let refunding = self.total(Kind::Refund, OperationStatus::Pending)?;
        let voided = self.total(Kind::Void, OperationStatus::Succeeded)?;

        let (authorized, expired) = match self.phase {
            Phase::Pending | Phase::Failed => (Minor::ZERO, false),
            Phase::Authorized { expires_on, .. } => (self.amount, now >= expires_on),
        };
        let rest = checked(Minor::sum([captured, capturing, voided]).and_then(|gone| authorized.less(gone)))?;
        let closed = expired || self.has(|o| o.status == OperationStatus::Succeeded && o.last);
        let (held, released) = if closed { (Minor::ZERO, checked(voided.plus(rest))?) } else { (rest, voided) };
        let all_claimed = self.has(|o| o.status == OperationStatus::Pending && (o.last || o.kind == Kind::Void));
        let status = match self.phase {
            Phase::Pending => Status::Pending,
            Phase::Failed => Status::Failed,
            Phase::Authorized { .. } if held.is_positive() || capturing.is_positive() => Status::Authorized,
            Phase::Authorized { .. } if captured.is_positive() => Status::Captured,
            Phase::Authorized { .. } if voided == self.amount => Status::Voided,
            Phase::Authorized { .. } => Status::Expired,
        };
        Ok(Balance {
            captured,
            refunded,
            released,
            held,
            capturable: if all_claimed { Minor::ZERO } else { held },
            refundable: checked(refunded.plus(refunding).and_then(|given| captured.less(given)))?,
            capture_open: capturing.is_positive(),
            status,
        })
    }

    /// A request with this key has come in.
    pub fn count_key(&mut self, kind: Kind, key: &str) {
        match self.keys.iter_mut().find(|used| used.kind == kind && used.key == key) {
            Some(used) => used.requests = used.requests.saturating_add(1),
            None => self.keys.push(KeyUse { kind, key: key.to_owned(), requests: 1 }),
        }
    }

    fn has(&self, condition: impl Fn(&Operation) -> bool) -> bool {
        self.operations.iter().any(condition)
    }

    fn total(&self, kind: Kind, status: OperationStatus) -> Result<Minor, Broken> {
        checked(Minor::sum(self.of_kind(kind).filter(|o| o.status == status).map(|o| o.amount)))
    }
}

fn checked(amount: Result<Minor, domain::money::Overflow>) -> Result<Minor, Broken> {
    amount.map_err(|domain::money::Overflow| Broken::from("amounts of a payment add up to more than 64 bits"))
}

mod stored_amount {
    use domain::Minor;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(amount: &Minor, serializer: S) -> Result<S::Ok, S::Error> {
        amount.units().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Minor, D::Error> {
        i64::deserialize(deserializer).map(Minor::new)
    }
}

mod stored_currency {
    use domain::Currency;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(currency: &Currency, serializer: S) -> Result<S::Ok, S::Error> {
        currency.code().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        let code = String::deserialize(deserializer)?;
        Currency::parse(&code).ok_or_else(|| D::Error::custom("not a currency"))
    }
}
