//! The operations that are measured, each on a table that holds only what it needs.

use crate::scene::{Past, Scene, Size};
use domain::operation::{CaptureCommand, RefundCommand, RefundTarget};
use domain::outcome::Doubt;
use domain::payment::{Movement, MovementState, PspPayment};
use domain::{Money, OperationKind, OperationState, Outcome};
use embedded::Usage;
use testkit::Calls;
use testkit::builders::{NOW, capture_at_psp, decimal, merchant_reference, psp_reference};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Import,
    ImportOfCaptured,
    Status,
    Capture,
    LongestCapture,
    Refund,
    RefundOfCapture,
    Void,
    WebhookWithNews,
    WebhookWithoutNews,
    ReconcileFound,
    ReconcileResent,
}

#[derive(Debug)]
pub struct Measured {
    pub operation: Operation,
    pub size: Size,
    pub earlier: usize,
    pub usage: Usage,
}

impl Operation {
    pub const ALL: [Self; 12] = [
        Self::Import,
        Self::ImportOfCaptured,
        Self::Status,
        Self::Capture,
        Self::LongestCapture,
        Self::Refund,
        Self::RefundOfCapture,
        Self::Void,
        Self::WebhookWithNews,
        Self::WebhookWithoutNews,
        Self::ReconcileFound,
        Self::ReconcileResent,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::ImportOfCaptured => "import of what was captured at the PSP",
            Self::Status => "status",
            Self::Capture => "capture",
            Self::LongestCapture => "capture, longest texts",
            Self::Refund => "refund",
            Self::RefundOfCapture => "refund of a named capture",
            Self::Void => "void",
            Self::WebhookWithNews => "webhook that settles a capture",
            Self::WebhookWithoutNews => "webhook that says nothing new",
            Self::ReconcileFound => "reconcile of a capture that the PSP knows",
            Self::ReconcileResent => "reconcile of a capture that is sent again",
        }
    }

    /// Does it once, with a past of its own.
    pub async fn measure(self, past: &Past) -> Measured {
        let scene = past.scene().await;
        let id = past.transaction;
        match self {
            Self::Import => drop(scene.import(2).await),
            Self::ImportOfCaptured => {
                let movements = (0..past.captures).map(|number| capture_at_psp(&format!("ch_{number:024}"))).collect();
                scene.import_of(2, PspPayment { movements, ..scene.payment(2) }).await;
            }
            Self::Status => {
                scene.status(id).await;
                assert_eq!(scene.psp().calls(), Calls::default(), "status never talks to a PSP");
            }
            Self::Capture => succeeded(&scene.capture(id, past.captures + 1).await),
            Self::LongestCapture => {
                scene.psp().answers(Outcome::Succeeded { psp_reference: Some(psp_reference(&"c".repeat(255))) });
                let command = CaptureCommand { merchant_reference: Some(merchant_reference(&"I".repeat(100))), ..a_cent() };
                succeeded(&scene.capture_by(id, &"k".repeat(100), &command).await);
            }
            Self::Refund => succeeded(&scene.refund(id, 1).await),
            Self::RefundOfCapture => {
                let target = Some(RefundTarget::CaptureOf(merchant_reference("INV-2026-000001")));
                let reference = Some(merchant_reference("CRM-2026-000001"));
                let command = RefundCommand { target, merchant_reference: reference, ..RefundCommand::default() };
                succeeded(&scene.refund_by(id, "CRM-2026-000001", &command).await);
            }
            Self::Void => succeeded(&scene.void(id, 1).await),
            Self::WebhookWithNews => {
                accept_and_settle(&scene, past).await;
                scene.store.take_usage();
                scene.webhook(1).await;
            }
            Self::ReconcileFound => {
                accept_and_settle(&scene, past).await;
                scene.store.take_usage();
                assert_eq!(scene.reconcile(id).await, OperationState::Successful);
            }
            Self::ReconcileResent => {
                scene.psp().answers(Outcome::Unknown(Doubt::NoAnswer));
                scene.capture_by(id, "INV-2026-999999", &a_cent()).await;
                scene.psp().knows(scene.payment(1));
                scene.store.take_usage();
                assert_eq!(scene.reconcile(id).await, OperationState::Successful);
            }
            Self::WebhookWithoutNews => {
                scene.psp().knows(scene.payment(1));
                scene.webhook(1).await;
            }
        }
        let usage = scene.store.take_usage();
        let news = matches!(self, Self::WebhookWithNews);
        assert!(!news || usage.calls.contains(&"TransactWriteItems".to_owned()), "the capture is settled: {usage:?}");
        Measured { operation: self, size: past.size, earlier: past.captures, usage }
    }
}

/// One more capture, which the PSP accepts at first and has executed when it is asked again.
async fn accept_and_settle(scene: &Scene, past: &Past) {
    scene.psp().answers(Outcome::Accepted { psp_reference: None });
    let open = scene.capture_by(past.transaction, "INV-2026-999999", &a_cent()).await;
    assert_eq!(open.state(), OperationState::Pending);
    let movement = Movement {
        kind: OperationKind::Capture,
        psp_reference: psp_reference("ch_3PqZ8w2eZvKYlo2C1a2b3c4d"),
        ours: Some(open.reference()),
        money: Money::new(open.facts().amount, open.facts().currency),
        state: MovementState::Successful,
        on: Some(NOW),
    };
    scene.psp().knows(PspPayment { movements: vec![movement], ..scene.payment(1) });
}

fn a_cent() -> CaptureCommand {
    CaptureCommand { amount: Some(decimal("0.01")), ..CaptureCommand::default() }
}

fn succeeded(operation: &domain::Operation) {
    assert_eq!(operation.state(), OperationState::Successful);
}
