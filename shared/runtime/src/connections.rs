//! Opens connections: settings from the table, credentials from the vault, the adapter from the crate `psp`. What was opened
//! is kept for a few minutes, so that a command costs no read of settings; where the PSP does not accept what was kept,
//! `renewing` has it read again before that.

use crate::renewing::Renewing;
use crate::secrets::{Credentials, Place, Vault};
use app::ports::settings::{Connection, ConnectionSettings};
use app::ports::store::StoreError;
use app::ports::{Clock, Connections, NoConnection, Psp};
use domain::Timestamp;
use domain::id::{ConnectionName, SpaceId};
use domain::time::Span;
use psp::Account;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long an opened connection is used before settings and credentials are read again.
const KEPT: Span = Span::from_seconds(300);
/// How often at most they are read again before that, whatever a PSP answers and whoever sends webhooks.
const BETWEEN_RENEWALS: Span = Span::from_seconds(30);

/// The connections of a table.
pub struct Accounts<S, V, K>(Arc<Inner<S, V, K>>);

struct Inner<S, V, K> {
    settings: S,
    vault: V,
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
    until: Timestamp,
    renewed_on: Option<Timestamp>,
}

impl<S, V, K> Accounts<S, V, K> {
    pub fn new(settings: S, vault: V, clock: K, http: reqwest::Client, allow_loopback: bool) -> Self {
        let (kept, renewing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { settings, vault, clock, http, allow_loopback, kept, renewing }))
    }
}

impl<S, V, K> Connections for Accounts<S, V, K>
where
    S: ConnectionSettings + 'static,
    V: Vault + 'static,
    K: Clock + 'static,
{
    async fn open(&self, space: SpaceId, name: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        let place = (space, name.clone());
        let opened = match self.kept(&place) {
            Some(opened) => opened,
            None => self.keep(&place, self.read(&place).await?),
        };
        Ok(Arc::new(Renewing { accounts: Self(Arc::clone(&self.0)), place, opened }))
    }
}

impl<S: ConnectionSettings, V: Vault, K: Clock> Accounts<S, V, K> {
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The account with settings and credentials as they are now; none where they are those that it was opened with, where
    /// they cannot be read, or where they were read again not long ago.
    pub(crate) async fn renew(&self, place: &Place, opened: &Opened) -> Option<Arc<Opened>> {
        let _alone = self.0.renewing.lock().await;
        if let Some(newer) = self.kept(place).filter(|kept| kept.replaces(opened)) {
            return Some(newer);
        }
        if !self.may_renew(place) {
            return None;
        }
        let (space, connection) = place;
        match self.read(place).await {
            Ok(read) if read.replaces(opened) => {
                tracing::info!(%space, %connection, "the connection has other settings or credentials than it was opened with");
                Some(self.keep(place, read))
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%space, %connection, ?error, "settings and credentials cannot be read again");
                None
            }
        }
    }

    async fn read(&self, place: &Place) -> Result<Opened, NoConnection> {
        let Inner { settings, vault, http, allow_loopback, .. } = self.0.as_ref();
        let (space, name) = place;
        let found = settings.find_connection(*space, name).await.map_err(|error| match error {
            StoreError::Unavailable(detail) => NoConnection::Unusable(detail),
            StoreError::Inconsistent { item, attribute } => NoConnection::Unusable(format!("item {item}: attribute {attribute}")),
        })?;
        let connection = found.ok_or(NoConnection::NotFound)?;
        let settings =
            serde_json::from_str(&connection.settings).map_err(|_| NoConnection::Unusable("settings are not JSON".to_owned()))?;
        let credentials = vault.credentials(*space, name).await.map_err(NoConnection::Unusable)?;
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
        let (opened, until) = (Arc::new(opened), self.now().plus(KEPT));
        let mut all = self.all_kept();
        let renewed_on = all.get(place).and_then(|kept| kept.renewed_on);
        all.insert(place.clone(), Kept { opened: Arc::clone(&opened), until, renewed_on });
        opened
    }

    /// Whether it is time to read again; then this counts as the last time, whatever comes of it.
    fn may_renew(&self, place: &Place) -> bool {
        let now = self.now();
        match self.all_kept().get_mut(place) {
            Some(kept) if kept.renewed_on.is_none_or(|last| now.since(last) >= BETWEEN_RENEWALS) => {
                kept.renewed_on = Some(now);
                true
            }
            Some(_) | None => false,
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
