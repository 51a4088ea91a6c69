//! What the product does, one file for each operation.

mod capture;
mod import;
mod refund;
mod status;
mod stripe;
