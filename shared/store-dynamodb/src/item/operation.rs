//! The operation item: one for each capture, refund and void, found by the hash of its key.

use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key::{self, Listed};
use app::ports::store::StoreError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{IdempotencyKey, MerchantReference, OperationId, PspReference, SpaceId, TransactionId};
use domain::operation::{Actor, OperationFacts, OperationKey, OperationLine, OperationReason, Sending};
use domain::{Currency, Decimal, Operation, OperationKind, OperationState};

/// Raised by every worker that takes over; a result that is not final counts only for the epoch that it was made in.
pub(crate) const EPOCH: &str = "epoch";

/// The version of the transaction that wrote the operation last: by it a reader sees whether all items are of one moment.
const VERSION: &str = "version";

/// Not `state`: the index by which an operation is found carries that of transactions, and would be written at each change.
const STATE: &str = "operationState";

pub(crate) fn write(operation: &Operation, version: u64) -> Item {
    let OperationFacts {
        space,
        transaction,
        id,
        version: _,
        kind,
        key,
        command,
        state,
        amount,
        currency,
        is_final,
        releases,
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
        failure,
        due_on,
        sending,
        refunded,
        refund_pending,
    } = operation.facts();
    let item = Writer::new(key::operation_of(operation).attributes())
        .number("space", space)
        .number("transactionId", transaction)
        .number("id", id)
        .number(VERSION, version)
        .text("kind", kind.as_str())
        .text("command", command)
        .text(STATE, state.as_str())
        .amount("amount", *amount)
        .text("currency", currency.code())
        .flag("isFinal", *is_final)
        .amount("releases", *releases)
        .some(*capture, |item, capture| item.number("captureId", capture))
        .some(*reason, |item, reason| item.text("reason", reason.as_str()))
        .some(note.as_ref(), |item, note| item.text("note", note))
        .list("lineItems", line_items.iter().map(write_line))
        .some(psp_reference.as_ref(), |item, reference| item.text("pspReference", reference.as_str()))
        .text("actor", actor.as_str())
        .time("createdOn", *created_on)
        .some(*settled_on, |item, on| item.time("settledOn", on))
        .some(*reversed_on, |item, on| item.time("reversedOn", on))
        .failure("failure", failure.as_ref())
        .some(sending.as_ref(), write_sending)
        .amount("refunded", *refunded)
        .amount("refundPending", *refund_pending)
        .some(*due_on, |item, due| item.text("dueShard", key::due_shard(*transaction)).text("due", key::due(due)));
    let item = match key {
        OperationKey::Caller(key) => item.text("idempotencyKey", key.as_str()),
        OperationKey::Adopted(reference) => item.text("adoptedReference", reference.as_str()),
    };
    // Found in its space by the caller's own reference.
    item.some(merchant_reference.as_ref(), |item, reference| {
        item.text("merchantReference", reference.as_str())
            .text("spaceKey", key::listed(*space, Listed::ByOperationReference(reference.as_str())))
            .text("spaceSort", key::list_sort(*transaction))
    })
    .item()
}

pub(crate) fn read(item: &Item) -> Result<Operation, StoreError> {
    let facts = read_facts(Reader(item)).map_err(|wrong| wrong.of(item))?;
    Operation::restore(facts).map_err(|rule| Wrong(rule).of(item))
}

fn read_facts(item: Reader<'_>) -> Result<OperationFacts, Wrong> {
    let key = match item.some("idempotencyKey", |item, name| item.parsed(name, IdempotencyKey::parse))? {
        Some(key) => OperationKey::Caller(key),
        None => OperationKey::Adopted(item.parsed("adoptedReference", PspReference::parse)?),
    };
    Ok(OperationFacts {
        space: SpaceId::new(item.number("space")?).ok_or(Wrong("space"))?,
        transaction: TransactionId::new(item.number("transactionId")?).ok_or(Wrong("transactionId"))?,
        id: OperationId::new(item.number("id")?).ok_or(Wrong("id"))?,
        version: item.number(VERSION)?,
        kind: item.parsed("kind", OperationKind::parse)?,
        key,
        command: item.text("command")?.to_owned(),
        state: item.parsed(STATE, OperationState::parse)?,
        amount: item.amount("amount")?,
        currency: item.parsed("currency", Currency::parse)?,
        is_final: item.flag("isFinal")?,
        releases: item.amount("releases")?,
        capture: item.some("captureId", |item, name| OperationId::new(item.number(name)?).ok_or(Wrong(name)))?,
        reason: item.some("reason", |item, name| item.parsed(name, OperationReason::parse))?,
        note: item.some("note", Reader::text)?.map(str::to_owned),
        line_items: item.list("lineItems")?.iter().map(read_line).collect::<Result<_, _>>()?,
        merchant_reference: item.some("merchantReference", |item, name| item.parsed(name, MerchantReference::parse))?,
        psp_reference: item.some("pspReference", |item, name| item.parsed(name, PspReference::parse))?,
        actor: item.parsed("actor", Actor::parse)?,
        created_on: item.time("createdOn")?,
        settled_on: item.some("settledOn", Reader::time)?,
        reversed_on: item.some("reversedOn", Reader::time)?,
        failure: item.failure("failure")?,
        due_on: item.some("due", |item, name| item.parsed(name, |due| due.parse().ok()))?.map(domain::Timestamp::from_millis),
        sending: item.some(EPOCH, |item, _| read_sending(item))?,
        refunded: item.amount("refunded")?,
        refund_pending: item.amount("refundPending")?,
    })
}

fn write_sending(item: Writer, sending: &Sending) -> Writer {
    let Sending { psp_key, lease, lease_until, first_sent_on, last_sent_on, epoch, error_is_kept } = sending;
    item.text("pspKey", psp_key)
        .text("lease", lease)
        .time("leaseUntil", *lease_until)
        .time("firstSentOn", *first_sent_on)
        .time("lastSentOn", *last_sent_on)
        .number(EPOCH, epoch)
        .flag("errorIsKept", *error_is_kept)
}

fn read_sending(item: Reader<'_>) -> Result<Sending, Wrong> {
    Ok(Sending {
        psp_key: item.text("pspKey")?.to_owned(),
        lease: item.text("lease")?.to_owned(),
        lease_until: item.time("leaseUntil")?,
        first_sent_on: item.time("firstSentOn")?,
        last_sent_on: item.time("lastSentOn")?,
        epoch: item.number(EPOCH)?,
        error_is_kept: item.flag("errorIsKept")?,
    })
}

fn write_line(line: &OperationLine) -> AttributeValue {
    let OperationLine { unique_id, quantity, amount } = line;
    AttributeValue::M(Writer::default().text("uniqueId", unique_id).number("quantity", quantity).number("amount", amount).item())
}

fn read_line(line: &AttributeValue) -> Result<OperationLine, Wrong> {
    let line = Reader(line.as_m().map_err(|_| Wrong("lineItems"))?);
    let decimal = |name| line.number::<String>(name).and_then(|text| Decimal::parse(&text).map_err(|_| Wrong(name)));
    Ok(OperationLine { unique_id: line.text("uniqueId")?.to_owned(), quantity: decimal("quantity")?, amount: decimal("amount")? })
}
