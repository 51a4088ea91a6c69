//! One payment, told in examples: imported, captured in part, refunded in part, and another one released.
//!
//! Numbers stand here as JSON libraries write them; answers have exactly the currency's decimals.

use serde_json::{Value, json};

const ID: u64 = 115_082_731_520_113;

pub(super) fn import_command() -> Value {
    json!({"connection": "sandbox", "pspReference": "sb_4tq9", "merchantReference": "SO-1", "amount": "49.95", "currency": "EUR"})
}

pub(super) fn import_command_with_properties() -> Value {
    json!({
        "connection": "stripe", "pspReference": "pi_3PqL8x2eZvKYlo2C", "merchantReference": "SO-2", "amount": 49.95, "currency": "EUR",
        "customerId": "C-1001", "language": "de-CH", "timeZone": "Europe/Zurich", "metaData": {"channel": "web"},
        "billingAddress": {"givenName": "Ada", "familyName": "Muster", "street": "Seestrasse 1", "postcode": "8000", "city": "Zürich",
                           "country": "CH"},
        "lineItems": [
            {"uniqueId": "1", "name": "Shoe", "quantity": 1, "amountIncludingTax": "54.95", "type": "PRODUCT",
             "taxes": [{"title": "VAT", "rate": "8.1"}]},
            {"uniqueId": "2", "name": "Voucher", "quantity": 1, "amountIncludingTax": "-5.00", "type": "DISCOUNT"}
        ]
    })
}

pub(super) fn capture_part() -> Value {
    json!({"amount": "19.99", "merchantReference": "INV-1"})
}

pub(super) fn capture_rest() -> Value {
    json!({})
}

pub(super) fn capture_lines() -> Value {
    json!({"lineItems": [{"uniqueId": "1", "quantity": 1, "amount": "19.99"}], "final": true, "version": 2})
}

pub(super) fn refund_part() -> Value {
    json!({"amount": "4.99", "captureId": 3, "reason": "RETURN", "note": "too small", "merchantReference": "CM-1"})
}

pub(super) fn void_command() -> Value {
    json!({"merchantReference": "SO-1"})
}

pub(super) fn nothing() -> Value {
    json!({})
}

pub(super) fn resolve_command() -> Value {
    json!({"state": "SUCCESSFUL", "pspReference": "sbc_81xk", "note": "Listed as captured on the PSP's own pages on 24 November."})
}

pub(super) fn resolve_command_failed() -> Value {
    json!({"state": "FAILED", "note": "The PSP's support says that the call never reached them, ticket 4711."})
}

/// After the import.
pub(super) fn imported() -> Value {
    json!({
        "id": ID, "linkedSpaceId": 1, "version": 2, "state": "AUTHORIZED", "importState": "IMPORT_COMPLETED",
        "connection": "sandbox", "psp": "sandbox", "pspReference": "sb_4tq9", "merchantReference": "SO-1", "currency": "EUR",
        "authorizationAmount": 49.95, "completedAmount": 0, "refundedAmount": 0, "verified": "READ", "needsAttention": false,
        "createdOn": "2026-11-22T10:00:00.000Z", "authorizedOn": "2026-11-22T09:58:00.000Z",
        "authorizationExpiresOn": "2026-11-29T09:58:00.000Z",
        "balance": balance(&Amounts { capturable: json!(49.95), ..Amounts::default() }),
        "availableActions": ["CAPTURE", "CAPTURE_PARTIAL", "VOID"],
        "captures": [], "refunds": [], "voids": [],
        "interactions": [{
            "sequence": 2, "on": "2026-11-22T10:00:00.412Z", "kind": "transaction.import.completed", "actor": "CALLER",
            "previousState": "CREATE", "state": "AUTHORIZED", "detail": "PENDING, CONFIRMED, PROCESSING, AUTHORIZED"
        }]
    })
}

/// After the PSP was asked about a capture that was in doubt.
pub(super) fn settled() -> Value {
    let mut capture = capture();
    let transaction = capture.as_object_mut().and_then(|members| members.remove("transaction")).unwrap_or_default();
    let mut settled = imported();
    for name in ["state", "version", "balance", "availableActions"] {
        settled[name] = transaction[name].clone();
    }
    let entry = json!({
        "sequence": 4, "on": "2026-11-22T11:01:00.231Z", "kind": "transaction.capture.successful", "actor": "CALLER",
        "previousState": "AUTHORIZED", "state": "AUTHORIZED",
        "operation": {"kind": "CAPTURE", "id": 3, "state": "SUCCESSFUL", "amount": 19.99}
    });
    if let Some(log) = settled["interactions"].as_array_mut() {
        log.push(entry);
    }
    settled["completedAmount"] = capture["amount"].clone();
    settled["captures"] = json!([capture]);
    settled
}

/// An import that the PSP contradicted.
pub(super) fn import_failed() -> Value {
    let mut failed = imported();
    for (name, value) in [
        ("state", json!("CREATE")),
        ("importState", json!("IMPORT_FAILED")),
        (
            "importFailure",
            json!({"code": "amount-mismatch", "category": "DEVELOPER", "description": "The PSP says another amount.", "retryable": true}),
        ),
        ("verified", json!("NONE")),
        ("balance", balance(&Amounts { authorized: json!(0), ..Amounts::default() })),
        ("availableActions", json!([])),
        ("interactions", json!([])),
    ] {
        failed[name] = value;
    }
    if let Some(members) = failed.as_object_mut() {
        members.retain(|name, _| !["completedAmount", "refundedAmount", "authorizedOn", "authorizationExpiresOn"].contains(&name.as_str()));
    }
    failed
}

pub(super) fn page() -> Value {
    let mut summary = imported();
    if let Some(members) = summary.as_object_mut() {
        members.retain(|name, _| !["captures", "refunds", "voids", "interactions"].contains(&name.as_str()));
    }
    json!({"transactions": [summary], "next": "MTE1MDgyNzMxNTIwMTEzLmExYjJjM2Q0ZTVmNjA3MTg"})
}

pub(super) fn capture() -> Value {
    let of = transaction(
        "AUTHORIZED",
        4,
        &Amounts { capturable: json!(29.96), captured: json!(19.99), refundable: json!(19.99), ..Amounts::default() },
    );
    json!({
        "id": 3, "kind": "CAPTURE", "transactionId": ID, "state": "SUCCESSFUL", "amount": 19.99, "currency": "EUR", "final": false,
        "idempotencyKey": "invoice-1", "merchantReference": "INV-1", "pspReference": "sbc_81xk", "actor": "CALLER",
        "createdOn": "2026-11-22T11:00:00.000Z", "sentOn": "2026-11-22T11:00:00.000Z", "settledOn": "2026-11-22T11:00:00.231Z",
        "transaction": of
    })
}

/// The PSP did not answer: nobody knows yet, and the amount stays reserved.
pub(super) fn capture_unknown() -> Value {
    let mut unknown = capture();
    unknown["state"] = json!("UNKNOWN");
    unknown["transaction"] =
        transaction("AUTHORIZED", 4, &Amounts { capturable: json!(29.96), capture_pending: json!(19.99), ..Amounts::default() });
    unknown["transaction"]["availableActions"] = json!(["CAPTURE", "CAPTURE_PARTIAL", "RECONCILE"]);
    if let Some(members) = unknown.as_object_mut() {
        members.retain(|name, _| !["pspReference", "settledOn"].contains(&name.as_str()));
    }
    unknown
}

/// The PSP refused: an operation all the same, and its amount is free again.
pub(super) fn capture_failed() -> Value {
    let mut failed = capture();
    failed["state"] = json!("FAILED");
    failed["failureReason"] =
        json!({"code": "declined", "category": "END_USER", "description": "The PSP declined it.", "retryable": false});
    failed["transaction"] = transaction("AUTHORIZED", 4, &Amounts { capturable: json!(49.95), ..Amounts::default() });
    failed
}

pub(super) fn refund() -> Value {
    let amounts =
        Amounts { capturable: json!(29.96), captured: json!(19.99), refundable: json!(15), refunded: json!(4.99), ..Amounts::default() };
    json!({
        "id": 5, "kind": "REFUND", "transactionId": ID, "state": "SUCCESSFUL", "amount": 4.99, "currency": "EUR", "captureId": 3,
        "reason": "RETURN", "note": "too small", "idempotencyKey": "credit-memo-1", "merchantReference": "CM-1",
        "pspReference": "sbr_2m0d", "actor": "CALLER", "createdOn": "2026-12-01T08:00:00.000Z", "sentOn": "2026-12-01T08:00:00.000Z",
        "settledOn": "2026-12-01T08:00:00.198Z", "transaction": transaction("AUTHORIZED", 6, &amounts)
    })
}

pub(super) fn void() -> Value {
    let amounts = Amounts { voided: json!(49.95), ..Amounts::default() };
    json!({
        "id": 3, "kind": "VOID", "transactionId": ID, "state": "SUCCESSFUL", "amount": 49.95, "currency": "EUR",
        "idempotencyKey": "cancel-1", "merchantReference": "SO-1", "pspReference": "sbv_77ab", "actor": "CALLER",
        "createdOn": "2026-11-22T11:00:00.000Z", "sentOn": "2026-11-22T11:00:00.000Z", "settledOn": "2026-11-22T11:00:00.187Z",
        "transaction": transaction("VOIDED", 4, &amounts)
    })
}

pub(super) fn psps() -> Value {
    json!({"psps": [{
        "psp": "stripe", "readsPayments": true, "partialCapture": true, "keepsRestAfterPartialCapture": "IF_GRANTED",
        "releasesRestAfterFinalCapture": true, "partialRefund": true, "refundsPerCapture": false, "void": true,
        "idempotencyKeyWindow": {"capture": "PT86400S", "refund": "PT86400S", "void": "PT86400S"}
    }]})
}

fn transaction(state: &str, version: u64, amounts: &Amounts) -> Value {
    let actions: &[_] = if state == "VOIDED" { &[] } else { &["CAPTURE", "CAPTURE_PARTIAL", "REFUND", "REFUND_PARTIAL", "VOID"] };
    json!({"state": state, "version": version, "balance": balance(amounts), "availableActions": actions})
}

/// Amounts of the payment; what is not named is zero, and 49.95 was authorized.
struct Amounts {
    authorized: Value,
    capturable: Value,
    captured: Value,
    capture_pending: Value,
    refundable: Value,
    refunded: Value,
    voided: Value,
}

impl Default for Amounts {
    fn default() -> Self {
        let zero = || json!(0);
        Self {
            authorized: json!(49.95),
            capturable: zero(),
            captured: zero(),
            capture_pending: zero(),
            refundable: zero(),
            refunded: zero(),
            voided: zero(),
        }
    }
}

fn balance(amounts: &Amounts) -> Value {
    let Amounts { authorized, capturable, captured, capture_pending, refundable, refunded, voided } = amounts;
    json!({
        "authorized": authorized, "capturable": capturable, "captured": captured, "capturePending": capture_pending,
        "refundable": refundable, "refunded": refunded, "refundPending": 0, "voided": voided, "voidPending": 0
    })
}
