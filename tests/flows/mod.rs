//! What the product does, one file for each operation.

mod capture;
mod described;
mod durability;
mod import;
mod logging;
mod readme;
mod refund;
mod rotation;
mod status;
mod stripe;
mod void;
