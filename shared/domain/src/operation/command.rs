//! What a caller asks for, parsed but not yet judged: amounts have no currency until the transaction is known.

use crate::currency::Currency;
use crate::error::{Refusal, both};
use crate::id::{MerchantReference, OperationId};
use crate::money::{Decimal, Minor, NotAnAmount};
use crate::named::named;
use std::fmt::Write;

/// Take what is held, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureCommand {
    /// Absent: the sum of the lines, or all that is capturable.
    pub amount: Option<Decimal>,
    /// Absent: final if nothing would remain.
    pub is_final: Option<bool>,
    pub line_items: Vec<OperationLine>,
    pub merchant_reference: Option<MerchantReference>,
}

/// Give back what was captured, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundCommand {
    /// Absent: the sum of the lines, or all that is refundable.
    pub amount: Option<Decimal>,
    pub target: Option<RefundTarget>,
    pub reason: Option<OperationReason>,
    pub note: Option<String>,
    pub line_items: Vec<OperationLine>,
    pub merchant_reference: Option<MerchantReference>,
}

/// Release all that is held and not captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoidCommand {
    pub reason: Option<OperationReason>,
    pub merchant_reference: Option<MerchantReference>,
}

/// Which capture a refund belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundTarget {
    Capture(OperationId),
    CaptureOf(MerchantReference),
}

named! {
    /// Why money is given back, or what is held let go: one list for refunds and voids.
    OperationReason {
        Return = "RETURN",
        Duplicate = "DUPLICATE",
        Fraud = "FRAUD",
        Goodwill = "GOODWILL",
        Other = "OTHER",
    }
}

/// A line of an invoice or credit memo that an operation covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationLine {
    pub unique_id: String,
    pub quantity: Decimal,
    /// The line's total including tax.
    pub amount: Decimal,
}

impl CaptureCommand {
    /// The same text for the same command, however it was written: `10` and `10.00`, lines in any order.
    pub fn canonical(&self) -> String {
        let mut text = canonical_head("capture", self.amount, self.merchant_reference.as_ref());
        if let Some(is_final) = self.is_final {
            let _ = write!(text, "|final={is_final}");
        }
        text + &canonical_lines(&self.line_items)
    }
}

impl RefundCommand {
    /// The same text for the same command, however it was written.
    pub fn canonical(&self) -> String {
        let mut text = canonical_head("refund", self.amount, self.merchant_reference.as_ref());
        match &self.target {
            Some(RefundTarget::Capture(id)) => drop(write!(text, "|capture={id}")),
            Some(RefundTarget::CaptureOf(reference)) => drop(write!(text, "|captureOf={:?}", reference.as_str())),
            None => {}
        }
        text += &canonical_reason(self.reason);
        if let Some(note) = &self.note {
            let _ = write!(text, "|note={note:?}");
        }
        text + &canonical_lines(&self.line_items)
    }
}

impl VoidCommand {
    /// The same text for the same command, however it was written.
    pub fn canonical(&self) -> String {
        canonical_head("void", None, self.merchant_reference.as_ref()) + &canonical_reason(self.reason)
    }
}

fn canonical_head(kind: &str, amount: Option<Decimal>, reference: Option<&MerchantReference>) -> String {
    let mut text = kind.to_owned();
    if let Some(amount) = amount {
        let _ = write!(text, "|amount={amount}");
    }
    if let Some(reference) = reference {
        let _ = write!(text, "|reference={:?}", reference.as_str());
    }
    text
}

fn canonical_reason(reason: Option<OperationReason>) -> String {
    reason.map(|reason| format!("|reason={}", reason.as_str())).unwrap_or_default()
}

fn canonical_lines(lines: &[OperationLine]) -> String {
    let mut lines: Vec<_> = lines.iter().map(|line| format!("|line={:?},{},{}", line.unique_id, line.quantity, line.amount)).collect();
    lines.sort();
    lines.concat()
}

/// The amount that a command names, by itself or through its lines; none means "all of it".
pub(super) fn asked_amount(amount: Option<Decimal>, lines: &[OperationLine], currency: Currency) -> Result<Option<Minor>, Refusal> {
    let in_currency = |decimal: Decimal| {
        decimal.in_currency(currency).map_err(|e| match e {
            NotAnAmount::TooLarge => Refusal::InvalidAmount,
            NotAnAmount::TooManyDecimals => Refusal::TooManyDecimals { currency },
        })
    };
    let mut sum = Ok(Minor::ZERO);
    for line in lines {
        let sum_and_line = both(sum, in_currency(line.amount));
        sum = sum_and_line.and_then(|(sum, amount)| sum.plus(amount).map_err(|_| Refusal::InvalidAmount));
    }
    let (amount, sum) = both(amount.map(in_currency).transpose(), sum)?;
    let asked = if lines.is_empty() { amount } else { amount.or(Some(sum)) };
    match asked {
        Some(asked) if !asked.is_positive() => Err(Refusal::AmountNotPositive),
        Some(asked) if !lines.is_empty() && asked != sum => Err(Refusal::LineItemsAmountMismatch),
        asked => Ok(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn line(id: &str, amount: &str) -> OperationLine {
        OperationLine { unique_id: id.into(), quantity: decimal("1"), amount: decimal(amount) }
    }

    #[test]
    fn equal_commands_have_one_canonical_text() {
        let one = CaptureCommand { amount: Some(decimal("10")), line_items: vec![line("a", "4"), line("b", "6.0")], ..Default::default() };
        let other =
            CaptureCommand { amount: Some(decimal("10.00")), line_items: vec![line("b", "6"), line("a", "4.00")], ..Default::default() };
        assert_eq!(one.canonical(), other.canonical());
    }

    #[test]
    fn different_commands_differ_and_no_text_can_imitate_another_field() {
        let noted = |note: &str| RefundCommand { note: Some(note.into()), ..Default::default() }.canonical();
        let reasoned = RefundCommand { reason: Some(OperationReason::Fraud), note: Some("x".into()), ..Default::default() }.canonical();
        assert_ne!(noted("x\"|reason=FRAUD"), reasoned);
        assert_ne!(noted("a"), noted("b"));
        assert_ne!(CaptureCommand::default().canonical(), CaptureCommand { is_final: Some(false), ..Default::default() }.canonical());
        assert_ne!(CaptureCommand::default().canonical(), RefundCommand::default().canonical());
    }
}
