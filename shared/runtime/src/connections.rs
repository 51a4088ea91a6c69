//! Opens connections: settings from the table, credentials from where they are kept, the adapter from the crate `psp`. What was opened
//! is kept for a few minutes, so that a command costs no read of settings; where the PSP does not accept what was kept,
//! `renewing` has it read again before that. Where nothing can be read after those minutes, what was kept is used on: a table or a
//! parameter store that is away does not close a connection that works.

use crate::renewing::Renewing;
use crate::secrets::{Credentials, Place, ReadCredentials};
use app::ports::settings::{Connection, ConnectionSettings};
use app::ports::{Clock, Connections, NoConnection, Psp};
use domain::Timestamp;
use domain::id::{ConnectionName, SpaceId};
use domain::time::Span;
use psp::Account;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long an opened connection is used before settings and credentials are read again.
const KEPT: Span = Span::from_seconds(300);
/// How often at most they are read again before that, whatever a PSP answers and whoever sends webhooks; and how often it is
/// tried again where it failed.
const BETWEEN_READINGS: Span = Span::from_seconds(30);
/// How long after it was read an opened connection is used at most, where it cannot be read again.
const KEPT_AT_MOST: Span = Span::from_hours(1);

/// The connections of a table.
pub struct Accounts<S, V, K>(Arc<Inner<S, V, K>>);

struct Inner<S, V, K> {
    settings: S,
    secrets: V,
    clock: K,
    http: reqwest::Client,
    allow_loopback: bool,
    kept: Mutex<HashMap<Place, Kept>>,
    /// Held while something is read again: whoever else found the same out waits, and uses what was read.
    renewing: tokio::sync::Mutex<()>,
}

/// A connection as it was read, and the account that was opened with it.
pub(crate) struct Opened {
    connection: Connection,
    credentials: Credentials,
    pub(crate) psp: Arc<dyn Psp>,
}

struct Kept {
    opened: Arc<Opened>,
    read_on: Timestamp,
    until: Timestamp,
    last_renewal: Option<LastRenewal>,
}

/// The last time that something was read again before its time.
struct LastRenewal {
    on: Timestamp,
    /// Why it came to nothing, if it did.
    failure: Option<String>,
}

/// What comes of reading again.
pub(crate) enum Renewed {
    /// The account with the settings and credentials that there are by now.
    Other(Arc<Opened>),
    /// They are those that it was opened with, as far as they were read within the bound.
    Same,
    /// Nobody can tell whether there are others.
    Unreadable(String),
}

impl<S, V, K> Accounts<S, V, K> {
    pub fn new(settings: S, secrets: V, clock: K, http: reqwest::Client, allow_loopback: bool) -> Self {
        let (kept, renewing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { settings, secrets, clock, http, allow_loopback, kept, renewing }))
    }
}

impl<S, V, K> Connections for Accounts<S, V, K>
where
    S: ConnectionSettings + 'static,
    V: ReadCredentials + 'static,
    K: Clock + 'static,
{
    async fn open(&self, space: SpaceId, name: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        let place = (space, name.clone());
        let opened = match self.kept(&place) {
            Some(opened) => opened,
            None => match self.read(&place).await {
                Ok(read) => self.keep(&place, read),
                Err(error) => self.keep_on(&place, error)?,
            },
        };
        Ok(Arc::new(Renewing { accounts: Self(Arc::clone(&self.0)), place, opened }))
    }
}

impl<S: ConnectionSettings, V: ReadCredentials, K: Clock> Accounts<S, V, K> {
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Reads settings and credentials again, unless somebody did so not long ago.
    pub(crate) async fn renew(&self, place: &Place, opened: &Opened) -> Renewed {
        let _alone = self.0.renewing.lock().await;
        if let Some(newer) = self.kept(place).filter(|kept| kept.replaces(opened)) {
            return Renewed::Other(newer);
        }
        if let Err(last) = self.begin_renewal(place) {
            return last.map_or(Renewed::Same, Renewed::Unreadable);
        }
        let (space, connection) = place;
        match self.read(place).await {
            Ok(read) if read.replaces(opened) => {
                tracing::info!(%space, %connection, "the connection has other settings or credentials than it was opened with");
                Renewed::Other(self.keep(place, read))
            }
            Ok(_) | Err(NoConnection::NotFound) => Renewed::Same,
            Err(NoConnection::Unusable(detail)) => {
                tracing::warn!(%space, %connection, detail, "settings and credentials cannot be read again");
                self.fail_renewal(place, &detail);
                Renewed::Unreadable(detail)
            }
        }
    }

    async fn read(&self, place: &Place) -> Result<Opened, NoConnection> {
        let Inner { settings, secrets, http, allow_loopback, .. } = self.0.as_ref();
        let (space, name) = place;
        let found = settings.find_connection(*space, name).await.map_err(|error| NoConnection::Unusable(error.for_log()))?;
        let connection = found.ok_or(NoConnection::NotFound)?;
        let settings =
            serde_json::from_str(&connection.settings).map_err(|_| NoConnection::Unusable("settings are not JSON".to_owned()))?;
        let credentials = secrets.credentials(*space, name).await.map_err(NoConnection::Unusable)?;
        let account = Account { settings, credentials: credentials.clone(), allow_loopback: *allow_loopback };
        let psp = psp::open(&connection.psp, account, http.clone()).map_err(|error| NoConnection::Unusable(error.to_string()))?;
        Ok(Opened { connection, credentials, psp })
    }

    fn kept(&self, place: &Place) -> Option<Arc<Opened>> {
        let all = self.all_kept();
        let Kept { opened, until, .. } = all.get(place)?;
        (self.now() < *until).then(|| Arc::clone(opened))
    }

    fn keep(&self, place: &Place, opened: Opened) -> Arc<Opened> {
        let (opened, read_on) = (Arc::new(opened), self.now());
        let mut all = self.all_kept();
        let last_renewal = all.remove(place).and_then(|kept| kept.last_renewal);
        let kept = Kept { opened: Arc::clone(&opened), read_on, until: read_on.plus(KEPT), last_renewal };
        all.insert(place.clone(), kept);
        opened
    }

    /// What was kept, for a little longer, where it cannot be read again; one that was taken away is closed.
    fn keep_on(&self, place: &Place, error: NoConnection) -> Result<Arc<Opened>, NoConnection> {
        let now = self.now();
        let mut all = self.all_kept();
        match (all.get_mut(place), error) {
            (Some(kept), NoConnection::Unusable(detail)) if now.since(kept.read_on) < KEPT_AT_MOST => {
                let ((space, connection), minutes) = (place, now.since(kept.read_on).seconds() / 60);
                tracing::warn!(%space, %connection, minutes, detail, "settings and credentials cannot be read: earlier ones are used on");
                kept.until = now.plus(BETWEEN_READINGS).min(kept.read_on.plus(KEPT_AT_MOST));
                Ok(Arc::clone(&kept.opened))
            }
            (_, error) => {
                all.remove(place);
                Err(error)
            }
        }
    }

    /// Whether it is time to read again; then this counts as the last time, whatever comes of it. Otherwise why the last time
    /// came to nothing, if it did.
    fn begin_renewal(&self, place: &Place) -> Result<(), Option<String>> {
        let on = self.now();
        let mut all = self.all_kept();
        let Some(kept) = all.get_mut(place) else { return Err(None) };
        match &kept.last_renewal {
            Some(last) if on.since(last.on) < BETWEEN_READINGS => Err(last.failure.clone()),
            Some(_) | None => {
                kept.last_renewal = Some(LastRenewal { on, failure: None });
                Ok(())
            }
        }
    }

    fn fail_renewal(&self, place: &Place, detail: &str) {
        if let Some(last) = self.all_kept().get_mut(place).and_then(|kept| kept.last_renewal.as_mut()) {
            last.failure = Some(detail.to_owned());
        }
    }

    fn all_kept(&self) -> MutexGuard<'_, HashMap<Place, Kept>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    /// Whether this is the same PSP with other settings or credentials.
    fn replaces(&self, other: &Self) -> bool {
        self.psp.name() == other.psp.name() && !(self.connection == other.connection && is_same(&self.credentials, &other.credentials))
    }
}

/// Both are our own, so the time that a comparison takes tells nobody anything.
fn is_same(some: &Credentials, others: &Credentials) -> bool {
    let texts = |credentials: &Credentials| credentials.iter().map(|(name, secret)| (name.clone(), secret.expose().to_owned())).collect();
    let (some, others): (Vec<_>, Vec<_>) = (texts(some), texts(others));
    some == others
}
