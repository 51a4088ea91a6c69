//! From a PSP's answer to one of the five outcomes: the rules that are the same for every PSP.
//!
//! An adapter says what its PSP's bodies mean; what follows from a status, a broken answer or an earlier doubt is decided
//! here alone. Invariant: nothing becomes a success whose answer does not name our amount and currency, and nothing becomes
//! a refusal that could concern only a repetition.

use crate::transport::{Answer, Exchange};
use app::ports::Reading;
use app::ports::psp::Attempt;
use domain::id::PspReference;
use domain::outcome::{Doubt, Failure, FailureCategory};
use domain::time::Span;
use domain::{Money, Outcome};
use serde::de::DeserializeOwned;

/// What an answer of the 2xx range says, in the words of the adapter.
pub(crate) enum Said {
    Done(Receipt),
    /// The result comes later.
    Accepted(Receipt),
    /// The PSP made the thing, and it has failed already.
    Failed(Failure),
}

/// What the PSP says that it did for this request.
pub(crate) struct Receipt {
    pub(crate) psp_reference: Option<PspReference>,
    pub(crate) money: Money,
}

/// What an answer of the 4xx range complains about.
pub(crate) enum Complaint {
    /// A decision that the PSP keeps under our key: whoever comes with the key, and came with it, is told the same.
    Decision(Failure),
    /// What the PSP refuses this time and does not keep: it may say something else to another copy of the request.
    Refusal(Failure),
    /// The same request is being worked on, or the PSP asks for the same request again.
    InProgress,
    /// The key belongs to another request: a bug of ours, and no statement about what the first request did.
    KeyReused,
}

/// How one PSP refuses.
pub(crate) struct Dialect {
    pub(crate) psp: &'static str,
    /// The statuses with which it refuses for business reasons.
    pub(crate) refuses_with: &'static [u16],
    /// The server errors that it keeps under our key and repeats to everyone who comes with it: sending again is of no use.
    pub(crate) keeps_errors: &'static [u16],
    /// What such an answer says; none if it is not what the PSP documents.
    pub(crate) complaint: fn(&Answer) -> Option<Complaint>,
}

impl Dialect {
    /// The outcome of a call that moves money. `said` reads an answer of the 2xx range; none is "not what the PSP documents".
    pub(crate) fn outcome(
        &self,
        exchange: Exchange,
        attempt: Attempt,
        asked: Money,
        said: impl FnOnce(&Answer) -> Option<Said>,
    ) -> Outcome {
        let answer = match exchange {
            Exchange::Answered(answer) => answer,
            Exchange::NoAnswer => return Outcome::Unknown(Doubt::NoAnswer),
            Exchange::NotSent => return not_sent(attempt, None),
        };
        tracing::info!(psp = self.psp, status = answer.status, replay = answer.is_replay(), "the PSP answered a money call");
        match answer.status {
            200..=299 => echoed(said(&answer), asked),
            401 | 403 => credentials_refused(attempt),
            409 => Outcome::Unknown(Doubt::InProgress),
            // Rate limits stand before everything else at a PSP, so this request was not executed; an earlier one may have been.
            429 => match attempt {
                Attempt::First => Outcome::NotSent { retry_after: answer.retry_after() },
                Attempt::AfterDoubt => Outcome::Unknown(Doubt::RefusedAfterDoubt),
            },
            status @ 500.. if answer.is_replay() || self.keeps_errors.contains(&status) => Outcome::Unknown(Doubt::KeptError),
            500.. => Outcome::Unknown(Doubt::ServerError),
            status if self.refuses_with.contains(&status) => self.complained(&answer, attempt),
            _ => Outcome::Unknown(Doubt::Unreadable),
        }
    }

    /// The answer to a question that has to be asked before a call that moves money. Nothing was sent yet, so a first attempt
    /// that gets no answer here was surely not executed.
    pub(crate) fn answer_before<T: DeserializeOwned>(&self, exchange: Exchange, attempt: Attempt) -> Result<T, Outcome> {
        let Exchange::Answered(answer) = exchange else { return Err(not_sent(attempt, None)) };
        match answer.status {
            200 => answer.json().ok_or_else(|| not_sent(attempt, None)),
            401 | 403 => Err(credentials_refused(attempt)),
            404 => match (self.complaint)(&answer) {
                Some(Complaint::Decision(failure) | Complaint::Refusal(failure)) => Err(refused(attempt, failure)),
                Some(Complaint::InProgress | Complaint::KeyReused) | None => Err(not_sent(attempt, None)),
            },
            _ => Err(not_sent(attempt, answer.retry_after())),
        }
    }

    fn complained(&self, answer: &Answer, attempt: Attempt) -> Outcome {
        match (self.complaint)(answer) {
            // It is what every request with our key is told, so none was or will be executed.
            Some(Complaint::Decision(failure)) => Outcome::Refused(failure),
            Some(Complaint::Refusal(failure)) if answer.is_replay() => Outcome::Refused(failure),
            Some(Complaint::Refusal(failure)) => refused(attempt, failure),
            Some(Complaint::InProgress) => Outcome::Unknown(Doubt::InProgress),
            Some(Complaint::KeyReused) | None => Outcome::Unknown(Doubt::Unreadable),
        }
    }
}

/// A refusal is final only if no earlier attempt can have been executed.
pub(crate) fn refused(attempt: Attempt, failure: Failure) -> Outcome {
    match attempt {
        Attempt::First => Outcome::Refused(failure),
        Attempt::AfterDoubt => Outcome::Unknown(Doubt::RefusedAfterDoubt),
    }
}

/// Nothing was sent now; what an earlier attempt did is as open as it was.
fn not_sent(attempt: Attempt, retry_after: Option<Span>) -> Outcome {
    match attempt {
        Attempt::First => Outcome::NotSent { retry_after },
        Attempt::AfterDoubt => Outcome::Unknown(Doubt::NoAnswer),
    }
}

fn echoed(said: Option<Said>, asked: Money) -> Outcome {
    match said {
        None => Outcome::Unknown(Doubt::Unreadable),
        Some(Said::Failed(failure)) => Outcome::Refused(failure),
        Some(Said::Done(receipt) | Said::Accepted(receipt)) if receipt.money != asked => Outcome::Unknown(Doubt::OtherAmount),
        Some(Said::Done(receipt)) => Outcome::Succeeded { psp_reference: receipt.psp_reference },
        Some(Said::Accepted(receipt)) => Outcome::Accepted { psp_reference: receipt.psp_reference },
    }
}

/// Who asked is looked at before what is asked, so this attempt was not executed; an earlier one may have been.
fn credentials_refused(attempt: Attempt) -> Outcome {
    match attempt {
        Attempt::First => Outcome::Refused(Failure::credentials_refused()),
        Attempt::AfterDoubt => Outcome::Unknown(Doubt::CredentialsRefused),
    }
}

/// The answer to a question, or why there is none. A 404 is left to the adapter: only a body of the PSP proves that it was
/// the PSP who does not know the payment.
pub(crate) fn readable(exchange: Exchange) -> Result<Answer, Reading> {
    let unavailable = |detail: String| Reading::Unavailable { detail, retry_after: None };
    match exchange {
        Exchange::NotSent => Err(unavailable("no connection to the PSP".to_owned())),
        Exchange::NoAnswer => Err(unavailable("the PSP did not answer".to_owned())),
        Exchange::Answered(answer) => match answer.status {
            200 | 404 => Ok(answer),
            401 | 403 => Err(Reading::CredentialsRefused),
            status => {
                Err(Reading::Unavailable { detail: format!("the PSP answered with status {status}"), retry_after: answer.retry_after() })
            }
        },
    }
}

/// An answer that is not what the PSP documents.
pub(crate) fn unreadable(detail: &str) -> Reading {
    Reading::Unavailable { detail: detail.to_owned(), retry_after: None }
}

/// A row of an adapter's table: what one of the PSP's codes means in public words.
pub(crate) struct Reason {
    pub(crate) psp_codes: &'static [&'static str],
    pub(crate) code: &'static str,
    pub(crate) category: FailureCategory,
    pub(crate) description: &'static str,
    pub(crate) retryable: bool,
}

impl Reason {
    /// The failure in our words. Of the PSP's own only the code is kept, and only if it looks like one.
    pub(crate) fn failure(&self, psp_code: Option<&str>) -> Failure {
        Failure {
            code: self.code.to_owned(),
            category: self.category,
            description: self.description.to_owned(),
            psp_code: psp_code.filter(|code| is_code(code)).map(str::to_owned),
            retryable: self.retryable,
        }
    }
}

/// The row of a PSP's code.
pub(crate) fn reason_of(reasons: &'static [Reason], psp_code: Option<&str>) -> Option<&'static Reason> {
    let psp_code = psp_code?;
    reasons.iter().find(|reason| reason.psp_codes.contains(&psp_code))
}

/// Letters, digits, `_`, `.` and `-`, at most 64: what may be shown and stored of a PSP's own words.
pub(crate) fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_code_is_kept_of_the_psps_words() {
        for code in ["card_declined", "idempotency-key-reused", "PSP.1", &"a".repeat(64)] {
            assert!(is_code(code), "{code}");
        }
        for text in ["", "No such payment_intent: 'pi_1'", "sk_test_x\n", "4242 4242", "\u{e9}", &"a".repeat(65)] {
            assert!(!is_code(text), "{text:?}");
        }
    }
}
