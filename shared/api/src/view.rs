//! What is answered: transactions and operations in the words of the API. Every stored fact is named here, so that a new one
//! does not compile until somebody decides whether it is shown.

use crate::json_out::{Json, Members};
use crate::properties;
use crate::time_text;
use app::ports::store::WholeTransaction;
use domain::capability::{KeepsRest, KeyWindow};
use domain::interaction::Interaction;
use domain::money::{Minor, Money};
use domain::operation::{OperationFacts, OperationKey, OperationLine};
use domain::outcome::Failure;
use domain::transaction::{Balance, TransactionFacts};
use domain::{Capabilities, Currency, Operation, OperationKind, Refusal, Timestamp, Transaction};

/// A whole transaction: its properties, operations and log.
pub(crate) fn whole(whole: &WholeTransaction, can: &Capabilities) -> Result<Json, Refusal> {
    let transaction = whole.head.transaction();
    let mut merchant = Vec::new();
    properties::show(&whole.properties, &mut merchant);
    let currency = transaction.facts().currency;
    let of_kind = |kind| {
        let operations = whole.operations.iter().filter(move |operation| operation.facts().kind == kind);
        operations.map(|operation| Json::from(operation_members(operation)))
    };
    let members = summary(transaction, can)?
        .with_all(merchant)
        .with("captures", Json::list(of_kind(OperationKind::Capture)))
        .with("refunds", Json::list(of_kind(OperationKind::Refund)))
        .with("voids", Json::list(of_kind(OperationKind::Void)))
        .with("interactions", Json::list(whole.interactions.iter().map(|entry| interaction(entry, currency))));
    Ok(members.into())
}

/// A transaction by itself, as lists show it.
pub(crate) fn summary(transaction: &Transaction, can: &Capabilities) -> Result<Members, Refusal> {
    let TransactionFacts {
        space,
        id,
        version,
        state,
        import,
        connection,
        psp,
        psp_reference,
        merchant_reference,
        currency,
        balance: amounts,
        final_capture: _,
        void_is_open: _,
        keeps_rest: _,
        verified,
        needs_attention,
        failure: failed,
        created_on,
        authorized_on,
        authorization_expires_on,
        completed_on,
        failed_on,
        watch_on: _,
    } = transaction.facts();
    let done = import.is_done();
    let money = |amount| Money::new(amount, *currency);
    Ok(Json::object()
        .with("id", id.number())
        .with("linkedSpaceId", space.number())
        .with("version", *version)
        .with("state", state.as_str())
        .with("importState", import.state.as_str())
        .with_some("importFailure", import.failure.as_ref().map(failure))
        .with("connection", connection.as_str())
        .with("psp", psp)
        .with("pspReference", psp_reference.as_str())
        .with("merchantReference", merchant_reference.as_str())
        .with("currency", currency.code())
        .with("authorizationAmount", money(if done { amounts.authorized } else { import.amount }))
        .with_some("completedAmount", done.then(|| money(amounts.captured)))
        .with_some("refundedAmount", done.then(|| money(amounts.refunded)))
        .with("verified", verified.as_str())
        .with("needsAttention", *needs_attention)
        .with_some("failureReason", failed.as_ref().map(failure))
        .with_some("createdOn", moment(Some(*created_on)))
        .with_some("authorizedOn", moment(*authorized_on))
        .with_some("authorizationExpiresOn", moment(*authorization_expires_on))
        .with_some("completedOn", moment(*completed_on))
        .with_some("failedOn", moment(*failed_on))
        .with("balance", balance(amounts, *currency)?)
        .with("availableActions", actions(transaction, can)?))
}

/// An operation with its transaction's state and balance, as a command answers it.
pub(crate) fn operation(operation: &Operation, transaction: &Transaction, can: &Capabilities) -> Result<Json, Refusal> {
    let facts = transaction.facts();
    let of = Json::object()
        .with("state", facts.state.as_str())
        .with("version", facts.version)
        .with("balance", balance(&facts.balance, facts.currency)?)
        .with("availableActions", actions(transaction, can)?);
    Ok(operation_members(operation).with("transaction", of).into())
}

/// What a PSP can do.
pub(crate) fn capabilities(psp: &str, can: &Capabilities) -> Json {
    let Capabilities {
        reads_payments,
        captures_in_part,
        keeps_rest,
        releases_rest,
        refunds_in_part,
        refunds_per_capture,
        voids,
        key_window,
    } = *can;
    let window = |window| match window {
        KeyWindow::Keyless => Json::from("NONE"),
        KeyWindow::For(span) => Json::from(format!("PT{}S", span.seconds())),
        KeyWindow::Forever => Json::from("FOREVER"),
    };
    let keeps_rest = match keeps_rest {
        KeepsRest::Always => "ALWAYS",
        KeepsRest::IfGranted => "IF_GRANTED",
        KeepsRest::Never => "NEVER",
    };
    Json::object()
        .with("psp", psp)
        .with("readsPayments", reads_payments)
        .with("partialCapture", captures_in_part)
        .with("keepsRestAfterPartialCapture", keeps_rest)
        .with("releasesRestAfterFinalCapture", releases_rest)
        .with("partialRefund", refunds_in_part)
        .with("refundsPerCapture", refunds_per_capture)
        .with("void", voids)
        .with(
            "idempotencyKeyWindow",
            Json::object()
                .with("capture", window(key_window.capture))
                .with("refund", window(key_window.refund))
                .with("void", window(key_window.void)),
        )
        .into()
}

fn operation_members(operation: &Operation) -> Members {
    let OperationFacts {
        space: _,
        transaction,
        id,
        version: _,
        kind,
        key,
        command: _,
        state,
        amount,
        currency,
        is_final,
        releases: _,
        capture,
        reason,
        note,
        line_items,
        merchant_reference,
        psp_reference,
        actor,
        created_on,
        settled_on,
        reversed_on,
        failure: failed,
        due_on: _,
        sending,
        refunded,
        refund_pending,
    } = operation.facts();
    let is_capture = *kind == OperationKind::Capture;
    let idempotency_key = match key {
        OperationKey::Caller(key) => Some(key.as_str()),
        OperationKey::Adopted(_) => None,
    };
    let money = |amount| Money::new(amount, *currency);
    let refunds = |amount: Minor| (is_capture && !amount.is_zero()).then(|| money(amount));
    Json::object()
        .with("id", id.number())
        .with("kind", kind.as_str())
        .with("transactionId", transaction.number())
        .with("state", state.as_str())
        .with("amount", money(*amount))
        .with("currency", currency.code())
        .with_some("final", is_capture.then_some(*is_final))
        .with_some("captureId", capture.map(|capture| capture.number()))
        .with_some("refunded", refunds(*refunded))
        .with_some("refundPending", refunds(*refund_pending))
        .with_some("reason", reason.map(|reason| reason.as_str()))
        .with_some("note", note.as_ref())
        .with_any("lineItems", line_items.iter().map(line))
        .with_some("idempotencyKey", idempotency_key)
        .with_some("merchantReference", merchant_reference.as_ref().map(|reference| reference.as_str()))
        .with_some("pspReference", psp_reference.as_ref().map(|reference| reference.as_str()))
        .with("actor", actor.as_str())
        .with_some("createdOn", moment(Some(*created_on)))
        .with_some("sentOn", sending.as_ref().and_then(|sending| moment(Some(sending.first_sent_on))))
        .with_some("settledOn", moment(*settled_on))
        .with_some("reversedOn", moment(*reversed_on))
        .with_some("failureReason", failed.as_ref().map(failure))
}

fn line(line: &OperationLine) -> Members {
    let OperationLine { unique_id, quantity, amount } = line;
    Json::object().with("uniqueId", unique_id).with("quantity", *quantity).with("amount", *amount)
}

fn interaction(entry: &Interaction, currency: Currency) -> Members {
    let Interaction {
        sequence,
        on,
        kind,
        actor,
        previous_state,
        state,
        import_state: _,
        needs_attention: _,
        balance: _,
        operation,
        detail,
    } = entry;
    let mark = operation.as_ref().map(|mark| {
        Json::object()
            .with("kind", mark.kind.as_str())
            .with("id", mark.id)
            .with("state", mark.state.as_str())
            .with("amount", Money::new(mark.amount, currency))
    });
    Json::object()
        .with("sequence", *sequence)
        .with_some("on", moment(Some(*on)))
        .with("kind", kind.as_str())
        .with("actor", actor.as_str())
        .with("previousState", previous_state.as_str())
        .with("state", state.as_str())
        .with_some("operation", mark)
        .with_some("detail", detail.as_ref())
}

fn balance(balance: &Balance, currency: Currency) -> Result<Members, Refusal> {
    let money = |amount| Money::new(amount, currency);
    let Balance { authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending } = *balance;
    Ok(Json::object()
        .with("authorized", money(authorized))
        .with("capturable", money(balance.capturable()?))
        .with("captured", money(captured))
        .with("capturePending", money(capture_pending))
        .with("refundable", money(balance.refundable()?))
        .with("refunded", money(refunded))
        .with("refundPending", money(refund_pending))
        .with("voided", money(voided))
        .with("voidPending", money(void_pending)))
}

fn actions(transaction: &Transaction, can: &Capabilities) -> Result<Json, Refusal> {
    Ok(Json::list(transaction.available_actions(can)?.into_iter().map(|action| action.as_str())))
}

fn failure(failure: &Failure) -> Members {
    let Failure { code, category, description, psp_code, retryable } = failure;
    Json::object()
        .with("code", code)
        .with("category", category.as_str())
        .with("description", description)
        .with_some("pspCode", psp_code.as_ref())
        .with("retryable", *retryable)
}

fn moment(moment: Option<Timestamp>) -> Option<String> {
    moment.and_then(time_text::write)
}
