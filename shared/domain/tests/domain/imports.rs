//! Adopting a payment in the state that it has at the PSP, or saying why not.

use crate::ledger::{BEGIN, Ledger, import_command, payment};
use crate::scenario::{EVERYTHING, check};
use domain::Currency;
use domain::id::{MerchantReference, PspReference};
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::{ImportCommand, ImportFailure, ImportState};
use domain::{OperationKind, TransactionState};

#[test]
fn a_payment_is_adopted_in_the_state_that_it_has() {
    for (reported, ours, steps) in [
        ("PENDING", "PENDING", "PENDING"),
        ("CONFIRMED", "CONFIRMED", "CONFIRMED"),
        ("PROCESSING", "PROCESSING", "CONFIRMED > PROCESSING"),
        ("AUTHORIZED", "AUTHORIZED", "CONFIRMED > PROCESSING > AUTHORIZED"),
    ] {
        check(&format!(
            "
            import of 10.00 EUR
              PSP reports {reported}    -> imported  {ours}, via {steps}, captured 0.00, capturable 10.00, by SYSTEM, verified READ
            "
        ));
    }
    let captured = "capture 10.00 successful";
    for (reported, ours, steps) in [
        ("COMPLETED", "FULFILL", "CONFIRMED > PROCESSING > AUTHORIZED > COMPLETED > FULFILL"),
        ("FULFILL", "FULFILL", "CONFIRMED > PROCESSING > AUTHORIZED > COMPLETED > FULFILL"),
        ("DECLINE", "DECLINE", "CONFIRMED > PROCESSING > AUTHORIZED > COMPLETED > DECLINE"),
    ] {
        check(&format!(
            "
            import of 10.00 EUR
              PSP reports {reported}, {captured}    -> imported  {ours}, via {steps}, captured 10.00, refundable 10.00, final capture DONE
            "
        ));
    }
}

#[test]
fn what_already_happened_there_becomes_operations() {
    check(
        "
        import of 10.00 EUR
          PSP reports AUTHORIZED, capture 4.00 successful, refund 1.00 successful  -> imported  captured 4.00, refunded 1.00,
                        AUTHORIZED, capture 1 is by PSP, refund 1 is SUCCESSFUL, refund 1 is of no capture
          capture 6.01  -> rejected: exceeds-capturable-amount  left 6.00
          refund 3.01   -> rejected: exceeds-refundable-amount  left 3.00
          refund 3.00   -> successful  refunded 4.00
          capture       -> successful  captured 10.00, FULFILL
        ",
    );
    check(
        "
        import of 10.00 EUR
          PSP reports COMPLETED, capture 6.00 successful, capture 3.00 failed, refund 2.00 failed, released 4.00  -> imported  FULFILL,
                        captured 6.00, refunded 0.00, voided 4.00, capturable 0.00
          refund 7.00    -> rejected: exceeds-refundable-amount  left 6.00
        ",
    );
}

#[test]
fn what_is_still_under_way_there_holds_its_share_and_settles_later() {
    check(
        "
        import of 10.00 EUR
          PSP reports AUTHORIZED, capture 4.00 successful, capture 3.00 pending, refund 2.00 pending  -> imported  captured 4.00,
                        capture pending 3.00, refund pending 2.00, capturable 3.00, refundable 2.00
          capture 3.01                          -> rejected: exceeds-capturable-amount  left 3.00
          refund 2.01                           -> rejected: capture-not-final
          PSP shows capture 2 as successful     -> successful   captured 7.00, capture 2 is by PSP, by PSP
          PSP shows refund 1 as failed          -> failed       refund pending 0.00, refundable 7.00
        ",
    );
}

/// An operation that somebody else made is known by the PSP's id alone: the reference that they gave it says nothing.
#[test]
fn what_was_adopted_is_found_again_by_its_psp_reference_whatever_its_maker_called_it() {
    check(
        "
        import of 10.00 EUR
          PSP reports AUTHORIZED, capture 4.00 pending           -> imported    capture pending 4.00
          PSP shows capture 1 as pending, under SHOP-7           -> nothing new
          PSP shows capture 1 as successful, under SHOP-7        -> successful  captured 4.00, capture pending 0.00
        ",
    );
    check(
        "
        import of 10.00 EUR
          PSP reports AUTHORIZED, capture 4.00 pending                            -> imported
          PSP shows capture 1 as successful, with PSP reference psp_of_another    -> not found
        ",
    );
}

#[test]
fn an_adopted_capture_of_the_rest_ends_the_authorization_when_it_succeeds() {
    check(
        "
        import of 10.00 EUR
          PSP reports AUTHORIZED, capture 10.00 pending    -> imported    capturable 0.00, AUTHORIZED
          PSP shows capture 1 as successful                -> successful  captured 10.00, FULFILL, via COMPLETED > FULFILL
          PSP reports COMPLETED                            -> nothing new  no attention
        ",
    );
    check(
        "
        import of 10.00 EUR
          PSP reports AUTHORIZED, capture 6.00 pending, capture 4.00 pending    -> imported
          PSP shows capture 1 as successful                                     -> successful  still AUTHORIZED
          PSP shows capture 2 as failed                                         -> failed      still AUTHORIZED, capturable 4.00
          capture 4.00                                                          -> successful  FULFILL
        ",
    );
}

#[test]
fn a_released_authorization_is_adopted_only_if_something_was_captured() {
    check(
        "
        import of 10.00 EUR
          PSP reports VOIDED, capture 6.00 successful, released 4.00    -> imported  captured 6.00, voided 4.00, capturable 0.00, FULFILL
          refund 6.00                                                   -> successful
        ",
    );
    for nothing in ["released 10.00", "capture 6.00 failed, released 10.00"] {
        check(&format!(
            "
            import of 10.00 EUR
              PSP reports VOIDED, {nothing}    -> not imported: authorization-gone  CREATE
            "
        ));
    }
}

#[test]
fn a_refused_import_can_be_corrected_and_keeps_its_place() {
    check(
        "
        import of 9.00 EUR
          PSP reports AUTHORIZED, of 10.00 EUR    -> not imported: amount-mismatch  CREATE, authorized 0.00,
                                                     told as transaction.import.failed, may nothing
          capture 1.00                            -> rejected: import-not-completed
          import again with 10.00                 -> pending  may RECONCILE
          PSP reports AUTHORIZED, of 10.00 EUR    -> imported  AUTHORIZED, authorized 10.00
        ",
    );
    check(
        "
        import of 9.00 EUR
          import again with 10.00                 -> pending
          PSP reports AUTHORIZED, of 10.00 EUR    -> imported  AUTHORIZED
        ",
    );
}

#[test]
fn an_import_needs_an_amount_of_its_currency() {
    for (amount, currency, refusal) in [
        ("0", "EUR", "amount-not-positive"),
        ("0.00", "EUR", "amount-not-positive"),
        ("10.001", "EUR", "too-many-decimals"),
        ("10.5", "JPY", "too-many-decimals"),
        ("99999999999999999", "EUR", "invalid-amount"),
    ] {
        let refused = Ledger::begin(amount, currency, EVERYTHING).err().map(|refusal| refusal.code());
        assert_eq!(refused, Some(refusal), "{amount} {currency}");
    }
}

/// What can be wrong with a payment, and how a report says so. `payment-failed` and `authorization-gone` exclude each other.
const WRONG: [(ImportFailure, &str); 6] = [
    (ImportFailure::WrongAccount, "another account"),
    (ImportFailure::WrongEnvironment, "another environment"),
    (ImportFailure::CurrencyMismatch, "of 10.00 CHF"),
    (ImportFailure::AmountMismatch, "of 9.99 EUR"),
    (ImportFailure::PaymentFailed, "FAILED"),
    (ImportFailure::AuthorizationGone, "VOIDED"),
];

#[test]
fn of_several_reasons_the_first_is_named() {
    let mut tried = 0;
    for subset in 1u32..1 << WRONG.len() {
        let wrong: Vec<_> = (0..WRONG.len()).filter(|index| subset & (1 << index) != 0).map(|index| WRONG[index]).collect();
        let states: Vec<_> = wrong.iter().map(|(_, how)| *how).filter(|how| TransactionState::parse(how).is_some()).collect();
        if states.len() > 1 {
            continue;
        }
        let state = states.first().unwrap_or(&"AUTHORIZED");
        let mut clauses: Vec<_> = wrong.iter().map(|(_, how)| *how).filter(|how| TransactionState::parse(how).is_none()).collect();
        if clauses.contains(&"of 10.00 CHF") && clauses.contains(&"of 9.99 EUR") {
            clauses.retain(|clause| !clause.starts_with("of "));
            clauses.push("of 9.99 CHF");
        }
        let report = [vec![*state], clauses].concat().join(", ");
        let first = wrong.iter().map(|(failure, _)| *failure).min().unwrap();
        check(&format!("import of 10.00 EUR\n PSP reports {report} -> not imported: {}  CREATE, captured 0.00", first.as_str()));
        tried += 1;
    }
    assert_eq!(tried, 47);
}

#[test]
fn every_reason_has_its_own_code_and_a_public_text() {
    for failure in ImportFailure::ALL {
        assert_eq!(failure.failure().code, failure.as_str());
        assert!(failure.failure().retryable && failure.failure().description.ends_with('.'), "{failure:?}");
    }
}

#[test]
fn a_webhook_verifies_where_the_psp_cannot_be_read() {
    check(
        "
        import of 10.00 EUR, only webhooks tell
          PSP reports AUTHORIZED    -> imported  verified WEBHOOK
        ",
    );
}

/// A late worker's result must not overwrite what has happened since.
#[test]
fn an_import_is_completed_once() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    let report = payment(&ledger.transaction, TransactionState::Authorized);
    ledger.report(&report).unwrap();
    ledger.capture(&domain::operation::CaptureCommand::default()).unwrap();
    let again = ledger.transaction.complete_import(&report, &EVERYTHING, ledger.now);
    assert_eq!(again.err().map(|refusal| refusal.code()), Some("internal"), "the balance would forget the capture");
    let failed = ledger.transaction.fail_import(ImportFailure::NotVerified, ledger.now);
    assert_eq!(failed.err().map(|refusal| refusal.code()), Some("internal"));
    assert_eq!(ledger.replace_import("11.00").err().map(|refusal| refusal.code()), Some("internal"));
    assert_eq!((ledger.facts().import.state, ledger.of_kind(OperationKind::Capture).count()), (ImportState::Completed, 1));
}

#[test]
fn what_the_psp_says_of_the_payment_is_taken_over_with_it() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    let (authorized_on, expires_on) = (BEGIN.plus(Span::from_days(-1)), BEGIN.plus(Span::from_days(6)));
    let report = PspPayment {
        reference: PspReference::parse("pay_canonical").unwrap(),
        keeps_rest: true,
        authorized_on: Some(authorized_on),
        expires_on: Some(expires_on),
        ..payment(&ledger.transaction, TransactionState::Authorized)
    };
    assert!(!ledger.facts().keeps_rest, "nothing is granted before the PSP has said so");
    assert_eq!(ledger.facts().import.due_on, Some(BEGIN.plus(Span::from_seconds(60))), "the PSP is asked again");
    ledger.report(&report).unwrap();
    let facts = ledger.facts();
    assert_eq!((facts.psp_reference.as_str(), facts.import.given_reference.as_str()), ("pay_canonical", "pay_1"));
    assert_eq!((facts.authorized_on, facts.authorization_expires_on), (Some(authorized_on), Some(expires_on)));
    assert_eq!((facts.keeps_rest, facts.import.due_on, facts.completed_on), (true, None, None));
}

#[test]
fn a_command_that_replaces_another_is_judged_alone_and_in_its_own_epoch() {
    let mut ledger = Ledger::begin("9.00", "EUR", EVERYTHING).unwrap();
    let command = ImportCommand { merchant_reference: MerchantReference::parse("SO-2").unwrap(), ..import_command("900", "JPY") };
    let change = ledger.transaction.replace_import(&command, ledger.now).unwrap();
    let facts = change.transaction.facts();
    assert_eq!((facts.merchant_reference.as_str(), facts.currency.code(), facts.import.amount.units()), ("SO-2", "JPY", 900));
    assert_eq!((facts.import.epoch, facts.version), (2, 2));
    ledger.transaction = change.transaction;
    let report = payment(&ledger.transaction, TransactionState::Authorized);
    ledger.report(&report).unwrap();
    assert_eq!(ledger.facts().import.state, ImportState::Completed);
}

#[test]
fn a_second_import_is_a_repetition_if_reference_amount_and_currency_are_the_same() {
    let ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    let is_same = |command: ImportCommand| ledger.transaction.is_same_import(&command).unwrap();
    assert!(is_same(import_command("10", "EUR")));
    assert!(!is_same(import_command("10.01", "EUR")));
    assert!(!is_same(ImportCommand { currency: Currency::parse("CHF").unwrap(), ..import_command("10", "EUR") }));
    assert!(!is_same(ImportCommand { merchant_reference: MerchantReference::parse("SO-2").unwrap(), ..import_command("10", "EUR") }));
}
