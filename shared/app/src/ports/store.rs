//! What is kept, and the only ways to change it. Each method is one round trip unless it says otherwise.
//!
//! A write always names the version that was read (`Versioned`), so a blind write does not type-check, and answers with a
//! named result instead of an error where another writer was first.

use domain::id::{ConnectionName, IdempotencyKey, PspReference, SpaceId, TransactionId};
use domain::interaction::Interaction;
use domain::transaction::Change;
use domain::transaction::properties::Properties;
use domain::{Operation, OperationKind, Timestamp, Transaction};
use std::future::Future;

/// A transaction as it was read; only a read makes one, and a commit needs one.
#[derive(Clone, Debug)]
pub struct Versioned(Box<Transaction>);

impl Versioned {
    /// For stores alone: wraps what was just read or written.
    pub fn as_read(transaction: Transaction) -> Self {
        Self(Box::new(transaction))
    }

    pub fn transaction(&self) -> &Transaction {
        &self.0
    }
}

/// Why the table could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Throttled, unreachable, or the answer got lost. A write may have happened all the same: its condition tells on the next
    /// try.
    Unavailable(String),
    /// An item that our own code could not have written. Someone has to look.
    Inconsistent { item: String, attribute: &'static str },
}

impl StoreError {
    /// What the log says of it; nobody else is told.
    pub fn for_log(self) -> String {
        match self {
            Self::Unavailable(detail) => detail,
            Self::Inconsistent { item, attribute } => format!("item {item}: attribute {attribute}"),
        }
    }
}

/// What came of a commit.
#[derive(Clone, Debug)]
pub enum Committed {
    Done(Versioned),
    /// The transaction is no longer at the version that was read, or an operation no longer in its state.
    VersionMoved,
    /// An operation with this key exists already.
    OperationExists,
}

/// Reads and writes of commands that move money.
pub trait CommandStore: Send + Sync {
    /// The transaction and the operation of this key, read consistently; neither read uses an index.
    fn load_for_command(
        &self,
        space: SpaceId,
        id: TransactionId,
        kind: OperationKind,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Option<(Versioned, Option<Operation>)>, StoreError>> + Send;

    /// All operations of one kind, oldest first.
    fn load_operations(
        &self,
        space: SpaceId,
        id: TransactionId,
        kind: OperationKind,
    ) -> impl Future<Output = Result<Vec<Operation>, StoreError>> + Send;

    /// The transaction by itself, read consistently.
    fn load_head(&self, space: SpaceId, id: TransactionId) -> impl Future<Output = Result<Option<Versioned>, StoreError>> + Send;

    /// Writes who works on an operation and when it is due, on condition that nobody else has written that since it was read. It
    /// is no news about the transaction, whose version stays. False where somebody was faster.
    fn take(&self, read: &Operation, taken: &Operation) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes a change in one transaction, on condition of the version that was read.
    fn commit(&self, read: &Versioned, change: &Change) -> impl Future<Output = Result<Committed, StoreError>> + Send;
}

/// Reads and writes of imports.
pub trait ImportStore: CommandStore {
    /// Stores a new import together with the reference that makes it unique, unless the reference is taken.
    fn begin_import(
        &self,
        transaction: &Transaction,
        properties: &Properties,
    ) -> impl Future<Output = Result<BegunImport, StoreError>> + Send;

    /// Replaces a failed or pending import by a corrected command.
    fn replace_import(
        &self,
        read: &Versioned,
        change: &Change,
        properties: &Properties,
    ) -> impl Future<Output = Result<Committed, StoreError>> + Send;

    /// Stores the canonical reference for this transaction, unless it belongs to another one.
    fn hold_reference(&self, read: &Versioned, canonical: &PspReference) -> impl Future<Output = Result<HeldReference, StoreError>> + Send;

    /// Writes the result together with the canonical reference, unless that belongs to another transaction.
    fn finish_import(&self, read: &Versioned, change: &Change) -> impl Future<Output = Result<FinishedImport, StoreError>> + Send;

    /// Marks the webhooks as processed that were parked for this payment and left to its import. One that somebody comes back to
    /// is left to that: it may be newer than what the import has read.
    fn finish_parked(&self, transaction: &Transaction, processed_on: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Points a reference that this transaction holds to another one, together with the change that gives it up.
    fn yield_reference(
        &self,
        read: &Versioned,
        change: &Change,
        to: TransactionId,
    ) -> impl Future<Output = Result<Committed, StoreError>> + Send;
}

#[derive(Clone, Debug)]
pub enum BegunImport {
    Begun(Versioned),
    /// The reference belongs to this transaction already.
    ReferenceTaken(TransactionId),
    /// The drawn id is in use: draw again.
    IdTaken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldReference {
    Ours,
    /// It belongs to this transaction already.
    Taken(TransactionId),
}

#[derive(Clone, Debug)]
pub enum FinishedImport {
    Done(Versioned),
    VersionMoved,
    /// The canonical reference belongs to this transaction already.
    ReferenceTaken(TransactionId),
}

/// Reads for status: nothing here writes or reaches a PSP.
pub trait StatusStore: Send + Sync {
    /// A transaction with all that belongs to it.
    fn load_whole(&self, space: SpaceId, id: TransactionId) -> impl Future<Output = Result<Option<WholeTransaction>, StoreError>> + Send;

    /// Transactions of a space, newest first. Two round trips a page: the index, then the heads themselves.
    fn search(&self, space: SpaceId, search: &Search) -> impl Future<Output = Result<Page, StoreError>> + Send;
}

/// A transaction with its properties, operations and log, all of one moment.
#[derive(Clone, Debug)]
pub struct WholeTransaction {
    pub head: Versioned,
    pub properties: Properties,
    /// Oldest first.
    pub operations: Vec<Operation>,
    /// Oldest first.
    pub interactions: Vec<Interaction>,
}

/// What is searched for. At most one of the references; the rest narrows down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    pub by: Option<SearchBy>,
    pub state: Option<domain::TransactionState>,
    pub import_state: Option<domain::transaction::ImportState>,
    pub needs_attention: Option<bool>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// Only transactions with a smaller id: where the previous page ended.
    pub before: Option<TransactionId>,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchBy {
    MerchantReference(String),
    OperationReference(String),
    PspReference(String),
}

#[derive(Clone, Debug)]
pub struct Page {
    pub transactions: Vec<Transaction>,
    /// Where the next page begins, if there may be one.
    pub next: Option<TransactionId>,
}

/// Keeps verified webhooks and what they are about.
pub trait WebhookStore: CommandStore + StatusStore {
    /// Stores a webhook unless its event is known.
    fn store_webhook(&self, webhook: &StoredWebhook) -> impl Future<Output = Result<Stored, StoreError>> + Send;

    /// Parks it under a reference that no transaction has yet.
    fn park_webhook(&self, webhook: &StoredWebhook, reference: &PspReference) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The transaction that one of a PSP's ids belongs to.
    fn find_reference(
        &self,
        space: SpaceId,
        connection: &ConnectionName,
        reference: &PspReference,
    ) -> impl Future<Output = Result<Option<TransactionId>, StoreError>> + Send;

    /// Leaves a parked webhook to the import of its payment: it is not processed, and nobody has to come back to it either.
    fn leave_webhook(&self, webhook: &StoredWebhook) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A webhook that waits to be processed; none if it does not wait any more.
    fn load_webhook(
        &self,
        space: SpaceId,
        connection: &ConnectionName,
        event: &str,
    ) -> impl Future<Output = Result<Option<StoredWebhook>, StoreError>> + Send;

    /// Moves the time at which somebody comes back to a webhook. False where it is processed or somebody else has moved it.
    fn postpone_webhook(&self, webhook: &StoredWebhook, until: Timestamp) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Marks a webhook as processed, so that nobody comes back to it.
    fn finish_webhook(&self, webhook: &StoredWebhook, processed_on: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A verified webhook in our words; of the raw body nothing is kept that these fields do not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWebhook {
    pub space: SpaceId,
    pub connection: ConnectionName,
    /// The PSP's event id, or a random one where it sends none.
    pub event: String,
    pub kind: String,
    pub references: Vec<PspReference>,
    /// The raw body, where it could not be read.
    pub unread: Option<Vec<u8>>,
    pub received_on: Timestamp,
    /// When somebody comes back to it, as long as it is not processed.
    pub due_on: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    New,
    /// Known, and processed already.
    Processed,
    /// Known, and not processed yet: this delivery may do it.
    Waiting,
}

/// Finds what waits to be done.
pub trait DueStore: Send + Sync {
    /// What is due at this moment, as far as it was looked for, the oldest first. It comes from an index and may lag a moment
    /// behind the table: whoever takes something reads it again.
    fn list_due(&self, now: Timestamp) -> impl Future<Output = Result<Vec<Due>, StoreError>> + Send;
}

/// Something that is due and not done yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub since: Timestamp,
    pub what: Waiting,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// The transaction itself, or an operation of it.
    Transaction(SpaceId, TransactionId),
    Webhook {
        space: SpaceId,
        connection: ConnectionName,
        event: String,
    },
}
