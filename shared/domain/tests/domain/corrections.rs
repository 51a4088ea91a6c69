//! What the PSP proves after the end is booked, marked and shown to a person; an answer to a call proves less than that.

use crate::scenario::check;

#[test]
fn a_capture_that_fails_after_its_success_is_taken_back() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                         -> successful  captured 4.00, no attention
          PSP shows capture 1 as failed        -> reversed to failed  captured 0.00, capturable 10.00, capture 1 is reversed,
                                                  needs attention, told as transaction.capture.reversed, by PSP
          PSP shows capture 1 as failed        -> nothing new
          refund 1.00                          -> rejected: invalid-state
          PSP shows capture 1 as successful    -> reversed to successful  captured 4.00, capture 1 is reversed
        ",
    );
}

#[test]
fn a_capture_that_turns_out_executed_is_booked_even_past_the_limit() {
    check(
        "
        authorized 10.00 EUR
          capture 6.00                         -> failed      capturable 10.00
          capture 10.00                        -> successful  captured 10.00, FULFILL
          PSP shows capture 1 as successful    -> reversed to successful  captured 16.00, capturable 0.00, refundable 16.00, needs attention
          refund                               -> successful  refunded 16.00
        ",
    );
}

#[test]
fn a_refund_that_fails_after_its_success_can_be_made_again() {
    check(
        "
        authorized 10.00 EUR
          capture                             -> successful
          refund 10.00                        -> successful  refundable 0.00
          PSP shows refund 1 as failed        -> reversed to failed  refunded 0.00, refundable 10.00, refund 1 is reversed, needs attention
          refund 10.00                        -> successful
          PSP shows refund 1 as successful    -> reversed to successful  refunded 20.00, refundable 0.00
        ",
    );
}

#[test]
fn a_corrected_refund_moves_the_share_of_its_capture() {
    check(
        "
        authorized 10.00 EUR, refunds per capture
          capture 4.00                        -> successful
          capture 6.00                        -> successful
          refund 4.00                         -> successful  refund 1 is of capture 1
          PSP shows refund 1 as failed        -> reversed to failed
          refund 3.00                         -> successful  refund 2 is of capture 1
          PSP shows refund 1 as successful    -> reversed to successful  refunded 7.00
          refund 3.00                         -> successful  refund 3 is of capture 2, refundable 0.00
        ",
    );
}

#[test]
fn a_final_capture_that_turns_out_executed_ends_the_authorization() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00, final                  -> failed  capturable 10.00, final capture NO
          PSP shows capture 1 as successful    -> reversed to successful  captured 4.00, voided 6.00, capturable 0.00,
                                                  FULFILL, final capture DONE, needs attention
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture                              -> failed
          PSP shows capture 1 as successful    -> reversed to successful  captured 10.00, FULFILL
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00, final                  -> failed
          capture 3.00                         -> pending
          PSP shows capture 1 as successful    -> reversed to successful  still AUTHORIZED, final capture DONE
          capture 3.00                         -> rejected: already-captured
          PSP shows capture 2 as failed        -> failed  captured 4.00, voided 6.00, FULFILL
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00, final                  -> failed
          capture 3.00, final                  -> pending
          PSP shows capture 1 as successful    -> reversed to successful  still AUTHORIZED, final capture DONE
          PSP shows capture 2 as failed        -> failed  captured 4.00, voided 6.00, FULFILL, final capture DONE
        ",
    );
}

/// Two captures of 4.00 and 3.00, the final one failed, the other one still open.
#[test]
fn a_final_capture_that_failed_in_the_end_ends_nothing() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00, final                  -> failed
          capture 3.00                         -> pending
          PSP shows capture 1 as successful    -> reversed to successful  voided 3.00, still AUTHORIZED, final capture DONE
          PSP shows capture 1 as failed        -> reversed to failed      voided 3.00, still AUTHORIZED, final capture NO
          capture 1.00                         -> successful              still AUTHORIZED
          PSP shows capture 2 as failed        -> failed                  captured 1.00, capturable 6.00, still AUTHORIZED
        ",
    );
}

#[test]
fn after_a_final_capture_nothing_is_captured_even_if_another_one_is_taken_back() {
    check(
        "
        authorized 10.00 EUR
          capture 2.00                         -> successful
          capture 5.00, final                  -> failed
          capture 3.00                         -> pending
          PSP shows capture 2 as successful    -> reversed to successful  final capture DONE, capturable 0.00
          PSP shows capture 1 as failed        -> reversed to failed      capturable 2.00, may REFUND REFUND_PARTIAL RECONCILE
          capture 2.00                         -> rejected: already-captured
        ",
    );
}

/// The second copy of a call can be refused because the first one was executed: that refusal must not free the amount.
#[test]
fn a_refusal_that_comes_late_does_not_take_back_what_a_reading_has_proved() {
    check(
        "
        authorized 10.00 EUR
          capture 10.00                        -> requested
          PSP shows capture 1 as successful    -> successful   FULFILL
          PSP answers capture 1 with failed    -> nothing new  captured 10.00, capturable 0.00, no attention, capture 1 is SUCCESSFUL
          refund 10.00                         -> requested
          PSP shows refund 1 as successful     -> successful
          PSP answers refund 1 with failed     -> nothing new  refunded 10.00, refundable 0.00
        ",
    );
}

#[test]
fn a_refusal_does_not_free_what_the_psp_has_been_seen_to_work_on() {
    check(
        "
        authorized 10.00 EUR
          capture 10.00                                   -> requested
          PSP shows capture 1 as pending                  -> pending
          PSP answers capture 1 with failed               -> nothing new   capture pending 10.00, capturable 0.00
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 10.00                                   -> requested
          PSP shows capture 1 as successful, of 9.00      -> manual check
          PSP answers capture 1 with failed               -> nothing new   capture pending 10.00, capturable 0.00
        ",
    );
}

#[test]
fn a_success_that_comes_late_is_never_lost() {
    check(
        "
        authorized 10.00 EUR
          capture 10.00                            -> requested
          PSP shows capture 1 as failed            -> failed      capturable 10.00
          PSP answers capture 1 with successful    -> reversed to successful  captured 10.00, FULFILL, needs attention
        ",
    );
}

/// Money may have moved twice, or otherwise than we say: nothing is booked, but somebody must look.
#[test]
fn a_settled_operation_that_the_psp_shows_otherwise_is_for_a_person() {
    for strange in ["of 9.00", "in CHF", "twice"] {
        for settled in ["successful", "failed"] {
            check(&format!(
                "
                authorized 10.00 EUR
                  capture 10.00                                   -> {settled}
                  PSP shows capture 1 as successful, {strange}    -> attention raised  needs attention,
                                                                     told as transaction.attention.raised, by PSP
                  PSP shows capture 1 as successful, {strange}    -> nothing new
                "
            ));
        }
    }
}
