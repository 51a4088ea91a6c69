//! What is in doubt settles by itself: by the PSP's webhook, or, where none comes, by the schedule that asks the PSP and sends
//! again with the same key what the PSP surely does not know.
//!
//! Somebody comes back to an operation after a minute. So the scenarios that wait for it wait at the same time, in one test.

use crate::harness::config::{Config, quiet_with};
use crate::harness::{Answer, Api, Payment, Server, data_folder, unique};
use crate::local_only;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A command, the fault that meets it at the PSP, what is answered to it at once, and how often the PSP gets it in all.
struct Case {
    kind: &'static str,
    fault: &'static str,
    answered: &'static str,
    requests: u64,
}

const fn case(kind: &'static str, fault: &'static str, answered: &'static str, requests: u64) -> Case {
    Case { kind, fault, answered, requests }
}

/// Where the PSP tells nothing.
const BY_ASKING: &[Case] = &[
    case("capture", "lost-answer", "UNKNOWN", 1),
    case("capture", "lost-request", "UNKNOWN", 2),
    case("capture", "error-500", "UNKNOWN", 1),
    case("capture", "error-503", "UNKNOWN", 2),
    case("capture", "garbage", "UNKNOWN", 1),
    // The answer names another amount than the PSP then shows.
    case("capture", "wrong-amount", "UNKNOWN", 1),
    case("refund", "lost-answer", "UNKNOWN", 1),
    case("refund", "lost-request", "UNKNOWN", 2),
    case("refund", "error-500", "UNKNOWN", 1),
    case("void", "lost-answer", "UNKNOWN", 1),
    case("void", "lost-request", "UNKNOWN", 2),
    case("void", "error-500", "UNKNOWN", 1),
];

/// Where its webhooks come; what was not done they do not tell.
const BY_WEBHOOK: &[Case] = &[
    case("capture", "lost-answer", "UNKNOWN", 1),
    case("capture", "error-500", "UNKNOWN", 1),
    case("capture", "garbage", "UNKNOWN", 1),
    case("capture", "wrong-amount", "UNKNOWN", 1),
    case("capture", "pending", "PENDING", 1),
    case("refund", "lost-answer", "UNKNOWN", 1),
    case("refund", "pending", "PENDING", 1),
    case("void", "lost-answer", "UNKNOWN", 1),
    case("void", "pending", "PENDING", 1),
];

/// A command in doubt.
struct Doubt<'a> {
    case: &'a Case,
    payment: Payment,
    transaction: String,
    key: String,
    answer: Answer,
}

impl Doubt<'_> {
    /// Sends the command into its fault.
    async fn of<'a>(api: &Api, case: &'a Case) -> Doubt<'a> {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        if case.kind == "refund" {
            api.captured(&transaction, "49.90").await;
        }
        api.fault(&payment, case.kind, case.fault, 1).await;
        let key = unique("doubt");
        let answer = api.command(&path(&transaction, case.kind), &key, &json!({})).await.expect(201);
        Doubt { case, payment, transaction, key, answer }
    }

    /// Waits until it is settled, and looks at it from all sides.
    async fn settles(&self, api: &Api, within: Duration) {
        let Case { kind, fault, requests, .. } = self.case;
        let whole = until_final(api, &self.transaction, kind, within).await;
        assert_eq!(whole.text(&format!("/{kind}s/0/state")), "SUCCESSFUL", "{kind} {fault}: {whole}");
        let moved = match *kind {
            "capture" => "captured",
            "refund" => "refunded",
            _ => "voided",
        };
        assert_eq!(whole.digits(moved)[0], "49.90", "{kind} {fault}: {whole}");
        once_at_psp(&api.at_sandbox(&self.payment).await, kind, *requests, moved);

        let again = api.command(&path(&self.transaction, kind), &self.key, &json!({})).await.expect(200);
        assert_eq!((again.text("/state"), again.at("/id")), ("SUCCESSFUL".to_owned(), self.answer.at("/id")), "{kind} {fault}: {again}");
    }
}

fn path(transaction: &str, kind: &str) -> String {
    format!("{transaction}/{kind}s")
}

/// The PSP has done it once, all of the payment, and all that it got was under one key.
fn once_at_psp(at_psp: &Answer, kind: &str, requests: u64, moved: &str) {
    let done = at_psp.at(&format!("/{kind}s")).as_array().expect("a list");
    assert_eq!((done.len(), &done[0]["status"], &done[0]["amount"]), (1, &json!("succeeded"), &json!("49.90")), "{at_psp}");
    assert_eq!((at_psp.number(&format!("/calls/{kind}")), at_psp.text(&format!("/{moved}"))), (1, "49.90".to_owned()), "{at_psp}");
    let keys = at_psp.at("/keys").as_array().expect("a list").iter().filter(|used| used["call"] == kind);
    let used: Vec<_> = keys.map(|used| used["requests"].as_u64()).collect();
    assert_eq!(used, [Some(requests)], "one key, and so many requests with it: {at_psp}");
}

/// Nobody but the system itself does anything meanwhile.
async fn until_final(api: &Api, transaction: &str, kind: &str, within: Duration) -> Answer {
    let end = Instant::now() + within;
    loop {
        let whole = api.get(transaction).await.expect(200);
        let state = whole.text(&format!("/{kind}s/0/state"));
        if state == "SUCCESSFUL" || state == "FAILED" || Instant::now() > end {
            return whole;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// A minute, and what a busy machine needs beyond that.
const BY_THE_SCHEDULE: Duration = Duration::from_secs(100);
/// Less than the schedule waits before it looks for the first time.
const BY_THE_PSP: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_is_in_doubt_settles_when_the_psp_tells_what_it_did() {
    local_only!();
    let folder = data_folder("told");
    let api = Api::local(&["--data", folder.to_str().expect("UTF-8")]).await;
    let begin = Instant::now();
    let doubts = join_all(BY_WEBHOOK.iter().map(|case| Doubt::of(&api, case))).await;
    for doubt in &doubts {
        let state = doubt.answer.text("/state");
        // The webhook may come before the answer is written down.
        assert!([doubt.case.answered, "SUCCESSFUL"].contains(&state.as_str()), "{}: {}", doubt.case.fault, doubt.answer);
    }
    join_all(doubts.iter().map(|doubt| doubt.settles(&api, BY_THE_PSP))).await;
    assert!(begin.elapsed() < Duration::from_secs(60), "before anybody asks");
}

#[tokio::test]
async fn what_is_in_doubt_settles_although_the_psp_tells_nothing() {
    local_only!();
    tokio::join!(settles_by_asking(), outlives_us(), dies_with_us());
}

/// The faults, each at a payment of its own.
async fn settles_by_asking() {
    let folder = data_folder("asked");
    let (api, _psp) = quiet_with(&["--data", folder.to_str().expect("UTF-8")]).await;
    let doubts = join_all(BY_ASKING.iter().map(|case| Doubt::of(&api, case))).await;
    for doubt in &doubts {
        assert_eq!(doubt.answer.text("/state"), doubt.case.answered, "{} {}: {}", doubt.case.kind, doubt.case.fault, doubt.answer);
    }
    join_all(doubts.iter().map(|doubt| doubt.settles(&api, BY_THE_SCHEDULE))).await;
}

/// Killed during a slow capture that the PSP carries on with: found there, and not sent again.
async fn outlives_us() {
    let folder = data_folder("killed");
    let psp = Server::start(&["--sandbox-only"]).await;
    let sandbox = psp.ready["sandbox"].as_str().expect("where the sandbox is").to_owned();
    let config = Config::default().space(1).sandbox_at("sandbox", &sandbox);
    let api = Api { sandbox: sandbox.clone(), ..config.clone().start_in(&folder).await };
    let (transaction, payment) = killed_in_mid_capture(&api).await;
    let after = Api { sandbox, ..config.start_in(&folder).await };
    settles_after_the_kill(&after, &transaction, &payment, 1).await;
}

/// Killed together with the PSP, which had not begun: sent again with the same key.
async fn dies_with_us() {
    let folder = data_folder("killed-both");
    let start = async |folder: &Path| Api::local(&["--data", folder.to_str().expect("UTF-8")]).await;
    let (transaction, payment) = killed_in_mid_capture(&start(&folder).await).await;
    settles_after_the_kill(&start(&folder).await, &transaction, &payment, 2).await;
}

/// Ends the server while the PSP takes its time for a capture.
async fn killed_in_mid_capture(api: &Api) -> (String, Payment) {
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "slow", 1).await;
    let request = api.request(Method::POST, &path(&transaction, "capture")).header("idempotency-key", "k").body("{}");
    let capture = tokio::spawn(request.send());
    while api.at_sandbox(&payment).await.at("/keys") == &json!([]) {
        sleep(Duration::from_millis(20)).await;
    }
    api.server.as_ref().expect("a server").kill().await;
    assert!(capture.await.expect("the task ends").is_err(), "no answer");
    (transaction, payment)
}

async fn settles_after_the_kill(api: &Api, transaction: &str, payment: &Payment, requests: u64) {
    let open = api.get(transaction).await.expect(200);
    let shown = (open.text("/captures/0/state"), open.digits("capturePending"));
    assert_eq!(shown, ("REQUESTED".to_owned(), vec!["49.90".to_owned()]), "{open}");
    let whole = until_final(api, transaction, "capture", BY_THE_SCHEDULE).await;
    assert_eq!((whole.text("/captures/0/state"), whole.text("/state")), ("SUCCESSFUL".to_owned(), "FULFILL".to_owned()), "{whole}");
    once_at_psp(&api.at_sandbox(payment).await, "capture", requests, "captured");
    let again = api.command(&path(transaction, "capture"), "k", &json!({})).await.expect(200);
    assert_eq!(again.text("/state"), "SUCCESSFUL", "{again}");
}
