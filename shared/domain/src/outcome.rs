//! The five answers of a PSP call. There is no sixth: what we cannot tell is an answer too, and must be written down.

use crate::id::PspReference;
use crate::named::named;
use crate::time::Span;

/// What we know about a capture, refund or void after calling the PSP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The PSP did it, and its answer names our amount and currency.
    Succeeded { psp_reference: Option<PspReference> },
    /// The PSP took the order and tells the result later.
    Accepted { psp_reference: Option<PspReference> },
    /// The PSP decided not to do it, and says the same to everyone who asks again with this key.
    Refused(Failure),
    /// Surely not executed: neither this attempt nor an earlier one reached the PSP.
    NotSent { retry_after: Option<Span> },
    /// The PSP may or may not have acted. Only asking it can tell.
    Unknown(Doubt),
}

/// Why an outcome is unknown; for the log and for the person who looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No answer in time, or the connection broke after the request may have left.
    NoAnswer,
    /// The PSP answered with a server error after it had the request.
    ServerError,
    /// The PSP answered with an error that it keeps under our key: it repeats it, whatever it did.
    KeptError,
    /// The PSP says that the same request is still being worked on.
    InProgress,
    /// The answer cannot be read as what the PSP documents.
    Unreadable,
    /// The answer names another amount or currency than the one we asked for.
    OtherAmount,
    /// A refusal that may concern only this repetition, while an earlier attempt may have been executed.
    RefusedAfterDoubt,
    /// The PSP did not accept our credentials for this repetition; what an earlier attempt did is as open as it was.
    CredentialsRefused,
}

impl Outcome {
    /// Whether the PSP did not accept our credentials: this attempt was surely not executed, and may be repeated with the same
    /// key and others.
    pub fn is_credentials_refused(&self) -> bool {
        match self {
            Outcome::Refused(failure) => failure.code == CREDENTIALS_REFUSED,
            Outcome::Unknown(doubt) => *doubt == Doubt::CredentialsRefused,
            Outcome::Succeeded { .. } | Outcome::Accepted { .. } | Outcome::NotSent { .. } => false,
        }
    }
}

impl Doubt {
    pub const fn as_str(self) -> &'static str {
        match self {
            Doubt::NoAnswer => "NO_ANSWER",
            Doubt::ServerError => "SERVER_ERROR",
            Doubt::KeptError => "KEPT_ERROR",
            Doubt::InProgress => "IN_PROGRESS",
            Doubt::Unreadable => "UNREADABLE",
            Doubt::OtherAmount => "OTHER_AMOUNT",
            Doubt::RefusedAfterDoubt => "REFUSED_AFTER_DOUBT",
            Doubt::CredentialsRefused => "CREDENTIALS_REFUSED",
        }
    }
}

/// Why something failed, in public words; the PSP's own code stands beside ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: String,
    pub category: FailureCategory,
    pub description: String,
    pub psp_code: Option<String>,
    /// Whether the same command under a new key can succeed.
    pub retryable: bool,
}

const CREDENTIALS_REFUSED: &str = "credentials-refused-by-psp";

impl Failure {
    /// The PSP does not accept the credentials of the connection.
    pub fn credentials_refused() -> Self {
        Self {
            code: CREDENTIALS_REFUSED.to_owned(),
            category: FailureCategory::Configuration,
            description: "The PSP refused the credentials of the connection, or they lack a permission.".to_owned(),
            psp_code: None,
            retryable: true,
        }
    }
}

named! {
    /// Who can do something about a failure.
    FailureCategory {
        TemporaryIssue = "TEMPORARY_ISSUE",
        Internal = "INTERNAL",
        EndUser = "END_USER",
        Configuration = "CONFIGURATION",
        Developer = "DEVELOPER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_refused_by_an_outcome_that_says_so_and_by_no_other() {
        let refused = |failure| Outcome::Refused(failure).is_credentials_refused();
        assert!(refused(Failure::credentials_refused()));
        assert!(!refused(Failure { code: "expired-card".to_owned(), ..Failure::credentials_refused() }));
        for doubt in DOUBTS {
            assert_eq!(Outcome::Unknown(doubt).is_credentials_refused(), doubt == Doubt::CredentialsRefused, "{doubt:?}");
        }
        let psp_reference = None;
        assert!(!Outcome::Succeeded { psp_reference: psp_reference.clone() }.is_credentials_refused());
        assert!(!Outcome::Accepted { psp_reference }.is_credentials_refused());
        assert!(!Outcome::NotSent { retry_after: None }.is_credentials_refused());
    }

    #[test]
    fn every_doubt_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = DOUBTS.iter().map(|doubt| doubt.as_str()).collect();
        assert_eq!(names.len(), DOUBTS.len());
        assert_eq!(Doubt::NoAnswer.as_str(), "NO_ANSWER");
    }

    const DOUBTS: [Doubt; 8] = [
        Doubt::NoAnswer,
        Doubt::ServerError,
        Doubt::KeptError,
        Doubt::InProgress,
        Doubt::Unreadable,
        Doubt::OtherAmount,
        Doubt::RefusedAfterDoubt,
        Doubt::CredentialsRefused,
    ];
}
