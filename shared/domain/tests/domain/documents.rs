//! `docs/STATE-MACHINE.md` is written from the tables in code: here are only the sentences between them.

use crate::ledger::{Ledger, payment};
use crate::scenario::EVERYTHING;
use domain::interaction::InteractionKind;
use domain::operation::OpenOperation;
use domain::time::Span;
use domain::transaction::{ImportFailure, ImportState, TransactionFacts};
use domain::{OperationKind, OperationState, Transaction, TransactionState};
use std::path::Path;

const COMMAND: &str = "UPDATE_DOCS=1 cargo test -p collana-domain documents";

#[test]
fn the_document_says_what_the_tables_in_code_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/STATE-MACHINE.md");
    let wanted = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = (1..).zip(wanted.lines()).find(|(number, line)| found.lines().nth(number - 1) != Some(line));
    assert!(differs.is_none(), "docs/STATE-MACHINE.md is not what the code says, from {differs:?} on; write it anew: {COMMAND}");
    assert_eq!(found.len(), wanted.len(), "docs/STATE-MACHINE.md has more than the code says; write it anew: {COMMAND}");
}

fn document() -> String {
    [
        format!("{HEAD}\nwrite this file anew with `{COMMAND}`.\n"),
        section(TRANSACTION, &["state", "means", "can become"], transaction_states()),
        section(JUMPS, &["from", "reported", "steps"], jumps()),
        section(REPORTS, &["we are in", "followed", "merely late", "for a person"], reports()),
        section(OPERATION, &["state", "means", "can become", "share", "asked again after"], operation_states()),
        section(CORRECTIONS, &["was", "turned out", "told as"], corrections()),
        section(BLOCKS, &["while this is open", "a capture of a part", "a final capture", "a refund", "a void"], blocks()),
        section(IMPORT, &["import state", "means", "can become"], import_states()),
        section(FAILURES, &["code", "means"], import_failures()),
    ]
    .join("\n")
}

const HEAD: &str = "# States

For whoever builds on the API and wants to know what may come next, and for whoever changes the code. Words are explained
in [GLOSSARY.md](GLOSSARY.md). The tables are those of `shared/domain`, written here by a test. Change them there, then";

const TRANSACTION: &str = "## Transaction

A transaction goes only forward, by the moves in this table; a state that can become nothing is final. Captures, refunds and
voids do not have states here: a partly captured transaction stays AUTHORIZED, and a refunded one stays where it is, because the
balance tells. It leaves AUTHORIZED once no capture is open and either a final capture has succeeded or nothing is left to
capture or release: as VOIDED if nothing was captured, otherwise as COMPLETED, which goes on to FULFILL by itself.";

const JUMPS: &str = "## Jumps

A PSP may be several moves ahead when it is asked, and an import begins wherever the payment is. Then every move on the
shortest way is made, and the entry in the log names them. Single moves are not listed. An import takes over no payment that
is FAILED, and none that is VOIDED with nothing captured.";

const REPORTS: &str = "## What a report of the PSP does

A reading of a payment is compared with what we have. What lies ahead of a payment that is not yet authorized is followed.
Once it is authorized, our own operations lead on: VOIDED is followed while nothing was captured and nothing is open, and
COMPLETED if the PSP has released exactly what was not captured here. COMPLETED also waits for an open capture of ours. What
lies behind us is late news and changes nothing. Everything else is not applied and raises `needsAttention`, as does a
report of another amount or currency. The table is that of a transaction of which nothing was captured here.";

const OPERATION: &str = "## Capture, refund, void

Each capture, refund or void has its own state. While it is open it holds its share, so that nobody else can take the same
amount; SUCCESSFUL and FAILED are final for callers. An open operation is looked at again after the time in the last column,
counted from its last change (while it is REQUESTED, from the moment at which it was sent).";

const CORRECTIONS: &str = "## Corrections

What a PSP proves after the end is booked, even past a limit: a capture that fails days after its success, a refund that was
executed after all. The operation then has `reversedOn`, and the transaction `needsAttention`. The refusal of a call is no
such proof: another copy of the call may be what was executed, so it counts only in REQUESTED and UNKNOWN. A settled
operation that the PSP shows twice, or with another amount, stays as it is and raises `needsAttention` too.";

const BLOCKS: &str = "## Who waits for whom

An open operation holds some commands back: they are answered 409 `operation-in-doubt` until it has settled. Every other
command goes on and only has to leave it its share. A capture is final if its command says so, or if it says nothing and
takes all that is left while no other capture is open.";

const IMPORT: &str = "## Import

An import has a state beside that of its transaction, which stays CREATE until the import is completed. No money moves before
that: captures, refunds and voids are answered 409 `import-not-completed`. They do not wait for IMPORT_OK. A failed import that is
sent again keeps its transaction id.";

const FAILURES: &str = "## Why an import fails

The reason stands in `importFailure`. When several are true, the first in this table is named.";

fn section(text: &str, head: &[&str], rows: Vec<Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<_> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    format!("{text}\n\n{}{rule}{}", line(&head), rows.iter().map(|row| line(row)).collect::<String>())
}

fn transaction_states() -> Vec<Vec<String>> {
    let means = |state| match state {
        TransactionState::Create => "known here, not yet checked at the PSP",
        TransactionState::Pending => "being made; most of it can still be changed",
        TransactionState::Confirmed => "frozen by the merchant, not yet at the PSP",
        TransactionState::Processing => "the payer is paying at the PSP",
        TransactionState::Failed => "the payment did not come about",
        TransactionState::Authorized => "the PSP holds the amount, to be captured or released",
        TransactionState::Voided => "everything was released, nothing was captured",
        TransactionState::Completed => "captured for good: no further capture comes",
        TransactionState::Fulfill => "the goods may be delivered",
        TransactionState::Decline => "the goods must not be delivered",
    };
    let row = |state: &TransactionState| {
        vec![state.as_str().to_owned(), means(*state).to_owned(), names(state.next().iter().map(|next| next.as_str()))]
    };
    TransactionState::ALL.iter().map(row).collect()
}

fn jumps() -> Vec<Vec<String>> {
    let mut rows = vec![];
    for from in TransactionState::ALL {
        for to in TransactionState::ALL {
            if let Some(steps) = from.steps_to(*to).filter(|steps| steps.len() > 1) {
                let steps: Vec<_> = steps.iter().map(|step| step.as_str()).collect();
                rows.push(vec![from.as_str().to_owned(), to.as_str().to_owned(), steps.join(" > ")]);
            }
        }
    }
    rows
}

/// Asked of the code itself, with an untouched transaction in each state.
fn reports() -> Vec<Vec<String>> {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    let report = payment(&ledger.transaction, TransactionState::Authorized);
    ledger.report(&report).unwrap();
    let row = |state: &TransactionState| {
        let transaction = Transaction::restore(TransactionFacts { state: *state, ..ledger.facts().clone() }).unwrap();
        let kind = |reported: &TransactionState| {
            let change = transaction.follow(&payment(&transaction, *reported), ledger.now).unwrap();
            change.and_then(|change| change.interaction).map(|interaction| interaction.kind)
        };
        let mut columns = [vec![], vec![], vec![]];
        for reported in TransactionState::ALL.iter().filter(|reported| *reported != state) {
            let column = match kind(reported) {
                Some(InteractionKind::AttentionRaised) => 2,
                Some(_) => 0,
                None => 1,
            };
            columns[column].push(reported.as_str());
        }
        std::iter::once(state.as_str().to_owned()).chain(columns.map(|column| names(column.into_iter()))).collect()
    };
    TransactionState::ALL.iter().filter(|state| **state != TransactionState::Create).map(row).collect()
}

fn operation_states() -> Vec<Vec<String>> {
    let means = |state| match state {
        OperationState::Requested => "stored and its share set aside; not sent, or its outcome not stored",
        OperationState::Pending => "the PSP took the order and tells the result later",
        OperationState::Unknown => "nobody can tell yet whether the PSP acted",
        OperationState::ManualCheck => "asking is used up or the answers contradict each other: a person decides",
        OperationState::Successful => "done",
        OperationState::Failed => "not done",
    };
    let row = |state: &OperationState| {
        let share = match state {
            OperationState::Successful => "taken",
            OperationState::Failed => "given back",
            OperationState::Requested | OperationState::Pending | OperationState::Unknown | OperationState::ManualCheck => "held",
        };
        let asked = state.asked_after().map_or_else(|| "never".to_owned(), span);
        [state.as_str(), means(*state), &names(state.next().iter().map(|next| next.as_str())), share, &asked].map(str::to_owned).to_vec()
    };
    OperationState::ALL.iter().map(row).collect()
}

fn corrections() -> Vec<Vec<String>> {
    let kinds: Vec<_> = OperationKind::ALL.iter().map(|kind| format!("`{}`", InteractionKind::of_reversal(*kind).as_str())).collect();
    let row = |from: &OperationState, to: &OperationState| vec![from.as_str().to_owned(), to.as_str().to_owned(), kinds.join(", ")];
    OperationState::ALL.iter().flat_map(|from| from.corrections().iter().map(move |to| row(from, to))).collect()
}

fn blocks() -> Vec<Vec<String>> {
    let name = |open| match open {
        OpenOperation::Capture => "a capture of a part",
        OpenOperation::FinalCapture => "a final capture",
        OpenOperation::Refund => "a refund",
        OpenOperation::Void => "a void",
    };
    let row = |open: &OpenOperation| {
        let cell = |command: &OpenOperation| if open.holds_back().contains(command) { "waits" } else { "goes on" };
        std::iter::once(name(*open)).chain(OpenOperation::ALL.iter().map(cell)).map(str::to_owned).collect()
    };
    OpenOperation::ALL.iter().map(row).collect()
}

fn import_states() -> Vec<Vec<String>> {
    let means = |state| match state {
        ImportState::Pending => "the command is stored, the PSP's answer is awaited",
        ImportState::Completed => "checked at the PSP and stored",
        ImportState::Failed => "refused; `importFailure` says why",
        ImportState::Ok => "the ERP has processed the notification",
    };
    let row = |state: &ImportState| {
        vec![state.as_str().to_owned(), means(*state).to_owned(), names(state.next().iter().map(|next| next.as_str()))]
    };
    ImportState::ALL.iter().map(row).collect()
}

fn import_failures() -> Vec<Vec<String>> {
    ImportFailure::ALL.iter().map(|failure| vec![format!("`{}`", failure.as_str()), failure.failure().description]).collect()
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn span(span: Span) -> String {
    let seconds = span.seconds();
    match (seconds % 86_400, seconds % 60) {
        (0, _) => format!("{} d", seconds / 86_400),
        (_, 0) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
