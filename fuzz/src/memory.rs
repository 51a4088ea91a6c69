//! The store, in memory: one space, no faults, the same conditions on what is written.

use app::ports::limits::{Limits, Taken};
use app::ports::store::{
    BegunImport, CommandStore, Committed, Due, DueStore, FinishedImport, HeldReference, ImportStore, Page, Search, StatusStore, StoreError,
    Stored, StoredWebhook, Versioned, WebhookStore, WholeTransaction,
};
use domain::id::{ConnectionName, IdempotencyKey, PspReference, SpaceId, TransactionId};
use domain::interaction::Interaction;
use domain::operation::OperationKey;
use domain::rate::Rate;
use domain::transaction::Change;
use domain::transaction::properties::Properties;
use domain::{Operation, OperationKind, Timestamp, Transaction};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub struct Memory(Mutex<Tables>);

#[derive(Default)]
pub struct Tables {
    pub transactions: BTreeMap<TransactionId, Transaction>,
    pub properties: BTreeMap<TransactionId, Properties>,
    pub operations: Vec<Operation>,
    interactions: Vec<(TransactionId, Interaction)>,
    references: BTreeMap<PspReference, TransactionId>,
    /// What was searched for last.
    pub searched: Option<Search>,
}

impl Memory {
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn head(&self, id: TransactionId) -> Option<Versioned> {
        self.transactions.get(&id).cloned().map(Versioned::as_read)
    }

    fn place(&self, of: &Operation) -> Option<usize> {
        let (transaction, kind, key) = (of.facts().transaction, of.facts().kind, &of.facts().key);
        self.operations.iter().position(|it| it.facts().transaction == transaction && it.facts().kind == kind && it.facts().key == *key)
    }

    fn write(&mut self, read: &Versioned, change: &Change) -> Committed {
        let (id, version) = (change.transaction.facts().id, change.transaction.version());
        if self.transactions.get(&id).map(Transaction::version) != Some(read.transaction().version()) {
            return Committed::VersionMoved;
        }
        if change.created.iter().any(|new| self.place(new).is_some()) {
            return Committed::OperationExists;
        }
        let is_as_read = |now: &Operation| self.place(now).is_some_and(|at| self.operations[at].facts().version == now.facts().version);
        if !change.updated.iter().all(is_as_read) {
            return Committed::VersionMoved;
        }
        self.transactions.insert(id, change.transaction.clone());
        self.operations.extend(change.created.iter().cloned());
        for updated in &change.updated {
            if let Some(at) = self.place(updated) {
                self.operations[at] = updated.clone().written_at(version);
            }
        }
        self.interactions.extend(change.interaction.clone().map(|interaction| (id, interaction)));
        Committed::Done(Versioned::as_read(change.transaction.clone()))
    }
}

impl CommandStore for Memory {
    async fn load_for_command(
        &self,
        _: SpaceId,
        id: TransactionId,
        kind: OperationKind,
        key: &IdempotencyKey,
    ) -> Result<Option<(Versioned, Option<Operation>)>, StoreError> {
        let tables = self.tables();
        let is_it = |it: &&Operation| {
            it.facts().transaction == id && it.facts().kind == kind && it.facts().key == OperationKey::Caller(key.clone())
        };
        Ok(tables.head(id).map(|head| (head, tables.operations.iter().find(is_it).cloned())))
    }

    async fn load_operations(&self, _: SpaceId, id: TransactionId, kind: OperationKind) -> Result<Vec<Operation>, StoreError> {
        let is_one = |it: &&Operation| it.facts().transaction == id && it.facts().kind == kind;
        Ok(self.tables().operations.iter().filter(is_one).cloned().collect())
    }

    async fn load_head(&self, _: SpaceId, id: TransactionId) -> Result<Option<Versioned>, StoreError> {
        Ok(self.tables().head(id))
    }

    async fn take(&self, read: &Operation, taken: &Operation) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let place = tables.place(read).filter(|at| tables.operations[*at] == *read);
        if let Some(at) = place {
            tables.operations[at] = taken.clone();
        }
        Ok(place.is_some())
    }

    async fn commit(&self, read: &Versioned, change: &Change) -> Result<Committed, StoreError> {
        Ok(self.tables().write(read, change))
    }
}

impl ImportStore for Memory {
    async fn begin_import(&self, transaction: &Transaction, properties: &Properties) -> Result<BegunImport, StoreError> {
        let mut tables = self.tables();
        let (id, reference) = (transaction.facts().id, &transaction.facts().psp_reference);
        if let Some(holder) = tables.references.get(reference) {
            return Ok(BegunImport::ReferenceTaken(*holder));
        }
        if tables.transactions.contains_key(&id) {
            return Ok(BegunImport::IdTaken);
        }
        tables.references.insert(reference.clone(), id);
        tables.transactions.insert(id, transaction.clone());
        tables.properties.insert(id, properties.clone());
        Ok(BegunImport::Begun(Versioned::as_read(transaction.clone())))
    }

    async fn replace_import(&self, read: &Versioned, change: &Change, properties: &Properties) -> Result<Committed, StoreError> {
        let mut tables = self.tables();
        let committed = tables.write(read, change);
        if let Committed::Done(head) = &committed {
            tables.properties.insert(head.transaction().facts().id, properties.clone());
        }
        Ok(committed)
    }

    /// No webhook is parked here.
    async fn finish_parked(&self, _: &Transaction, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn hold_reference(&self, read: &Versioned, canonical: &PspReference) -> Result<HeldReference, StoreError> {
        let id = read.transaction().facts().id;
        let holder = *self.tables().references.entry(canonical.clone()).or_insert(id);
        Ok(if holder == id { HeldReference::Ours } else { HeldReference::Taken(holder) })
    }

    async fn finish_import(&self, read: &Versioned, change: &Change) -> Result<FinishedImport, StoreError> {
        let mut tables = self.tables();
        let facts = change.transaction.facts();
        let holder = *tables.references.entry(facts.psp_reference.clone()).or_insert(facts.id);
        if holder != facts.id {
            return Ok(FinishedImport::ReferenceTaken(holder));
        }
        Ok(match tables.write(read, change) {
            Committed::Done(head) => FinishedImport::Done(head),
            Committed::VersionMoved | Committed::OperationExists => FinishedImport::VersionMoved,
        })
    }

    async fn yield_reference(&self, read: &Versioned, change: &Change, to: TransactionId) -> Result<Committed, StoreError> {
        let mut tables = self.tables();
        tables.references.insert(read.transaction().facts().psp_reference.clone(), to);
        Ok(tables.write(read, change))
    }
}

impl StatusStore for Memory {
    async fn load_whole(&self, _: SpaceId, id: TransactionId) -> Result<Option<WholeTransaction>, StoreError> {
        let tables = self.tables();
        Ok(tables.head(id).map(|head| WholeTransaction {
            head,
            properties: tables.properties.get(&id).cloned().unwrap_or_default(),
            operations: tables.operations.iter().filter(|it| it.facts().transaction == id).cloned().collect(),
            interactions: tables.interactions.iter().filter(|(of, _)| *of == id).map(|(_, entry)| entry.clone()).collect(),
        }))
    }

    /// Finds everything, and says that there is more: behind the place where this page began, so that a cursor leads to itself.
    async fn search(&self, _: SpaceId, search: &Search) -> Result<Page, StoreError> {
        let mut tables = self.tables();
        tables.searched = Some(search.clone());
        let transactions: Vec<_> = tables.transactions.values().cloned().collect();
        let first = transactions.first().map(|transaction| transaction.facts().id);
        Ok(Page { transactions, next: search.before.or(first) })
    }
}

/// Part of what the function `reconcile` needs; no webhook comes in here, and no schedule.
impl WebhookStore for Memory {
    async fn store_webhook(&self, _: &StoredWebhook) -> Result<Stored, StoreError> {
        Ok(Stored::New)
    }

    async fn park_webhook(&self, _: &StoredWebhook, _: &PspReference) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find_reference(&self, _: SpaceId, _: &ConnectionName, reference: &PspReference) -> Result<Option<TransactionId>, StoreError> {
        Ok(self.tables().references.get(reference).copied())
    }

    async fn leave_webhook(&self, _: &StoredWebhook) -> Result<(), StoreError> {
        Ok(())
    }

    async fn load_webhook(&self, _: SpaceId, _: &ConnectionName, _: &str) -> Result<Option<StoredWebhook>, StoreError> {
        Ok(None)
    }

    async fn postpone_webhook(&self, _: &StoredWebhook, _: Timestamp) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn finish_webhook(&self, _: &StoredWebhook, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

impl DueStore for Memory {
    async fn list_due(&self, _: Timestamp) -> Result<Vec<Due>, StoreError> {
        Ok(vec![])
    }
}

/// Gives whatever is asked for.
pub struct NoLimits;

impl Limits for NoLimits {
    async fn take(&self, _: SpaceId, _: Rate, _: u32, _: Timestamp) -> Result<Taken, StoreError> {
        Ok(Taken::All)
    }
}
