//! Settings `baseUrl` (Stripe's own), `livemode` (by default what the key's prefix says), `account` (a connected account in
//! whose name is called); credentials `secretKey`, `webhookSecret`, `previousWebhookSecret`.

use crate::account::{Account, BaseUrl, ConfigError, Fields, Secret};
use crate::signature::SigningKey;

pub(super) struct Config {
    pub(super) base_url: BaseUrl,
    pub(super) secret_key: Secret,
    pub(super) signing_keys: Vec<SigningKey>,
    pub(super) livemode: bool,
    pub(super) account: Option<String>,
}

const LIVEMODE: &str = "settings.livemode";
const ACCOUNT: &str = "settings.account";

impl Config {
    pub(super) fn of(account: Account) -> Result<Self, ConfigError> {
        let mut fields = Fields::of(account);
        let secret_key = fields.secret("credentials.secretKey")?;
        let webhook_secrets =
            [Some(fields.secret("credentials.webhookSecret")?), fields.optional_secret("credentials.previousWebhookSecret")?];
        let config = Self {
            base_url: fields.base_url("settings.baseUrl", Some("https://api.stripe.com"))?,
            livemode: livemode(fields.flag(LIVEMODE)?, &secret_key)?,
            account: fields.text(ACCOUNT)?.map(connected_account).transpose()?,
            // Stripe signs with the whole secret as it stands, `whsec_` included.
            signing_keys: webhook_secrets.iter().flatten().map(|secret| SigningKey::new(secret.expose())).collect(),
            secret_key,
        };
        fields.finish()?;
        Ok(config)
    }
}

fn livemode(setting: Option<bool>, secret_key: &Secret) -> Result<bool, ConfigError> {
    let of_key = match secret_key.expose() {
        key if key.starts_with("sk_live_") || key.starts_with("rk_live_") => Some(true),
        key if key.starts_with("sk_test_") || key.starts_with("rk_test_") => Some(false),
        _ => None,
    };
    match (setting, of_key) {
        (Some(setting), Some(of_key)) if setting != of_key => {
            Err(ConfigError::Invalid { name: LIVEMODE, why: "contradicts the prefix of credentials.secretKey" })
        }
        (Some(livemode), _) | (None, Some(livemode)) => Ok(livemode),
        (None, None) => Err(ConfigError::Missing { name: LIVEMODE }),
    }
}

fn connected_account(text: String) -> Result<String, ConfigError> {
    let id = text.strip_prefix("acct_").unwrap_or("");
    let well_formed = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if well_formed { Ok(text) } else { Err(ConfigError::Invalid { name: ACCOUNT, why: "is not acct_ followed by letters and digits" }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn livemode_of(settings: serde_json::Value, key: &str) -> Result<bool, String> {
        let credentials = [("secretKey", key), ("webhookSecret", "whsec_x")];
        let account = Account {
            settings: settings.as_object().unwrap().clone(),
            credentials: credentials.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
            allow_loopback: false,
        };
        Config::of(account).map(|config| config.livemode).map_err(|error| error.to_string())
    }

    #[test]
    fn the_mode_follows_the_key_and_may_not_contradict_it() {
        assert_eq!(livemode_of(json!({}), "sk_test_1"), Ok(false));
        assert_eq!(livemode_of(json!({}), "rk_live_1"), Ok(true));
        assert_eq!(livemode_of(json!({"livemode": true}), "sk_org_1"), Ok(true));
        assert_eq!(livemode_of(json!({}), "sk_org_1"), Err("settings.livemode is missing".to_owned()));
        assert_eq!(
            livemode_of(json!({"livemode": true}), "sk_test_1"),
            Err("settings.livemode contradicts the prefix of credentials.secretKey".to_owned())
        );
    }

    #[test]
    fn what_stripe_does_not_know_is_refused() {
        assert_eq!(livemode_of(json!({"mode": "live"}), "sk_test_1"), Err("settings.mode is not known to this PSP".to_owned()));
        assert!(livemode_of(json!({"account": "acct_1A"}), "sk_test_1").is_ok());
        assert!(livemode_of(json!({"account": "1A\r\n"}), "sk_test_1").is_err());
        assert!(livemode_of(json!({"baseUrl": "http://127.0.0.1:1"}), "sk_test_1").is_err());
    }
}
