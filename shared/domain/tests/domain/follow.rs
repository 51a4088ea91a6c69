//! What the PSP reports about a payment that is ours: forward is followed, late is ignored, illegal is for a person.

use crate::ledger::{BEGIN, Ledger, payment};
use crate::scenario::{EVERYTHING, check};
use domain::TransactionState;
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::ImportFailure;

#[test]
fn a_payment_under_way_is_followed_over_every_step() {
    check(
        "
        import of 10.00 EUR
          PSP reports PENDING       -> imported
          PSP reports PENDING       -> nothing new
          PSP reports CONFIRMED     -> followed     CONFIRMED, via CONFIRMED, told as transaction.state.confirmed, by PSP
          PSP reports PENDING       -> nothing new  still CONFIRMED
          PSP reports AUTHORIZED    -> followed     AUTHORIZED, via PROCESSING > AUTHORIZED, told as transaction.state.authorized
          PSP reports PROCESSING    -> nothing new  still AUTHORIZED, no attention
          capture 10.00             -> successful   FULFILL
          PSP reports AUTHORIZED    -> nothing new  still FULFILL, no attention
          PSP reports COMPLETED     -> nothing new  still FULFILL, no attention
        ",
    );
    check(
        "
        import of 10.00 EUR
          PSP reports PROCESSING    -> imported
          PSP reports FAILED        -> followed  FAILED, told as transaction.state.failed
        ",
    );
}

#[test]
fn whether_the_rest_is_kept_is_learned_with_the_authorization() {
    check(
        "
        import of 10.00 EUR, the rest is kept if granted
          PSP reports PROCESSING             -> imported
          PSP reports AUTHORIZED, granted    -> followed    AUTHORIZED, kept rest
          capture 4.00                       -> successful  capturable 6.00
        ",
    );
}

#[test]
fn an_authorization_of_another_amount_is_not_followed() {
    for other in ["of 7.00 EUR", "of 10.00 CHF"] {
        check(&format!(
            "
            import of 10.00 EUR
              PSP reports PROCESSING             -> imported
              PSP reports AUTHORIZED, {other}    -> attention raised  still PROCESSING, authorized 10.00, needs attention
              PSP reports AUTHORIZED, {other}    -> nothing new
              capture 10.00                      -> rejected: invalid-state
            "
        ));
    }
}

#[test]
fn a_payment_that_is_released_before_we_saw_it_authorized_holds_nothing() {
    check(
        "
        import of 10.00 EUR
          PSP reports PROCESSING                -> imported
          PSP reports VOIDED, released 10.00    -> followed  VOIDED, via AUTHORIZED > VOIDED, voided 10.00, capturable 0.00
        ",
    );
}

#[test]
fn the_rest_of_a_payment_that_was_captured_in_part_before_we_saw_it_authorized_is_released() {
    for capture in ["successful", "pending"] {
        check(&format!(
            "
            import of 10.00 EUR
              PSP reports PROCESSING                                          -> imported
              PSP reports COMPLETED, capture 6.00 {capture}, released 4.00    -> adopted
              PSP reports COMPLETED, capture 6.00 {capture}, released 4.00    -> followed  FULFILL, voided 4.00, capturable 0.00,
                                                                                 no attention
            "
        ));
    }
}

/// What the PSP does not say is not made up.
#[test]
fn a_rest_that_is_not_all_released_is_not_called_so() {
    check(
        "
        import of 10.00 EUR
          PSP reports PROCESSING                                           -> imported
          PSP reports COMPLETED, capture 6.00 successful, released 3.00    -> adopted
          PSP reports COMPLETED, capture 6.00 successful, released 3.00    -> followed  FULFILL, voided 0.00
        ",
    );
}

/// The captures themselves are not adopted yet; until they are, a person has to know.
#[test]
fn a_payment_that_was_captured_before_we_saw_it_authorized_is_adopted_with_its_capture() {
    check(
        "
        import of 10.00 EUR
          PSP reports PROCESSING                             -> imported
          PSP reports COMPLETED, capture 10.00 successful    -> adopted   PROCESSING, captured 10.00, no attention
          PSP reports COMPLETED, capture 10.00 successful    -> followed  FULFILL, no attention
        ",
    );
}

#[test]
fn an_untouched_authorization_that_is_gone_is_voided() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                          -> failed
          PSP reports VOIDED, released 10.00    -> followed     VOIDED, voided 10.00, capturable 0.00, no attention,
                                                                told as transaction.state.voided
          PSP reports VOIDED, released 10.00    -> nothing new
          capture 1.00                          -> rejected: already-voided
          PSP reports AUTHORIZED                -> nothing new  still VOIDED, no attention
        ",
    );
}

#[test]
fn the_rest_of_a_partly_captured_authorization_that_is_gone_is_released() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                            -> successful
          PSP reports COMPLETED, released 6.00    -> followed    FULFILL, via COMPLETED > FULFILL, captured 4.00, voided 6.00, no attention
          capture 1.00                            -> rejected: already-captured
          refund 4.00                             -> successful
        ",
    );
}

/// Somebody captured all of it in the back office, and that failed before it was seen here.
#[test]
fn an_authorization_that_ended_without_a_capture_is_released_and_shown_to_a_person() {
    check(
        "
        authorized 10.00 EUR
          PSP reports COMPLETED, released 10.00    -> followed  FULFILL, captured 0.00, voided 10.00, capturable 0.00,
                                                            needs attention
          capture 1.00                             -> rejected: already-captured
        ",
    );
    check(
        "
        authorized 10.00 EUR
          PSP reports COMPLETED, released 9.99     -> attention raised  still AUTHORIZED, voided 0.00
        ",
    );
}

#[test]
fn an_authorization_that_is_gone_while_something_is_under_way_waits_for_it() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                            -> unknown
          PSP reports COMPLETED, released 6.00    -> nothing new  still AUTHORIZED, no attention
          PSP shows capture 1 as failed           -> failed
          PSP reports VOIDED, released 10.00      -> followed     VOIDED
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture                 -> pending
          PSP reports COMPLETED   -> nothing new  still AUTHORIZED, no attention
        ",
    );
}

/// An open capture does not explain that everything was released.
#[test]
fn a_void_while_a_capture_is_open_is_for_a_person() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                          -> unknown
          PSP reports VOIDED, released 10.00    -> attention raised  still AUTHORIZED, capture pending 4.00, voided 0.00
        ",
    );
}

#[test]
fn what_nobody_here_asked_for_is_adopted_and_shown_to_a_person() {
    check(
        "
        authorized 10.00 EUR
          PSP reports COMPLETED, capture 10.00 successful    -> adopted  FULFILL, captured 10.00, needs attention,
                                                                         capture 1 is by PSP,
                                                                         told as transaction.capture.successful, by PSP
          PSP reports COMPLETED, capture 10.00 successful    -> nothing new
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                                     -> successful
          PSP reports COMPLETED, capture 3.00 successful, released 3.00    -> adopted   AUTHORIZED, captured 7.00, capturable 3.00
          PSP reports COMPLETED, capture 3.00 successful, released 3.00    -> followed  FULFILL, voided 3.00
        ",
    );
    check(
        "
        authorized 10.00 EUR
          capture                                                   -> successful  FULFILL
          PSP reports COMPLETED, refund 2.50 pending                -> adopted  refund pending 2.50, refundable 7.50, needs attention
          PSP reports COMPLETED, refund 2.50 pending                -> nothing new
          PSP shows refund 1 as successful                          -> successful  refunded 2.50, refund pending 0.00
        ",
    );
}

#[test]
fn what_was_taken_past_a_limit_is_adopted_as_it_is() {
    check(
        "
        authorized 10.00 EUR
          capture 8.00                                                           -> successful
          PSP reports AUTHORIZED, capture 5.00 successful                        -> adopted  captured 13.00, capturable 0.00, FULFILL
          PSP reports COMPLETED, capture 5.00 successful, refund 99.00 successful  -> adopted  refunded 99.00, refundable 0.00
        ",
    );
}

#[test]
fn what_failed_what_is_a_void_and_what_is_of_another_currency_is_not_adopted() {
    check(
        "
        authorized 10.00 EUR
          PSP reports AUTHORIZED, capture 3.00 failed        -> nothing new  captured 0.00, no attention
          PSP reports AUTHORIZED, void 3.00 successful       -> nothing new  voided 0.00
        ",
    );
}

#[test]
fn what_an_open_operation_could_be_is_not_adopted_before_that_one_has_settled() {
    check(
        "
        authorized 10.00 EUR
          capture 4.00                                       -> unknown
          PSP reports AUTHORIZED, capture 4.00 successful    -> nothing new  captured 0.00, capture pending 4.00
          PSP reports AUTHORIZED, capture 3.00 successful    -> nothing new  captured 0.00, capture pending 4.00
          PSP reports AUTHORIZED, refund 1.00 successful     -> adopted      refunded 1.00
          PSP shows capture 1 as failed                       -> failed
          PSP reports AUTHORIZED, capture 4.00 successful    -> adopted      captured 4.00, capture pending 0.00
        ",
    );
}

#[test]
fn nothing_leads_out_of_a_final_state() {
    for reported in ["FAILED", "VOIDED", "DECLINE"] {
        check(&format!(
            "
            authorized 10.00 EUR
              capture                   -> successful        FULFILL
              PSP reports {reported}    -> attention raised  still FULFILL, captured 10.00, needs attention
            "
        ));
    }
    for reported in ["FAILED", "COMPLETED", "FULFILL"] {
        check(&format!(
            "
            authorized 10.00 EUR
              PSP reports VOIDED        -> followed
              PSP reports {reported}    -> attention raised  still VOIDED, needs attention
            "
        ));
    }
    check(
        "
        authorized 10.00 EUR
          PSP reports FAILED        -> attention raised  still AUTHORIZED, capturable 10.00, via the PSP reports FAILED
        ",
    );
}

#[test]
fn a_waiting_import_is_not_followed_but_judged() {
    check(
        "
        import of 10.00 EUR
          PSP reports FAILED        -> not imported: payment-failed
          PSP reports AUTHORIZED    -> nothing new  CREATE
        ",
    );
}

#[test]
fn what_comes_with_the_authorization_or_the_failure_is_taken_over() {
    let followed = |state, report: fn(PspPayment) -> PspPayment| {
        let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
        ledger.report(&payment(&ledger.transaction, TransactionState::Processing)).unwrap();
        ledger.now = ledger.now.plus(Span::from_seconds(60));
        ledger.report(&report(payment(&ledger.transaction, state))).unwrap();
        ledger
    };
    let expires_on = Some(BEGIN.plus(Span::from_days(7)));
    let authorized = followed(TransactionState::Authorized, |report| PspPayment {
        authorized_on: Some(BEGIN),
        expires_on: Some(BEGIN.plus(Span::from_days(7))),
        ..report
    });
    assert_eq!((authorized.facts().authorized_on, authorized.facts().authorization_expires_on), (Some(BEGIN), expires_on));
    let reason = ImportFailure::PaymentFailed.failure();
    let failed =
        followed(TransactionState::Failed, |report| PspPayment { failure: Some(ImportFailure::PaymentFailed.failure()), ..report });
    assert_eq!((&failed.facts().failure, failed.facts().failed_on), (&Some(reason), Some(BEGIN.plus(Span::from_seconds(60)))));
}
