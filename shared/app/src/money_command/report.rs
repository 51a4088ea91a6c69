//! What operators are told of a money command: one line of the log, and how long the PSP took.

use super::Answer;
use crate::metric;
use domain::time::Span;
use domain::{OperationState, Outcome};

const NOT_SENT: &str = "NOT_SENT";

/// The PSP call of a command: its outcome in one word, and in another why that is in doubt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    outcome: &'static str,
    doubt: Option<&'static str>,
    took: Span,
}

impl Call {
    pub fn is_sent(&self) -> bool {
        self.outcome != NOT_SENT
    }

    pub fn outcome(&self) -> &'static str {
        self.outcome
    }

    pub fn made(psp: &str, outcome: &Outcome, took: Span) -> Self {
        let (outcome, doubt, is_answered) = match outcome {
            Outcome::Succeeded { .. } => ("SUCCEEDED", None, true),
            Outcome::Accepted { .. } => ("ACCEPTED", None, true),
            Outcome::Refused(_) => ("REFUSED", None, true),
            Outcome::NotSent { .. } => (NOT_SENT, None, false),
            Outcome::Unknown(doubt) => ("UNKNOWN", Some(doubt.as_str()), false),
        };
        metric::psp_call(psp, took, is_answered);
        Self { outcome, doubt, took }
    }
}

/// Tells how the operation of a command stands at the end, and what led to it. A repeated key makes no call.
pub(super) fn tell(answer: &Answer, before: OperationState, call: Option<Call>) {
    let (transaction, operation) = (answer.transaction.facts(), answer.operation.facts());
    tracing::info!(
        space = operation.space.number(),
        transaction = operation.transaction.number(),
        kind = operation.kind.as_str(),
        operation = operation.id.number(),
        isNew = answer.is_new,
        amount = operation.amount.units(),
        currency = operation.currency.code(),
        connection = transaction.connection.as_str(),
        psp = transaction.psp,
        stateBefore = before.as_str(),
        stateAfter = operation.state.as_str(),
        transactionState = transaction.state.as_str(),
        outcome = call.map(|call| call.outcome),
        doubt = call.and_then(|call| call.doubt),
        failure = operation.failure.as_ref().map(|failure| failure.code.as_str()),
        attempt = operation.sending.as_ref().map(|sending| sending.epoch),
        pspMs = call.map(|call| call.took.millis()),
        "money command"
    );
}
