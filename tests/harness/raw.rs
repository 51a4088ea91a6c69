//! Requests that no HTTP client would send.

use super::{Answer, Api};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request line, header lines (each with its end) and a body as they are, and reads all that comes back.
pub async fn raw(api: &Api, line: &str, headers: &[u8], body: &[u8]) -> Answer {
    let address = api.url.strip_prefix("http://").expect("plain http: a server of the test's own");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    let request = [head.as_bytes(), headers, b"\r\n", body].concat();
    // A server that answers before it has read everything may close its end: what it answered counts.
    drop(stream.write_all(&request).await);
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes).await);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, text) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value.trim()).ok()?))
    };
    let headers: HeaderMap = lines.filter_map(header).collect();
    Answer { status, headers, text: text.to_owned(), body: serde_json::from_str(text).unwrap_or(Value::Null) }.free_of_secrets()
}

/// The header line that proves who asks.
pub fn authorization(api: &Api) -> String {
    format!("authorization: Bearer {}\r\n", api.key)
}
