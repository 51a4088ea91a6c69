//! What all routes and background jobs share: accounts, clock, database, and the one way to change something.

use crate::sandbox::answer::Problem;
use crate::sandbox::background::Job;
use crate::sandbox::command::KeysInWork;
use crate::sandbox::payment::Payment;
use crate::sandbox::storage::{Changes, Database};
use crate::sandbox::webhooks::SigningKey;
use crate::sandbox::{Account, Broken, Clock, OpenError, Storage};
use axum::http::{HeaderMap, header};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;

pub struct Engine {
    pub accounts: Vec<Merchant>,
    pub http: reqwest::Client,
    pub keys_in_work: KeysInWork,
    clock: Clock,
    database: Database,
    left_over: Mutex<Vec<Job>>,
    /// Jobs know the engine weakly; dropping the engine ends them.
    jobs: Mutex<JoinSet<()>>,
}

pub struct Merchant {
    pub account: Account,
    pub signing_key: SigningKey,
}

impl Engine {
    pub fn open(storage: Storage, accounts: Vec<Account>, clock: Clock, http: reqwest::Client) -> Result<Self, OpenError> {
        let accounts = merchants(accounts)?;
        let database = Database::open(storage).map_err(|e| OpenError::Storage(e.into()))?;
        let left_over = database.write(|changes| {
            changes.forget_old_attempts(clock())?;
            changes.jobs_left()
        });
        Ok(Self {
            accounts,
            http,
            keys_in_work: KeysInWork::default(),
            clock,
            database,
            left_over: Mutex::new(left_over.map_err(OpenError::Storage)?.0),
            jobs: Mutex::default(),
        })
    }

    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// All that `work` changes is committed before this returns, or nothing of it; then the jobs that follow are started.
    pub fn write<T>(self: &Arc<Self>, work: impl FnOnce(&Changes<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        let (value, jobs) = self.database.write(work)?;
        self.start(jobs);
        Ok(value)
    }

    pub fn resume(self: &Arc<Self>) {
        let left_over = std::mem::take(&mut *lock(&self.left_over));
        self.start(left_over);
    }

    fn start(self: &Arc<Self>, jobs: Vec<Job>) {
        let mut running = lock(&self.jobs);
        while running.try_join_next().is_some() {}
        for job in jobs {
            running.spawn(job.run(Arc::downgrade(self)));
        }
    }

    /// The account whose secret key stands in `Authorization: Bearer`.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<&Account, Problem> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let merchant = bearer.and_then(|key| self.accounts.iter().find(|m| m.account.secret_key == key));
        merchant
            .map(|m| &m.account)
            .ok_or_else(|| Problem::new(401, "unauthorized", "`Authorization: Bearer <secret key>` of an account is needed"))
    }

    pub fn merchant(&self, name: &str) -> Option<&Merchant> {
        self.accounts.iter().find(|m| m.account.name == name)
    }
}

/// The payment, if this account may see it.
pub fn payment_of(changes: &Changes<'_>, account: &str, id: &str) -> Result<Payment, Problem> {
    changes.payment(id)?.filter(|payment| payment.account == account).ok_or_else(|| Problem::no_payment(id))
}

/// `sb_` and the like, with 96 random bits behind.
#[expect(clippy::disallowed_methods, reason = "the one place where the simulated PSP draws its ids; it has no ports")]
pub fn draw_id(prefix: &str) -> Result<String, Broken> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(format!("{prefix}_"), |id, byte| format!("{id}{byte:02x}")))
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn merchants(accounts: Vec<Account>) -> Result<Vec<Merchant>, OpenError> {
    if accounts.is_empty() {
        return Err(OpenError::NoAccount);
    }
    let mut merchants: Vec<Merchant> = Vec::with_capacity(accounts.len());
    for account in accounts {
        let name = || account.name.clone();
        if merchants.iter().any(|m| m.account.name == account.name || m.account.secret_key == account.secret_key) {
            return Err(OpenError::AccountTwice(name()));
        }
        if account.webhook_url.as_ref().is_some_and(|url| reqwest::Url::parse(url).is_err()) {
            return Err(OpenError::WebhookUrl(name()));
        }
        let signing_key = SigningKey::parse(&account.webhook_secret).ok_or_else(|| OpenError::WebhookSecret(name()))?;
        merchants.push(Merchant { account, signing_key });
    }
    Ok(merchants)
}
