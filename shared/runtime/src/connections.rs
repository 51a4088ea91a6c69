//! Opens connections: settings from the table, credentials from the vault, the adapter from the crate `psp`. What was opened
//! is kept for a few minutes, so that a command costs no read of settings.

use crate::secrets::{Place, Vault};
use app::ports::settings::ConnectionSettings;
use app::ports::store::StoreError;
use app::ports::{Clock, Connections, NoConnection, Psp};
use domain::Timestamp;
use domain::id::{ConnectionName, SpaceId};
use domain::time::Span;
use psp::Account;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// How long an opened connection is used before settings and credentials are read again.
const KEPT: Span = Span::from_seconds(300);

/// An account that is ready to be called, and until when it may be used without reading again.
struct Opened {
    until: Timestamp,
    psp: Arc<dyn Psp>,
}

/// The connections of a table.
pub struct Accounts<S, V, K> {
    settings: S,
    vault: V,
    clock: K,
    http: reqwest::Client,
    allow_loopback: bool,
    opened: Mutex<HashMap<Place, Opened>>,
}

impl<S, V, K: Clock> Accounts<S, V, K> {
    pub fn new(settings: S, vault: V, clock: K, http: reqwest::Client, allow_loopback: bool) -> Self {
        Self { settings, vault, clock, http, allow_loopback, opened: Mutex::default() }
    }

    fn kept(&self, place: &Place) -> Option<Arc<dyn Psp>> {
        let opened = self.opened.lock().ok()?;
        let Opened { until, psp } = opened.get(place)?;
        (self.clock.now() < *until).then(|| Arc::clone(psp))
    }

    fn keep(&self, place: Place, psp: &Arc<dyn Psp>) {
        if let Ok(mut opened) = self.opened.lock() {
            opened.insert(place, Opened { until: self.clock.now().plus(KEPT), psp: Arc::clone(psp) });
        }
    }
}

impl<S, V, K> Connections for Accounts<S, V, K>
where
    S: ConnectionSettings,
    V: Vault,
    K: Clock,
{
    async fn open(&self, space: SpaceId, name: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        let place = (space, name.clone());
        if let Some(psp) = self.kept(&place) {
            return Ok(psp);
        }
        let found = self.settings.find_connection(space, name).await.map_err(|error| match error {
            StoreError::Unavailable(detail) => NoConnection::Unusable(detail),
            StoreError::Inconsistent { item, attribute } => NoConnection::Unusable(format!("item {item}: attribute {attribute}")),
        })?;
        let connection = found.ok_or(NoConnection::NotFound)?;
        let settings =
            serde_json::from_str(&connection.settings).map_err(|_| NoConnection::Unusable("settings are not JSON".to_owned()))?;
        let credentials = self.vault.credentials(space, name).await.map_err(NoConnection::Unusable)?;
        let account = Account { settings, credentials, allow_loopback: self.allow_loopback };
        let psp = psp::open(&connection.psp, account, self.http.clone()).map_err(|error| NoConnection::Unusable(error.to_string()))?;
        self.keep(place, &psp);
        Ok(psp)
    }
}
