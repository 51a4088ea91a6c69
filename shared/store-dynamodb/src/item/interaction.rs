//! The interaction item: an entry of the log, and the record from which the ERP is notified.

use super::head::{read_balance, write_balance};
use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key;
use app::ports::store::StoreError;
use domain::id::{SpaceId, TransactionId};
use domain::interaction::{Interaction, InteractionKind, OperationMark};
use domain::operation::Actor;
use domain::transaction::ImportState;
use domain::{OperationKind, OperationState, TransactionState};

pub(crate) fn write(space: SpaceId, id: TransactionId, interaction: &Interaction) -> Item {
    let Interaction { sequence, on, kind, actor, previous_state, state, import_state, needs_attention, balance, operation, detail } =
        interaction;
    Writer::new(key::interaction(space, id, *sequence).attributes())
        .number("sequence", sequence)
        .time("on", *on)
        .text("kind", kind.as_str())
        .text("actor", actor.as_str())
        .text("previousState", previous_state.as_str())
        .text("state", state.as_str())
        .text("importState", import_state.as_str())
        .flag("needsAttention", *needs_attention)
        .map("balance", write_balance(*balance))
        .some(operation.as_ref(), |item, mark| item.map("operation", write_mark(mark)))
        .some(detail.as_ref(), |item, detail| item.text("detail", detail))
        .item()
}

pub(crate) fn read(item: &Item) -> Result<Interaction, StoreError> {
    read_fields(Reader(item)).map_err(|wrong| wrong.of(item))
}

fn read_fields(item: Reader<'_>) -> Result<Interaction, Wrong> {
    Ok(Interaction {
        sequence: item.number("sequence")?,
        on: item.time("on")?,
        kind: item.parsed("kind", InteractionKind::parse)?,
        actor: item.parsed("actor", Actor::parse)?,
        previous_state: item.parsed("previousState", TransactionState::parse)?,
        state: item.parsed("state", TransactionState::parse)?,
        import_state: item.parsed("importState", ImportState::parse)?,
        needs_attention: item.flag("needsAttention")?,
        balance: read_balance(item.map("balance")?)?,
        operation: item.some("operation", |item, name| read_mark(item.map(name)?))?,
        detail: item.some("detail", Reader::text)?.map(str::to_owned),
    })
}

fn write_mark(mark: &OperationMark) -> Writer {
    let OperationMark { kind, id, state, amount, merchant_reference, idempotency_key, psp_reference, failure_code } = mark;
    Writer::default()
        .text("kind", kind.as_str())
        .number("id", id)
        .text("state", state.as_str())
        .amount("amount", *amount)
        .some(merchant_reference.as_ref(), |map, text| map.text("merchantReference", text))
        .some(idempotency_key.as_ref(), |map, text| map.text("idempotencyKey", text))
        .some(psp_reference.as_ref(), |map, text| map.text("pspReference", text))
        .some(failure_code.as_ref(), |map, text| map.text("failureCode", text))
}

fn read_mark(map: Reader<'_>) -> Result<OperationMark, Wrong> {
    let text = |name| map.some(name, Reader::text).map(|text| text.map(str::to_owned));
    Ok(OperationMark {
        kind: map.parsed("kind", OperationKind::parse)?,
        id: map.number("id")?,
        state: map.parsed("state", OperationState::parse)?,
        amount: map.amount("amount")?,
        merchant_reference: text("merchantReference")?,
        idempotency_key: text("idempotencyKey")?,
        psp_reference: text("pspReference")?,
        failure_code: text("failureCode")?,
    })
}
