//! Secrets of a settings file: where they come from, and what of them changes.

use super::{Change, Line};
use crate::aws;
use crate::failure::Failure;
use crate::target::Target;
use psp::Secret;
use runtime::secrets::{Credentials, Holder, KeepCredentials};
use runtime::settings_file::{SecretText, SettingsFile};
use std::collections::BTreeMap;

/// A secret that stands in the file has been in an editor, a repository, a backup: only what stays on this machine may have one.
pub fn refuse_literals(file: &SettingsFile) -> Result<(), Failure> {
    let is_literal = |secret: &SecretText| matches!(secret, SecretText::Literal(_));
    for space in &file.spaces {
        let connections = space.connections.iter().map(|connection| (format!("connection {}", connection.name), &connection.credentials));
        let endpoints = space.endpoints.iter().map(|endpoint| (format!("endpoint {}", endpoint.name), &endpoint.credentials));
        let mut holders = connections.chain(endpoints);
        let found = holders.find_map(|(holder, credentials)| {
            let name = credentials.iter().find(|(_, secret)| is_literal(secret))?.0;
            Some(format!("{holder}: {name}"))
        });
        let key = space.keys.iter().any(|key| is_literal(&key.key)).then(|| "a key".to_owned());
        if let Some(what) = found.or(key) {
            let text = format!("space {}: {what} stands in the file as it is", space.id);
            return Err(Failure::usage(text).hint("Refer to it: { env = \"NAME\" } or { ssm = \"/name/of/a/parameter\" }."));
        }
    }
    Ok(())
}

/// The secrets themselves. Nothing is written before all of them are known.
pub async fn resolve(target: &Target, whose: &str, named: &BTreeMap<String, SecretText>) -> Result<Credentials, Failure> {
    let mut credentials = Credentials::new();
    for (name, text) in named {
        let secret = resolve_one(target, text).await.map_err(|why| Failure::usage(format!("{whose}: {name}: {why}")))?;
        credentials.insert(name.clone(), secret);
    }
    Ok(credentials)
}

pub async fn resolve_one(target: &Target, text: &SecretText) -> Result<Secret, String> {
    match (text, &target.parameters) {
        (SecretText::Ssm(name), Some(parameters)) => {
            let answer = parameters.get_parameter().name(name).with_decryption(true).send().await;
            let answer = answer.map_err(|error| format!("parameter {name}: {}", aws::kind(&error)))?;
            let value = answer.parameter.and_then(|parameter| parameter.value).filter(|value| !value.is_empty());
            value.map(Secret::new).ok_or_else(|| format!("parameter {name} is empty"))
        }
        (SecretText::Ssm(_) | SecretText::Env(_) | SecretText::Literal(_), _) => text.on_this_machine().map_err(|wrong| wrong.0),
    }
}

pub async fn kept(target: &Target, holder: &Holder) -> Result<Option<Credentials>, Failure> {
    target.credentials.find(holder).await.map_err(Failure::new)
}

const WEBHOOK_SECRET: &str = "webhookSecret";
const PREVIOUS_WEBHOOK_SECRET: &str = "previousWebhookSecret";

/// The credentials that a connection would have: those of the file; those that are kept where the file names none. A webhook
/// secret that changes stays valid beside the new one, because webhooks signed with it are still on their way.
pub fn with_overlap(named: Credentials, kept: Option<&Credentials>, end_overlap: bool) -> Credentials {
    let Some(kept) = kept else { return named };
    let mut credentials = if named.is_empty() { kept.clone() } else { named.clone() };
    if named.contains_key(PREVIOUS_WEBHOOK_SECRET) {
        return credentials;
    }
    let of = |credentials: &Credentials, name: &str| credentials.get(name).cloned();
    let earlier = match (of(&credentials, WEBHOOK_SECRET), of(kept, WEBHOOK_SECRET)) {
        (Some(new), Some(old)) if new.expose() != old.expose() => Some(old),
        _ if end_overlap => None,
        _ => of(kept, PREVIOUS_WEBHOOK_SECRET),
    };
    credentials.remove(PREVIOUS_WEBHOOK_SECRET);
    credentials.extend(earlier.map(|earlier| (PREVIOUS_WEBHOOK_SECRET.to_owned(), earlier)));
    credentials
}

const OVERLAP: &str = "the earlier webhookSecret: both are taken until --end-overlap";

/// What becomes of each secret, by name.
pub fn lines(after: &Credentials, named: &Credentials, kept: Option<&Credentials>) -> Vec<Line> {
    let none = Credentials::new();
    let before = kept.unwrap_or(&none);
    let line = |(name, secret): (&String, &Secret)| {
        let change = match before.get(name) {
            None => Change::New,
            Some(known) if known.expose() == secret.expose() => Change::Same,
            Some(_) => Change::Changes,
        };
        let is_overlap = name == PREVIOUS_WEBHOOK_SECRET && !named.contains_key(name);
        Line::secret(name, change, is_overlap.then_some(OVERLAP))
    };
    let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|name| Line::secret(name, Change::Removed, None));
    after.iter().map(line).chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(pairs: &[(&str, &str)]) -> Credentials {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), Secret::new(*text))).collect()
    }

    fn merged(named: &[(&str, &str)], kept: &[(&str, &str)], end_overlap: bool) -> Vec<(String, String)> {
        let merged = with_overlap(credentials(named), Some(&credentials(kept)), end_overlap);
        merged.into_iter().map(|(name, secret)| (name, secret.expose().to_owned())).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_webhook_secret_that_changes_stays_valid_beside_the_new_one() {
        let first = [("secretKey", "k"), ("webhookSecret", "a")];
        let second = [("secretKey", "k"), ("webhookSecret", "b")];
        let overlap = [("previousWebhookSecret", "a"), ("secretKey", "k"), ("webhookSecret", "b")];
        assert_eq!(merged(&second, &first, false), pairs(&overlap));
        assert_eq!(merged(&second, &first, true), pairs(&overlap), "a change begins an overlap, whatever is ended");
        assert_eq!(merged(&second, &overlap, false), pairs(&overlap), "applied again nothing changes");
        assert_eq!(merged(&second, &overlap, true), pairs(&second));
        assert_eq!(merged(&[], &overlap, false), pairs(&overlap), "what the file does not name stays");
    }

    #[test]
    fn an_earlier_secret_that_the_file_names_is_that_of_the_file() {
        let named = [("previousWebhookSecret", "x"), ("webhookSecret", "b")];
        assert_eq!(merged(&named, &[("webhookSecret", "a")], false), pairs(&named));
    }

    #[test]
    fn secrets_are_told_by_name_alone() {
        let (after, kept) = (credentials(&[("a", "1"), ("b", "2"), ("c", "3")]), credentials(&[("b", "9"), ("c", "3"), ("d", "4")]));
        let lines: Vec<_> = lines(&after, &after, Some(&kept)).iter().map(Line::text).collect();
        assert_eq!(lines, ["+ a: new", "~ b: changes", "= c: same", "- d: removed"]);
    }
}
