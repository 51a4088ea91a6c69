//! Settings `baseUrl`, `livemode` (false), `account`; credentials `secretKey`, `webhookSecret`, `previousWebhookSecret`.

use crate::account::{Account, BaseUrl, ConfigError, Fields, Secret};
use crate::signature::SigningKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) struct Config {
    pub(super) base_url: BaseUrl,
    pub(super) secret_key: Secret,
    pub(super) signing_keys: Vec<SigningKey>,
    pub(super) livemode: bool,
    /// The payment's account must be this one, where it is set.
    pub(super) account: Option<String>,
}

const WEBHOOK_SECRET: &str = "credentials.webhookSecret";
const PREVIOUS_WEBHOOK_SECRET: &str = "credentials.previousWebhookSecret";

impl Config {
    pub(super) fn of(account: Account) -> Result<Self, ConfigError> {
        let mut fields = Fields::of(account);
        let mut signing_keys = signing_keys(WEBHOOK_SECRET, &fields.secret(WEBHOOK_SECRET)?)?;
        if let Some(previous) = fields.optional_secret(PREVIOUS_WEBHOOK_SECRET)? {
            signing_keys.extend(self::signing_keys(PREVIOUS_WEBHOOK_SECRET, &previous)?);
        }
        let config = Self {
            base_url: fields.base_url("settings.baseUrl", None)?,
            secret_key: fields.secret("credentials.secretKey")?,
            signing_keys,
            livemode: fields.flag("settings.livemode")?.unwrap_or(false),
            account: fields.text("settings.account")?,
        };
        fields.finish()?;
        Ok(config)
    }
}

/// Standard Webhooks: `whsec_` and base64; several, separated by spaces, while they are being rotated.
fn signing_keys(name: &'static str, secret: &Secret) -> Result<Vec<SigningKey>, ConfigError> {
    let key = |text: &str| {
        let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (!bytes.is_empty()).then(|| SigningKey::new(bytes))
    };
    let keys: Option<Vec<_>> = secret.expose().split_ascii_whitespace().map(key).collect();
    keys.ok_or(ConfigError::Invalid { name, why: "is not whsec_ followed by base64" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn account(settings: serde_json::Value, credentials: &[(&str, &str)]) -> Account {
        Account {
            settings: settings.as_object().unwrap().clone(),
            credentials: credentials.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
            allow_loopback: true,
        }
    }

    #[test]
    fn what_is_missing_unknown_or_malformed_is_named() {
        let url = json!({"baseUrl": "http://127.0.0.1:1"});
        let secrets = [("secretKey", "sk"), ("webhookSecret", "whsec_AAAA whsec_BBBB")];
        let config = Config::of(account(url.clone(), &secrets)).ok().unwrap();
        assert_eq!(config.signing_keys.len(), 2);
        for (settings, credentials, expected) in [
            (json!({}), &secrets[..], "settings.baseUrl is missing"),
            (url.clone(), &secrets[..1], "credentials.webhookSecret is missing"),
            (url.clone(), &secrets[1..], "credentials.secretKey is missing"),
            (
                url.clone(),
                &[("secretKey", "sk"), ("webhookSecret", "plain")][..],
                "credentials.webhookSecret is not whsec_ followed by base64",
            ),
            (
                url.clone(),
                &[("secretKey", "sk"), ("webhookSecret", "whsec_")][..],
                "credentials.webhookSecret is not whsec_ followed by base64",
            ),
            (json!({"baseUrl": "http://127.0.0.1:1", "liveMode": true}), &secrets[..], "settings.liveMode is not known to this PSP"),
            (json!({"baseUrl": "http://127.0.0.1:1", "livemode": "no"}), &secrets[..], "settings.livemode is neither true nor false"),
        ] {
            let error = Config::of(account(settings, credentials)).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(expected));
        }
    }
}
