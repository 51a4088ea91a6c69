//! A scene of the corpus, and one of the two stacks that play it.

use crate::harness::webhook::{Webhook, event, now};
use crate::harness::{Answer, Api, Payment, unique};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Requests in their order, about one payment or several.
pub struct Scene {
    pub name: &'static str,
    pub acts: Vec<Act>,
}

/// What is done. Names in braces stand for what was kept before.
pub enum Act {
    /// The shop's plugin makes a payment; its id is kept under the name.
    Pay {
        keep: &'static str,
        body: &'static str,
    },
    /// The sandbox fails for a payment.
    Fault {
        payment: &'static str,
        on: &'static str,
        fault: &'static str,
        times: u32,
    },
    /// The payer or the shop goes on: a path of the sandbox.
    Shop {
        path: &'static str,
    },
    /// Is read until it says so; only that it does is compared.
    Until {
        path: &'static str,
        pointer: &'static str,
        is: &'static str,
    },
    Ask(Ask),
    /// The sandbox's webhook about a payment.
    Tell {
        name: &'static str,
        payment: &'static str,
        kind: &'static str,
        event: &'static str,
        forged: bool,
    },
}

pub struct Ask {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    caller: Caller,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Option<Vec<u8>>,
    keep: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Copy)]
pub enum Caller {
    /// The space's key.
    Known,
    /// A key that may read and nothing else.
    Reader,
    /// This text instead of a key.
    Unknown(&'static str),
    Nobody,
}

pub fn get(name: &'static str, path: &'static str) -> Ask {
    ask("GET", name, path)
}

pub fn ask(method: &'static str, name: &'static str, path: &'static str) -> Ask {
    Ask { name, method, path, caller: Caller::Known, headers: vec![], body: None, keep: vec![] }
}

/// A JSON body.
pub fn post(name: &'static str, path: &'static str, body: &str) -> Ask {
    ask("POST", name, path).header("content-type", "application/json").bytes(body)
}

/// A command under an idempotency key.
pub fn command(name: &'static str, path: &'static str, key: &str, body: &str) -> Ask {
    post(name, path, body).header("idempotency-key", key)
}

impl Ask {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.as_bytes().to_vec()));
        self
    }

    pub fn bytes(self, body: impl AsRef<[u8]>) -> Self {
        Self { body: Some(body.as_ref().to_vec()), ..self }
    }

    pub fn of(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// Keeps what stands at this place of the answer under a name.
    pub fn keep(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.keep.push((name, pointer));
        self
    }
}

impl From<Ask> for Act {
    fn from(ask: Ask) -> Self {
        Self::Ask(ask)
    }
}

impl Act {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ask(ask) => ask.name,
            Self::Tell { name, .. } => name,
            Self::Until { path, .. } | Self::Shop { path } => path,
            Self::Pay { keep, .. } => keep,
            Self::Fault { fault, .. } => fault,
        }
    }

    /// Method and path, if it goes to the API and its answer is compared.
    pub fn request(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Ask(ask) => Some((ask.method, ask.path)),
            Self::Tell { .. } => Some(("POST", "/v1/webhooks/{space}/sandbox")),
            Self::Pay { .. } | Self::Fault { .. } | Self::Shop { .. } | Self::Until { .. } => None,
        }
    }
}

/// One of the two stacks.
pub struct Side {
    api: Api,
    reader: String,
    webhook_secret: String,
    /// What the scene has kept, by name.
    pub kept: BTreeMap<&'static str, String>,
}

impl Side {
    pub fn new(api: Api, reader: String, webhook_secret: String) -> Self {
        Self { api, reader, webhook_secret, kept: BTreeMap::new() }
    }

    /// A new scene: nothing is kept but what is always known.
    pub fn begin(&mut self) {
        self.kept = BTreeMap::from([("space", self.api.space.to_string()), ("reference", unique("parity"))]);
    }

    /// Does it; answers with what is to be compared.
    pub async fn act(&mut self, act: &Act) -> Option<Answer> {
        match act {
            Act::Pay { keep, body } => {
                let payment = self.api.payment_of(&serde_json::from_str(&self.filled(body)).expect("JSON")).await;
                self.kept.insert(keep, payment.id);
                None
            }
            Act::Fault { payment, on, fault, times } => {
                self.api.fault(&self.payment(payment), on, fault, *times).await;
                None
            }
            Act::Shop { path } => {
                let answer = Answer::of(self.api.http.post(format!("{}{}", self.api.sandbox, self.filled(path)))).await;
                assert!((200..300).contains(&answer.status), "{answer}");
                None
            }
            Act::Until { path, pointer, is } => {
                self.api.until(&self.filled(path), |answer| answer.body.pointer(pointer).and_then(Value::as_str) == Some(is)).await;
                None
            }
            Act::Ask(ask) => Some(self.ask(ask).await),
            Act::Tell { payment, kind, event: id, forged, .. } => {
                let secret = if *forged { "whsec_Zm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2U=" } else { &self.webhook_secret };
                let id = format!("{id}-{}", self.kept["reference"]);
                let webhook = Webhook::signed_at(secret, &id, now(), event(kind, &self.payment(payment)));
                Some(webhook.send(&self.api, &format!("{}/sandbox", self.api.space)).await)
            }
        }
    }

    async fn ask(&mut self, ask: &Ask) -> Answer {
        let method = Method::from_bytes(ask.method.as_bytes()).expect("a method");
        let mut request = self.api.http.request(method, format!("{}{}", self.api.url, self.filled(ask.path)));
        request = match ask.caller {
            Caller::Known => request.bearer_auth(&self.api.key),
            Caller::Reader => request.bearer_auth(&self.reader),
            Caller::Unknown(text) => request.header("authorization", text),
            Caller::Nobody => request,
        };
        for (name, value) in &ask.headers {
            request = request.header(*name, HeaderValue::from_bytes(self.filled_bytes(value).as_slice()).expect("a header"));
        }
        if let Some(body) = &ask.body {
            request = request.body(self.filled_bytes(body));
        }
        let answer = Answer::of(request.timeout(Duration::from_secs(60))).await;
        for (name, pointer) in &ask.keep {
            let text = match answer.at(pointer) {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            self.kept.insert(name, text);
        }
        answer
    }

    fn payment(&self, name: &str) -> Payment {
        let id = self.kept.get(name).unwrap_or_else(|| panic!("no payment {name}")).clone();
        Payment { id, amount: String::new(), currency: String::new() }
    }

    fn filled(&self, text: &str) -> String {
        self.kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// The same for what need not be text.
    fn filled_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        std::str::from_utf8(bytes).map_or_else(|_| bytes.to_vec(), |text| self.filled(text).into_bytes())
    }
}

/// A payment of 49.90 EUR that is authorized.
pub const AUTHORIZED: &str = r#"{"amount":"49.90","currency":"EUR","merchantReference":"{reference}","captureMode":"manual"}"#;

/// The import of the payment that is kept as `payment`.
pub const IMPORT: &str =
    r#"{"connection":"sandbox","pspReference":"{payment}","merchantReference":"{reference}","amount":"49.90","currency":"EUR"}"#;

/// An authorized payment and its import: `payment` and `transaction` are kept.
pub fn imported() -> Vec<Act> {
    let import = post("the import", "/v1/transactions/import", IMPORT).keep("transaction", "/id");
    vec![Act::Pay { keep: "payment", body: AUTHORIZED }, import.into()]
}

/// The payment as JSON, which some scenes change.
pub fn import_with(name: &str, value: Value) -> String {
    let mut command: Value = serde_json::from_str(IMPORT).expect("JSON");
    command[name] = value;
    json!(command).to_string()
}
