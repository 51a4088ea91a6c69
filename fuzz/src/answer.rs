//! What every answer has, whatever was sent.

use api::Response;
use domain::error::CODES;
use serde_json::Value;

/// An answer that was checked: its status, and its body as JSON.
pub struct Checked {
    pub status: u16,
    pub body: Value,
}

/// A refusal is of the 4xx range and says in its body what its status says; nothing is our fault, and nothing that was sent breaks
/// out of a header.
pub fn check(response: &Response) -> Checked {
    let Response { status, headers, body } = response;
    let header = |name: &str| headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str());
    for (name, value) in headers {
        assert!(value.bytes().all(|b| (0x20..=0x7e).contains(&b)), "header {name} is {value:?}");
    }
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    assert!(body.is_object(), "{body}");
    match status {
        200 | 201 => assert_eq!(header("content-type"), Some("application/json")),
        400..=499 => {
            assert_eq!(header("content-type"), Some("application/problem+json"));
            assert_eq!(body["status"].as_u64(), Some(u64::from(*status)), "{body}");
            assert!(body["code"].as_str().is_some_and(|code| CODES.contains(&code)), "{body}");
            assert_eq!(body["requestId"].as_str(), header("x-request-id"), "{body}");
        }
        other => panic!("{other} is no answer to anything that was sent: {body}"),
    }
    Checked { status: *status, body }
}
