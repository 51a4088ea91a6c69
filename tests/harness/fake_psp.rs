//! A PSP of a test's own: it speaks as the sandbox does where the test wants it, and otherwise sends what no PSP should.

use super::Payment;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// The headers `Authorization` and `Idempotency-Key`; empty where there was none.
    pub authorization: String,
    pub key: String,
    /// Null where there was none.
    pub body: Value,
}

/// What is sent back.
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// Nothing, for as long as anybody waits.
    Silence,
    /// 200 and a body that does not end by itself.
    Endless,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(&format!("{status} X"), "content-type: application/json\r\n", &body.to_string())
    }

    /// `status` with its reason; each header ends its line.
    pub fn text(status: &str, headers: &str, body: &str) -> Self {
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        Self::Bytes((head + body).into_bytes())
    }
}

pub struct FakePsp {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    listening: JoinHandle<()>,
}

/// The payment that the tests' fake PSPs know.
pub fn payment() -> Payment {
    Payment { id: "sb_fake".to_owned(), amount: "49.90".to_owned(), currency: "EUR".to_owned() }
}

/// That payment as it is read: authorized, with these captures.
pub fn authorized(captures: &[Value]) -> Value {
    json!({
        "id": "sb_fake", "account": "any", "mode": "test", "status": "authorized", "amount": "49.90", "currency": "EUR",
        "voided": "0.00", "authorizedOn": "2026-11-22T10:00:00Z", "expiresOn": "2999-11-22T10:00:00Z",
        "captures": captures, "refunds": [], "voids": [],
    })
}

/// A capture as it is read and answered: what was asked for, with other words where the test wants them.
pub fn captured(asked: &Asked, changes: &Value) -> Value {
    let mut capture = json!({
        "id": "sbc_fake", "reference": asked.body["reference"], "amount": asked.body["amount"], "currency": asked.body["currency"],
        "status": "succeeded", "createdOn": "2026-11-22T10:00:01Z",
    });
    capture.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    capture
}

impl FakePsp {
    pub async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let (asked, stream) = read(stream).await?;
                    let reply = answer(&asked);
                    seen.lock().expect("the list").push(asked);
                    write(stream, reply).await
                });
            }
        });
        Self { url, asked, listening }
    }

    /// Requests of this method so far.
    pub fn asked(&self, method: &str) -> Vec<Asked> {
        self.asked.lock().expect("the list").iter().filter(|asked| asked.method == method).cloned().collect()
    }

    /// From now on nobody listens.
    pub async fn stop(self) {
        self.listening.abort();
        drop(self.listening.await);
    }
}

/// One request; none if the connection was closed before it was whole.
async fn read(mut stream: TcpStream) -> Option<(Asked, TcpStream)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let mut headers = head.lines().filter_map(|line| line.split_once(':'));
                headers.find(|(header, _)| header.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim()).to_owned()
            };
            if body.len() >= header("content-length").parse().unwrap_or(0) {
                let (authorization, key) = (header("authorization"), header("idempotency-key"));
                let body = serde_json::from_str(body).unwrap_or(Value::Null);
                return Some((Asked { method: head.split(' ').next()?.to_owned(), authorization, key, body }, stream));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn write(mut stream: TcpStream, reply: Reply) -> Option<()> {
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await.ok(),
        Reply::Silence => std::future::pending().await,
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[").await.ok()?;
            loop {
                stream.write_all(&[b' '; 65536]).await.ok()?;
            }
        }
    }
}
