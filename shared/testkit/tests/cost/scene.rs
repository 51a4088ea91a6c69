//! A payment with a history, and the ports to go on with it.

use app::import::import;
use app::money_command::{Precondition, Request};
use app::ports::Clock;
use app::ports::Ports;
use app::ports::psp::{RawWebhook, WebhookEvent};
use app::{capture, reconcile, refund, status, void, webhook};
use domain::id::{ConnectionName, PspReference, TransactionId};
use domain::money::{Decimal, Minor, Money};
use domain::operation::{CaptureCommand, RefundCommand, VoidCommand};
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::ImportCommand;
use domain::transaction::properties::{LineItem, LineItemType, Order, Payer, Properties, SignedDecimal, Tax, TaxRate};
use domain::{Operation, OperationState, Outcome};
use std::collections::BTreeMap;
use store_dynamodb::Store;
use testkit::builders::{NOW, decimal, euros, import_command, key, merchant_reference, payment, psp_reference, space};
use testkit::{Item, TestClock, TestConnections, TestPsp, TestSource, TestStore};

/// How much was written down about a payment when it was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Three lines, references as Stripe's are.
    Typical,
    /// A hundred lines, all references as long as they may be.
    Largest,
}

impl Size {
    pub const ALL: [Self; 2] = [Self::Typical, Self::Largest];

    /// A reference of the PSP, different for each number.
    fn psp_reference(self, prefix: &str, number: usize) -> PspReference {
        let length = match self {
            Self::Typical => 27,
            Self::Largest => 255,
        };
        psp_reference(&format!("{prefix}_{number:0>digits$}", digits = length - prefix.len() - 1))
    }

    fn import_command(self, number: usize) -> ImportCommand {
        let (connection, reference, lines) = match self {
            Self::Typical => ("stripe", "SO-2026-004711".to_owned(), 3),
            Self::Largest => (&"c".repeat(40)[..], "S".repeat(100), 100),
        };
        let order = Order { line_items: (0..lines).map(|line| self.line(line)).collect(), ..Order::default() };
        ImportCommand {
            connection: ConnectionName::parse(connection).unwrap(),
            psp_reference: self.psp_reference("pi", number),
            merchant_reference: merchant_reference(&reference),
            amount: decimal("1000000"),
            properties: Properties { order, payer: Payer::default(), ..Properties::default() },
            ..import_command("any")
        }
    }

    fn line(self, number: usize) -> LineItem {
        let name = match self {
            Self::Typical => "Chair, oak, with armrests".to_owned(),
            Self::Largest => "n".repeat(150),
        };
        LineItem {
            unique_id: format!("{number}"),
            name,
            quantity: decimal("1"),
            amount_including_tax: SignedDecimal::parse("1.00").unwrap(),
            kind: LineItemType::Product,
            sku: Some("4006381333931".to_owned()),
            shipping_required: None,
            taxes: vec![Tax { title: "VAT".to_owned(), rate: TaxRate::new(decimal("19")).unwrap() }],
            attributes: BTreeMap::new(),
            discount_including_tax: None,
        }
    }
}

/// A payment that was imported and captured so often, a cent each time: made once, then copied for each measurement.
pub struct Past {
    pub size: Size,
    pub captures: usize,
    pub transaction: TransactionId,
    items: Vec<Item>,
}

impl Past {
    pub async fn of(size: Size, captures: usize) -> Self {
        let scene = Scene::new(size, 1).await;
        let transaction = scene.import(1).await;
        for number in 1..=captures {
            scene.capture(transaction, number).await;
        }
        let command = size.import_command(1);
        let mut items = scene.store.items(&format!("S#1#T#{transaction}")).await;
        assert_eq!(items.len(), 3 + 2 * captures, "head, data, import, and two for each capture");
        items.extend(scene.store.items(&format!("S#1#R#{}#{}", command.connection, command.psp_reference)).await);
        Self { size, captures, transaction, items }
    }

    /// The same table again. Chance goes on with another seed: the ids of the first are taken.
    pub async fn scene(&self) -> Scene {
        let scene = Scene::new(self.size, 2).await;
        scene.store.put_all(&self.items).await;
        scene.store.take_usage();
        scene
    }
}

pub struct Scene {
    pub store: TestStore,
    pub size: Size,
    connections: TestConnections,
    clock: TestClock,
    source: TestSource,
}

/// One cent: a hundred of them leave enough of a payment.
fn cent() -> Option<Decimal> {
    Some(decimal("0.01"))
}

impl Scene {
    async fn new(size: Size, seed: u64) -> Self {
        let store = TestStore::embedded().await;
        Self { store, size, connections: TestConnections::default(), clock: TestClock::at(NOW), source: TestSource::seeded(seed) }
    }

    pub fn psp(&self) -> &TestPsp {
        &self.connections.psp
    }

    fn ports(&self) -> Ports<'_, Store, TestConnections, TestClock, TestSource> {
        Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source }
    }

    /// The payment as the PSP has it.
    pub fn payment(&self, number: usize) -> PspPayment {
        let command = self.size.import_command(number);
        let authorized = Money::new(Minor::new(100_000_000), euros());
        PspPayment { authorized, ..payment(command.psp_reference.as_str()) }
    }

    pub async fn import(&self, number: usize) -> TransactionId {
        self.import_of(number, self.payment(number)).await
    }

    pub async fn import_of(&self, number: usize, payment: PspPayment) -> TransactionId {
        self.psp().knows(payment);
        let answer = import(&self.ports(), space(1), &self.size.import_command(number)).await.unwrap();
        assert!(answer.is_new && answer.whole.head.transaction().facts().import.is_done());
        answer.whole.head.transaction().facts().id
    }

    pub async fn status(&self, id: TransactionId) {
        let store: &Store = &self.store;
        status::transaction(store, space(1), id).await.unwrap();
    }

    fn request(&self, id: TransactionId, name: &str) -> Request {
        let deadline = self.clock.now().plus(Span::from_seconds(29));
        let precondition = Precondition::default();
        Request { space: space(1), transaction: id, key: key(name), precondition, wait: Span::from_seconds(0), deadline }
    }

    /// A capture of a cent for an invoice, under the invoice's number.
    pub async fn capture(&self, id: TransactionId, number: usize) -> Operation {
        self.psp().answers(Outcome::Succeeded { psp_reference: Some(Size::Typical.psp_reference("ch", number)) });
        let invoice = format!("INV-2026-{number:06}");
        let command = CaptureCommand { amount: cent(), merchant_reference: Some(merchant_reference(&invoice)), ..Default::default() };
        self.capture_by(id, &invoice, &command).await
    }

    pub async fn capture_by(&self, id: TransactionId, name: &str, command: &CaptureCommand) -> Operation {
        capture::capture(&self.ports(), &self.request(id, name), command).await.unwrap().operation
    }

    pub async fn refund(&self, id: TransactionId, number: usize) -> Operation {
        self.psp().answers(Outcome::Succeeded { psp_reference: Some(Size::Typical.psp_reference("re", number)) });
        let memo = format!("CRM-2026-{number:06}");
        let command = RefundCommand { amount: cent(), merchant_reference: Some(merchant_reference(&memo)), ..Default::default() };
        self.refund_by(id, &memo, &command).await
    }

    pub async fn refund_by(&self, id: TransactionId, name: &str, command: &RefundCommand) -> Operation {
        refund::refund(&self.ports(), &self.request(id, name), command).await.unwrap().operation
    }

    /// A void of all that is left, for a cancellation of the order.
    pub async fn void(&self, id: TransactionId, number: usize) -> Operation {
        self.psp().answers(Outcome::Succeeded { psp_reference: Some(Size::Typical.psp_reference("vo", number)) });
        let cancellation = format!("CAN-2026-{number:06}");
        let command = VoidCommand { merchant_reference: Some(merchant_reference(&cancellation)), ..Default::default() };
        void::void(&self.ports(), &self.request(id, &cancellation), &command).await.unwrap().operation
    }

    /// A webhook that was never seen before, about this payment.
    /// What a person asks for, or the schedule does for one transaction that is due.
    pub async fn reconcile(&self, id: TransactionId) -> OperationState {
        let deadline = self.clock.now().plus(Span::from_seconds(29));
        let whole = reconcile::reconcile(&self.ports(), space(1), id, deadline).await.expect("a reconciled transaction");
        whole.operations.last().expect("an operation").state()
    }

    pub async fn webhook(&self, number: usize) {
        let command = self.size.import_command(number);
        let references = vec![command.psp_reference];
        self.psp().tells(WebhookEvent {
            id: Some("evt_3PqZ8w2eZvKYlo2C1a2b3c4d".into()),
            kind: "charge.captured".into(),
            references,
            is_readable: true,
        });
        let raw = RawWebhook { headers: vec![], body: vec![] };
        let answer = webhook::receive(&self.ports(), space(1), &command.connection, &raw).await;
        assert_eq!(answer, webhook::Acknowledgement::Stored);
    }
}
