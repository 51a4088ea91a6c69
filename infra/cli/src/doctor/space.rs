//! A space: each connection as far as a question that changes nothing can tell, its keys, and what waits.

use super::{Ended, Report};
use crate::arguments::At;
use crate::output::clean;
use crate::plan;
use crate::show::{day, settings_of};
use crate::target::{self, Target};
use api::time_text;
use app::ports::settings::{ApiKey, Configure, Connection, Space};
use app::ports::{Clock, Reading};
use domain::Timestamp;
use domain::time::Span;
use psp::{Account, id_of_no_payment};
use runtime::secrets::{Credentials, Holder, KeepCredentials};
use runtime::system::SystemClock;

/// A key that ends sooner than this is told.
const SOON: Span = Span::from_days(14);

/// What is due is done within minutes; what is due for longer than this nobody does.
const TOO_LONG: Span = Span::from_seconds(15 * 60);

pub async fn examine(at: &At, target: &Target, space: &Space, report: &mut Report) -> Result<(), Ended> {
    let id = space.id;
    let ended = |report: &mut Report, error| report.ends(format!("space {id}"), target::table(error).text, at.command("doctor"));
    let connections = target.store.list_connections(id).await.map_err(|error| ended(report, error))?;
    if connections.is_empty() {
        report.warning(format!("space {id}"), "it has no connection", at.command("apply -f FILE.toml"));
    }
    for connection in &connections {
        examine_connection(at, target, connection, report).await;
    }
    let now = SystemClock.now();
    let found = target.store.list_keys(id).await.map_err(|error| ended(report, error))?;
    keys(at, space, &found, now, report);
    let waiting = target.store.list_waiting(id).await.map_err(|error| ended(report, error))?;
    examine_waiting(space, &waiting, now, report);
    Ok(())
}

async fn examine_connection(at: &At, target: &Target, connection: &Connection, report: &mut Report) {
    let Connection { space, name, psp, settings } = connection;
    let subject = format!("connection {name} of space {space}");
    let again = at.command("apply -f FILE.toml");
    let holder = Holder::Connection(*space, name.clone());
    let credentials = match target.credentials.find(&holder).await {
        Ok(Some(credentials)) => credentials,
        Ok(None) if target.is_folder() => Credentials::new(),
        Ok(None) => {
            let parameter = format!("{}/{holder}", crate::aws::parameter_path(&at.stage));
            let fix = format!("{again}   # with the credentials of the connection in it");
            return report.problem(subject, format!("parameter {parameter} is missing"), fix);
        }
        Err(why) => {
            let fix = "Allow ssm:GetParameter and kms:Decrypt on it to who runs this.";
            return report.problem(subject, clean(&why), fix);
        }
    };
    let has_overlap = credentials.contains_key("previousWebhookSecret");
    let Some(settings) = settings_of(settings).as_object().cloned() else {
        return report.problem(subject, "its settings are not a JSON object", again);
    };
    let is_own_sandbox = target.is_folder() && psp == "sandbox" && !settings.contains_key("baseUrl");
    if let Err(why) = plan::check(target, psp, &settings, &credentials) {
        return report.problem(subject, format!("{} does not take it: {why}", clean(psp)), format!("{again}   # with that corrected"));
    }
    if is_own_sandbox {
        return report.fine(subject, "settings fit; the dev server's own sandbox runs when it does");
    }
    let account = Account { settings, credentials, allow_loopback: target.allow_loopback };
    ask(subject.clone(), psp, account, &again, report).await;
    if has_overlap {
        let fix = at.command("apply -f FILE.toml --end-overlap");
        report.warning(subject, "an earlier webhook secret is still taken beside the new one", fix);
    }
}

/// Asks the PSP for a payment that cannot be: that it knows none shows that it is reached and lets us in.
async fn ask(subject: String, psp: &str, account: Account, again: &str, report: &mut Report) {
    let opened = psp::http_client().and_then(|http| psp::open(psp, account, http));
    let (Ok(opened), Some(nobody)) = (opened, id_of_no_payment(psp)) else {
        return report.fine(subject, format!("settings and credentials fit; {} cannot be asked", clean(psp)));
    };
    match opened.read(&nobody).await {
        Reading::NotFound | Reading::Found(_) => report.fine(subject, format!("{} answers, and takes the credentials", clean(psp))),
        Reading::CredentialsRefused => {
            let text = format!("{} refuses the credentials: the secret key is wrong, revoked, or lacks a permission", clean(psp));
            report.problem(subject, text, format!("{again}   # with the secret key of the PSP's own pages"));
        }
        Reading::Unavailable { detail, retry_after: _ } => {
            let fix = "Look at the PSP's status page and at settings.baseUrl; then ask again.";
            report.problem(subject, format!("{} cannot be asked: {}", clean(psp), clean(&detail)), fix);
        }
    }
}

fn keys(at: &At, space: &Space, keys: &[ApiKey], now: Timestamp, report: &mut Report) {
    let subject = |key: &ApiKey| format!("key {} of client {}, space {}", key.id, key.client, space.id);
    let issue = |key: &ApiKey| {
        let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        at.command(&format!("key issue --space {} --client {} --scopes {}", space.id, key.client, scopes.join(",")))
    };
    let live: Vec<_> = keys.iter().filter(|key| key.is_live(now)).collect();
    if live.is_empty() {
        let fix = at.command(&format!("key issue --space {} --client NAME --scopes import,read,capture,refund,void", space.id));
        report.warning(format!("space {}", space.id), "it has no live key: nobody can call the API for it", fix);
    }
    // Whoever has another key to go on with has changed over.
    let stays = |key: &ApiKey| {
        let lasts = |other: &&ApiKey| other.expires_on.is_none_or(|on| now.plus(SOON) < on);
        live.iter().any(|other| other.client == key.client && other.id != key.id && lasts(other))
    };
    for key in keys.iter().filter(|key| key.revoked_on.is_none() && !stays(key)) {
        match key.expires_on {
            Some(on) if on <= now => report.problem(subject(key), format!("it expired on {}", day(on)), issue(key)),
            Some(on) if on <= now.plus(SOON) => report.warning(subject(key), format!("it expires on {}", day(on)), issue(key)),
            Some(_) | None => {}
        }
    }
    if !live.is_empty() {
        report.fine(format!("space {}", space.id), format!("live keys: {}", live.len()));
    }
}

fn examine_waiting(space: &Space, waiting: &[Timestamp], now: Timestamp, report: &mut Report) {
    let subject = format!("space {}", space.id);
    let late: Vec<_> = waiting.iter().filter(|due| due.plus(TOO_LONG) < now).collect();
    match late.first() {
        None => report.fine(subject, format!("waiting to be settled: {}, none of it for too long", waiting.len())),
        Some(first) => {
            let since = time_text::write(**first).unwrap_or_default();
            let text = format!("waiting to be settled for too long: {}, the first since {since}", late.len());
            report.problem(subject, text, "collana tx list --all   # then, for each that is open: collana tx show ID");
        }
    }
}
