//! The reference item: a PSP's id of a payment, and the transaction that it belongs to. It makes an import unique and leads
//! from a webhook to its transaction.

use crate::attributes::{Item, Reader, Writer, Wrong};
use crate::key::{self, Listed};
use app::ports::store::StoreError;
use domain::Transaction;
use domain::id::{PspReference, TransactionId};

/// The transaction that holds it; the condition of every write of a reference looks at this.
pub(crate) const OWNER: &str = "transactionId";

pub(crate) fn write(transaction: &Transaction, reference: &PspReference, owner: TransactionId) -> Item {
    let facts = transaction.facts();
    Writer::new(key::reference(facts.space, &facts.connection, reference).attributes())
        .number(OWNER, owner)
        .text("spaceKey", key::listed(facts.space, Listed::ByPspReference(reference.as_str())))
        .text("spaceSort", key::list_sort(owner))
        .item()
}

pub(crate) fn read_owner(item: &Item) -> Result<TransactionId, StoreError> {
    let owner = Reader(item).number(OWNER).and_then(|id| TransactionId::new(id).ok_or(Wrong(OWNER)));
    owner.map_err(|wrong| wrong.of(item))
}
