//! What is said when everything is up: one line of JSON for programs, the next steps for people.

use domain::id::SpaceId;

pub struct Ready {
    pub url: String,
    pub sandbox: String,
    /// The first space and its key; none where only the sandbox is served.
    pub demo: Option<(SpaceId, String)>,
}

impl Ready {
    pub fn line(&self) -> String {
        let mut line = serde_json::json!({"event": "ready", "url": self.url, "sandbox": self.sandbox});
        if let (Some((space, key)), Some(line)) = (&self.demo, line.as_object_mut()) {
            line.insert("space".to_owned(), space.number().into());
            line.insert("apiKey".to_owned(), key.as_str().into());
            line.insert("reference".to_owned(), format!("{}/reference", self.url).into());
        }
        line.to_string()
    }

    /// Lines that can be pasted into a shell as they are.
    pub fn hint(&self) -> String {
        let Self { url, sandbox, demo } = self;
        let payment = r#"{"amount":"49.90","currency":"EUR","merchantReference":"SO-1","captureMode":"manual"}"#;
        let Some((_, key)) = demo else {
            return format!(
                "\nThe sandbox PSP listens. Make a payment as a shop would:\n\n  curl -s {sandbox}/payments -d '{payment}'\n\n"
            );
        };
        let command =
            r#"{"connection":"sandbox","pspReference":"'$PAYMENT'","merchantReference":"SO-1","amount":"49.90","currency":"EUR"}"#;
        let transactions = "curl -s $URL/v1/transactions";
        let auth = r#"-H "Authorization: Bearer $KEY""#;
        [
            "",
            "collana-pay listens. In another terminal: make a payment as a shop would, import it, capture a part of it.",
            "",
            &format!("  export URL={url} KEY={key}"),
            &format!(r#"  PAYMENT=$(curl -s $URL/sandbox/payments -d '{payment}' | sed -E 's/^\{{"id":"([^"]+)".*/\1/')"#),
            &format!(r#"  TRANSACTION=$({transactions}/import {auth} -d '{command}' | sed -E 's/^\{{"id":([0-9]+).*/\1/')"#),
            &format!(r#"  {transactions}/$TRANSACTION/captures {auth} -H "Idempotency-Key: invoice-1" -d '{{"amount":"20.00"}}'"#),
            "",
            &format!("Every call, to read and to try in a browser: {url}/reference"),
            "",
            "",
        ]
        .join("\n")
    }
}
