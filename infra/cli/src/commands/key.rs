//! `collana key issue|list|revoke`

use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::{Out, clean, tell};
use crate::show;
use crate::target::{self, Target};
use api::time_text;
use app::keys::{self, NotIssued, Purpose};
use app::ports::Clock;
use app::ports::settings::Configure;
use clap::{Args, Subcommand};
use domain::Timestamp;
use domain::id::{ClientName, SpaceId};
use domain::scope::Scope;
use domain::time::Span;
use runtime::system::{SystemClock, SystemSource};
use serde_json::json;

/// Issue, list and revoke API keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    Issue(Issue),
    List(List),
    Revoke(Revoke),
}

impl Key {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let target = Target::open(at).await?;
        match self {
            Self::Issue(issue) => issue.run(&target, out).await,
            Self::List(List { space }) => list(&target, *space, out).await,
            Self::Revoke(Revoke { id }) => revoke(&target, id, out).await,
        }
    }
}

/// Make a key for a client. It is printed once, alone on standard output, and kept by nobody.
///
/// A client has at most two live keys: one in use, one to change over to.
#[derive(Debug, Args)]
#[command(after_help = "Example: (umask 077; collana key issue --space 1 --client erp --scopes read,capture --expires 365d > key.txt)")]
pub struct Issue {
    /// The space that the key opens.
    #[arg(long, value_name = "ID", value_parser = super::space_id)]
    space: SpaceId,
    /// The program or partner that will hold the key.
    #[arg(long, value_name = "NAME", value_parser = client)]
    client: ClientName,
    /// What the key allows: import, read, capture, refund, void, transactions, admin.
    #[arg(long, value_name = "SCOPE,…", required = true, value_delimiter = ',', value_parser = scope)]
    scopes: Vec<Scope>,
    /// Call it a live key; without it the key begins with cp_test_.
    #[arg(long)]
    live: bool,
    /// When it ends: after so many days (90d), or on a day (2027-01-31). Without it never.
    #[arg(long, value_name = "90d|DATE", value_parser = Expiry::parse)]
    expires: Option<Expiry>,
}

fn client(text: &str) -> Result<ClientName, String> {
    ClientName::parse(text).ok_or_else(|| "a name has lower case letters, digits and hyphens, at most 40".to_owned())
}

fn scope(text: &str) -> Result<Scope, String> {
    let names = || Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    Scope::parse(text).ok_or_else(|| format!("one of {}", names()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    After(Span),
    On(Timestamp),
}

impl Expiry {
    fn parse(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse::<u16>().ok()).filter(|days| *days > 0);
        let on = || time_text::parse(&format!("{text}T00:00:00Z")).or_else(|| time_text::parse(text));
        let expiry = days.map(|days| Self::After(Span::from_days(days.into()))).or_else(|| on().map(Self::On));
        expiry.ok_or_else(|| "days such as 90d, or a day such as 2027-01-31".to_owned())
    }

    /// The moment; none in the past, since such a key would open nothing.
    fn moment(self, now: Timestamp) -> Result<Timestamp, Failure> {
        match self {
            Self::After(span) => Ok(now.plus(span)),
            Self::On(moment) if moment > now => Ok(moment),
            Self::On(_) => Err(Failure::usage("--expires is in the past")),
        }
    }
}

impl Issue {
    async fn run(&self, target: &Target, out: Out) -> Result<Exit, Failure> {
        super::space::find(target, self.space).await?;
        let expires_on = self.expires.map(|expiry| expiry.moment(SystemClock.now())).transpose()?;
        let mut scopes = self.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let purpose = Purpose { space: self.space, client: self.client.clone(), scopes, expires_on };
        let issued = keys::issue(&target.store, &SystemClock, &SystemSource, purpose, self.live).await;
        let (record, key) = issued.map_err(|why| match why {
            NotIssued::TooMany(ids) => Failure::new(format!("client {} has two live keys: {}", self.client, ids.join(", ")))
                .hint(format!("Revoke the one that is no longer used: `collana key revoke {}`.", ids.first().map_or("ID", String::as_str))),
            NotIssued::Store(error) => target::table(error),
        })?;
        let until = record.expires_on.map_or_else(|| "it does not expire".to_owned(), |on| format!("it expires on {}", show::day(on)));
        tell(&format!("Key {} of client {}, space {}; {until}. It is shown once: keep it now.", record.id, self.client, self.space));
        let mut document = show::key(&record, SystemClock.now());
        document["key"] = key.as_str().into();
        out.result(&document, || key.clone())?;
        Ok(Exit::Done)
    }
}

/// List the keys of a space, revoked and expired ones too.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana key list --space 1")]
pub struct List {
    /// The space.
    #[arg(long, value_name = "ID", value_parser = super::space_id)]
    space: SpaceId,
}

async fn list(target: &Target, space: SpaceId, out: Out) -> Result<Exit, Failure> {
    super::space::find(target, space).await?;
    let mut keys = target.store.list_keys(space).await.map_err(target::table)?;
    keys.sort_by(|a, b| (&a.client, a.created_on).cmp(&(&b.client, b.created_on)));
    let now = SystemClock.now();
    let document = json!({"keys": keys.iter().map(|key| show::key(key, now)).collect::<Vec<_>>()});
    out.result(&document, || show::keys(&keys, now))?;
    Ok(Exit::Done)
}

/// Revoke a key at once. The gateway may let its holder in for another minute.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana key revoke 5f0c2a9d13be")]
pub struct Revoke {
    /// The id of the key, as `key list` shows it; not the key itself.
    #[arg(value_name = "KEY_ID")]
    id: String,
}

/// What was given is not repeated: it may be the key.
fn check_id(text: &str) -> Result<(), Failure> {
    let is_id = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if is_id { Ok(()) } else { Err(Failure::usage("the id of a key has 12 hexadecimal digits, as `collana key list` shows it")) }
}

async fn revoke(target: &Target, id: &str, out: Out) -> Result<Exit, Failure> {
    check_id(id)?;
    let now = SystemClock.now();
    let revoked = target.store.revoke_key(id, now).await.map_err(target::table)?;
    let key =
        revoked.ok_or_else(|| Failure::new(format!("there is no key {id}")).hint("`collana key list --space N` tells which there are."))?;
    out.result(&show::key(&key, now), || {
        let on = key.revoked_on.and_then(time_text::write).unwrap_or_default();
        format!("revoked: key {} of client {}, space {}, on {on}", clean(&key.id), key.client, key.space)
    })?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_number_of_days_or_a_day() {
        assert_eq!(Expiry::parse("90d"), Ok(Expiry::After(Span::from_days(90))));
        assert_eq!(Expiry::parse("2027-01-31"), Ok(Expiry::On(time_text::parse("2027-01-31T00:00:00Z").unwrap())));
        for text in ["", "0d", "-1d", "90", "d", "31.01.2027", "2027-13-01", "tomorrow"] {
            assert!(Expiry::parse(text).is_err(), "{text}");
        }
        let now = time_text::parse("2027-06-01T00:00:00Z").unwrap();
        assert!(Expiry::parse("2027-01-31").unwrap().moment(now).is_err());
    }
}
