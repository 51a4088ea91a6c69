//! What goes back to the caller: an answer, a problem, an unreadable body, or nothing at all.

use crate::sandbox::Broken;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

/// Status and JSON body, as stored under an idempotency key.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self, Broken> {
        Ok(Self { status, body: serde_json::to_string(body)? })
    }
}

/// `{"error":{"code","message"}}`.
#[derive(Debug)]
pub struct Problem {
    status: u16,
    pub code: &'static str,
    message: String,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The same for a payment of another account as for one that does not exist.
    pub fn no_payment(id: &str) -> Self {
        Self::new(404, "not-found", format!("there is no payment `{id}` in this account"))
    }
}

/// A bug or a broken disk: the log says what, the caller only that.
impl From<Broken> for Problem {
    fn from(error: Broken) -> Self {
        tracing::error!(error = %error, "the sandbox failed: {error}");
        Self::new(500, "internal", "the sandbox itself failed; its log says why")
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = json!({ "error": { "code": problem.code, "message": problem.message } });
        Self { status: problem.status, body: body.to_string() }
    }
}

pub enum Reply {
    Answer(Answer),
    /// Stored under the idempotency key by an earlier request.
    Replayed(Answer),
    /// The status arrives, the body does not.
    Garbage {
        status: u16,
    },
    HangUp,
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Answer(answer) => answer.into_response(),
            Self::Replayed(answer) => ([(HeaderName::from_static("idempotent-replayed"), "true")], answer).into_response(),
            Self::Garbage { status } => Answer { status, body: "{\"id\":\"sb".to_owned() }.into_response(),
            Self::HangUp => hang_up(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Answer::from(self).into_response()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = HeaderValue::from_static("application/json");
        (status, [(header::CONTENT_TYPE, json)], self.body).into_response()
    }
}

/// Closes the connection without a byte of an answer.
///
/// hyper (HTTP/1.1) puts the head into its buffer and asks the body for its first frame in one go, before anything is
/// flushed; a body that fails there ends the connection with the buffer unsent. `nothing_is_sent` in `tests/` holds it to that.
fn hang_up() -> Response {
    let failure = std::io::Error::other("the sandbox hangs up on purpose");
    let body = Body::from_stream(futures_util::stream::iter([Err::<Bytes, _>(failure)]));
    Response::new(body)
}
