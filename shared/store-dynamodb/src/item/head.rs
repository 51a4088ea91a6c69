//! The head item: the facts that rules need, under one kilobyte, so that each commit writes one unit's worth.

use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key::{self, Listed};
use app::ports::store::StoreError;
use domain::id::{ConnectionName, MerchantReference, PspReference, SpaceId, TransactionId};
use domain::transaction::{Balance, FinalCapture, Import, ImportState, TransactionFacts, Verified};
use domain::{Currency, Transaction, TransactionState};

pub(crate) const VERSION: &str = "version";

pub(crate) fn write(transaction: &Transaction) -> Item {
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
        balance,
        final_capture,
        void_is_open,
        keeps_rest,
        verified,
        needs_attention,
        failure,
        created_on,
        authorized_on,
        authorization_expires_on,
        completed_on,
        failed_on,
        watch_on: _,
    } = transaction.facts();
    Writer::new(key::head(*space, *id).attributes())
        .number("space", space)
        .number("transactionId", id)
        .number(VERSION, version)
        .text("state", state.as_str())
        .text("importState", import.state.as_str())
        .map("import", write_import(import, psp_reference))
        .text("connection", connection.as_str())
        .text("psp", psp)
        .text("pspReference", psp_reference.as_str())
        .text("merchantReference", merchant_reference.as_str())
        .text("currency", currency.code())
        .map("balance", write_balance(*balance))
        .text("finalCapture", final_capture.as_str())
        .flag("voidIsOpen", *void_is_open)
        .flag("keepsRest", *keeps_rest)
        .text("verified", verified.as_str())
        .flag("needsAttention", *needs_attention)
        .failure("failure", failure.as_ref())
        .time("createdOn", *created_on)
        .some(*authorized_on, |item, on| item.time("authorizedOn", on))
        .some(*authorization_expires_on, |item, on| item.time("authorizationExpiresOn", on))
        .some(*completed_on, |item, on| item.time("completedOn", on))
        .some(*failed_on, |item, on| item.time("failedOn", on))
        // Listed in its space, newest first; carried there: state, importState, needsAttention.
        .text("spaceKey", key::listed(*space, Listed::InSpace))
        .text("spaceSort", key::list_sort(*id))
        .some(transaction.due_on(), |item, due| item.text("dueShard", key::due_shard(*id)).text("due", key::due(due)))
        .item()
}

pub(crate) fn read(item: &Item) -> Result<Transaction, StoreError> {
    let facts = read_facts(Reader(item)).map_err(|wrong| wrong.of(item))?;
    Transaction::restore(facts).map_err(|rule| Wrong(rule).of(item))
}

fn read_facts(item: Reader<'_>) -> Result<TransactionFacts, Wrong> {
    let psp_reference = item.parsed("pspReference", PspReference::parse)?;
    let facts = TransactionFacts {
        space: SpaceId::new(item.number("space")?).ok_or(Wrong("space"))?,
        id: TransactionId::new(item.number("transactionId")?).ok_or(Wrong("transactionId"))?,
        version: item.number(VERSION)?,
        state: item.parsed("state", TransactionState::parse)?,
        import: read_import(item, &psp_reference)?,
        connection: item.parsed("connection", ConnectionName::parse)?,
        psp: item.text("psp")?.to_owned(),
        psp_reference,
        merchant_reference: item.parsed("merchantReference", MerchantReference::parse)?,
        currency: item.parsed("currency", Currency::parse)?,
        balance: read_balance(item.map("balance")?)?,
        final_capture: item.parsed("finalCapture", FinalCapture::parse)?,
        void_is_open: item.flag("voidIsOpen")?,
        keeps_rest: item.flag("keepsRest")?,
        verified: item.parsed("verified", Verified::parse)?,
        needs_attention: item.flag("needsAttention")?,
        failure: item.failure("failure")?,
        created_on: item.time("createdOn")?,
        authorized_on: item.some("authorizedOn", Reader::time)?,
        authorization_expires_on: item.some("authorizationExpiresOn", Reader::time)?,
        completed_on: item.some("completedOn", Reader::time)?,
        failed_on: item.some("failedOn", Reader::time)?,
        watch_on: None,
    };
    let due_on = item.some("due", |item, name| item.parsed(name, key::read_due))?;
    Ok(TransactionFacts { watch_on: due_on.filter(|_| facts.import.is_done()), ..facts })
}

/// The reference that the caller gave is left out where it is the canonical one: two of the longest would not fit.
fn write_import(import: &Import, canonical: &PspReference) -> Writer {
    let Import { state: _, given_reference, amount, epoch, failure, due_on } = import;
    let other = (given_reference != canonical).then_some(given_reference);
    Writer::default()
        .some(other, |item, given| item.text("givenReference", given.as_str()))
        .amount("amount", *amount)
        .number("epoch", epoch)
        .failure("failure", failure.as_ref())
        .some(*due_on, |item, due| item.time("dueOn", due))
}

fn read_import(item: Reader<'_>, canonical: &PspReference) -> Result<Import, Wrong> {
    let import = item.map("import")?;
    let other = import.some("givenReference", |import, name| import.parsed(name, PspReference::parse))?;
    Ok(Import {
        state: item.parsed("importState", ImportState::parse)?,
        given_reference: other.unwrap_or_else(|| canonical.clone()),
        amount: import.amount("amount")?,
        epoch: import.number("epoch")?,
        failure: import.failure("failure")?,
        due_on: import.some("dueOn", Reader::time)?,
    })
}

pub(crate) fn write_balance(balance: Balance) -> Writer {
    let Balance { authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending } = balance;
    Writer::default()
        .amount("authorized", authorized)
        .amount("captured", captured)
        .amount("capturePending", capture_pending)
        .amount("refunded", refunded)
        .amount("refundPending", refund_pending)
        .amount("voided", voided)
        .amount("voidPending", void_pending)
}

pub(crate) fn read_balance(map: Reader<'_>) -> Result<Balance, Wrong> {
    Ok(Balance {
        authorized: map.amount("authorized")?,
        captured: map.amount("captured")?,
        capture_pending: map.amount("capturePending")?,
        refunded: map.amount("refunded")?,
        refund_pending: map.amount("refundPending")?,
        voided: map.amount("voided")?,
        void_pending: map.amount("voidPending")?,
    })
}
