//! Lives of a transaction in words. The first line is where it begins; each further line is what happens, what the answer
//! is, and how things then stand:
//!
//! ```text
//! authorized 10.00 EUR
//!   capture 4.00                      -> successful   captured 4.00, capturable 6.00, still AUTHORIZED
//!   capture 7.00                      -> rejected: exceeds-capturable-amount
//!   refund 3.00                       -> unknown      refunded 0.00, refund pending 3.00
//!   PSP shows refund 1 as successful  -> successful   refunded 3.00
//! ```
//!
//! A capture, refund or void is called with the outcome that its answer names. `PSP answers` is an answer that comes later, `PSP
//! shows` one operation in a reading, `PSP reports` the whole payment. A line without an arrow goes on with the facts of the
//! one before. What a line may say stands in `happen` and `look`.

use crate::ledger::{Ledger, payment};
use domain::capability::{KeepsRest, KeyWindow, KeyWindows};
use domain::id::{MerchantReference, OperationId, OperationReference, PspReference};
use domain::interaction::{Interaction, InteractionKind};
use domain::money::{Decimal, Minor, Money};
use domain::operation::{
    Actor, CaptureCommand, Effect, OperationLine, RefundCommand, RefundTarget, Resolution, ResolveCommand, VoidCommand,
};
use domain::outcome::{Doubt, Failure, FailureCategory, Outcome};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::time::Span;
use domain::transaction::{Finding, ImportState, find};
use domain::{Capabilities, Currency, Operation, OperationKind, OperationState, Refusal, TransactionState};

/// Plays a scenario and compares every line with what it says.
pub fn check(text: &str) {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let mut ledger = begin(lines.next().expect("a scenario"));
    while let Some(line) = lines.next() {
        let mut line = line.to_owned();
        while let Some(more) = lines.next_if(|more| !more.contains("->")) {
            line = format!("{line} {more}");
        }
        ledger.now = ledger.now.plus(Span::from_seconds(3600));
        let (action, expected) = line.split_once("->").unwrap_or_else(|| panic!("no answer in: {line}"));
        let (answer, facts) = expected.trim().split_once("  ").unwrap_or((expected.trim(), ""));
        let seen = happen(&mut ledger, action.trim(), answer);
        assert_eq!(seen.answer, answer, "the answer in\n    {line}\nof{text}{seen:?}");
        for fact in facts.split(',').map(str::trim).filter(|fact| !fact.is_empty()) {
            let stands = look(&ledger, &seen, fact);
            assert!(stands.is_ok(), "`{fact}` in\n    {line}\nof{text}but {}; {seen:?}", stands.unwrap_err());
        }
    }
}

/// What one line led to.
#[derive(Debug)]
struct Seen {
    answer: String,
    refusal: Option<Refusal>,
    log: Option<Interaction>,
}

/// `authorized 10.00 EUR` or `import of 10.00 EUR`, then what the PSP cannot do.
fn begin(line: &str) -> Ledger {
    let clauses: Vec<_> = line.split(", ").collect();
    let words: Vec<_> = clauses[0].split(' ').collect();
    let mut can = EVERYTHING;
    let mut is_granted = false;
    for clause in &clauses[1..] {
        match *clause {
            "refunds per capture" => can.refunds_per_capture = true,
            "captures only all" => can.captures_in_part = false,
            "refunds only all" => can.refunds_in_part = false,
            "never releases" => can.voids = false,
            "the rest is kept if granted" => can.keeps_rest = KeepsRest::IfGranted,
            "the rest is never kept" => can.keeps_rest = KeepsRest::Never,
            "the rest waits for a void" => can.releases_rest = false,
            "granted" => is_granted = true,
            "only webhooks tell" => can.reads_payments = false,
            other => panic!("begin: {other}"),
        }
    }
    let [amount, currency] = words[words.len() - 2..] else { panic!("no money in {line}") };
    let mut ledger = Ledger::begin(amount, currency, can).unwrap();
    if words[0] == "authorized" {
        let report = PspPayment { keeps_rest: is_granted, ..payment(&ledger.transaction, TransactionState::Authorized) };
        ledger.report(&report).unwrap();
    }
    ledger
}

pub const EVERYTHING: Capabilities = Capabilities {
    reads_payments: true,
    captures_in_part: true,
    keeps_rest: KeepsRest::Always,
    releases_rest: true,
    refunds_in_part: true,
    refunds_per_capture: false,
    voids: true,
    key_window: KeyWindows { capture: KeyWindow::Forever, refund: KeyWindow::Forever, void: KeyWindow::Forever },
};

/// What the line says happens; `expected` is also the outcome with which the call of a money command comes back.
fn happen(ledger: &mut Ledger, action: &str, expected: &str) -> Seen {
    let clauses: Vec<_> = action.split(", ").collect();
    let words: Vec<_> = clauses[0].split(' ').collect();
    let result = match words[..] {
        ["capture", ref amount @ ..] => {
            let command = capture(amount, &clauses[1..]);
            ledger.capture(&command).and_then(|id| called(ledger, id, expected))
        }
        ["refund", ref amount @ ..] => {
            let command = refund(ledger, amount, &clauses[1..]);
            ledger.refund(&command).and_then(|id| called(ledger, id, expected))
        }
        ["void"] => ledger.void(&VoidCommand::default()).and_then(|id| called(ledger, id, expected)),
        ["PSP", "answers", kind, number, "with", answer] => {
            let id = id(ledger, kind, number);
            let effect = Effect::of_outcome(outcome(answer).unwrap()).unwrap();
            ledger.settle(id, effect).map(|log| told(ledger, id, log))
        }
        ["PSP", "shows", kind, number, "as", state] => {
            let id = id(ledger, kind, number);
            shown(ledger, id, state, &clauses[1..])
        }
        ["PSP", "reports", state] => reported(ledger, state, &clauses[1..]),
        ["a", "person", "finds", kind, number, state] => resolved(ledger, kind, number, state, None),
        ["a", "person", "finds", kind, number, state, "of", amount] => resolved(ledger, kind, number, state, Some(amount)),
        ["import", "again", "with", amount] => ledger.replace_import(amount).map(|()| ("pending".to_owned(), None)),
        ref other => panic!("happen: {other:?}"),
    };
    match result {
        Ok((answer, log)) => Seen { answer, refusal: None, log },
        Err(refusal) => Seen { answer: format!("rejected: {}", refusal.code()), refusal: Some(refusal), log: None },
    }
}

type Happened = Result<(String, Option<Interaction>), Refusal>;

/// `capture`, `capture 4.00`, with `final`, `not final`, `as INV-1`, `lines 2.00 + 2.00`.
fn capture(amount: &[&str], clauses: &[&str]) -> CaptureCommand {
    let mut command = CaptureCommand { amount: amount.first().map(|text| decimal(text)), ..CaptureCommand::default() };
    for clause in clauses {
        match clause.split_once(' ').unwrap_or((clause, "")) {
            ("final", "") => command.is_final = Some(true),
            ("not", "final") => command.is_final = Some(false),
            ("as", reference) => command.merchant_reference = MerchantReference::parse(reference),
            ("lines", amounts) => command.line_items = lines(amounts),
            other => panic!("capture: {other:?}"),
        }
    }
    command
}

/// `refund`, `refund 4.00`, with `of capture 1`, `of INV-1`, `lines 2.00 + 2.00`.
fn refund(ledger: &Ledger, amount: &[&str], clauses: &[&str]) -> RefundCommand {
    let mut command = RefundCommand { amount: amount.first().map(|text| decimal(text)), ..RefundCommand::default() };
    for clause in clauses {
        match clause.split(' ').collect::<Vec<_>>()[..] {
            ["of", "capture", "unknown"] => command.target = OperationId::new(4711).map(RefundTarget::Capture),
            ["of", "capture", number] => command.target = Some(RefundTarget::Capture(id(ledger, "capture", number))),
            ["of", reference] => command.target = MerchantReference::parse(reference).map(RefundTarget::CaptureOf),
            ["lines", ..] => command.line_items = lines(clause.trim_start_matches("lines ")),
            ref other => panic!("refund: {other:?}"),
        }
    }
    command
}

fn lines(amounts: &str) -> Vec<OperationLine> {
    let line = |(number, amount): (usize, &str)| OperationLine {
        unique_id: format!("line-{number}"),
        quantity: decimal("1"),
        amount: decimal(amount),
    };
    amounts.split(" + ").enumerate().map(line).collect()
}

/// The call after the intent was stored.
fn called(ledger: &mut Ledger, id: OperationId, expected: &str) -> Happened {
    let log = match outcome(expected).and_then(Effect::of_outcome) {
        Some(effect) => ledger.settle(id, effect)?,
        None => None,
    };
    Ok((state(ledger, id), log))
}

/// None for words that are no outcome: then nothing became known, and the operation stays REQUESTED.
fn outcome(word: &str) -> Option<Outcome> {
    let psp_reference = PspReference::parse("psp_called");
    Some(match word {
        "successful" => Outcome::Succeeded { psp_reference },
        "pending" => Outcome::Accepted { psp_reference },
        "failed" => Outcome::Refused(failure()),
        "unknown" => Outcome::Unknown(Doubt::NoAnswer),
        "requested" => Outcome::NotSent { retry_after: None },
        _ => return None,
    })
}

fn failure() -> Failure {
    let description = "The card was declined.".to_owned();
    Failure { code: "card-declined".to_owned(), category: FailureCategory::EndUser, description, psp_code: None, retryable: false }
}

/// A reading that shows one operation: `of 3.00` or `in CHF`, `twice`, `without our reference`, `under SHOP-7` as somebody
/// else's reference, `with PSP reference psp_9`, `with the payment's reference`, `as a void`.
fn shown(ledger: &mut Ledger, id: OperationId, state: &str, clauses: &[&str]) -> Happened {
    let operation = ledger.operations.iter().find(|operation| operation.facts().id == id).unwrap();
    let facts = operation.facts();
    let mut movement = Movement {
        kind: facts.kind,
        psp_reference: facts.psp_reference.clone().unwrap_or_else(|| PspReference::parse("psp_shown").unwrap()),
        ours: facts.sending.is_some().then(|| operation.reference()),
        money: Money::new(facts.amount, facts.currency),
        state: movement_state(state),
        on: None,
    };
    let mut times = 1;
    for clause in clauses {
        match clause.split(' ').collect::<Vec<_>>()[..] {
            ["of", amount] => movement.money.amount = minor(ledger, amount),
            ["in", currency] => movement.money.currency = Currency::parse(currency).unwrap(),
            ["twice"] => times = 2,
            ["without", "our", "reference"] => movement.ours = None,
            ["under", reference] => movement.ours = Some(OperationReference::seen(reference)),
            ["with", "PSP", "reference", reference] => movement.psp_reference = PspReference::parse(reference).unwrap(),
            ["with", "the", "payment's", "reference"] => movement.psp_reference = ledger.facts().psp_reference.clone(),
            ["as", "a", "void"] => movement.kind = OperationKind::Void,
            ref other => panic!("shown: {other:?}"),
        }
    }
    let payment = PspPayment { movements: vec![movement; times], ..payment(&ledger.transaction, TransactionState::Authorized) };
    let effect = match find(operation, &payment) {
        Finding::Found(movement) => Effect::of_movement(operation, movement),
        Finding::Ambiguous => Effect::ManualCheck("several movements at the PSP claim to be this operation"),
        Finding::NotFound => return Ok(("not found".to_owned(), None)),
    };
    ledger.settle(id, effect).map(|log| told(ledger, id, log))
}

fn movement_state(word: &str) -> MovementState {
    match word {
        "pending" => MovementState::Pending,
        "successful" => MovementState::Successful,
        "failed" => MovementState::Failed(failure()),
        other => panic!("movement: {other}"),
    }
}

/// A reading of the payment: `of 10.00 EUR`, `released 4.00`, `granted`, `another account`, `another environment`, and what
/// happened there, oldest first: `capture 6.00 successful`.
fn reported(ledger: &mut Ledger, state: &str, clauses: &[&str]) -> Happened {
    let mut report = payment(&ledger.transaction, TransactionState::parse(state).unwrap());
    for clause in clauses {
        match clause.split(' ').collect::<Vec<_>>()[..] {
            ["of", amount, currency] => {
                let currency = Currency::parse(currency).unwrap();
                report.authorized = Money::new(decimal(amount).in_currency(currency).unwrap(), currency);
            }
            ["released", amount] => report.released = minor(ledger, amount),
            ["granted"] => report.keeps_rest = true,
            ["another", "account"] => report.account_matches = false,
            ["another", "environment"] => report.environment_matches = false,
            [kind, amount, state] => report.movements.push(Movement {
                kind: self::kind(kind),
                psp_reference: PspReference::parse(&format!("psp_{}", report.movements.len())).unwrap(),
                ours: None,
                money: Money::new(minor(ledger, amount), ledger.facts().currency),
                state: movement_state(state),
                on: None,
            }),
            ref other => panic!("reported: {other:?}"),
        }
    }
    let is_import = ledger.facts().import.state == ImportState::Pending;
    let log = ledger.report(&report)?;
    let answer = match (is_import, &log, &ledger.facts().import.failure) {
        (true, _, None) => "imported".to_owned(),
        (true, _, Some(failure)) => format!("not imported: {}", failure.code),
        (false, None, _) => "nothing new".to_owned(),
        (false, Some(log), _) if log.kind == InteractionKind::AttentionRaised => "attention raised".to_owned(),
        (false, Some(log), _) if log.operation.is_some() => "adopted".to_owned(),
        (false, Some(_), _) => "followed".to_owned(),
    };
    Ok((answer, log))
}

/// What a person found out: `a person finds capture 1 SUCCESSFUL of 3.00`.
fn resolved(ledger: &mut Ledger, kind: &str, number: &str, state: &str, amount: Option<&str>) -> Happened {
    let id = id(ledger, kind, number);
    let state = Resolution::parse(state).unwrap();
    let psp_reference = PspReference::parse("psp_found").filter(|_| state == Resolution::Successful);
    let command = ResolveCommand { state, amount: amount.map(decimal), psp_reference, note: "looked it up".to_owned() };
    ledger.resolve(id, &command).map(|log| told(ledger, id, log))
}

/// What a settlement is called: the state that it led to, or that it led to nothing.
fn told(ledger: &Ledger, id: OperationId, log: Option<Interaction>) -> (String, Option<Interaction>) {
    let answer = match &log {
        None => "nothing new".to_owned(),
        Some(log) if log.kind == InteractionKind::AttentionRaised => "attention raised".to_owned(),
        Some(log) if log.kind.as_str().ends_with(".reversed") => format!("reversed to {}", state(ledger, id)),
        Some(_) => state(ledger, id),
    };
    (answer, log)
}

fn state(ledger: &Ledger, id: OperationId) -> String {
    let operation = ledger.operations.iter().find(|operation| operation.facts().id == id).unwrap();
    operation.state().as_str().to_lowercase().replace('_', " ")
}

/// One fact of how things stand; the error says how they stand instead.
fn look(ledger: &Ledger, seen: &Seen, fact: &str) -> Result<(), String> {
    let facts = ledger.facts();
    let words: Vec<_> = fact.split(' ').collect();
    match words[..] {
        ["still", state] | [state] if TransactionState::parse(state).is_some() => same(facts.state.as_str(), state),
        ["needs", "attention"] => same(facts.needs_attention, true),
        ["no", "attention"] => same(facts.needs_attention, false),
        ["kept", "rest"] => same(facts.keeps_rest, true),
        ["via", ..] => same(seen.log.as_ref().and_then(|log| log.detail.as_deref()), Some(fact.trim_start_matches("via "))),
        ["told", "as", kind] => same(seen.log.as_ref().map(|log| log.kind.as_str()), Some(kind)),
        ["by", actor] => same(seen.log.as_ref().map(|log| log.actor), Actor::parse(actor)),
        ["left", amount] => same(left(seen), Some(minor(ledger, amount))),
        ["may", ref actions @ ..] => same(may(ledger), actions.join(" ")),
        ["retry", "later"] => same(seen.refusal.as_ref().map(Refusal::may_be_retried), Some(true)),
        ["final", "capture", state] => same(facts.final_capture.as_str(), state),
        ["verified", by] => same(facts.verified.as_str(), by),
        [kind @ ("capture" | "refund" | "void"), number, ref what @ ..] if number.parse::<usize>().is_ok() => {
            look_at(ledger, ledger.nth(self::kind(kind), number.parse().unwrap()), what)
        }
        [ref name @ .., amount] => same(balance(ledger, &name.join(" ")), minor(ledger, amount)),
        [] => Err("a fact without words".to_owned()),
    }
}

fn look_at(ledger: &Ledger, operation: &Operation, what: &[&str]) -> Result<(), String> {
    let facts = operation.facts();
    match *what {
        ["is", "final"] => same(facts.is_final, true),
        ["is", "not", "final"] => same(facts.is_final, false),
        ["is", "reversed"] => same(facts.reversed_on, Some(ledger.now)),
        ["is", "not", "reversed"] => same(facts.reversed_on, None),
        ["is", "by", actor] => same(Some(facts.actor), Actor::parse(actor)),
        ["is", "of", "capture", number] => same(operation.bound_capture(), Some(id(ledger, "capture", number))),
        ["is", "of", "no", "capture"] => same(operation.bound_capture(), None),
        ["is", ref state @ ..] => same(Some(facts.state), OperationState::parse(&state.join("_"))),
        ["of", amount] => same(facts.amount, minor(ledger, amount)),
        ["gave", "back", amount] => same(facts.refunded, minor(ledger, amount)),
        ["holds", amount] => same(facts.refund_pending, minor(ledger, amount)),
        ["releases", amount] => same(facts.releases, minor(ledger, amount)),
        ref other => panic!("look at: {other:?}"),
    }
}

fn balance(ledger: &Ledger, name: &str) -> Minor {
    let balance = ledger.facts().balance;
    match name {
        "authorized" => balance.authorized,
        "captured" => balance.captured,
        "capture pending" => balance.capture_pending,
        "capturable" => balance.capturable().unwrap(),
        "refunded" => balance.refunded,
        "refund pending" => balance.refund_pending,
        "refundable" => balance.refundable().unwrap(),
        "voided" => balance.voided,
        "void pending" => balance.void_pending,
        other => panic!("balance: {other:?}"),
    }
}

fn may(ledger: &Ledger) -> String {
    let actions = ledger.transaction.available_actions(&ledger.can).unwrap();
    let names: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" ") }
}

/// What a refusal says could be had.
fn left(seen: &Seen) -> Option<Minor> {
    match seen.refusal.as_ref()? {
        Refusal::ExceedsCapturableAmount { remaining } | Refusal::ExceedsRefundableAmount { remaining } => Some(remaining.amount),
        _ => None,
    }
}

fn same<T: PartialEq + std::fmt::Debug>(stands: T, said: T) -> Result<(), String> {
    if stands == said { Ok(()) } else { Err(format!("{stands:?} is not {said:?}")) }
}

fn id(ledger: &Ledger, kind: &str, number: &str) -> OperationId {
    ledger.nth(self::kind(kind), number.parse().unwrap()).facts().id
}

fn kind(word: &str) -> OperationKind {
    *OperationKind::ALL.iter().find(|kind| kind.word() == word).unwrap_or_else(|| panic!("kind: {word}"))
}

fn minor(ledger: &Ledger, text: &str) -> Minor {
    decimal(text).in_currency(ledger.facts().currency).unwrap()
}

pub fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|_| panic!("not a number: {text}"))
}
