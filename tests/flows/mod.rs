//! What the product does, one file for each operation.

mod capture;
mod durability;
mod import;
mod readme;
mod refund;
mod status;
mod stripe;
