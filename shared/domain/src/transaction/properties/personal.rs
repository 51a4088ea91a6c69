//! Data about a person, which must not reach a log by accident.

use std::fmt;

/// Something about a person; `Debug` shows that it is there and nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// What it is, for storing and showing.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Address, Contact, Payer, Properties};
    use super::*;

    #[test]
    fn a_log_shows_nothing_about_a_person() {
        let contact = Contact { phone_number: Some("+41441234567".into()), ..Contact::default() };
        let address = Personal::new(Address { contact, ..Address::default() });
        let payer = Payer {
            customer_id: Some(Personal::new("K-77".into())),
            customer_email_address: Some(Personal::new("maria@example.com".into())),
            billing_address: Some(address),
            ..Payer::default()
        };
        let shown = format!("{:#?}", Properties { payer, ..Properties::default() });
        for secret in ["K-77", "maria", "+41"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("[redacted]"));
    }
}
