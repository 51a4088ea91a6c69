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
        }
        line.to_string()
    }

    pub fn hint(&self) -> String {
        let Self { url, sandbox, demo } = self;
        let payment = r#"{"amount":"49.90","currency":"EUR","merchantReference":"SO-1","captureMode":"manual"}"#;
        let create = format!("curl -s {sandbox}/payments -d '{payment}'");
        let Some((_, key)) = demo else {
            return format!("\nThe sandbox PSP listens on {sandbox}. Make a payment as a shop would:\n\n  {create}\n\n");
        };
        let transactions = format!("curl -s {url}/v1/transactions");
        let auth = format!("-H 'Authorization: Bearer {key}'");
        let import = r#"{"connection":"sandbox","pspReference":"PAYMENT","merchantReference":"SO-1","amount":"49.90","currency":"EUR"}"#;
        let lines = [
            format!("collana-pay listens on {url}. Make a payment as a shop would, import it, capture a part of it;"),
            "PAYMENT is the id that the first line answers, TRANSACTION the one of the second:".to_owned(),
            String::new(),
            format!("  {create}"),
            format!("  {transactions}/import {auth} -d '{import}'"),
            format!("  {transactions}/TRANSACTION/captures {auth} -H 'Idempotency-Key: invoice-1' -d '{{\"amount\":\"20.00\"}}'"),
        ];
        format!("\n{}\n\n", lines.join("\n"))
    }
}
