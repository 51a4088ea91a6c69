//! A transaction as a person reads it: where it stands, what happened, what to do.

use crate::answer::{Amount, Interaction, Operation, Reason, Transaction};
use crate::output::{clean, indented, row, table};

/// Where it stands, and what to do.
pub fn summary(transaction: &Transaction) -> String {
    [head(transaction), balance(transaction), next(transaction)].join("\n")
}

/// The same with all operations, and everything that happened in the order in which it did.
pub fn story(transaction: &Transaction) -> String {
    [head(transaction), balance(transaction), operations(transaction), history(transaction), next(transaction)].join("\n")
}

fn head(transaction: &Transaction) -> String {
    let Transaction { id, version, state, import_state, connection, psp, psp_reference, merchant_reference, .. } = transaction;
    let attention = if transaction.needs_attention { ", needs attention" } else { "" };
    let mut lines = vec![
        format!("Transaction {id}: {}{attention}", clean(state)),
        format!("  order {}, {} on connection {} ({})", clean(merchant_reference), clean(psp_reference), clean(connection), clean(psp)),
        format!(
            "  {} on {}, verified: {}, version {version}",
            clean(import_state),
            moment(transaction.created_on.as_deref()),
            clean(&transaction.verified)
        ),
    ];
    lines.extend(transaction.import_failure.as_ref().map(|failure| format!("  the import failed: {}", reason(failure))));
    lines.extend(transaction.failure_reason.as_ref().map(|failure| format!("  it failed: {}", reason(failure))));
    lines.extend(transaction.authorization_expires_on.as_ref().map(|on| format!("  the authorization expires on {}", moment(Some(on)))));
    lines.join("\n")
}

/// What is not zero, with `authorized` always there.
fn balance(transaction: &Transaction) -> String {
    let balance = &transaction.balance;
    let amounts = [
        ("capturable", &balance.capturable),
        ("captured", &balance.captured),
        ("capture open", &balance.capture_pending),
        ("refundable", &balance.refundable),
        ("refunded", &balance.refunded),
        ("refund open", &balance.refund_pending),
        ("released", &balance.voided),
        ("release open", &balance.void_pending),
    ];
    let shown = std::iter::once(("authorized", &balance.authorized)).chain(amounts.into_iter().filter(|(_, amount)| !amount.is_zero()));
    let rows: Vec<_> = shown.map(|(name, amount): (&str, &Amount)| row([name, &format!("{amount:>12}")])).collect();
    format!("Balance in {}\n{}", clean(&transaction.currency), indented(&table(&rows)))
}

fn operations(transaction: &Transaction) -> String {
    let operations = transaction.operations();
    if operations.is_empty() {
        return "No operations".to_owned();
    }
    let heading = row(["", "ID", "    AMOUNT", "STATE", "REFERENCE", "KEY", "AT THE PSP", ""]);
    let line = |operation: &&Operation| {
        let failure = operation.failure_reason.as_ref().map(reason);
        let by_psp = (operation.actor == "PSP").then(|| "made at the PSP".to_owned());
        let reversed = operation.reversed_on.as_deref().map(|on| format!("contradicted by the PSP on {}", moment(Some(on))));
        let remarks: Vec<_> = [failure, by_psp, reversed].into_iter().flatten().collect();
        row([
            &operation.kind.to_lowercase(),
            &operation.id.to_string(),
            &format!("{:>10}", operation.amount),
            &operation.state,
            operation.merchant_reference.as_deref().unwrap_or("-"),
            operation.idempotency_key.as_deref().unwrap_or("-"),
            operation.psp_reference.as_deref().unwrap_or("-"),
            &remarks.join("; "),
        ])
    };
    let rows: Vec<_> = std::iter::once(heading).chain(operations.iter().map(line)).collect();
    format!("Operations\n{}", indented(&table(&rows)))
}

fn history(transaction: &Transaction) -> String {
    let line = |entry: &Interaction| {
        let moved = match entry.previous_state == entry.state {
            true => entry.state.clone(),
            false => format!("{} -> {}", entry.previous_state, entry.state),
        };
        let about = entry.operation.as_ref().map(|mark| format!("{} {}: {}", mark.kind.to_lowercase(), mark.id, mark.amount));
        row([
            &moment(entry.on.as_deref()),
            &entry.sequence.to_string(),
            entry.kind.strip_prefix("transaction.").unwrap_or(&entry.kind),
            &format!("by {}", entry.actor.to_lowercase()),
            &moved,
            &about.unwrap_or_default(),
            entry.detail.as_deref().unwrap_or_default(),
        ])
    };
    let rows: Vec<_> = transaction.interactions.iter().map(line).collect();
    if rows.is_empty() { "Nothing has happened yet".to_owned() } else { format!("What happened\n{}", indented(&table(&rows))) }
}

/// What to do now: first what is wrong or open, then what is possible.
fn next(transaction: &Transaction) -> String {
    let id = transaction.id;
    let mut steps = Vec::new();
    match transaction.import_state.as_str() {
        "IMPORT_PENDING" => {
            steps.push(format!("The PSP could not be asked yet. It is asked again by itself; `collana tx reconcile {id}` asks it now."));
        }
        "IMPORT_FAILED" => steps.push("Correct the import and send it again: it keeps this id.".to_owned()),
        _ => {}
    }
    steps.extend(transaction.operations().into_iter().filter(|operation| operation.is_open()).map(open));
    if transaction.needs_attention {
        steps.push(format!("Somebody has to look at it: `collana tx show {id}` tells what happened; compare it with the PSP's own pages."));
    }
    if steps.is_empty() {
        steps.push(possible(transaction));
    }
    format!("What to do\n{}", indented(&steps.join("\n")))
}

/// What an open operation waits for. The amount stays reserved meanwhile.
fn open(operation: &Operation) -> String {
    let Operation { id, kind, state, amount, transaction_id, .. } = operation;
    let what = format!("{} {id} of {amount} is {}", clean(kind).to_lowercase(), clean(state));
    let now = format!("The PSP is asked by itself; `collana tx reconcile {transaction_id}` asks it now.");
    match state.as_str() {
        "REQUESTED" => format!("{what}: stored, and no outcome is known. {now}"),
        "PENDING" => format!("{what}: the PSP accepted it and tells later. Wait."),
        "UNKNOWN" => format!("{what}: nobody can tell yet whether the PSP acted. {now}"),
        "MANUAL_CHECK" => {
            let kind = clean(kind).to_lowercase();
            format!(
                "{what}: a person decides. Look for it on the PSP's own pages (our reference there ends in {transaction_id}-{id}), then\n  \
                 collana tx resolve {transaction_id} {kind} {id} --state successful|failed --note \"how you found it out\""
            )
        }
        _ => format!("{what}."),
    }
}

fn possible(transaction: &Transaction) -> String {
    let can = |action: &str| transaction.available_actions.iter().any(|available| available == action);
    let (id, balance) = (transaction.id, &transaction.balance);
    let mut possible = Vec::new();
    if can("CAPTURE") {
        possible.push(format!("collana capture {id}   # up to {}", balance.capturable));
    }
    if can("REFUND") {
        possible.push(format!("collana refund {id}    # up to {}", balance.refundable));
    }
    if can("VOID") {
        possible.push(format!("collana void {id}"));
    }
    if possible.is_empty() {
        "Nothing.".to_owned()
    } else {
        format!("Nothing needs to be done. Possible:\n{}", indented(&possible.join("\n")))
    }
}

fn reason(reason: &Reason) -> String {
    let psp_code = reason.psp_code.as_ref().map(|code| format!(" (the PSP says {})", clean(code))).unwrap_or_default();
    format!("{}: {}{psp_code}", clean(&reason.code), clean(&reason.description))
}

/// `2026-11-22T10:00:00.007Z` with a blank for the T.
fn moment(text: Option<&str>) -> String {
    clean(&text.unwrap_or("-").replacen('T', " ", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: &str = r#"{
        "id": 7, "version": 9, "state": "AUTHORIZED", "importState": "IMPORT_COMPLETED", "connection": "shop", "psp": "stripe",
        "pspReference": "pi_1", "merchantReference": "SO-1\u001b[2J", "currency": "EUR", "verified": "READ", "needsAttention": true,
        "createdOn": "2026-11-22T10:00:00.007Z", "availableActions": ["CAPTURE"],
        "balance": {"authorized": 49.90, "capturable": 0.00, "captured": 20.00, "capturePending": 29.90, "refundable": 20.00,
            "refunded": 0.00, "refundPending": 0.00, "voided": 0.00, "voidPending": 0.00},
        "captures": [
            {"id": 4, "kind": "CAPTURE", "transactionId": 7, "state": "SUCCESSFUL", "amount": 20.00, "currency": "EUR",
                "idempotencyKey": "a", "actor": "CALLER"},
            {"id": 9, "kind": "CAPTURE", "transactionId": 7, "state": "MANUAL_CHECK", "amount": 9.90, "currency": "EUR",
                "idempotencyKey": "b c", "actor": "CALLER"}
        ],
        "refunds": [
            {"id": 8, "kind": "REFUND", "transactionId": 7, "state": "UNKNOWN", "amount": 5.00, "currency": "EUR",
                "idempotencyKey": "b c", "actor": "CALLER"}
        ],
        "interactions": [{"sequence": 9, "on": "2026-11-22T10:00:00.007Z", "kind": "transaction.capture.manual-check",
            "actor": "SYSTEM", "previousState": "AUTHORIZED", "state": "AUTHORIZED",
            "operation": {"kind": "CAPTURE", "id": 9, "amount": 9.90}}]
    }"#;

    #[test]
    fn a_story_says_what_is_open_and_what_to_do() {
        let story = story(&serde_json::from_str(WAITING).unwrap());
        for expected in [
            "Transaction 7: AUTHORIZED, needs attention",
            "capture open         29.90",
            "2026-11-22 10:00:00.007Z  9  capture.manual-check  by system  AUTHORIZED  capture 9: 9.90",
            "refund 8 of 5.00 is UNKNOWN: nobody can tell yet whether the PSP acted. The PSP is asked by itself; `collana tx reconcile 7`",
            "capture 9 of 9.90 is MANUAL_CHECK: a person decides. Look for it on the PSP's own pages (our reference there ends in 7-9)",
            "collana tx resolve 7 capture 9 --state successful|failed --note",
            "Somebody has to look at it",
        ] {
            assert!(story.contains(expected), "{expected:?} is missing:\n{story}");
        }
        assert!(!story.contains('\u{1b}') && !story.contains("Nothing needs to be done"), "{story}");
        let order: Vec<_> = ["capture  4", "refund   8", "capture  9"].map(|operation| story.find(operation)).to_vec();
        assert!(order.is_sorted() && order.iter().all(Option::is_some), "{order:?}:\n{story}");
    }

    #[test]
    fn what_is_possible_is_told_where_nothing_is_wrong() {
        let calm = WAITING.replace("true", "false").replace("MANUAL_CHECK", "SUCCESSFUL").replace("UNKNOWN", "FAILED");
        assert!(summary(&serde_json::from_str(&calm).unwrap()).contains("collana capture 7   # up to 0.00"));
    }
}
