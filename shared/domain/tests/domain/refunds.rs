//! When and how much may be given back, and of which capture.

use crate::ledger::{Ledger, payment};
use crate::scenario::{EVERYTHING, check, decimal};
use domain::operation::{CaptureCommand, Effect, RefundCommand, RefundOrder};
use domain::{Capabilities, TransactionState};

#[test]
fn parts_are_refunded_until_nothing_is_left() {
    check(
        "
        authorized 10.00 EUR
          capture         -> successful  FULFILL
          refund 4.00     -> successful  refunded 4.00, refundable 6.00, still FULFILL
          refund 6.01     -> rejected: exceeds-refundable-amount  left 6.00
          refund          -> successful  refund 2 of 6.00, refunded 10.00, refundable 0.00, still FULFILL
          refund          -> rejected: exceeds-refundable-amount  left 0.00
          refund 0.01     -> rejected: exceeds-refundable-amount  left 0.00
        ",
    );
}

#[test]
fn only_what_was_captured_can_be_refunded() {
    check(
        "
        authorized 10.00 EUR
          refund 1.00     -> rejected: invalid-state
          capture 4.00    -> successful
          refund 5.00     -> rejected: exceeds-refundable-amount  left 4.00
          refund 4.00     -> successful  refunded 4.00, capturable 6.00, still AUTHORIZED
          capture 6.00    -> successful  captured 10.00, refundable 6.00
        ",
    );
    check(
        "
        import of 10.00 EUR
          refund 1.00    -> rejected: import-not-completed
        ",
    );
}

#[test]
fn a_refund_of_what_an_open_capture_may_bring_is_merely_too_early() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                       -> pending
          refund 4.00                        -> rejected: capture-not-final  retry later
          PSP shows capture 1 as successful  -> successful
          capture 6.00                       -> unknown
          refund 5.00                        -> rejected: capture-not-final
          refund 10.01                       -> rejected: exceeds-refundable-amount  left 4.00
          refund 4.00                        -> successful  refunded 4.00
          refund 6.00                        -> rejected: capture-not-final
          refund 6.01                        -> rejected: exceeds-refundable-amount  left 0.00
        ",
    );
}

#[test]
fn an_open_refund_blocks_nothing_but_its_own_share() {
    for open in ["requested", "pending", "unknown"] {
        check(&format!(
            "
            authorized 10.00 EUR
              capture 6.00                        -> successful
              refund 4.00                         -> {open}      refunded 0.00, refund pending 4.00, refundable 2.00
              refund 3.00                         -> rejected: exceeds-refundable-amount  left 2.00
              refund 2.00                         -> successful  refunded 2.00, refund pending 4.00
              capture                             -> successful  captured 10.00, refundable 4.00, FULFILL
              PSP shows refund 1 as failed        -> failed      refund pending 0.00, refundable 8.00
            "
        ));
    }
}

#[test]
fn a_refund_settles_once() {
    check(
        "
        authorized 10.00 EUR
          capture                              -> successful
          refund 4.00                          -> unknown
          PSP shows refund 1 as pending        -> pending     told as transaction.refund.pending
          PSP answers refund 1 with unknown    -> nothing new
          PSP shows refund 1 as successful     -> successful  refunded 4.00, refund pending 0.00
          PSP shows refund 1 as successful     -> nothing new
          PSP answers refund 1 with successful -> nothing new
          PSP answers refund 1 with pending    -> nothing new  refunded 4.00, no attention
        ",
    );
}

#[test]
fn a_refund_may_name_its_capture_and_is_held_by_what_is_left_of_it() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00, as INV-1          -> successful
          capture 6.00, as INV-2          -> successful
          refund 5.00, of capture 1       -> rejected: exceeds-refundable-amount  left 4.00
          refund 3.00, of INV-1           -> unknown      refund 1 is of capture 1
          refund 2.00, of capture 1       -> rejected: exceeds-refundable-amount  left 1.00
          refund, of capture 1            -> successful   refund 2 of 1.00
          PSP shows refund 1 as failed    -> failed
          refund, of INV-1                -> successful   refund 3 of 3.00
          refund 6.00                     -> successful   refund 4 is of no capture, refunded 10.00
          refund, of capture 2            -> rejected: exceeds-refundable-amount  left 0.00
        ",
    );
}

#[test]
fn a_named_capture_must_exist_and_have_succeeded() {
    check(
        "
        authorized 10.00 EUR
          capture 1.00, as INV-0                -> successful
          capture 2.00, as INV-1                -> pending
          capture 3.00, as INV-2                -> failed
          refund 1.00, of capture unknown       -> rejected: operation-not-found
          refund 1.00, of INV-9                 -> rejected: operation-not-found
          refund 1.00, of INV-1                 -> rejected: capture-not-final  retry later
          refund 1.00, of capture 3             -> rejected: invalid-state
          refund 1.00, of INV-2                 -> rejected: invalid-state
          capture 3.00, as INV-0                -> successful
          refund 1.00, of INV-0                 -> rejected: invalid-request
        ",
    );
}

#[test]
fn an_open_capture_does_not_help_a_refund_of_another_one() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                 -> successful
          capture 6.00                 -> pending
          refund 5.00, of capture 1    -> rejected: exceeds-refundable-amount  left 4.00
        ",
    );
}

#[test]
fn a_capture_that_failed_does_not_make_the_reference_of_its_repetition_ambiguous() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00, as INV-1    -> failed
          capture 4.00, as INV-1    -> successful
          refund 4.00, of INV-1     -> successful  refund 1 is of capture 2
        ",
    );
}

#[test]
fn a_psp_that_refunds_per_capture_gets_the_oldest_that_holds_it() {
    check(
        "
        authorized 20.00 EUR, refunds per capture
          capture 4.00                 -> failed
          capture 5.00                 -> successful
          capture 8.00                 -> successful
          capture 7.00                 -> pending
          refund 6.00                  -> successful  refund 1 is of capture 3
          refund 5.00                  -> unknown     refund 2 is of capture 2
          refund 2.00                  -> successful  refund 3 is of capture 3, refundable 0.00
          refund 1.00                  -> rejected: capture-not-final
          PSP shows refund 2 as failed -> failed      refundable 5.00
          refund 5.00                  -> successful  refund 4 is of capture 2
        ",
    );
}

#[test]
fn a_refund_that_no_capture_holds_alone_must_be_told_apart() {
    check(
        "
        authorized 10.00 EUR, refunds per capture
          capture 4.00                 -> successful
          capture 6.00                 -> successful
          refund 7.00                  -> rejected: capture-id-required
          refund                       -> rejected: capture-id-required
          refund 10.01                 -> rejected: exceeds-refundable-amount  left 10.00
          refund, of capture 1         -> successful  refund 1 of 4.00
          refund                       -> successful  refund 2 of 6.00, refund 2 is of capture 2
        ",
    );
}

#[test]
fn a_psp_that_refunds_only_all_refuses_a_part() {
    check(
        "
        authorized 10.00 EUR, refunds only all
          capture         -> successful
          refund 9.99     -> rejected: not-supported-by-psp
          refund 10.01    -> rejected: exceeds-refundable-amount
          refund          -> failed      may REFUND
          refund          -> successful  refunded 10.00, may nothing
        ",
    );
}

#[test]
fn lines_and_decimals_are_judged_as_in_a_capture() {
    check(
        "
        authorized 10.00 EUR
          capture                             -> successful
          refund, lines 1.50 + 0.50           -> successful  refunded 2.00
          refund 1.00, lines 1.50 + 0.50      -> rejected: line-items-amount-mismatch
          refund 1.001                        -> rejected: too-many-decimals
          refund 0.00                         -> rejected: amount-not-positive
          refund 99999999999999999            -> rejected: invalid-amount
        ",
    );
}

#[test]
fn the_oldest_capture_is_found_in_whatever_order_they_are_read() {
    let mut ledger = Ledger::begin("10.00", "EUR", Capabilities { refunds_per_capture: true, ..EVERYTHING }).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    for _ in 0..2 {
        let capture = ledger.capture(&CaptureCommand { amount: Some(decimal("5.00")), ..CaptureCommand::default() }).unwrap();
        ledger.settle(capture, Effect::Succeeded { psp_reference: None }).unwrap();
    }
    let command = RefundCommand { amount: Some(decimal("5.00")), ..RefundCommand::default() };
    let oldest = Some(ledger.operations[0].facts().id);
    ledger.operations.reverse();
    let refund = ledger.refund(&command).unwrap();
    let refund = ledger.operations.iter().find(|operation| operation.facts().id == refund).unwrap();
    assert_eq!(refund.bound_capture(), oldest);
}

/// Else the share would stay set aside in the capture, or be given back in another one.
#[test]
fn a_refund_is_neither_sent_nor_settled_without_the_capture_that_it_belongs_to() {
    let mut ledger = Ledger::begin("10.00", "EUR", Capabilities { refunds_per_capture: true, ..EVERYTHING }).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let capture = ledger.capture(&CaptureCommand::default()).unwrap();
    let done = Effect::Succeeded { psp_reference: None };
    ledger.settle(capture, done.clone()).unwrap();
    ledger.refund(&RefundCommand::default()).unwrap();
    let [_, refund] = &ledger.operations[..] else { panic!("a capture and a refund") };
    for bound in [None, Some(refund)] {
        let settled = ledger.transaction.settle(refund, bound, done.clone(), ledger.now);
        assert_eq!(settled.err().map(|refusal| refusal.code()), Some("internal"));
        let order = RefundOrder::of(&ledger.transaction, refund, bound);
        assert_eq!(order.err().map(|refusal| refusal.code()), Some("internal"));
    }
}
