//! A sandbox on a file, killed and started again. "Killed": what lies on the disk at that moment is copied and opened.

use crate::server::{START, Server, accounts, http};
use crate::webhooks::Receiver;
use psp_simulators::{Account, OpenError, Sandbox, Storage};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own, gone with the test.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("collana-sandbox-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn database(&self) -> PathBuf {
        self.0.join("sandbox.db")
    }

    /// What a process killed now would leave; the write-ahead log belongs to it.
    fn as_if_killed(&self) -> Self {
        let copy = Self::new();
        for name in ["sandbox.db", "sandbox.db-wal"] {
            std::fs::copy(self.0.join(name), copy.0.join(name)).unwrap();
        }
        copy
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _gone_with_the_machine_otherwise = std::fs::remove_dir_all(&self.0);
    }
}

async fn open(path: &Path, webhook_url: Option<&str>) -> Server {
    Server::start_with(Storage::File(path.to_owned()), webhook_url, START).await
}

#[tokio::test]
async fn payments_keys_counters_and_faults_survive() {
    let dir = Dir::new();
    let before = open(&dir.database(), None).await;
    let id = before.payment("49.90").await;
    let capture = before.capture(&id, "20.00", "c1").await;
    before.refund(&id, "5.00", "r1").await;
    before.read(&id).await.unwrap();
    before.shop("/faults", json!({ "on": "capture", "fault": "refuse", "times": 2, "payment": id })).await;
    assert_eq!(before.capture(&id, "1.00", "c2").await.verdict(), "422 refused");
    let seen = before.look(&id).await;

    let killed = dir.as_if_killed();
    let after = open(&killed.database(), None).await;
    assert_eq!(after.look(&id).await, seen);
    let replay = after.capture(&id, "20.00", "c1").await;
    assert_eq!((replay.replayed, replay.body), (true, capture.body));
    assert_eq!(after.capture(&id, "1.00", "c3").await.verdict(), "422 refused", "one of the two faults is left");
    assert_eq!(after.capture(&id, "29.90", "c4").await.status, 201);
    assert_eq!(before.look(&id).await, seen, "the copy is another sandbox");
}

#[tokio::test]
async fn a_magic_amount_that_was_lost_once_settles_after_a_restart() {
    let dir = Dir::new();
    let before = open(&dir.database(), None).await;
    let id = before.payment("49.90").await;
    assert!(before.try_capture(&id, "13.02", "k").await.is_err());
    let after = open(&dir.as_if_killed().database(), None).await;
    assert_eq!(after.capture(&id, "13.02", "k").await.status, 201);
}

#[tokio::test]
async fn a_slow_command_that_was_killed_leaves_its_key_free() {
    let dir = Dir::new();
    let before = open(&dir.database(), None).await;
    let id = before.payment("49.90").await;
    before.fault(&id, "capture", "slow").await;
    let body = json!({ "amount": "20.00", "currency": "EUR", "reference": "k" });
    let impatient = before.command(&id, "captures", "k", &body).timeout(std::time::Duration::from_millis(300));
    assert!(before.send(impatient).await.is_err());
    let after = open(&dir.as_if_killed().database(), None).await;
    let again = after.capture(&id, "20.00", "k").await;
    assert_eq!((again.status, again.replayed), (201, false));
}

#[tokio::test]
async fn pending_operations_and_undelivered_webhooks_are_taken_up() {
    let dir = Dir::new();
    let mut refusing = Receiver::start(&[503; 20]).await;
    let before = open(&dir.database(), Some(&refusing.url)).await;
    let id = before.payment("49.90").await;
    let undelivered = refusing.next().await;
    before.fault(&id, "capture", "pending").await;
    let capture = before.capture(&id, "20.00", "c1").await;
    let killed = dir.as_if_killed();

    let mut receiver = Receiver::start(&[]).await;
    let after = open(&killed.database(), Some(&receiver.url)).await;
    assert_eq!(after.state(&id).await, "authorized captured 0.00 refunded 0.00 voided 0.00");
    after.pass(300);
    assert!(receiver.is_quiet().await, "nothing moves before it is resumed");
    after.sandbox.resume_webhooks();
    after.sandbox.resume_webhooks();
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!((first.id(), &first.raw), (undelivered.id(), &undelivered.raw));
    assert_eq!((second.kind(), &second.body()["data"]["operationId"]), ("capture.succeeded".to_owned(), &capture.body["id"]));
    assert_eq!(after.state(&id).await, "authorized captured 20.00 refunded 0.00 voided 0.00");
    assert!(receiver.is_quiet().await, "each once");

    let again = open(&killed.as_if_killed().database(), Some(&receiver.url)).await;
    again.sandbox.resume_webhooks();
    assert!(receiver.is_quiet().await, "what was delivered is not delivered after the next restart");
}

#[tokio::test]
async fn a_sandbox_that_cannot_work_does_not_open() {
    let open = |accounts: Vec<Account>, storage| Sandbox::open(storage, accounts, Arc::new(|| START), http()).err();
    assert!(matches!(open(Vec::new(), Storage::Memory), Some(OpenError::NoAccount)));
    let twice = [accounts(None), accounts(None)].concat();
    assert!(matches!(open(twice, Storage::Memory), Some(OpenError::AccountTwice(name)) if name == "demo"));
    let mut same_key = accounts(None);
    same_key[1].secret_key = same_key[0].secret_key.clone();
    assert!(matches!(open(same_key, Storage::Memory), Some(OpenError::AccountTwice(name)) if name == "other"));
    let mut bad_secret = accounts(None);
    bad_secret[1].webhook_secret = "whsec_?".to_owned();
    assert!(matches!(open(bad_secret, Storage::Memory), Some(OpenError::WebhookSecret(name)) if name == "other"));
    assert!(matches!(open(accounts(Some("no url")), Storage::Memory), Some(OpenError::WebhookUrl(_))));
    let nowhere = Storage::File(Dir::new().0.join("no/such/directory"));
    assert!(matches!(open(accounts(None), nowhere), Some(OpenError::Storage(_))));
}
