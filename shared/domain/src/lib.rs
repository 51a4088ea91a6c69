//! The rules about money, as plain values and functions.
//!
//! Nothing here does I/O, reads a clock, draws a random number or knows a wire format: what a rule needs comes in as a
//! parameter, what it decides goes out as a value. Every other room depends on this one, and this one on none.

pub mod capability;
pub mod card_data;
pub mod currency;
pub mod endpoint;
pub mod error;
pub mod id;
pub mod interaction;
pub mod money;
mod named;
pub mod operation;
pub mod outcome;
pub mod payment;
pub mod planted;
pub mod rate;
pub mod scope;
pub mod time;
pub mod transaction;

pub use capability::Capabilities;
pub use currency::Currency;
pub use error::Refusal;
pub use money::{Decimal, Minor, Money};
pub use operation::{Operation, OperationKind, OperationState};
pub use outcome::Outcome;
pub use time::Timestamp;
pub use transaction::{Transaction, TransactionState};
