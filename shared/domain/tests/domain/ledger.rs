//! One transaction with its operations, kept as a store would keep them, and what must hold after every commit.
//!
//! The tables in here are written down a second time on purpose: they are what the code is compared with.

use domain::id::{ConnectionName, IdempotencyKey, MerchantReference, OperationId, PspReference, SpaceId, TransactionId};
use domain::interaction::Interaction;
use domain::money::{Decimal, Minor};
use domain::operation::{
    Actor, CaptureCommand, CaptureOrder, Effect, NewOperation, OperationFacts, RefundCommand, RefundOrder, ResolveCommand, Sending,
};
use domain::operation::{VoidCommand, VoidOrder};
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::properties::Properties;
use domain::transaction::{Change, Import, ImportCommand, ImportState, TransactionFacts};
use domain::{Capabilities, Currency, Operation, OperationKind, OperationState, Refusal, Timestamp, Transaction, TransactionState};

pub const BEGIN: Timestamp = Timestamp::from_seconds(1_785_751_200);

pub struct Ledger {
    pub transaction: Transaction,
    /// In the order in which they were made.
    pub operations: Vec<Operation>,
    pub can: Capabilities,
    pub now: Timestamp,
    /// The PSP has proved something that passes the limits of our own operations.
    pub is_corrected: bool,
}

impl Ledger {
    /// A transaction whose import waits for the PSP.
    pub fn begin(amount: &str, currency: &str, can: Capabilities) -> Result<Self, Refusal> {
        let command = import_command(amount, currency);
        let (space, id) = (SpaceId::new(1).unwrap(), TransactionId::new(77).unwrap());
        let transaction = Transaction::begin_import(id, space, "sandbox", &command, BEGIN)?;
        Ok(Self { transaction, operations: vec![], can, now: BEGIN, is_corrected: false })
    }

    pub fn facts(&self) -> &TransactionFacts {
        self.transaction.facts()
    }

    pub fn of_kind(&self, kind: OperationKind) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| operation.facts().kind == kind)
    }

    /// The first, second … operation of a kind, counted from one.
    pub fn nth(&self, kind: OperationKind, number: usize) -> &Operation {
        self.of_kind(kind).nth(number - 1).unwrap_or_else(|| panic!("there is no {} {number}", kind.word()))
    }

    pub fn capture(&mut self, command: &CaptureCommand) -> Result<OperationId, Refusal> {
        let change = self.transaction.request_capture(command, &self.can, self.new_operation(command.canonical()))?;
        let order = CaptureOrder::of(&change.transaction, &change.created[0])?;
        let facts = change.created[0].facts().clone();
        assert_eq!((order.money().amount, order.is_final()), (facts.amount, facts.is_final), "the order is what was reserved");
        self.commit(change);
        Ok(facts.id)
    }

    pub fn refund(&mut self, command: &RefundCommand) -> Result<OperationId, Refusal> {
        let captures: Vec<_> = match command.needs_captures(&self.can) {
            true => self.of_kind(OperationKind::Capture).cloned().collect(),
            false => vec![],
        };
        let change = self.transaction.request_refund(command, &captures, &self.can, self.new_operation(command.canonical()))?;
        let order = RefundOrder::of(&change.transaction, &change.created[0], change.updated.first())?;
        let facts = change.created[0].facts().clone();
        assert_eq!(order.money().amount, facts.amount, "the order is what was reserved");
        self.commit(change);
        Ok(facts.id)
    }

    pub fn void(&mut self, command: &VoidCommand) -> Result<OperationId, Refusal> {
        let capturable = self.facts().balance.capturable().unwrap();
        let change = self.transaction.request_void(command, &self.can, self.new_operation(command.canonical()))?;
        let order = VoidOrder::of(&change.transaction, &change.created[0])?;
        let facts = change.created[0].facts().clone();
        assert_eq!((order.money().amount, facts.amount), (capturable, capturable), "all that is capturable is reserved and ordered");
        assert!(facts.amount.is_positive() && change.transaction.facts().balance.capturable().unwrap().is_zero());
        self.commit(change);
        Ok(facts.id)
    }

    pub fn settle(&mut self, id: OperationId, effect: Effect) -> Result<Option<Interaction>, Refusal> {
        let operation = self.operations.iter().find(|operation| operation.facts().id == id).unwrap();
        let bound = operation.bound_capture().map(|id| self.operations.iter().find(|capture| capture.facts().id == id).unwrap());
        let change = self.transaction.settle(operation, bound, effect, self.now)?;
        Ok(change.and_then(|change| self.commit(change)))
    }

    /// What somebody writes who comes back to the transaction for its own sake: its entry, if it has one; none if nothing was due.
    pub fn take_watch(&mut self) -> Option<Option<Interaction>> {
        let change = self.transaction.take_watch(self.now).unwrap()?;
        Some(self.commit(change))
    }

    pub fn resolve(&mut self, id: OperationId, command: &ResolveCommand) -> Result<Option<Interaction>, Refusal> {
        let operation = self.operations.iter().find(|operation| operation.facts().id == id).unwrap();
        let bound = operation.bound_capture().map(|id| self.operations.iter().find(|capture| capture.facts().id == id).unwrap());
        let change = self.transaction.resolve(operation, bound, command, self.now)?;
        self.is_corrected |= command.amount.is_some();
        Ok(change.and_then(|change| self.commit(change)))
    }

    /// What the PSP reports completes an import that waits; after that its first news is adopted or followed.
    pub fn report(&mut self, payment: &PspPayment) -> Result<Option<Interaction>, Refusal> {
        let change = match self.facts().import.state {
            ImportState::Pending => Some(self.transaction.complete_import(payment, &self.can, self.now)?),
            ImportState::Completed | ImportState::Failed | ImportState::Ok => {
                match self.transaction.adopt(&self.operations, payment, self.now)? {
                    Some(change) => Some(change),
                    None => self.transaction.follow(payment, self.now)?,
                }
            }
        };
        Ok(change.and_then(|change| self.commit(change)))
    }

    pub fn replace_import(&mut self, amount: &str) -> Result<(), Refusal> {
        let command = import_command(amount, self.facts().currency.code());
        let change = self.transaction.replace_import(&command, self.now)?;
        self.commit(change);
        Ok(())
    }

    fn new_operation(&self, command: String) -> NewOperation {
        let number = self.transaction.version();
        let key = IdempotencyKey::parse(&format!("key-{number}")).unwrap();
        let sending = Sending::begin(format!("psp-{number}"), format!("lease-{number}"), self.now);
        NewOperation { key, command, sending, now: self.now }
    }

    fn commit(&mut self, change: Change) -> Option<Interaction> {
        let Change { transaction, created, updated, interaction } = change;
        let before = self.facts().clone();
        let after = transaction.facts();
        match is_only_taken(&before, after) {
            true => assert_eq!((after.version, &interaction), (before.version, &None), "who takes it changes nothing"),
            false => assert_eq!(after.version, before.version + (created.len() as u64).max(1), "the version counts the changes"),
        }
        assert!(may_follow(before.state, after.state), "{:?} to {:?}", before.state, after.state);
        for operation in updated {
            let known = self.operations.iter_mut().find(|known| known.facts().id == operation.facts().id).unwrap();
            check_move(known.facts(), operation.facts(), self.now);
            self.is_corrected |= operation.facts().reversed_on == Some(self.now);
            *known = operation;
        }
        for (operation, id) in created.iter().zip(before.version + 1..) {
            assert_eq!(operation.facts().id.number(), id, "an operation is numbered by the version that created it");
        }
        self.is_corrected |= created.iter().any(|operation| operation.facts().actor == Actor::Psp) && before.import.is_done();
        self.operations.extend(created);
        if let Some(interaction) = &interaction {
            assert_eq!(interaction.sequence, after.version);
            assert_eq!((interaction.previous_state, interaction.state), (before.state, after.state));
            assert_eq!((interaction.balance, interaction.needs_attention), (after.balance, after.needs_attention));
        }
        self.transaction = transaction;
        self.check();
        interaction
    }

    /// What holds at every moment.
    fn check(&self) {
        let balance = self.facts().balance;
        let sum = |kind, counts: fn(&Operation) -> bool, amount: fn(&OperationFacts) -> Minor| {
            Minor::sum(self.of_kind(kind).filter(|operation| counts(operation)).map(|operation| amount(operation.facts()))).unwrap()
        };
        assert_eq!(balance.captured, sum(OperationKind::Capture, is_done, |facts| facts.amount), "captured");
        assert_eq!(balance.capture_pending, sum(OperationKind::Capture, is_open, |facts| facts.amount), "capture pending");
        assert_eq!(balance.refunded, sum(OperationKind::Refund, is_done, |facts| facts.amount), "refunded");
        assert_eq!(balance.refund_pending, sum(OperationKind::Refund, is_open, |facts| facts.amount), "refund pending");
        let released_by = |counts| sum(OperationKind::Capture, counts, |facts| facts.releases);
        let voided_by = |counts| sum(OperationKind::Void, counts, |facts| facts.amount);
        assert_eq!(balance.void_pending, released_by(is_open).plus(voided_by(is_open)).unwrap(), "void pending");
        assert_eq!(self.facts().void_is_open, self.of_kind(OperationKind::Void).any(is_open), "a void is open");
        assert!(balance.capturable().unwrap() >= Minor::ZERO && balance.refundable().unwrap() >= Minor::ZERO);
        if !self.is_corrected {
            let taken = Minor::sum([balance.captured, balance.capture_pending, balance.voided, balance.void_pending]).unwrap();
            let released = released_by(is_done).plus(voided_by(is_done)).unwrap();
            assert!(released <= balance.voided, "what a final capture or a void has released stays released");
            assert!(taken <= balance.authorized, "more is taken than was authorized: {balance:?}");
            let given = balance.refunded.plus(balance.refund_pending).unwrap();
            assert!(given <= balance.captured, "more is given back than was captured: {balance:?}");
        }
        for capture in self.of_kind(OperationKind::Capture) {
            self.check_share(capture);
        }
    }

    /// A capture knows what its own refunds hold and have given back.
    fn check_share(&self, capture: &Operation) {
        let mine = |refund: &&Operation| refund.bound_capture() == Some(capture.facts().id);
        let sum = |counts: fn(&Operation) -> bool| {
            let refunds = self.of_kind(OperationKind::Refund).filter(mine).filter(|refund| counts(refund));
            Minor::sum(refunds.map(|refund| refund.facts().amount)).unwrap()
        };
        assert_eq!(capture.facts().refunded, sum(is_done), "a capture's refunded");
        assert_eq!(capture.facts().refund_pending, sum(is_open), "a capture's refund pending");
    }
}

pub fn import_command(amount: &str, currency: &str) -> ImportCommand {
    ImportCommand {
        connection: ConnectionName::parse("test").unwrap(),
        psp_reference: PspReference::parse("pay_1").unwrap(),
        merchant_reference: MerchantReference::parse("SO-1").unwrap(),
        amount: Decimal::parse(amount).unwrap(),
        currency: Currency::parse(currency).unwrap(),
        properties: Properties::default(),
    }
}

/// A report of the payment as it was asked for, and as it was authorized.
pub fn payment(transaction: &Transaction, state: TransactionState) -> PspPayment {
    let facts = transaction.facts();
    PspPayment {
        reference: facts.psp_reference.clone(),
        state,
        authorized: transaction.money(facts.import.amount),
        account_matches: true,
        environment_matches: true,
        keeps_rest: false,
        released: Minor::ZERO,
        authorized_on: None,
        expires_on: None,
        movements: vec![],
        failure: None,
    }
}

fn is_done(operation: &Operation) -> bool {
    operation.state() == OperationState::Successful
}

fn is_open(operation: &Operation) -> bool {
    operation.state().is_open()
}

/// The way of a transaction: on, never back, and out of a final state never.
/// Nothing is new but when somebody comes back.
fn is_only_taken(before: &TransactionFacts, after: &TransactionFacts) -> bool {
    let due = |facts: &TransactionFacts| (facts.watch_on, facts.import.due_on);
    let import = Import { due_on: before.import.due_on, ..after.import.clone() };
    let same = TransactionFacts { watch_on: before.watch_on, import, ..after.clone() };
    due(before) != due(after) && same == *before
}

fn may_follow(before: TransactionState, after: TransactionState) -> bool {
    use TransactionState::*;
    let way = [Create, Pending, Confirmed, Processing, Authorized, Completed];
    let place = |state| way.iter().position(|on_the_way| *on_the_way == state);
    match (place(before), after) {
        _ if before == after => true,
        (None, _) => false,
        (Some(here), Failed) => here < 4,
        (Some(here), Voided) => here < 5,
        (Some(_), Fulfill | Decline) => true,
        (Some(here), Create | Pending | Confirmed | Processing | Authorized | Completed) => place(after) > Some(here),
    }
}

fn check_move(before: &OperationFacts, after: &OperationFacts, now: Timestamp) {
    use OperationState::*;
    let legal: &[OperationState] = match before.state {
        Requested => &[Pending, Unknown, ManualCheck, Successful, Failed],
        Unknown => &[Pending, ManualCheck, Successful, Failed],
        Pending => &[ManualCheck, Successful, Failed],
        ManualCheck => &[Successful, Failed],
        Successful => &[Failed],
        Failed => &[Successful],
    };
    if before.state == after.state {
        let shares = OperationFacts { refunded: after.refunded, refund_pending: after.refund_pending, ..before.clone() };
        assert_eq!(&shares, after, "an operation that stays where it is changes only what its refunds hold");
        return;
    }
    assert!(legal.contains(&after.state), "{:?} to {:?}", before.state, after.state);
    let is_correction = matches!(before.state, Successful | Failed);
    assert_eq!(after.reversed_on == Some(now), is_correction, "a correction is marked as one, and nothing else is");
    let due = match after.state {
        Requested => Some(Span::from_seconds(60)),
        Unknown => Some(Span::from_seconds(10)),
        Pending => Some(Span::from_seconds(300)),
        ManualCheck => Some(Span::from_days(1)),
        Successful | Failed => None,
    };
    assert_eq!(after.due_on, due.map(|span| now.plus(span)), "what is open is asked about again");
    assert_eq!(after.settled_on.is_some(), matches!(after.state, Successful | Failed));
    assert_eq!(after.failure.is_some(), after.state == Failed);
    let lease_until = |facts: &OperationFacts| facts.sending.as_ref().map(|sending| sending.lease_until);
    assert!(lease_until(after) <= lease_until(before).min(Some(now)), "who has settled it has no right to it any more");
    let sending =
        |facts: &OperationFacts| facts.sending.clone().map(|sending| Sending { lease_until: now, error_is_kept: true, ..sending });
    // Only a person books another amount than was asked for.
    let amount = if before.state == ManualCheck { before.amount } else { after.amount };
    let kept = (amount, after.releases, after.is_final, &after.key, &after.command, sending(after), after.capture);
    let first = (before.amount, before.releases, before.is_final, &before.key, &before.command, sending(before), before.capture);
    assert_eq!(kept, first, "what was asked never changes");
}
