//! The table with its conditional writes, as `store-dynamodb/src/commit.rs` and `command.rs` put them.

use crate::kept::Kept;
use domain::operation::OperationKey;
use domain::transaction::Change;
use domain::{Operation, OperationKind, OperationState, Transaction};

/// The items of one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    pub head: Kept<Transaction>,
    /// In the order of their ids.
    pub operations: Vec<Kept<Operation>>,
}

/// What one commit writes, decided on the head of this version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    read: u64,
    pub head: Kept<Transaction>,
    pub created: Vec<Kept<Operation>>,
    pub updated: Vec<Kept<Operation>>,
    /// Gives to a person what the rules cannot book.
    is_last_resort: bool,
}

impl Commit {
    pub fn of(read: &Transaction, change: Change) -> Self {
        let Change { transaction, created, updated, interaction: _ } = change;
        let kept = |operations: Vec<Operation>| operations.into_iter().map(Kept::new).collect();
        Self { read: read.version(), head: Kept::new(transaction), created: kept(created), updated: kept(updated), is_last_resort: false }
    }

    pub fn made_last_resort(self) -> Self {
        Self { is_last_resort: true, ..self }
    }
}

/// What a write did to an operation that no rule allows.
pub type Wrong = &'static str;

impl Table {
    pub fn by_key(&self, kind: OperationKind, key: &OperationKey) -> Option<&Kept<Operation>> {
        self.operations.iter().find(|stored| stored.facts().kind == kind && stored.facts().key == *key)
    }

    fn same_item(&self, operation: &Operation) -> Option<&Kept<Operation>> {
        self.by_key(operation.facts().kind, &operation.facts().key)
    }

    /// All or nothing: the head as it was read, what is new is new, and every operation as it was read.
    pub fn commit(&mut self, commit: &Commit) -> Result<bool, Wrong> {
        let version = commit.head.version();
        let holds = self.head.version() == commit.read
            && commit.created.iter().all(|new| self.same_item(new).is_none())
            && commit.updated.iter().all(|updated| self.may_update(updated));
        if !holds {
            return Ok(false);
        }
        let mut result = Ok(true);
        for operation in commit.created.iter().chain(&commit.updated) {
            if let Some(before) = self.same_item(operation) {
                result = result.and(judge(before, operation));
            }
            self.put(Operation::clone(operation).written_at(version));
        }
        self.head = commit.head.clone();
        if commit.is_last_resort { Err("what was read of one moment could not be booked") } else { result }
    }

    fn may_update(&self, updated: &Operation) -> bool {
        let facts = updated.facts();
        self.same_item(updated).is_some_and(|stored| {
            let is_as_read = stored.facts().version == facts.version;
            match &facts.sending {
                Some(sending) if facts.state != OperationState::Successful => is_as_read && epoch(stored) == Some(sending.epoch),
                Some(_) | None => is_as_read,
            }
        })
    }

    /// Takes an operation over, or marks it as sent again: nothing of it has changed since it was read.
    pub fn take(&mut self, read: &Operation, taken: &Operation) -> bool {
        let holds = self.same_item(read).is_some_and(|stored| {
            stored.facts().version == read.facts().version
                && stored.facts().due_on == read.facts().due_on
                && (read.facts().sending.is_none() || epoch(stored) == epoch(read))
        });
        if holds {
            self.put(taken.clone().written_at(read.facts().version));
        }
        holds
    }

    /// Writes the head alone and takes the operation away, as no code should.
    pub fn delete(&mut self, operation: &Operation, head: Transaction) {
        self.operations.retain(|stored| stored.facts().id != operation.facts().id);
        self.head = Kept::new(head);
    }

    fn put(&mut self, operation: Operation) {
        self.operations.retain(|stored| stored.facts().kind != operation.facts().kind || stored.facts().key != operation.facts().key);
        self.operations.push(Kept::new(operation));
        self.operations.sort_by_key(|stored| stored.facts().id);
    }
}

fn epoch(operation: &Operation) -> Option<u32> {
    operation.facts().sending.as_ref().map(|sending| sending.epoch)
}

/// A final state is left by a correction alone.
fn judge(before: &Operation, after: &Operation) -> Result<bool, Wrong> {
    let is_left = before.state().is_final() && after.state() != before.state();
    let is_correction = after.state().is_final() && after.facts().reversed_on.is_some();
    if is_left && !is_correction { Err("a final state was left without a correction") } else { Ok(true) }
}
