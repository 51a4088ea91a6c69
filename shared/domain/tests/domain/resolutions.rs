//! What a person may settle, and what becomes of the balance then.

use crate::scenario::check;

/// The PSP has our operation with another amount: nothing is booked, and a person has to look.
#[test]
fn a_person_settles_what_waits_for_one_and_the_note_is_kept() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                  -> unknown
          a person finds capture 1 SUCCESSFUL           -> rejected: invalid-state
          PSP shows capture 1 as successful, of 3.00    -> manual check  capture pending 4.00, needs attention
          a person finds capture 1 SUCCESSFUL           -> successful    captured 4.00, capture pending 0.00, via looked it up,
                                                                         told as transaction.capture.successful, by CALLER
          a person finds capture 1 SUCCESSFUL           -> nothing new
          a person finds capture 1 SUCCESSFUL of 4.00   -> nothing new
          a person finds capture 1 FAILED               -> rejected: invalid-state
          a person finds capture 1 SUCCESSFUL of 3.00   -> rejected: invalid-state
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture                                       -> unknown
          PSP shows capture 1 as successful, twice      -> manual check
          a person finds capture 1 FAILED               -> failed       capturable 10.00, capture pending 0.00, AUTHORIZED
          a person finds capture 1 FAILED               -> nothing new
          a person finds capture 1 SUCCESSFUL           -> rejected: invalid-state
        ",
    );
}

#[test]
fn what_has_really_moved_is_booked_and_the_rest_is_given_back() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                    -> unknown
          PSP shows capture 1 as successful, of 3.00      -> manual check
          a person finds capture 1 SUCCESSFUL of 3.00     -> successful  captured 3.00, capture pending 0.00, capturable 7.00,
                                                                         capture 1 of 3.00
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                    -> unknown
          PSP shows capture 1 as successful, of 12.00     -> manual check
          a person finds capture 1 SUCCESSFUL of 12.00    -> successful  captured 12.00, capturable 0.00
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 6.00, final                             -> unknown  capture pending 6.00, void pending 4.00
          PSP shows capture 1 as successful, of 5.00      -> manual check
          a person finds capture 1 SUCCESSFUL of 5.00     -> successful  captured 5.00, voided 5.00, void pending 0.00, FULFILL
        ",
    );
}

#[test]
fn the_share_of_a_capture_follows_what_a_person_finds_out_about_its_refund() {
    check(
        "
        authorized 10.00 EUR
          capture                                       -> successful
          refund 4.00, of capture 1                     -> unknown
          PSP shows refund 1 as successful, of 3.00     -> manual check  refund pending 4.00, capture 1 holds 4.00
          a person finds refund 1 SUCCESSFUL of 3.00    -> successful    refunded 3.00, refund pending 0.00, refundable 7.00,
                                                                         capture 1 gave back 3.00
        ",
    );
}

#[test]
fn an_amount_is_judged_as_everywhere() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                    -> unknown
          PSP shows capture 1 as successful, of 3.00      -> manual check
          a person finds capture 1 SUCCESSFUL of 3.001    -> rejected: too-many-decimals
          a person finds capture 1 SUCCESSFUL of 0        -> rejected: amount-not-positive
          a person finds capture 1 FAILED of 3.00         -> rejected: invalid-request
        ",
    );
    check(
        "
        authorized 10.00 EUR
          void                                            -> unknown
          PSP shows void 1 as successful, of 3.00         -> manual check
          a person finds void 1 SUCCESSFUL of 3.00        -> rejected: invalid-request
          a person finds void 1 SUCCESSFUL                -> successful  voided 10.00, VOIDED
        ",
    );
}
