//! What is counted and measured for operators. The names stand here and nowhere else.
//!
//! Where a number comes to be, an event of the target `metric` says it. It is never a line of the log: in functions the crate
//! `runtime` makes of it what CloudWatch counts.

use domain::OperationState;
use domain::time::Span;

/// The target of events that are numbers.
pub const TARGET: &str = "metric";

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $unit:ident, $dimensions:ident;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Metric { $($(#[$doc])* $name),+ }

        impl Metric {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            pub fn parse(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)+ _ => None }
            }

            pub const fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit),+ }
            }

            pub const fn dimensions(self) -> Dimensions {
                match self { $(Self::$name => Dimensions::$dimensions),+ }
            }
        }
    };
}

metrics! {
    /// Operations that became SUCCESSFUL.
    OperationsSettled: Count, Stage;
    /// Operations that became FAILED.
    OperationsFailed: Count, Stage;
    /// Operations that became UNKNOWN, or whose outcome could not be stored.
    OperationsInDoubt: Count, Stage;
    /// Operations that became MANUAL_CHECK: each waits for a person.
    ManualChecks: Count, Stage;
    /// Calls that were sent once more with the same key.
    OperationsResent: Count, Stage;
    /// How long a PSP took to answer.
    PspCallMillis: Milliseconds, StageAndPsp;
    /// Calls of a PSP without an answer that says what happened.
    PspCallsFailed: Count, StageAndPsp;
    /// Webhooks to a connection of ours that its PSP did not sign.
    WebhooksUnverifiable: Count, Stage;
    /// Webhooks of payments that are not imported.
    WebhooksParked: Count, Stage;
    /// Requests that were answered 429.
    RequestsRefusedByRate: Count, Stage;
    /// Lines of the log of level ERROR: each is something that a person has to look at.
    InternalErrors: Count, Stage;
    /// How long that has been waiting which is due first.
    OldestDueSeconds: Seconds, Stage;
    /// How much is due, as far as it was counted.
    DueItems: Count, Stage;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

/// By what a metric is told apart: each value of a dimension is a metric of its own, which has to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimensions {
    Stage,
    StageAndPsp,
}

/// One more of a metric that no PSP is named with.
pub fn count(metric: Metric) {
    record(metric, 1);
}

/// A number of a metric that no PSP is named with.
pub fn record(metric: Metric, value: i64) {
    tracing::info!(target: TARGET, metric = metric.name(), value);
}

/// A call of a PSP, and whether its answer says what happened.
pub fn psp_call(psp: &str, took: Span, is_answered: bool) {
    tracing::info!(target: TARGET, metric = Metric::PspCallMillis.name(), value = took.millis(), psp);
    if !is_answered {
        tracing::info!(target: TARGET, metric = Metric::PspCallsFailed.name(), value = 1, psp);
    }
}

/// An operation that was just stored in this state.
pub fn operation(state: OperationState) {
    match state {
        OperationState::Successful => count(Metric::OperationsSettled),
        OperationState::Failed => count(Metric::OperationsFailed),
        OperationState::Unknown => count(Metric::OperationsInDoubt),
        OperationState::ManualCheck => count(Metric::ManualChecks),
        OperationState::Requested | OperationState::Pending => {}
    }
}
