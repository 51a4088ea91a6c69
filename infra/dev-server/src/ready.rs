//! What is said when everything is up: one line of JSON for programs, the next steps for people.

use domain::id::{ConnectionName, SpaceId};

pub struct Ready {
    pub url: String,
    pub sandbox: String,
    /// Each space with a key, the first one first; none where only the sandbox is served.
    pub keys: Vec<(SpaceId, String)>,
    /// The connection of the first space to this server's sandbox, if it has one.
    pub connection: Option<ConnectionName>,
}

impl Ready {
    pub fn line(&self) -> String {
        let mut line = serde_json::json!({"event": "ready", "url": self.url, "sandbox": self.sandbox});
        if let (Some((space, key)), Some(line)) = (self.keys.first(), line.as_object_mut()) {
            let keys = self.keys.iter().map(|(space, key)| serde_json::json!({"space": space.number(), "apiKey": key}));
            line.insert("space".to_owned(), space.number().into());
            line.insert("apiKey".to_owned(), key.as_str().into());
            line.insert("keys".to_owned(), keys.collect());
            line.insert("reference".to_owned(), format!("{}/reference", self.url).into());
        }
        line.to_string()
    }

    /// Lines that can be pasted into a shell as they are.
    pub fn hint(&self) -> String {
        let Self { url, sandbox, keys, connection } = self;
        let payment = r#"{"amount":"49.90","currency":"EUR","merchantReference":"SO-1","captureMode":"manual"}"#;
        let Some((_, key)) = keys.first() else {
            return format!(
                "\nThe sandbox PSP listens. Make a payment as a shop would:\n\n  curl -s {sandbox}/payments -d '{payment}'\n\n"
            );
        };
        let export = format!("  export URL={url} KEY={key}");
        let reference = format!("Every call, to read and to try in a browser: {url}/reference");
        let Some(connection) = connection else {
            return ["", "collana-pay listens.", "", &export, "", &reference, "", ""].join("\n");
        };
        let command = format!(
            r#"{{"connection":"{connection}","pspReference":"'$PAYMENT'","merchantReference":"SO-1","amount":"49.90","currency":"EUR"}}"#
        );
        let transactions = "curl -s $URL/v1/transactions";
        let auth = r#"-H "Authorization: Bearer $KEY""#;
        [
            "",
            "collana-pay listens. In another terminal: make a payment as a shop would, import it, capture a part of it.",
            "",
            &export,
            &format!(r#"  PAYMENT=$(curl -s $URL/sandbox/payments -d '{payment}' | sed -E 's/^\{{"id":"([^"]+)".*/\1/')"#),
            &format!(r#"  TRANSACTION=$({transactions}/import {auth} -d '{command}' | sed -E 's/^\{{"id":([0-9]+).*/\1/')"#),
            &format!(r#"  {transactions}/$TRANSACTION/captures {auth} -H "Idempotency-Key: invoice-1" -d '{{"amount":"20.00"}}'"#),
            "",
            &reference,
            "",
            "",
        ]
        .join("\n")
    }
}
