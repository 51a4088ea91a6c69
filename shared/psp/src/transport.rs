//! The one place that sends a request and decides whether it was sent.
//!
//! Nothing is resent here and no redirect is followed: who may send again, and with which key, is decided elsewhere. Bodies
//! are read up to a limit; neither bodies nor headers reach a log.

use crate::account::ConfigError;
use domain::time::Span;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// How long one request may take, from the first byte sent to the last byte of the answer.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than any PSP keeps an idle connection open, so that few requests are written into a dead one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const LARGEST_BODY: usize = 256 * 1024;
/// A PSP that asks to wait longer than this is asked again nevertheless.
const LONGEST_WAIT_SECONDS: i64 = 24 * 3600;

/// The client that every adapter uses: TLS by rustls with ring, roots compiled in, no redirects, no resending, no proxy taken
/// from the environment.
pub fn http_client() -> Result<Client, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::NoHttpClient)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("collana-pay/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|_| ConfigError::NoHttpClient)
}

/// What came of sending a request.
pub(crate) enum Exchange {
    /// No connection could be made: the request surely did not reach the PSP.
    NotSent,
    /// It may have reached the PSP.
    NoAnswer,
    Answered(Answer),
}

/// The PSP's answer, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    /// None where it is too large or broke off.
    body: Option<Vec<u8>>,
}

/// Sends once. Only a failure to connect proves that nothing was sent; every later failure leaves it open.
pub(crate) async fn exchange(request: RequestBuilder, timeout: Duration) -> Exchange {
    match request.timeout(timeout).send().await {
        Ok(response) => Exchange::Answered(Answer::read(response).await),
        Err(error) if error.is_connect() || error.is_builder() => Exchange::NotSent,
        Err(_) => Exchange::NoAnswer,
    }
}

impl Answer {
    async fn read(response: Response) -> Self {
        Self { status: response.status().as_u16(), headers: response.headers().clone(), body: read_body(response).await }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as what the PSP documents, if it is that.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body.as_deref()?).ok()
    }

    /// Seconds only; the form with a date is not used by PSPs.
    pub(crate) fn retry_after(&self) -> Option<Span> {
        let seconds: i64 = self.header("retry-after")?.trim().parse().ok()?;
        (seconds >= 0).then(|| Span::from_seconds(seconds.min(LONGEST_WAIT_SECONDS)))
    }

    /// The PSP repeats what it answered to the first request with this key.
    pub(crate) fn is_replay(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }
}

async fn read_body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Answers one request with these bytes and closes, or never answers.
    async fn server(answer: Option<&'static [u8]>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            match answer {
                Some(bytes) => drop(stream.write_all(bytes).await),
                None => std::future::pending().await,
            }
        });
        url
    }

    async fn get(url: &str) -> Exchange {
        exchange(http_client().unwrap().get(url), Duration::from_millis(200)).await
    }

    #[tokio::test]
    async fn a_refused_connection_is_not_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        assert!(matches!(get(&url).await, Exchange::NotSent));
    }

    #[tokio::test]
    async fn silence_and_a_closed_connection_are_no_answer() {
        assert!(matches!(get(&server(None).await).await, Exchange::NoAnswer));
        assert!(matches!(get(&server(Some(b"")).await).await, Exchange::NoAnswer));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_answer_without_a_body() {
        let Exchange::Answered(answer) = get(&server(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"a\":")).await).await else {
            panic!("no answer");
        };
        assert_eq!((answer.status, answer.body), (200, None));
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let target = server(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
        let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n").leak();
        let Exchange::Answered(answer) = get(&server(Some(redirect.as_bytes())).await).await else { panic!("no answer") };
        assert_eq!(answer.status, 302);
    }

    #[tokio::test]
    async fn waiting_times_are_read_in_seconds_and_bounded() {
        for (header, expected) in [("7", Some(7)), ("0", Some(0)), ("999999999", Some(86_400)), ("-1", None), ("Wed, 21 Oct", None)] {
            let answer = format!("HTTP/1.1 429 Slow\r\nretry-after: {header}\r\ncontent-length: 0\r\n\r\n").leak();
            let Exchange::Answered(answer) = get(&server(Some(answer.as_bytes())).await).await else { panic!("no answer") };
            assert_eq!(answer.retry_after().map(Span::seconds), expected, "{header}");
        }
    }
}
