//! What merchants tell about a transaction beside the money, in groups by what it is about.
//!
//! Facts of the caller: no rule reads them, nothing is derived from them, and they are stored and shown as they were given.
//! How long each text may be is checked where bodies are read. Absent means that nobody has said anything; there are no
//! defaults. What we find out or compute ourselves (state, amounts, moments) is never here but in `TransactionFacts`.
//! `docs/PROPERTIES.md` lists all properties with their group.

mod address;
mod checkout;
mod form;
mod line_item;
mod meta_data;
mod order;
mod payer;
mod personal;
mod processing;

pub use address::{Address, Contact, Gender, Organization, Person, Place};
pub use checkout::Checkout;
pub use form::{CalendarDate, Country, Language, ReturnUrl, TimeZone};
pub use line_item::{Attribute, LineItem, LineItemType, SignedDecimal, Tax, TaxRate};
pub use meta_data::MetaData;
pub use order::Order;
pub use payer::{CustomersPresence, Payer};
pub use personal::Personal;
pub use processing::{CompletionBehavior, Environment, EnvironmentSelectionStrategy, Processing, TokenizationMode};

/// All that merchants may write on an import, beside the amount and the references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    pub order: Order,
    pub payer: Payer,
    pub checkout: Checkout,
    pub processing: Processing,
}
