//! Transactions: the import, the whole, the list, and what stands in them.

use super::properties;
use super::schema::{
    AnySchema, LARGEST_ID, Members, Named, Way, boolean, choice, id, integer, list, moment, names, object, one, reference, string, text,
};
use domain::TransactionState;
use domain::interaction::InteractionKind;
use domain::outcome::FailureCategory;
use domain::transaction::{AvailableAction, ImportFailure, ImportState, Verified};

pub(super) fn all() -> Vec<Named> {
    vec![
        ("ImportCommand", import_command()),
        ("Transaction", whole()),
        (
            "TransactionSummary",
            summary(object("A transaction as lists show it: without its properties, operations and log.")).end(Way::Out),
        ),
        ("TransactionList", transaction_list()),
        ("Balance", balance()),
        ("Interaction", interaction()),
        ("OperationOfInteraction", operation_of_interaction()),
        ("Failure", failure()),
        ("TransactionState", choice("Where the payment stands; it goes only forward.", TransactionState::ALL, TransactionState::as_str)),
        ("ImportState", import_states()),
        ("Verified", choice("How the payment was verified at the PSP.", Verified::ALL, Verified::as_str)),
        ("AvailableAction", choice("What may be done with a transaction now.", AvailableAction::ALL, AvailableAction::as_str)),
        ("InteractionKind", choice("What happened, named like its notification.", InteractionKind::ALL, InteractionKind::as_str)),
        ("FailureCategory", choice("Who can do something about it.", FailureCategory::ALL, FailureCategory::as_str)),
    ]
}

fn import_states() -> AnySchema {
    let about = "How far the adoption has come. `IMPORT_PENDING`: stored, the PSP's answer is awaited. `IMPORT_COMPLETED`: checked and \
                 stored. `IMPORT_FAILED`: refused, `importFailure` says why. `IMPORT_OK`: the ERP has processed the notification.";
    choice(about, ImportState::ALL, ImportState::as_str)
}

/// The longest name that the form of a connection allows.
pub(super) fn connection(about: &str) -> AnySchema {
    string(about).pattern(Some("^[a-z0-9-]{1,40}$")).into()
}

pub(super) fn psp_reference(about: &str) -> AnySchema {
    string(about).min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]+$")).into()
}

fn import_command() -> AnySchema {
    let members = object("A payment that a shop's plugin has taken at the PSP, and what the ERP knows about it.")
        .need("connection", connection("The PSP account that the payment was taken with."))
        .need("pspReference", psp_reference("Whatever id of the payment the shop's plugin stored."))
        .need("merchantReference", reference("Your own number for the payment, such as that of the order.", 1, 100))
        .need("amount", one("AmountIn", "What was authorized, or charged directly. The PSP must say exactly the same."))
        .need("currency", one("Currency", "The PSP must say the same."));
    properties::add(members, Way::In).end(Way::In)
}

fn summary(members: Members) -> Members {
    members
        .need("id", id("Drawn at the import; ascending with time."))
        .need("linkedSpaceId", id("The space of your key."))
        .need("version", integer("Raised by every change; the same as in `ETag`.", 1, LARGEST_ID))
        .need("state", one("TransactionState", ""))
        .need("importState", one("ImportState", ""))
        .may("importFailure", one("Failure", &import_failure()))
        .need("connection", connection("The PSP account."))
        .need("psp", string("The PSP's name."))
        .need("pspReference", psp_reference("The PSP's own id of the payment; until the import is completed, the id that was sent."))
        .need("merchantReference", reference("As it was sent.", 1, 100))
        .need("currency", one("Currency", ""))
        .need("authorizationAmount", one("Amount", "What was authorized; until the import is completed, the amount that was sent."))
        .may("completedAmount", one("Amount", "What was captured; absent until the import is completed."))
        .may("refundedAmount", one("Amount", "What was refunded; absent until the import is completed."))
        .need("verified", one("Verified", ""))
        .need("needsAttention", boolean("Something happened that a person should look at; the log says what."))
        .may("failureReason", one("Failure", "Why the payment failed."))
        .need("createdOn", moment("When the import was accepted."))
        .may("authorizedOn", moment("When the payment was authorized."))
        .may("authorizationExpiresOn", moment("Until when the PSP holds the amount, where it tells."))
        .may("completedOn", moment("When the transaction reached COMPLETED here."))
        .may("failedOn", moment("When the transaction reached FAILED here."))
        .need("balance", one("Balance", ""))
        .need("availableActions", list("What may be done next; a hint, judged again on each command.", one("AvailableAction", ""), None))
}

fn import_failure() -> String {
    let codes: Vec<_> = ImportFailure::ALL.iter().map(|failure| format!("`{}`", failure.as_str())).collect();
    format!("Why the import failed. `code` is one of {}.", codes.join(", "))
}

fn whole() -> AnySchema {
    let members = summary(object("A whole transaction. A property that is not set is absent; none is ever `null`."));
    properties::add(members, Way::Out)
        .need("captures", list("Oldest first.", one("Operation", ""), None))
        .need("refunds", list("Oldest first.", one("Operation", ""), None))
        .need("voids", list("Oldest first.", one("Operation", ""), None))
        .need("interactions", list("What happened, oldest first.", one("Interaction", ""), None))
        .end(Way::Out)
}

fn transaction_list() -> AnySchema {
    object("A page of transactions, newest first.")
        .need("transactions", list("Can be shorter than `limit`, or empty, and still have a `next`.", one("TransactionSummary", ""), None))
        .may("next", string("The cursor of the following page: send it as `after`, with the same filters. Absent: this was the last."))
        .end(Way::Out)
}

fn balance() -> AnySchema {
    let amount = |about| one("Amount", about);
    object("Where the authorized amount is.")
        .need("authorized", amount("What the PSP promised to hold."))
        .need("capturable", amount("What can still be captured."))
        .need("captured", amount("What was captured."))
        .need("capturePending", amount("What open captures hold."))
        .need("refundable", amount("What can still be refunded."))
        .need("refunded", amount("What was refunded."))
        .need("refundPending", amount("What open refunds hold."))
        .need("voided", amount("What was released, by a void, an expiry or a final capture."))
        .need("voidPending", amount("What open voids hold."))
        .end(Way::Out)
}

fn interaction() -> AnySchema {
    object("An entry of the log.")
        .need("sequence", integer("The version of the transaction that this made.", 1, LARGEST_ID))
        .need("on", moment("When."))
        .need("kind", one("InteractionKind", ""))
        .need("actor", one("Actor", ""))
        .need("previousState", one("TransactionState", "Before it."))
        .need("state", one("TransactionState", "After it."))
        .may("operation", one("OperationOfInteraction", ""))
        .may("detail", string("For people."))
        .end(Way::Out)
}

fn operation_of_interaction() -> AnySchema {
    object("The operation that an entry is about, as it was then.")
        .need("kind", one("OperationKind", ""))
        .need("id", id("The operation's id."))
        .need("state", one("OperationState", ""))
        .need("amount", one("Amount", ""))
        .end(Way::Out)
}

fn failure() -> AnySchema {
    object("Why something failed.")
        .need("code", string("For programs."))
        .need("category", one("FailureCategory", ""))
        .need("description", text("For people.", 2000))
        .may("pspCode", string("The PSP's own code."))
        .need("retryable", boolean("The same command under a new key can succeed."))
        .end(Way::Out)
}

/// What a PSP can do.
pub(super) fn psps() -> Vec<Named> {
    let window = |kind| string(&format!("Of a {kind}: `NONE`, `FOREVER`, or an ISO 8601 duration in seconds such as `PT86400S`."));
    let windows = object("How long the PSP recognises a repeated request by its key.")
        .need("capture", window("capture"))
        .need("refund", window("refund"))
        .need("void", window("void"))
        .end(Way::Out);
    let psp = object("What a PSP can do.")
        .need("psp", string("Its name, as in a transaction."))
        .need("readsPayments", boolean("A payment can be read there; otherwise only webhooks tell of it."))
        .need("partialCapture", boolean("Less than the authorized amount can be captured."))
        .need(
            "keepsRestAfterPartialCapture",
            names(
                "What is not captured stays held: always, if the PSP granted it to the payment, or never (then a partial capture needs \
                 `final: true`).",
                ["ALWAYS", "IF_GRANTED", "NEVER"],
            ),
        )
        .need(
            "releasesRestAfterFinalCapture",
            boolean("What is left after a final capture is released by the PSP itself; otherwise a void does it."),
        )
        .need("partialRefund", boolean("Less than the captured amount can be refunded, more than once."))
        .need("refundsPerCapture", boolean("A refund belongs to one capture."))
        .need("void", boolean("What is held can be released."))
        .need("idempotencyKeyWindow", one("KeyWindows", ""))
        .end(Way::Out);
    let list = object("What each PSP can do.").need("psps", list("One entry for each PSP.", one("Psp", ""), None)).end(Way::Out);
    vec![("Psp", psp), ("KeyWindows", windows), ("PspList", list)]
}
