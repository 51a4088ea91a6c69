//! The canonical text of a command is equal for equal commands and only for them: a repeated key is compared by it.

use crate::scenario::decimal;
use domain::id::{MerchantReference, OperationId};
use domain::operation::{CaptureCommand, OperationLine, OperationReason, RefundCommand, RefundTarget, VoidCommand};
use proptest::prelude::*;

proptest! {
    #[test]
    fn captures_have_the_same_text_only_if_they_are_the_same(one in capture(), other in capture()) {
        prop_assert_eq!(one.canonical() == other.canonical(), sorted_capture(&one) == sorted_capture(&other), "{:?} and {:?}", one, other);
    }

    #[test]
    fn refunds_have_the_same_text_only_if_they_are_the_same(one in refund(), other in refund()) {
        prop_assert_eq!(one.canonical() == other.canonical(), sorted_refund(&one) == sorted_refund(&other), "{:?} and {:?}", one, other);
    }

    #[test]
    fn voids_have_the_same_text_only_if_they_are_the_same(one in void(), other in void()) {
        prop_assert_eq!(one.canonical() == other.canonical(), one == other, "{:?} and {:?}", one, other);
    }

    /// Most random pairs differ in much; here the second differs from the first in one property.
    #[test]
    fn one_property_makes_the_difference(one in refund(), other in refund(), which in 0..6usize) {
        let mut changed = one.clone();
        match which {
            0 => changed.amount = other.amount,
            1 => changed.target = other.target,
            2 => changed.reason = other.reason,
            3 => changed.note = other.note,
            4 => changed.line_items = other.line_items,
            _ => changed.merchant_reference = other.merchant_reference,
        }
        let are_same = sorted_refund(&one) == sorted_refund(&changed);
        prop_assert_eq!(one.canonical() == changed.canonical(), are_same, "{:?} and {:?}", one, changed);
    }

    #[test]
    fn no_text_passes_for_what_stands_after_it(one in refund()) {
        let text = one.canonical();
        for (cut, _) in text.match_indices('|') {
            let rest = &text[cut..];
            let reference = one.merchant_reference.as_ref().map_or("", |reference| reference.as_str());
            let merchant_reference = MerchantReference::parse(&format!("{reference}{rest}"));
            let note = Some(one.note.clone().unwrap_or_default() + rest);
            let in_note = RefundCommand { note, line_items: vec![], ..one.clone() };
            let in_reference = RefundCommand { merchant_reference, amount: one.amount, ..RefundCommand::default() };
            for imitation in [in_note, in_reference] {
                prop_assert_eq!(text == imitation.canonical(), sorted_refund(&one) == sorted_refund(&imitation), "{:?}", imitation);
            }
        }
    }

    #[test]
    fn no_line_passes_for_two(first in line(), second in line()) {
        let OperationLine { unique_id, quantity, amount } = &first;
        let unique_id = format!("{unique_id},{quantity},{amount}|line={}", second.unique_id);
        let one = OperationLine { unique_id, ..second.clone() };
        let of = |line_items| CaptureCommand { line_items, ..CaptureCommand::default() }.canonical();
        prop_assert_ne!(of(vec![one]), of(vec![first, second]));
    }

    #[test]
    fn the_way_in_which_a_command_is_written_does_not_matter(command in capture(), turn in 0..4usize) {
        let mut written = command.clone();
        written.amount = command.amount.map(|amount| decimal(&padded(&amount.to_string())));
        written.line_items.rotate_left(turn.min(command.line_items.len()));
        for line in &mut written.line_items {
            line.amount = decimal(&padded(&line.amount.to_string()));
            line.quantity = decimal(&padded(&line.quantity.to_string()));
        }
        prop_assert_eq!(command.canonical(), written.canonical());
    }

    #[test]
    fn no_kind_passes_for_another(capture in capture(), refund in refund(), void in void()) {
        prop_assert_ne!(capture.canonical(), refund.canonical());
        prop_assert_ne!(capture.canonical(), void.canonical());
        prop_assert_ne!(refund.canonical(), void.canonical());
    }
}

fn padded(number: &str) -> String {
    if number.contains('.') { format!("{number}0") } else { format!("{number}.00") }
}

fn capture() -> impl Strategy<Value = CaptureCommand> {
    (prop::option::of(number()), prop::option::of(any::<bool>()), lines(), prop::option::of(reference()))
        .prop_map(|(amount, is_final, line_items, merchant_reference)| CaptureCommand { amount, is_final, line_items, merchant_reference })
}

fn refund() -> impl Strategy<Value = RefundCommand> {
    let id = (1..3u64).prop_map(|id| RefundTarget::Capture(OperationId::new(id).unwrap()));
    let target = prop::option::of(prop_oneof![id, reference().prop_map(RefundTarget::CaptureOf)]);
    let reason = prop::option::of(prop::sample::select(OperationReason::ALL));
    let note = prop::option::of(text());
    (prop::option::of(number()), target, reason, note, lines(), prop::option::of(reference())).prop_map(
        |(amount, target, reason, note, line_items, merchant_reference)| RefundCommand {
            amount,
            target,
            reason,
            note,
            line_items,
            merchant_reference,
        },
    )
}

fn void() -> impl Strategy<Value = VoidCommand> {
    let reason = prop::option::of(prop::sample::select(OperationReason::ALL));
    (reason, prop::option::of(reference())).prop_map(|(reason, merchant_reference)| VoidCommand { reason, merchant_reference })
}

fn number() -> impl Strategy<Value = domain::Decimal> {
    prop::sample::select(vec!["1", "10", "0.1", "0.10", "11"]).prop_map(decimal)
}

fn lines() -> impl Strategy<Value = Vec<OperationLine>> {
    prop::collection::vec(line(), 0..3)
}

fn line() -> impl Strategy<Value = OperationLine> {
    (text(), number(), number()).prop_map(|(unique_id, quantity, amount)| OperationLine { unique_id, quantity, amount })
}

fn reference() -> impl Strategy<Value = MerchantReference> {
    text().prop_filter_map("printable ASCII", |text| MerchantReference::parse(&text))
}

/// Texts that try to look like the canonical form itself.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec!["\"", "\\", "|", ",", "1", "a", "reason=FRAUD", "note=", "line=", "\n", "\u{e4}", "\u{202e}"]);
    let pieces = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    prop_oneof![Just("1".to_owned()), Just("2".to_owned()), pieces]
}

/// The command with its lines in one order.
fn sorted_capture(command: &CaptureCommand) -> CaptureCommand {
    CaptureCommand { line_items: sorted(&command.line_items), ..command.clone() }
}

fn sorted_refund(command: &RefundCommand) -> RefundCommand {
    RefundCommand { line_items: sorted(&command.line_items), ..command.clone() }
}

fn sorted(lines: &[OperationLine]) -> Vec<OperationLine> {
    let mut lines = lines.to_vec();
    lines.sort_by_key(|line| (line.unique_id.clone(), line.quantity.to_string(), line.amount.to_string()));
    lines
}
