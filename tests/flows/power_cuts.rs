//! Again and again the server is ended like by a power cut while callers import, capture in parts, refund and void, and while the
//! PSP fails in all the ways that it can. Callers do what the documentation tells them: no answer, 429 or 5xx, and they send the
//! same again with the same key. In the end the PSP and the status agree about every payment and every operation.
//!
//! `POWER_CUTS_SEED=<number>` draws the same commands, faults and moments; what they meet depends on the machine.

use crate::harness::config::Config;
use crate::harness::random::{Random, seed};
use crate::harness::{Answer, Api, Payment, Server, client, data_folder, unique};
use crate::local_only;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const ROUNDS: usize = 100;
const CALLERS: u64 = 8;
/// All faults but `wrong-amount` on a reading: then it is the PSP that is wrong, and it would never agree with itself.
const FAULTS: &[&str] = &["refuse", "lost-request", "lost-answer", "error-500", "error-503", "pending", "slow", "garbage", "wrong-amount"];
const FAULTS_OF_READINGS: &[&str] = &["refuse", "lost-request", "lost-answer", "error-500", "error-503", "slow", "garbage"];
const KINDS: &[&str] = &["capture", "refund", "void"];

/// So long the schedule alone has time to settle what the cuts left: a minute, and what a busy machine needs beyond that.
const BY_THE_SCHEDULE: Duration = Duration::from_secs(70);
/// So long a person then asks for what was taken over again and again, and is due much later.
const BY_A_PERSON: Duration = Duration::from_secs(80);

#[tokio::test]
async fn after_a_hundred_power_cuts_the_psp_and_the_status_agree() {
    local_only!();
    let seed = seed("POWER_CUTS_SEED");
    let mut random = Random(seed);
    let begin = Instant::now();
    let mut site = Site::start().await;
    let callers: Vec<_> = (0..CALLERS).map(|number| Caller::new(&site, Random(seed ^ (number + 1)))).collect();
    let (is_over, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let work = callers.into_iter().map(|caller| tokio::spawn(caller.work(Arc::clone(&is_over), Arc::clone(&counts))));
    let work: Vec<_> = work.collect();
    for _ in 0..ROUNDS {
        sleep(Duration::from_millis(20 + random.next() % 281)).await;
        site.cut(random.once_in(5)).await;
    }
    let cut = begin.elapsed();
    is_over.store(true, Ordering::SeqCst);
    let mut sales = Vec::new();
    for caller in join_all(work).await {
        sales.extend(caller.expect("a caller that did not panic"));
    }
    let api = &site.api;
    for sale in &sales {
        sale.without_faults(api).await;
    }
    let by_person = settle(api, &sales).await;
    let mut found = Found::default();
    for sale in &sales {
        sale.agrees(api, &mut found).await;
    }
    println!(
        "{ROUNDS} power cuts in {} s, settled after {} s: {} payments, {} operations ({:?}), {} without an answer at first, \
         {} left open by it, {by_person} settled by asking for it; POWER_CUTS_SEED={seed}",
        cut.as_secs(),
        begin.elapsed().as_secs(),
        sales.len(),
        found.states.values().sum::<u64>(),
        found.states,
        counts.unanswered.load(Ordering::Relaxed),
        counts.open.load(Ordering::Relaxed),
    );
    assert!(found.states.values().sum::<u64>() > 10 && counts.unanswered.load(Ordering::Relaxed) > 0, "the cuts met something");
}

#[derive(Default)]
struct Counts {
    /// Requests that got no answer, or none that counts.
    unanswered: AtomicU64,
    /// Operations that were answered, and were open.
    open: AtomicU64,
}

/// A system and its PSP, each a process that can be killed and started again where it was.
struct Site {
    api: Api,
    config: Config,
    data: PathBuf,
    port: String,
    psp_data: PathBuf,
    psp_port: String,
    server: Server,
    psp: Server,
}

/// A port that was free a moment ago.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port().to_string()
}

impl Site {
    async fn start() -> Self {
        let (port, psp_port) = (free_port(), free_port());
        let (data, psp_data) = (data_folder("power-cuts"), data_folder("power-cuts-psp"));
        let sandbox = format!("http://127.0.0.1:{psp_port}/sandbox");
        let config = Config::default().space(1).sandbox_at("sandbox", &sandbox);
        let psp = start_psp(&psp_data, &psp_port, &port).await;
        let server = start_server(&config, &data, &port).await;
        let text = |name: &str| server.ready[name].as_str().expect("a text").to_owned();
        let api = Api { url: text("url"), key: text("apiKey"), sandbox, space: 1, http: client(), server: None };
        Self { api, config, data, port, psp_data, psp_port, server, psp }
    }

    /// Ends the system, or the whole place with the PSP, and starts it again.
    async fn cut(&mut self, with_psp: bool) {
        self.server.kill().await;
        if with_psp {
            self.psp.kill().await;
            self.psp = start_psp(&self.psp_data, &self.psp_port, &self.port).await;
        }
        self.server = start_server(&self.config, &self.data, &self.port).await;
    }
}

async fn start_server(config: &Config, data: &std::path::Path, port: &str) -> Server {
    config.clone().server_with(&["--port", port, "--data", data.to_str().expect("UTF-8")]).await
}

async fn start_psp(data: &std::path::Path, port: &str, of_api: &str) -> Server {
    let api_url = format!("http://127.0.0.1:{of_api}");
    Server::start(&["--sandbox-only", "--api-url", &api_url, "--port", port, "--data", data.to_str().expect("UTF-8")]).await
}

/// Somebody who sells, and is not irritated by a system that goes down.
struct Caller {
    api: Api,
    random: Random,
    sales: Vec<Sale>,
}

/// A payment, and what was ordered for it.
struct Sale {
    payment: Payment,
    transaction: String,
    orders: Vec<Order>,
}

/// A command that was accepted.
struct Order {
    kind: &'static str,
    key: String,
    body: Value,
    id: u64,
}

impl Caller {
    fn new(site: &Site, random: Random) -> Self {
        Self { api: site.api.clone(), random, sales: Vec::new() }
    }

    async fn work(mut self, is_over: Arc<AtomicBool>, counts: Arc<Counts>) -> Vec<Sale> {
        while !is_over.load(Ordering::SeqCst) {
            let sale = self.sell(&counts).await;
            self.sales.push(sale);
            for _ in 0..3 + self.random.below(8) {
                // Mostly for the newest payment, sometimes for an older one; sometimes two at once.
                let at = if self.random.once_in(4) { self.random.below(self.sales.len()) } else { self.sales.len() - 1 };
                let orders: Vec<_> = (0..1 + self.random.below(2)).map(|_| self.draw()).collect();
                let (api, sale) = (&self.api, &self.sales[at]);
                let given = join_all(orders.into_iter().map(|order| give(api, sale, order, &counts))).await;
                self.sales[at].orders.extend(given.into_iter().flatten());
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
            }
        }
        self.sales
    }

    /// A payment that a shop took, imported here; with faults in store for what follows.
    async fn sell(&mut self, counts: &Counts) -> Sale {
        let amount = format!("{}.{:02}", 20 + self.random.below(80), self.random.below(100));
        let body = json!({"amount": amount, "currency": "EUR", "merchantReference": "SO-1"}).to_string();
        let shop = format!("{}/payments", self.api.sandbox);
        let answer = insist(counts, || self.api.http.post(&shop).body(body.clone())).await.expect(201);
        let payment = Payment { id: answer.text("/id"), amount: answer.text("/amount"), currency: answer.text("/currency") };
        for _ in 0..self.random.below(4) {
            let (on, faults) = match self.random.one_of(&["read", "capture", "capture", "refund", "void"]) {
                on @ &"read" => (on, FAULTS_OF_READINGS),
                on => (on, FAULTS),
            };
            let fault = self.random.one_of(faults);
            let order = json!({"on": on, "fault": fault, "times": 1 + self.random.below(2), "payment": payment.id}).to_string();
            let faults = format!("{}/faults", self.api.sandbox);
            insist(counts, || self.api.http.post(&faults).body(order.clone())).await.expect(200);
        }
        let import = payment.command();
        let post = || self.api.request(Method::POST, "/v1/transactions/import").body(import.to_string());
        let answer = insist(counts, post).await;
        assert!(matches!(answer.status, 200 | 201), "{answer}");
        Sale { transaction: format!("/v1/transactions/{}", answer.number("/id")), payment, orders: Vec::new() }
    }

    /// A command that may well be refused.
    fn draw(&mut self) -> (&'static str, Value) {
        let amount = format!("{}.{:02}", self.random.below(15), 1 + self.random.below(99));
        match self.random.below(20) {
            0..11 => ("capture", json!({"amount": amount})),
            11 => ("capture", json!({})),
            12 => ("capture", json!({"amount": amount, "final": true})),
            13..19 => ("refund", json!({"amount": amount})),
            _ => ("void", json!({})),
        }
    }
}

/// Sends a command until it is known whether it was taken; one that was refused stored nothing.
async fn give(api: &Api, sale: &Sale, (kind, body): (&'static str, Value), counts: &Counts) -> Option<Order> {
    let (path, key) = (format!("{}/{kind}s", sale.transaction), unique("order"));
    let post = || api.request(Method::POST, &path).header("idempotency-key", &key).body(body.to_string());
    let answer = insist(counts, post).await;
    if !matches!(answer.status, 200 | 201) {
        assert!(matches!(answer.status, 409 | 422), "{kind} {body}: {answer}");
        return None;
    }
    if !matches!(answer.text("/state").as_str(), "SUCCESSFUL" | "FAILED") {
        counts.open.fetch_add(1, Ordering::Relaxed);
    }
    Some(Order { kind, key, id: answer.number("/id"), body })
}

/// Sends the same until there is an answer that counts.
async fn insist(counts: &Counts, request: impl Fn() -> reqwest::RequestBuilder) -> Answer {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        match Answer::attempt(request().timeout(Duration::from_secs(20))).await {
            Ok(answer) if answer.status < 500 && answer.status != 429 => return answer,
            Ok(answer) => assert!(Instant::now() < end, "two minutes in vain: {answer}"),
            Err(error) => assert!(Instant::now() < end, "two minutes in vain: {error:?}"),
        }
        counts.unanswered.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(25)).await;
    }
}

/// Waits until nothing is open any more. Answers how many payments a person had to ask for, so as not to wait for hours.
async fn settle(api: &Api, sales: &[Sale]) -> usize {
    let (by_the_schedule, mut open) = (Instant::now() + BY_THE_SCHEDULE, sales.iter().collect::<Vec<_>>());
    let end = by_the_schedule + BY_A_PERSON;
    let mut by_person = 0;
    loop {
        let mut still_open = Vec::new();
        for sale in open {
            if !is_settled(&api.get(&sale.transaction).await.expect(200)) {
                still_open.push(sale);
            }
        }
        open = still_open;
        if open.is_empty() {
            return by_person;
        }
        if Instant::now() > by_the_schedule {
            by_person = by_person.max(open.len());
            for sale in &open {
                api.post(&format!("{}/reconcile", sale.transaction), &json!({})).await;
            }
        }
        if Instant::now() > end {
            panic!("{} are not settled, among them {}", open.len(), api.get(&open[0].transaction).await);
        }
        sleep(Duration::from_secs(2)).await;
    }
}

fn is_settled(whole: &Answer) -> bool {
    whole.text("/importState") == "IMPORT_COMPLETED" && operations(whole).all(|(_, operation)| !is_open(operation))
}

fn is_open(operation: &Value) -> bool {
    !matches!(operation["state"].as_str(), Some("SUCCESSFUL" | "FAILED"))
}

/// All operations with their kind, here and at the PSP alike.
fn operations(whole: &Answer) -> impl Iterator<Item = (&'static str, &Value)> {
    let of_kind = |kind: &'static str| {
        let list = whole.at(&format!("/{kind}s")).as_array().expect("a list");
        list.iter().map(move |operation| (kind, operation))
    };
    KINDS.iter().flat_map(move |kind| of_kind(kind))
}

#[derive(Default)]
struct Found {
    states: BTreeMap<String, u64>,
}

impl Sale {
    /// From now on the PSP does as it is told.
    async fn without_faults(&self, api: &Api) {
        for call in ["read", "capture", "refund", "void"] {
            let all = json!({"on": call, "times": 0, "payment": self.payment.id}).to_string();
            Answer::of(api.http.post(format!("{}/faults", api.sandbox)).body(all)).await.expect(200);
        }
    }

    /// The PSP and the status say the same about the payment.
    async fn agrees(&self, api: &Api, found: &mut Found) {
        let (ours, theirs) = (api.get(&self.transaction).await.expect(200), api.at_sandbox(&self.payment).await);
        let both = format!("{ours}\n{theirs}");
        let sum = |name: &str| (ours.digits(name)[0].clone(), theirs.text(&format!("/{name}")));
        for (here, there) in [sum("captured"), sum("refunded"), sum("voided")] {
            assert_eq!(here, there, "{both}");
        }
        for pending in ["capturePending", "refundPending", "voidPending"] {
            assert!(ours.digits(pending).iter().all(|amount| amount == "0.00"), "{both}");
        }
        // Each of ours that succeeded is there once, by its reference, and nothing else is.
        let mut expected: Vec<_> = operations(&ours).filter(|(_, operation)| operation["state"] == "SUCCESSFUL").collect();
        for (kind, done) in operations(&theirs).filter(|(_, operation)| operation["status"] == "succeeded") {
            let is_it = |(of_kind, operation): &(&str, &Value)| {
                let reference = format!("{}-{}-{}", api.space, ours.number("/id"), operation["id"]);
                *of_kind == kind && done["reference"] == reference.as_str() && done["amount"] == two_decimals(&operation["amount"]).as_str()
            };
            let position = expected.iter().position(is_it);
            expected.remove(position.unwrap_or_else(|| panic!("done at the PSP, and not by us, or twice: {kind} {done}\n{both}")));
        }
        assert!(expected.is_empty(), "said to have succeeded, and not done: {expected:?}\n{both}");
        for (_, operation) in operations(&ours) {
            *found.states.entry(operation["state"].to_string()).or_default() += 1;
        }
        for order in &self.orders {
            let path = format!("{}/{}s", self.transaction, order.kind);
            let again = api.command(&path, &order.key, &order.body).await.expect(200);
            assert_eq!(again.number("/id"), order.id, "one key, one operation: {again}");
        }
        assert_eq!(operations(&ours).count(), self.orders.len(), "each command that was taken is one operation: {both}");
    }
}

/// As the PSP writes amounts in euros.
fn two_decimals(amount: &Value) -> String {
    format!("{:.2}", amount.as_f64().expect("a number"))
}
