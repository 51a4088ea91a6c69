//! Asking a PSP how a payment stands, and how long it takes to say so.

use crate::metric;
use crate::ports::Clock;
use crate::ports::psp::{Psp, Reading};
use domain::id::PspReference;
use domain::time::Span;

/// What is told of it beside the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub outcome: &'static str,
    pub took: Span,
}

pub(crate) async fn ask<K: Clock>(clock: &K, psp: &dyn Psp, reference: &PspReference) -> (Reading, Asked) {
    let begin = clock.now();
    let reading = psp.read(reference).await;
    let took = clock.now().since(begin);
    let (outcome, is_answered) = match reading {
        Reading::Found(_) => ("FOUND", true),
        Reading::NotFound => ("NOT_FOUND", true),
        Reading::CredentialsRefused => ("CREDENTIALS_REFUSED", true),
        Reading::Unavailable { .. } => ("UNAVAILABLE", false),
    };
    metric::psp_call(psp.name(), took, is_answered);
    (reading, Asked { outcome, took })
}
