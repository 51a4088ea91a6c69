//! SQLite: one transaction per change, committed before it is answered. Knows no rule.
//!
//! WAL with `synchronous = NORMAL`: a killed process loses nothing that was committed. A statement takes microseconds, so
//! it runs on the caller's thread.

use crate::sandbox::answer::Answer;
use crate::sandbox::background::Job;
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::payment::Payment;
use crate::sandbox::{Broken, Storage};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS payment (id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS attempt (account TEXT, key TEXT, command TEXT NOT NULL, status INTEGER, body TEXT, since INTEGER NOT NULL,
        PRIMARY KEY (account, key)) STRICT;
    CREATE TABLE IF NOT EXISTS fault (sequence INTEGER PRIMARY KEY, call TEXT NOT NULL, fault TEXT NOT NULL, times INTEGER NOT NULL,
        account TEXT, payment TEXT) STRICT;
    CREATE TABLE IF NOT EXISTS webhook (id TEXT PRIMARY KEY, account TEXT NOT NULL, body TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS settlement (operation TEXT PRIMARY KEY, payment TEXT NOT NULL, due INTEGER NOT NULL) STRICT;
";

/// How long an idempotency key is remembered.
const KEY_LIFE_MS: i64 = 24 * 60 * 60 * 1000;

pub struct Database {
    connection: Mutex<Connection>,
}

impl Database {
    pub fn open(storage: Storage) -> Result<Self, rusqlite::Error> {
        let connection = match storage {
            Storage::Memory => Connection::open_in_memory()?,
            Storage::File(path) => Connection::open(path)?,
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs `work` alone and commits what it changed, or nothing if it fails. Jobs that it noted are to be started now.
    pub fn write<T, E: From<Broken>>(&self, work: impl FnOnce(&Changes<'_>) -> Result<T, E>) -> Result<(T, Vec<Job>), E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Broken::from)?;
        let changes = Changes { transaction, jobs: RefCell::default() };
        let value = work(&changes)?;
        let Changes { transaction, jobs } = changes;
        transaction.commit().map_err(Broken::from)?;
        Ok((value, jobs.into_inner()))
    }
}

/// One transaction under way.
pub struct Changes<'a> {
    transaction: rusqlite::Transaction<'a>,
    jobs: RefCell<Vec<Job>>,
}

/// What is known of an idempotency key.
pub struct Attempt {
    pub command: String,
    /// None: the first try was lost on purpose, and the next one is not to be.
    pub answer: Option<Answer>,
}

/// A fault as ordered: the next `times` calls that fit.
pub struct FaultOrder {
    pub call: Call,
    pub fault: Fault,
    pub times: u32,
    pub account: Option<String>,
    pub payment: Option<String>,
}

pub struct StoredWebhook {
    pub account: String,
    pub body: String,
}

impl Changes<'_> {
    pub fn payment(&self, id: &str) -> Result<Option<Payment>, Broken> {
        let sql = "SELECT document FROM payment WHERE id = ?1";
        let document: Option<String> = self.transaction.query_row(sql, [id], |row| row.get(0)).optional()?;
        Ok(document.map(|document| serde_json::from_str(&document)).transpose()?)
    }

    pub fn put_payment(&self, payment: &Payment) -> Result<(), Broken> {
        let document = serde_json::to_string(payment)?;
        self.transaction.execute("INSERT OR REPLACE INTO payment (id, document) VALUES (?1, ?2)", [&payment.id, &document])?;
        Ok(())
    }

    pub fn attempt(&self, account: &str, key: &str, now: i64) -> Result<Option<Attempt>, Broken> {
        let sql = "SELECT command, status, body FROM attempt WHERE account = ?1 AND key = ?2 AND since > ?3";
        let read = |row: &Row<'_>| {
            let (status, body): (Option<u16>, Option<String>) = (row.get(1)?, row.get(2)?);
            Ok(Attempt { command: row.get(0)?, answer: status.zip(body).map(|(status, body)| Answer { status, body }) })
        };
        Ok(self.transaction.query_row(sql, params![account, key, now.saturating_sub(KEY_LIFE_MS)], read).optional()?)
    }

    pub fn put_attempt(&self, account: &str, key: &str, attempt: &Attempt, now: i64) -> Result<(), Broken> {
        let (status, body) = attempt.answer.as_ref().map(|a| (a.status, &a.body)).unzip();
        self.transaction.execute(
            "INSERT OR REPLACE INTO attempt (account, key, command, status, body, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![account, key, attempt.command, status, body, now],
        )?;
        Ok(())
    }

    pub fn add_fault(&self, order: &FaultOrder) -> Result<(), Broken> {
        self.transaction.execute(
            "INSERT INTO fault (call, fault, times, account, payment) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![order.call.as_str(), order.fault.as_str(), order.times, order.account, order.payment],
        )?;
        Ok(())
    }

    /// Forgets the orders for `call` of that scope: those of one fault, or all.
    pub fn clear_faults(&self, call: Call, fault: Option<Fault>, account: Option<&str>, payment: Option<&str>) -> Result<(), Broken> {
        self.transaction.execute(
            "DELETE FROM fault WHERE call = ?1 AND (?2 IS NULL OR fault = ?2) AND account IS ?3 AND payment IS ?4",
            params![call.as_str(), fault.map(Fault::as_str), account, payment],
        )?;
        Ok(())
    }

    /// The oldest order that fits this call, used up by one.
    pub fn take_fault(&self, call: Call, payment: &Payment) -> Result<Option<Fault>, Broken> {
        let sql = "SELECT sequence, fault, times FROM fault WHERE call = ?1 AND (account IS NULL OR account = ?2)
                   AND (payment IS NULL OR payment = ?3) ORDER BY sequence LIMIT 1";
        let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?));
        let first = self.transaction.query_row(sql, [call.as_str(), &payment.account, &payment.id], read).optional()?;
        let Some((sequence, fault, times)) = first else { return Ok(None) };
        if times > 1 {
            self.transaction.execute("UPDATE fault SET times = times - 1 WHERE sequence = ?1", [sequence])?;
        } else {
            self.transaction.execute("DELETE FROM fault WHERE sequence = ?1", [sequence])?;
        }
        let known = Fault::parse(&fault).ok_or_else(|| format!("the database holds an unknown fault `{fault}`"))?;
        Ok(Some(known))
    }

    /// Orders still waiting, oldest first.
    pub fn faults(&self) -> Result<Vec<FaultOrder>, Broken> {
        let mut statement = self.transaction.prepare("SELECT call, fault, times, account, payment FROM fault ORDER BY sequence")?;
        let mut rows = statement.query([])?;
        let mut orders = Vec::new();
        while let Some(row) = rows.next()? {
            let (call, fault): (String, String) = (row.get(0)?, row.get(1)?);
            let (Some(call), Some(fault)) = (Call::parse(&call), Fault::parse(&fault)) else {
                return Err(format!("the database holds an unknown fault `{fault}` on `{call}`").into());
            };
            orders.push(FaultOrder { call, fault, times: row.get(2)?, account: row.get(3)?, payment: row.get(4)? });
        }
        Ok(orders)
    }

    /// Stores a webhook and notes its delivery.
    pub fn add_webhook(&self, id: String, webhook: &StoredWebhook) -> Result<(), Broken> {
        let row = [&id, &webhook.account, &webhook.body];
        self.transaction.execute("INSERT INTO webhook (id, account, body) VALUES (?1, ?2, ?3)", row)?;
        self.jobs.borrow_mut().push(Job::Deliver { webhook: id });
        Ok(())
    }

    pub fn webhook(&self, id: &str) -> Result<Option<StoredWebhook>, Broken> {
        let read = |row: &Row<'_>| Ok(StoredWebhook { account: row.get(0)?, body: row.get(1)? });
        Ok(self.transaction.query_row("SELECT account, body FROM webhook WHERE id = ?1", [id], read).optional()?)
    }

    pub fn remove_webhook(&self, id: &str) -> Result<(), Broken> {
        self.transaction.execute("DELETE FROM webhook WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Stores that a pending operation succeeds at `due`, and notes it.
    pub fn add_settlement(&self, payment: &str, operation: &str, due: i64) -> Result<(), Broken> {
        let row = params![operation, payment, due];
        self.transaction.execute("INSERT INTO settlement (operation, payment, due) VALUES (?1, ?2, ?3)", row)?;
        self.jobs.borrow_mut().push(Job::Settle { payment: payment.to_owned(), operation: operation.to_owned(), due });
        Ok(())
    }

    pub fn remove_settlement(&self, operation: &str) -> Result<(), Broken> {
        self.transaction.execute("DELETE FROM settlement WHERE operation = ?1", [operation])?;
        Ok(())
    }

    /// What an earlier process left to do.
    pub fn jobs_left(&self) -> Result<Vec<Job>, Broken> {
        let settle = |row: &Row<'_>| Ok(Job::Settle { payment: row.get(0)?, operation: row.get(1)?, due: row.get(2)? });
        let deliver = |row: &Row<'_>| Ok(Job::Deliver { webhook: row.get(0)? });
        let mut settlements = self.transaction.prepare("SELECT payment, operation, due FROM settlement ORDER BY due")?;
        let mut webhooks = self.transaction.prepare("SELECT id FROM webhook ORDER BY rowid")?;
        Ok(webhooks.query_map([], deliver)?.chain(settlements.query_map([], settle)?).collect::<Result<_, _>>()?)
    }

    /// Attempts whose key is free again.
    pub fn forget_old_attempts(&self, now: i64) -> Result<(), Broken> {
        self.transaction.execute("DELETE FROM attempt WHERE since <= ?1", [now.saturating_sub(KEY_LIFE_MS)])?;
        Ok(())
    }
}
