//! Captures, refunds and voids: what is asked for, and what is answered.

use super::schema::{AnySchema, LARGEST_ID, Members, Named, Way, boolean, choice, id, integer, list, moment, object, one, reference, text};
use super::transaction::psp_reference;
use domain::operation::{Actor, OperationKind, OperationReason, OperationState, Resolution};

/// More lines than an invoice has.
const MOST_LINES: usize = 500;

pub(super) fn all() -> Vec<Named> {
    vec![
        ("CaptureCommand", capture_command()),
        ("RefundCommand", refund_command()),
        ("VoidCommand", void_command()),
        ("ReconcileCommand", object("There is nothing to choose. No body says the same.").end(Way::In)),
        ("ResolveCommand", resolve_command()),
        ("Resolution", choice("What a person found out: the PSP has done it, or has not.", Resolution::ALL, Resolution::as_str)),
        ("OperationLineIn", line(Way::In)),
        ("OperationLine", line(Way::Out)),
        ("Operation", operation(object("A capture, refund or void as it stands.")).end(Way::Out)),
        ("OperationAnswer", answer()),
        ("TransactionOfOperation", transaction()),
        ("OperationKind", choice("Which kind of operation it is.", OperationKind::ALL, OperationKind::as_str)),
        ("OperationState", states()),
        ("Reason", choice("Why money is given back, or what is held let go.", OperationReason::ALL, OperationReason::as_str)),
        ("Actor", choice("Who caused it: a caller of this API, somebody at the PSP, or this system by itself.", Actor::ALL, Actor::as_str)),
    ]
}

fn states() -> AnySchema {
    let about = "Where the operation stands. `REQUESTED`: stored and reserved, not sent or no outcome stored yet. `PENDING`: the PSP \
                 accepted it and tells later. `UNKNOWN`: nobody can tell yet whether the PSP acted. `MANUAL_CHECK`: a person has to \
                 decide. These four are open and keep their amount reserved. `SUCCESSFUL`: the PSP did it. `FAILED`: it did not happen.";
    choice(about, OperationState::ALL, OperationState::as_str)
}

fn merchant_reference(members: Members) -> Members {
    members.may("merchantReference", reference("Your own number for this operation, such as that of the invoice or credit memo.", 1, 100))
}

fn version(members: Members) -> Members {
    let about = "The version of the transaction that you decided on; if it is no longer the current one, the answer is 409.";
    members.may("version", integer(about, 0, LARGEST_ID))
}

fn lines(members: Members) -> Members {
    let about = "The lines of the document that this operation covers. Without `amount` their sum is taken.";
    members.may("lineItems", list(about, one("OperationLineIn", ""), Some(MOST_LINES)))
}

fn capture_command() -> AnySchema {
    let members = object("What to capture. An empty object, or no body, captures all that is held.")
        .may("amount", one("AmountIn", "Absent: the sum of the lines, or all that is capturable."))
        .may("final", boolean("Nothing will be captured after this: the rest is released. Absent: true if nothing would remain."));
    version(merchant_reference(lines(members))).end(Way::In)
}

fn refund_command() -> AnySchema {
    let members = object("What to refund. An empty object, or no body, refunds all that was captured.")
        .may("amount", one("AmountIn", "Absent: the sum of the lines, or all that is refundable."))
        .may("captureId", id("The capture that the refund belongs to."))
        .may("captureMerchantReference", reference("The same, by your number of the capture. Name one of the two.", 1, 100))
        .may("reason", one("Reason", ""))
        .may("note", text("For people. No card numbers.", 500));
    version(merchant_reference(lines(members))).end(Way::In)
}

fn void_command() -> AnySchema {
    let members = object("Releases all that is held and not captured; there is no amount to choose.").may("reason", one("Reason", ""));
    version(merchant_reference(members)).end(Way::In)
}

fn resolve_command() -> AnySchema {
    object("What a person found out about an operation.")
        .need("state", one("Resolution", ""))
        .may(
            "amount",
            one("AmountIn", "With `SUCCESSFUL`, and not for a void: what has really moved. Absent: the amount of the operation."),
        )
        .may("pspReference", psp_reference("The PSP's id of the operation, where it shows one."))
        .need("note", text("How it was found out; it stays in the log of the transaction. No card numbers.", 500).min_length(Some(1)))
        .end(Way::In)
}

fn line(way: Way) -> AnySchema {
    let (amount, quantity) = match way {
        Way::In => ("AmountIn", "DecimalIn"),
        Way::Out => ("Decimal", "Decimal"),
    };
    object("A line of an invoice or credit memo.")
        .need("uniqueId", text("The line's name, as in the transaction's `lineItems`.", 200))
        .need("quantity", one(quantity, ""))
        .need("amount", one(amount, "The line's total including tax."))
        .end(way)
}

fn operation(members: Members) -> Members {
    members
        .need("id", id("Unique in its transaction: the version of the transaction that created it."))
        .need("kind", one("OperationKind", ""))
        .need("transactionId", id("The transaction that it belongs to."))
        .need("state", one("OperationState", ""))
        .need("amount", one("Amount", ""))
        .need("currency", one("Currency", ""))
        .may("final", boolean("Of a capture: nothing is captured after it."))
        .may("captureId", id("Of a refund: the capture that it belongs to."))
        .may("refunded", one("Amount", "Of a capture: what was given back of it by refunds that belong to it."))
        .may("refundPending", one("Amount", "Of a capture: what open refunds that belong to it hold."))
        .may("reason", one("Reason", ""))
        .may("note", text("As it was sent.", 500))
        .may("lineItems", list("As they were sent.", one("OperationLine", ""), None))
        .may("idempotencyKey", reference("The key that it was asked for with; absent where it was made at the PSP.", 1, 100))
        .may("merchantReference", reference("As it was sent.", 1, 100))
        .may("pspReference", reference("The PSP's id of this operation.", 1, 255))
        .need("actor", one("Actor", ""))
        .need("createdOn", moment("When it was stored."))
        .may("sentOn", moment("When it was first sent to the PSP."))
        .may("settledOn", moment("When it became SUCCESSFUL or FAILED."))
        .may("reversedOn", moment("When the PSP proved the opposite of the settled state."))
        .may("failureReason", one("Failure", "Why it failed."))
}

fn answer() -> AnySchema {
    operation(object("The operation as it stands, and what it made of its transaction."))
        .need("transaction", one("TransactionOfOperation", ""))
        .end(Way::Out)
}

fn transaction() -> AnySchema {
    object("The transaction that an operation belongs to, in short.")
        .need("state", one("TransactionState", ""))
        .need("version", integer("The same as in `ETag`.", 1, LARGEST_ID))
        .need("balance", one("Balance", ""))
        .need("availableActions", list("What may be done next; a hint, judged again on each command.", one("AvailableAction", ""), None))
        .end(Way::Out)
}
