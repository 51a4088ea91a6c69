//! What is checked: two commands on one payment at one kind of PSP, when things may happen, and how much may go wrong.

use crate::kept::Kept;
use crate::psp::Order;
use crate::table::Table;
use domain::capability::{KeepsRest, KeyWindow, KeyWindows};
use domain::id::{ConnectionName, IdempotencyKey, MerchantReference, PspReference, SpaceId, TransactionId};
use domain::money::Decimal;
use domain::operation::{CaptureCommand, Effect, NewOperation, RefundCommand, Sending, VoidCommand};
use domain::outcome::{Failure, FailureCategory};
use domain::payment::PspPayment;
use domain::planted::Bug;
use domain::time::Span;
use domain::transaction::properties::Properties;
use domain::transaction::{Change, ImportCommand};
use domain::{Capabilities, Currency, Minor, Money, Operation, OperationKind, Refusal, Timestamp, Transaction, TransactionState};
use std::fmt;

/// What the PSP holds, in the smallest unit.
pub const AUTHORIZED: i64 = 10;

#[derive(Clone, Copy, Debug)]
pub enum Command {
    Capture(i64),
    FinalCapture(i64),
    Refund(i64),
    Void,
}

#[derive(Clone, Debug)]
pub struct Scene {
    /// The kind of PSP.
    pub psp: &'static str,
    pub commands: [Command; 2],
    /// How often the client sends each with its key.
    pub starts: [u8; 2],
    /// Captured and settled before it begins.
    pub captured_before: i64,
    pub window: KeyWindow,
    pub shows_references: bool,
    /// The PSP itself refuses what goes beyond the payment.
    pub has_limits: bool,
    pub refunds_per_capture: bool,
    /// The PSP may take an order and tell later what became of it.
    pub accepts: bool,
    /// How long after it was done something may be missing in what the PSP tells.
    pub lag: Span,
    /// When things happen, in seconds: time goes on to the next of these, whoever is asleep meanwhile.
    pub moments: &'static [i64],
    /// From this one of the moments on nothing goes wrong any more, and time goes on once nothing is left to be done.
    pub calm_from: usize,
    /// How many faults happen together at most.
    pub faults: u8,
    /// How often it is asked beside the schedule: by webhooks, and on request about all that is open.
    pub hints: u8,
    pub requests: u8,
    /// Calls may arrive twice by themselves.
    pub doubles: bool,
    pub bug: Option<Bug>,
}

/// A PSP whose keys are known for an hour.
pub const KEYED: Scene = Scene {
    psp: "keys for an hour",
    commands: [Command::Capture(6), Command::Capture(6)],
    starts: [1, 1],
    captured_before: 0,
    window: KeyWindow::For(Span::from_hours(1)),
    shows_references: true,
    has_limits: false,
    accepts: true,
    refunds_per_capture: false,
    lag: Span::from_seconds(600),
    moments: &[0, 61, 500, 4_000, 90_000, 100_000],
    calm_from: 3,
    faults: 0,
    hints: 0,
    requests: 0,
    doubles: true,
    bug: None,
};

/// A PSP that executes whatever it is sent: nothing but waiting and asking keeps a second copy from being executed.
pub const KEYLESS: Scene = Scene { psp: "no keys", window: KeyWindow::Keyless, lag: Span::from_seconds(60), doubles: false, ..KEYED };

/// The same, and it keeps no reference of ours.
pub const NAMELESS: Scene = Scene { psp: "no keys, no references", shows_references: false, ..KEYLESS };

/// The same, and it tells so late what it has done that only its own limits keep a second copy from being executed. For that it
/// decides at once: what it took and then failed would leave room for the second copy.
pub const LIMITED: Scene =
    Scene { psp: "no keys, late, own limits", has_limits: true, accepts: false, lag: Span::from_hours(1), ..KEYLESS };

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { psp, commands, starts, faults, hints, requests, .. } = self;
        let sent: Vec<_> =
            (0..2).filter(|index| starts[*index] > 0).map(|index| format!("{:?} x{}", commands[index], starts[index])).collect();
        write!(f, "{psp}; {}; {faults} faults, {hints} webhooks, {requests} requests", sent.join(", "))
    }
}

impl Scene {
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            reads_payments: true,
            captures_in_part: true,
            keeps_rest: KeepsRest::Always,
            releases_rest: true,
            refunds_in_part: true,
            refunds_per_capture: self.refunds_per_capture,
            voids: true,
            key_window: KeyWindows { capture: self.window, refund: self.window, void: self.window },
        }
    }

    pub fn is_calm(&self, moment: usize) -> bool {
        moment >= self.calm_from
    }

    pub fn moment(&self, moment: usize) -> Timestamp {
        at(self.moments[moment])
    }

    /// The payment as it was imported, with what was captured before.
    pub fn begin(&self) -> (Table, Option<Order>) {
        let now = at(-1_000_000);
        let command = ImportCommand {
            connection: ConnectionName::parse("psp").expect("a name"),
            psp_reference: psp_reference("payment"),
            merchant_reference: MerchantReference::parse("order").expect("a reference"),
            amount: decimal(AUTHORIZED),
            currency: euros(),
            properties: Properties::default(),
        };
        let space = SpaceId::new(1).expect("an id");
        let id = TransactionId::new(1).expect("an id");
        let begun = Transaction::begin_import(id, space, "psp", &command, now).expect("an import");
        let payment = PspPayment {
            reference: psp_reference("payment"),
            state: TransactionState::Authorized,
            authorized: Money::new(Minor::new(AUTHORIZED), euros()),
            account_matches: true,
            environment_matches: true,
            keeps_rest: true,
            released: Minor::ZERO,
            authorized_on: None,
            expires_on: None,
            movements: vec![],
            failure: None,
        };
        let mut head = begun.complete_import(&payment, &self.capabilities(), now).expect("a completed import").transaction;
        let mut operations = vec![];
        let mut order = None;
        if self.captured_before > 0 {
            let asked = self.decide(Command::Capture(self.captured_before), &head, &[], self.new_operation("before", "before", now));
            let asked = asked.expect("a capture");
            let operation = asked.created[0].clone();
            order = Some(Order::of(&asked.transaction, &operation, None).expect("an order"));
            let id = format!("{}-0", operation.reference().as_str());
            let effect = Effect::Succeeded { psp_reference: Some(psp_reference(&id)) };
            let settled = asked.transaction.settle(&operation, None, effect, now).expect("a sound balance").expect("something new");
            head = settled.transaction;
            operations = settled.updated.into_iter().map(|operation| Kept::new(operation.written_at(head.version()))).collect();
        }
        (Table { head: Kept::new(head), operations }, order)
    }

    pub fn new_operation(&self, key: &str, lease: &str, now: Timestamp) -> NewOperation {
        let sending = Sending::begin(format!("key-{lease}"), lease.to_owned(), now);
        NewOperation { key: idempotency_key(key), command: String::new(), sending, now }
    }

    pub fn decide(&self, command: Command, head: &Transaction, captures: &[Operation], new: NewOperation) -> Result<Change, Refusal> {
        let can = &self.capabilities();
        let capture = |amount, is_final| CaptureCommand { amount: Some(decimal(amount)), is_final, ..CaptureCommand::default() };
        match command {
            Command::Capture(amount) => head.request_capture(&capture(amount, None), can, new),
            Command::FinalCapture(amount) => head.request_capture(&capture(amount, Some(true)), can, new),
            Command::Refund(amount) => {
                let command = RefundCommand { amount: Some(decimal(amount)), ..RefundCommand::default() };
                head.request_refund(&command, captures, can, new)
            }
            Command::Void => head.request_void(&VoidCommand::default(), can, new),
        }
    }
}

impl Command {
    pub const fn kind(self) -> OperationKind {
        match self {
            Self::Capture(_) | Self::FinalCapture(_) => OperationKind::Capture,
            Self::Refund(_) => OperationKind::Refund,
            Self::Void => OperationKind::Void,
        }
    }
}

/// So many seconds after the beginning.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(2_000_000_000 + seconds)
}

pub fn euros() -> Currency {
    Currency::parse("EUR").expect("a currency")
}

/// Of the smallest unit.
fn decimal(units: i64) -> Decimal {
    Decimal::parse(&Money::new(Minor::new(units), euros()).to_string()).expect("an amount")
}

pub fn psp_reference(text: &str) -> PspReference {
    PspReference::parse(text).expect("a reference")
}

pub fn idempotency_key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

pub fn failure() -> Failure {
    Failure {
        code: "declined".to_owned(),
        category: FailureCategory::EndUser,
        description: String::new(),
        psp_code: None,
        retryable: false,
    }
}
