//! When and how much may be captured, and what becomes of it.

use crate::scenario::check;

#[test]
fn parts_are_captured_until_nothing_is_left() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00  -> successful  captured 4.00, capturable 6.00, refundable 4.00, still AUTHORIZED, capture 1 is not final,
                                       may CAPTURE CAPTURE_PARTIAL REFUND REFUND_PARTIAL VOID
          capture 7.00  -> rejected: exceeds-capturable-amount  left 6.00
          capture 5.00  -> successful  captured 9.00, capturable 1.00, still AUTHORIZED
          capture 1.00  -> successful  captured 10.00, capturable 0.00, capture 3 is final, FULFILL, via COMPLETED > FULFILL,
                                       may REFUND REFUND_PARTIAL
          capture 1.00  -> rejected: already-captured
        ",
    );
}

#[test]
fn without_an_amount_all_that_is_capturable_is_captured() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00  -> successful
          capture       -> successful  capture 2 of 6.00, capture 2 is final, captured 10.00, voided 0.00, FULFILL
        ",
    );
}

#[test]
fn a_final_capture_of_a_part_releases_the_rest_when_it_succeeds() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00, final                  -> pending     capture pending 4.00, void pending 6.00, capturable 0.00, still AUTHORIZED
          PSP shows capture 1 as successful    -> successful  captured 4.00, voided 6.00, void pending 0.00, FULFILL
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00, final  -> failed      voided 0.00, void pending 0.00, capturable 10.00, still AUTHORIZED, final capture NO
          capture 10.00        -> successful  captured 10.00, FULFILL
        ",
    );
}

#[test]
fn an_open_final_capture_holds_back_every_other_capture() {
    for open in ["requested", "pending", "unknown"] {
        check(&format!(
            "
            authorized 10.00 EUR
              capture 4.00, final                -> {open}  void pending 6.00, final capture OPEN, may RECONCILE
              capture 1.00                       -> rejected: operation-in-doubt  retry later
              PSP shows capture 1 as failed      -> failed  capturable 10.00
              capture 1.00                       -> successful
            "
        ));
    }
}

#[test]
fn an_open_capture_of_a_part_holds_back_only_its_own_share() {
    for open in ["requested", "pending", "unknown"] {
        check(&format!(
            "
            authorized 10.00 EUR
              capture 4.00                        -> {open}      capture pending 4.00, capturable 6.00
              capture 7.00                        -> rejected: exceeds-capturable-amount  left 6.00
              capture 1.00, final                 -> rejected: operation-in-doubt  retry later
              capture                             -> successful  capture 2 of 6.00, capture 2 is not final, still AUTHORIZED,
                                                                 may REFUND REFUND_PARTIAL RECONCILE
              capture 1.00                        -> rejected: exceeds-capturable-amount  left 0.00
              PSP shows capture 1 as successful   -> successful  captured 10.00, FULFILL
            "
        ));
    }
}

#[test]
fn what_an_open_capture_does_not_take_after_all_can_be_captured_again() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                     -> pending
          capture 6.00                     -> successful  capture 2 is not final, still AUTHORIZED
          PSP shows capture 1 as failed    -> failed      captured 6.00, voided 0.00, capturable 4.00, still AUTHORIZED
          capture                          -> successful  capture 3 is final, captured 10.00, FULFILL
        ",
    );
}

/// Where a capture closes the payment, a second one beside it cannot be told from the rest that the PSP lets go.
#[test]
fn where_the_rest_is_never_kept_no_capture_goes_beside_an_open_one() {
    check(
        "
        import of 10.00 EUR, the rest is never kept
          PSP reports AUTHORIZED, capture 4.00 pending    -> imported
          capture                                         -> rejected: operation-in-doubt
          capture 1.00                                    -> rejected: not-supported-by-psp
          PSP shows capture 1 as failed                   -> failed
          capture                                         -> successful  captured 10.00, FULFILL
        ",
    );
}

#[test]
fn an_unknown_outcome_keeps_its_share_until_the_truth_is_found() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                         -> unknown     captured 0.00, capture pending 4.00, capturable 6.00
          PSP answers capture 1 with unknown                   -> nothing new
          PSP shows capture 1 as pending                       -> pending     capture pending 4.00
          PSP answers capture 1 with unknown                   -> nothing new  capture 1 is PENDING
          PSP shows capture 1 as successful                    -> successful  captured 4.00, capture pending 0.00
          PSP shows capture 1 as successful                    -> nothing new
          PSP answers capture 1 with successful                -> nothing new
          PSP shows capture 1 as pending                       -> nothing new  capture 1 is SUCCESSFUL, no attention
        ",
    );
}

#[test]
fn a_capture_that_was_surely_not_sent_stays_requested() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                           -> requested   capture pending 4.00
          PSP answers capture 1 with pending     -> pending     told as transaction.capture.pending, by CALLER
          PSP shows capture 1 as failed          -> failed      capture pending 0.00, capturable 10.00, via card-declined
        ",
    );
}

#[test]
fn what_cannot_be_ours_is_not_taken_for_it() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                                        -> unknown
          PSP shows capture 1 as successful, without our reference            -> not found
          PSP shows capture 1 as successful, under 1-77-4711                  -> not found
          PSP shows capture 1 as successful, as a void                        -> not found
          PSP answers capture 1 with pending                                  -> pending
          PSP shows capture 1 as failed, without our reference                -> failed
        ",
    );
}

#[test]
fn another_amount_or_currency_and_two_of_a_kind_are_for_a_person() {
    for strange in ["of 3.00", "of 4.01", "in CHF", "twice"] {
        check(&format!(
            "
            authorized 10.00 EUR
              capture 4.00                                    -> unknown
              PSP shows capture 1 as successful, {strange}    -> manual check  captured 0.00, capture pending 4.00, needs attention
              PSP shows capture 1 as successful, {strange}    -> nothing new
              PSP shows capture 1 as pending                  -> nothing new   capture 1 is MANUAL CHECK
              PSP shows capture 1 as successful               -> successful    captured 4.00, capture 1 is not reversed
            "
        ));
    }
}

#[test]
fn lines_can_stand_for_the_amount_and_must_add_up_to_it() {
    check(
        "
        authorized 10.00 EUR
          capture, lines 2.50 + 1.50               -> successful  captured 4.00
          capture 4.00, lines 2.00 + 1.00          -> rejected: line-items-amount-mismatch
          capture 3.0, lines 2.00 + 1.0            -> successful  captured 7.00
          capture, lines 2.00 + 1.001              -> rejected: too-many-decimals
          capture, lines 0 + 0.00                  -> rejected: amount-not-positive
          capture, lines 2.00 + 1.01               -> rejected: exceeds-capturable-amount  left 3.00
          capture, lines 99999999999999999         -> rejected: invalid-amount
          capture, lines 92233720368547758 + 1.00  -> rejected: invalid-amount
        ",
    );
}

#[test]
fn amounts_have_the_decimals_of_the_currency() {
    check(
        "
        authorized 500 JPY
          capture 100.5    -> rejected: too-many-decimals
          capture 100.0    -> successful  captured 100, capturable 400
          capture 0        -> rejected: amount-not-positive
          capture 400.001  -> rejected: too-many-decimals
        ",
    );
    check(
        "
        authorized 1.234 KWD
          capture 1.2345  -> rejected: too-many-decimals
          capture 1.233   -> successful  capturable 0.001
        ",
    );
}

#[test]
fn a_psp_that_captures_only_all_refuses_a_part() {
    check(
        "
        authorized 10.00 EUR, captures only all
          capture 4.00          -> rejected: not-supported-by-psp
          capture 4.00, final   -> rejected: not-supported-by-psp
          capture 11.00         -> rejected: exceeds-capturable-amount
          capture               -> successful  captured 10.00, FULFILL
        ",
    );
    check(
        "
        authorized 10.00 EUR, captures only all
          capture 10.00         -> failed      may CAPTURE VOID
        ",
    );
}

#[test]
fn where_the_rest_is_not_kept_a_part_must_be_called_final() {
    for psp in ["the rest is kept if granted", "the rest is never kept", "the rest is never kept, granted"] {
        check(&format!(
            "
            authorized 10.00 EUR, {psp}
              capture 4.00               -> rejected: not-supported-by-psp
              capture 4.00, not final    -> rejected: not-supported-by-psp
              capture 4.00, final        -> successful  captured 4.00, voided 6.00, FULFILL
            "
        ));
        check(&format!(
            "
            authorized 10.00 EUR, {psp}
              capture    -> successful  captured 10.00, FULFILL
            "
        ));
    }
    check(
        "
        authorized 10.00 EUR, the rest is kept if granted, granted
          capture 4.00    -> successful  captured 4.00, capturable 6.00, still AUTHORIZED
        ",
    );
}

#[test]
fn a_capture_of_everything_ends_the_authorization_whatever_it_says() {
    check(
        "
        authorized 10.00 EUR
          capture 10.00, not final    -> successful  capture 1 is not final, FULFILL
        ",
    );
}

#[test]
fn nothing_is_captured_before_or_after_the_authorization() {
    check(
        "
        import of 10.00 EUR
          capture 4.00  -> rejected: import-not-completed  retry later
        ",
    );
    for (state, refusal) in [
        ("PENDING", "invalid-state"),
        ("CONFIRMED", "invalid-state"),
        ("PROCESSING", "invalid-state"),
        ("COMPLETED, capture 10.00 successful", "already-captured"),
        ("DECLINE, capture 10.00 successful", "already-captured"),
    ] {
        check(&format!(
            "
            import of 10.00 EUR
              PSP reports {state}  -> imported
              capture 4.00         -> rejected: {refusal}
            "
        ));
    }
    check(
        "
        authorized 10.00 EUR
          PSP reports VOIDED    -> followed
          capture 4.00          -> rejected: already-voided
        ",
    );
    check(
        "
        import of 10.00 EUR
          PSP reports PROCESSING    -> imported
          PSP reports FAILED        -> followed
          capture 4.00              -> rejected: invalid-state
        ",
    );
}

#[test]
fn where_the_psp_does_not_release_the_rest_by_itself_a_void_does() {
    check(
        "
        authorized 10.00 EUR, the rest waits for a void
          capture 4.00, final    -> rejected: not-supported-by-psp
          capture 4.00           -> successful  capturable 6.00, AUTHORIZED
          void                   -> successful  voided 6.00, FULFILL
        ",
    );
    check(
        "
        authorized 10.00 EUR, the rest waits for a void
          capture    -> successful  captured 10.00, FULFILL
        ",
    );
}
