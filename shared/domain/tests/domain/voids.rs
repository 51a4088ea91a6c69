//! When what is held may be released, and what becomes of it.

use crate::ledger::{Ledger, payment};
use crate::scenario::{EVERYTHING, check};
use domain::TransactionState;
use domain::operation::{CaptureCommand, VoidOrder};

#[test]
fn a_void_releases_everything_and_ends_the_transaction() {
    check(
        "
        authorized 10.00 EUR
          void            -> successful  void 1 of 10.00, voided 10.00, void pending 0.00, capturable 0.00, captured 0.00, VOIDED,
                                         via VOIDED, told as transaction.void.successful, by CALLER, no attention, may nothing
          void            -> rejected: already-voided
          capture 1.00    -> rejected: already-voided
          refund          -> rejected: invalid-state
        ",
    );
}

#[test]
fn after_a_part_was_captured_a_void_releases_the_rest_and_completes_the_transaction() {
    check(
        "
        authorized 10.00 EUR
          capture 3.00    -> successful
          capture 1.00    -> successful  may CAPTURE CAPTURE_PARTIAL REFUND REFUND_PARTIAL VOID
          void            -> successful  void 1 of 6.00, captured 4.00, voided 6.00, capturable 0.00, FULFILL, via COMPLETED > FULFILL,
                                         may REFUND REFUND_PARTIAL
          void            -> rejected: already-captured
          capture 1.00    -> rejected: already-captured
          refund 4.00     -> successful  refunded 4.00, still FULFILL
        ",
    );
}

#[test]
fn nothing_is_voided_where_everything_was_captured() {
    for capture in ["capture", "capture 4.00, final"] {
        check(&format!(
            "
            authorized 10.00 EUR
              {capture}    -> successful  FULFILL
              void         -> rejected: already-captured
            "
        ));
    }
}

#[test]
fn an_open_void_holds_everything_and_lets_no_capture_or_void_pass() {
    for open in ["requested", "pending", "unknown"] {
        check(&format!(
            "
            authorized 10.00 EUR
              void                            -> {open}      void pending 10.00, voided 0.00, capturable 0.00, still AUTHORIZED,
                                                             may RECONCILE
              capture 1.00                    -> rejected: operation-in-doubt  retry later
              capture                         -> rejected: operation-in-doubt
              void                            -> rejected: operation-in-doubt  retry later
              PSP shows void 1 as failed      -> failed      void pending 0.00, capturable 10.00, still AUTHORIZED, no attention,
                                                             told as transaction.void.failed, may CAPTURE CAPTURE_PARTIAL VOID
              capture 4.00                    -> successful
              void                            -> successful  void 2 of 6.00, FULFILL
            "
        ));
    }
}

#[test]
fn an_open_capture_holds_a_void_back() {
    for capture in ["capture 4.00", "capture 4.00, final", "capture 4.00, not final", "capture"] {
        for open in ["requested", "pending", "unknown"] {
            check(&format!(
                "
                authorized 10.00 EUR
                  {capture}                        -> {open}
                  void                             -> rejected: operation-in-doubt  retry later, voided 0.00
                  PSP shows capture 1 as failed    -> failed
                  void                             -> successful  void 1 of 10.00, VOIDED
                "
            ));
        }
    }
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                  -> unknown
          PSP shows capture 1 as successful, of 3.00    -> manual check
          void                                          -> rejected: operation-in-doubt
          PSP shows capture 1 as successful             -> successful  captured 4.00
          void                                          -> successful  void 1 of 6.00, FULFILL
        ",
    );
}

#[test]
fn refunds_and_voids_do_not_wait_for_each_other() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                       -> successful
          refund 1.00                        -> unknown     refund pending 1.00
          void                               -> pending     void pending 6.00
          refund 2.00                        -> successful  refunded 2.00
          PSP shows void 1 as successful     -> successful  voided 6.00, FULFILL
          PSP shows refund 1 as failed       -> failed      refundable 2.00
        ",
    );
}

#[test]
fn a_refused_void_gives_everything_back() {
    check(
        "
        authorized 10.00 EUR
          void      -> failed      voided 0.00, void pending 0.00, capturable 10.00, still AUTHORIZED, via card-declined, no attention
          void      -> successful  void 2 of 10.00, VOIDED
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00    -> successful
          void            -> failed      capturable 6.00, captured 4.00, still AUTHORIZED
          capture         -> successful  captured 10.00, voided 0.00, FULFILL
        ",
    );
}

#[test]
fn an_unknown_void_keeps_everything_until_the_truth_is_found() {
    check(
        "
        authorized 10.00 EUR
          void                                                        -> unknown     told as transaction.void.unknown, no attention
          PSP answers void 1 with unknown                             -> nothing new
          PSP shows void 1 as successful, without our reference       -> not found
          PSP shows void 1 as successful, under 1-77-4711             -> not found
          PSP shows void 1 as pending                                 -> pending     void pending 10.00
          PSP answers void 1 with unknown                             -> nothing new  void 1 is PENDING
          PSP answers void 1 with failed                              -> nothing new  void pending 10.00
          PSP shows void 1 as successful                              -> successful  voided 10.00, void pending 0.00, VOIDED
          PSP shows void 1 as successful                              -> nothing new
          PSP answers void 1 with successful                          -> nothing new
          PSP answers void 1 with failed                              -> nothing new  still VOIDED, voided 10.00, no attention
        ",
    );
}

#[test]
fn a_void_of_another_amount_is_for_a_person() {
    for strange in ["of 9.00", "in CHF", "twice"] {
        check(&format!(
            "
            authorized 10.00 EUR
              void                                        -> unknown
              PSP shows void 1 as successful, {strange}   -> manual check  void pending 10.00, voided 0.00, still AUTHORIZED,
                                                             needs attention
              capture 1.00                                -> rejected: operation-in-doubt
              PSP shows void 1 as successful              -> successful    VOIDED, void 1 is not reversed
            "
        ));
    }
}

#[test]
fn a_void_that_turns_out_otherwise_is_corrected_and_leads_out_of_no_final_state() {
    check(
        "
        authorized 10.00 EUR
          void                              -> successful              VOIDED
          PSP shows void 1 as failed        -> reversed to failed      voided 0.00, still VOIDED, needs attention, void 1 is reversed,
                                                                       told as transaction.void.reversed, by PSP, may nothing
          PSP shows void 1 as successful    -> reversed to successful  voided 10.00, still VOIDED
        ",
    );
    check(
        "
        authorized 10.00 EUR
          void                              -> failed
          PSP shows void 1 as successful    -> reversed to successful  voided 10.00, VOIDED, needs attention
        ",
    );
}

/// Both the PSP has proved: more is gone than was held, and nothing is left.
#[test]
fn a_void_that_turns_out_executed_after_a_capture_completes_the_transaction() {
    check(
        "
        authorized 10.00 EUR
          void                              -> failed
          capture 4.00                      -> successful
          PSP shows void 1 as successful    -> reversed to successful  captured 4.00, voided 10.00, capturable 0.00, FULFILL,
                                               needs attention
        ",
    );
}

#[test]
fn a_void_that_turns_out_executed_waits_for_the_capture_that_is_open_now() {
    for (end, state) in [("successful", "FULFILL"), ("failed", "VOIDED")] {
        check(&format!(
            "
            authorized 10.00 EUR
              void                              -> failed
              capture 4.00                      -> pending
              PSP shows void 1 as successful    -> reversed to successful  voided 10.00, capturable 0.00, still AUTHORIZED
              PSP shows capture 1 as {end}      -> {end}                   {state}
            "
        ));
    }
}

/// A correction of an earlier void must not let captures pass beside the one that is open now.
#[test]
fn the_correction_of_one_void_does_not_end_another_one() {
    check(
        "
        authorized 10.00 EUR
          void                              -> failed
          void                              -> unknown
          PSP shows void 1 as successful    -> reversed to successful  void pending 10.00, still AUTHORIZED
          capture 1.00                      -> rejected: operation-in-doubt
          PSP shows void 2 as failed        -> failed                  voided 10.00, void pending 0.00, VOIDED
        ",
    );
}

#[test]
fn a_capture_that_fails_late_does_not_end_what_is_still_held() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                      -> successful
          void                              -> pending
          PSP shows capture 1 as failed     -> reversed to failed  captured 0.00, capturable 4.00
          PSP shows void 1 as successful    -> successful          voided 6.00, capturable 4.00, still AUTHORIZED
          void                              -> successful          void 2 of 4.00, voided 10.00, VOIDED
        ",
    );
}

#[test]
fn what_the_psp_has_released_by_itself_is_followed_after_the_refusal() {
    check(
        "
        authorized 10.00 EUR
          void                                     -> failed
          PSP reports VOIDED, released 10.00       -> followed  VOIDED, voided 10.00
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00                             -> successful
          void                                     -> failed
          PSP reports COMPLETED, released 6.00     -> followed  FULFILL, captured 4.00, voided 6.00
        ",
    );
}

/// Only what is surely this void settles it; until then it explains what the PSP reports.
#[test]
fn a_report_that_an_open_void_explains_waits_for_the_void() {
    check(
        "
        authorized 10.00 EUR
          void                                     -> unknown
          PSP reports VOIDED, released 10.00       -> nothing new       still AUTHORIZED, void pending 10.00, no attention
          PSP shows void 1 as successful           -> successful        VOIDED
          PSP reports VOIDED, released 10.00       -> nothing new
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00                             -> successful
          void                                     -> unknown
          PSP reports COMPLETED, released 6.00     -> nothing new       still AUTHORIZED, no attention
          PSP reports FAILED                       -> attention raised  still AUTHORIZED
        ",
    );
}

#[test]
fn nothing_is_voided_before_or_after_the_authorization() {
    check(
        "
        import of 10.00 EUR
          void    -> rejected: import-not-completed  retry later
        ",
    );
    for (state, refusal) in [
        ("PENDING", "invalid-state"),
        ("CONFIRMED", "invalid-state"),
        ("PROCESSING", "invalid-state"),
        ("COMPLETED, capture 10.00 successful", "already-captured"),
        ("VOIDED, capture 4.00 successful, released 6.00", "already-captured"),
        ("DECLINE, capture 10.00 successful", "already-captured"),
        // As some PSPs call it, although nothing is held any more.
        ("AUTHORIZED, capture 10.00 successful", "already-captured"),
        ("AUTHORIZED, capture 4.00 successful, released 6.00", "already-captured"),
        ("AUTHORIZED, released 10.00", "already-voided"),
        // Made at the PSP, and still under way there.
        ("AUTHORIZED, capture 4.00 pending", "operation-in-doubt"),
    ] {
        check(&format!(
            "
            import of 10.00 EUR
              PSP reports {state}    -> imported
              void                   -> rejected: {refusal}
            "
        ));
    }
    check(
        "
        import of 10.00 EUR
          PSP reports PROCESSING    -> imported
          PSP reports FAILED        -> followed
          void                      -> rejected: invalid-state
        ",
    );
    check(
        "
        authorized 10.00 EUR
          PSP reports VOIDED    -> followed
          void                  -> rejected: already-voided
        ",
    );
}

#[test]
fn a_psp_that_never_releases_is_not_asked_to() {
    check(
        "
        authorized 10.00 EUR, never releases
          void            -> rejected: not-supported-by-psp
          capture 4.00    -> unknown  may CAPTURE CAPTURE_PARTIAL RECONCILE
          void            -> rejected: operation-in-doubt
        ",
    );
    check(
        "
        authorized 10.00 EUR, never releases
          capture 4.00    -> failed  may CAPTURE CAPTURE_PARTIAL
        ",
    );
}

#[test]
fn only_a_void_is_ordered_as_one() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    ledger.capture(&CaptureCommand::default()).unwrap();
    let order = VoidOrder::of(&ledger.transaction, &ledger.operations[0]);
    assert_eq!(order.err().map(|refusal| refusal.code()), Some("internal"));
}

/// Where the payment itself is canceled, the void has the payment's id and no reference of ours.
#[test]
fn a_canceled_payment_settles_the_void_whose_answer_was_lost() {
    let canceled = "without our reference, with the payment's reference";
    for open in ["requested", "unknown"] {
        check(&format!(
            "
            authorized 10.00 EUR
              void                                                        -> {open}      void pending 10.00
              PSP shows void 1 as successful, without our reference       -> not found
              PSP shows void 1 as successful, {canceled}, under SHOP-7    -> not found
              PSP shows void 1 as successful, {canceled}                  -> successful  VOIDED, voided 10.00, no attention
              PSP shows void 1 as successful, {canceled}                  -> nothing new
            "
        ));
    }
    check(&format!(
        "
        authorized 10.00 EUR
          capture 4.00                                             -> successful
          void                                                     -> unknown       void pending 6.00
          PSP shows void 1 as successful, {canceled}, of 10.00     -> manual check  voided 0.00, void pending 6.00, needs attention
          PSP shows void 1 as successful, {canceled}               -> successful    voided 6.00, FULFILL
        "
    ));
}

#[test]
fn a_canceled_payment_is_no_proof_of_a_void_that_was_refused_nor_of_a_capture() {
    let canceled = "without our reference, with the payment's reference";
    check(&format!(
        "
        authorized 10.00 EUR
          void                                             -> failed
          PSP shows void 1 as successful, {canceled}       -> not found  still AUTHORIZED
          void                                             -> unknown
          PSP shows void 1 as successful, {canceled}       -> not found
          PSP shows void 2 as successful, {canceled}       -> successful  VOIDED, no attention
        "
    ));
    check(&format!(
        "
        authorized 10.00 EUR
          capture 4.00                                     -> unknown
          PSP shows capture 1 as successful, {canceled}    -> not found  capture pending 4.00
        "
    ));
}
