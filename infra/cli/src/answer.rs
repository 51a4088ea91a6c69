//! What the API answers, as far as this tool shows it. Unknown properties are passed over: a newer API may have more.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// An amount with the digits that were sent: `20.00` is not `20.0`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amount(String);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer)?.get().to_owned()))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Amount {
    pub fn is_zero(&self) -> bool {
        self.0.bytes().all(|b| matches!(b, b'0' | b'.'))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    pub id: u64,
    pub version: u64,
    pub state: String,
    pub import_state: String,
    pub import_failure: Option<Reason>,
    pub connection: String,
    pub psp: String,
    pub psp_reference: String,
    pub merchant_reference: String,
    pub currency: String,
    pub verified: String,
    pub needs_attention: bool,
    pub failure_reason: Option<Reason>,
    pub created_on: Option<String>,
    pub authorization_expires_on: Option<String>,
    pub balance: Balance,
    #[serde(default)]
    pub available_actions: Vec<String>,
    #[serde(default)]
    pub captures: Vec<Operation>,
    #[serde(default)]
    pub refunds: Vec<Operation>,
    #[serde(default)]
    pub voids: Vec<Operation>,
    #[serde(default)]
    pub interactions: Vec<Interaction>,
}

impl Transaction {
    /// All operations in the order in which they were made.
    pub fn operations(&self) -> Vec<&Operation> {
        let mut operations: Vec<_> = self.captures.iter().chain(&self.refunds).chain(&self.voids).collect();
        operations.sort_by_key(|operation| operation.id);
        operations
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    pub authorized: Amount,
    pub capturable: Amount,
    pub captured: Amount,
    pub capture_pending: Amount,
    pub refundable: Amount,
    pub refunded: Amount,
    pub refund_pending: Amount,
    pub voided: Amount,
    pub void_pending: Amount,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    pub id: u64,
    pub kind: String,
    pub transaction_id: u64,
    pub state: String,
    pub amount: Amount,
    pub currency: String,
    pub idempotency_key: Option<String>,
    pub merchant_reference: Option<String>,
    pub psp_reference: Option<String>,
    pub actor: String,
    pub reversed_on: Option<String>,
    pub failure_reason: Option<Reason>,
    /// Only where a command was answered.
    pub transaction: Option<TransactionNow>,
}

impl Operation {
    pub fn is_open(&self) -> bool {
        !matches!(self.state.as_str(), "SUCCESSFUL" | "FAILED")
    }
}

/// The transaction as a command left it.
#[derive(Debug, Deserialize)]
pub struct TransactionNow {
    pub state: String,
    pub balance: Balance,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    pub code: String,
    pub description: String,
    pub psp_code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interaction {
    pub sequence: u64,
    pub on: Option<String>,
    pub kind: String,
    pub actor: String,
    pub previous_state: String,
    pub state: String,
    pub operation: Option<Mark>,
    pub detail: Option<String>,
}

/// The operation that an interaction is about, as it was then.
#[derive(Debug, Deserialize)]
pub struct Mark {
    pub kind: String,
    pub id: u64,
    pub amount: Amount,
}

#[derive(Debug, Deserialize)]
pub struct Page {
    pub transactions: Vec<Box<RawValue>>,
    pub next: Option<String>,
}

/// A refusal (RFC 9457), or the words of the gateway.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Problem {
    pub code: Option<String>,
    pub detail: Option<String>,
    pub request_id: Option<String>,
    pub transaction_id: Option<u64>,
    pub errors: Vec<Flaw>,
    /// How the gateway says it.
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Flaw {
    pub pointer: String,
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_digits() {
        let amount = |json| serde_json::from_str::<Amount>(json).unwrap().to_string();
        assert_eq!(amount("20.00"), "20.00");
        assert_eq!(amount("90071992547409930.01"), "90071992547409930.01");
        assert!(Amount("0.00".to_owned()).is_zero() && !Amount("0.01".to_owned()).is_zero());
    }
}
