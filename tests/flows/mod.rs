//! What the product does, one file for each operation.

mod capture;
mod described;
mod durability;
mod import;
mod logging;
mod power_cuts;
mod readme;
mod reconcile;
mod refund;
mod resolve;
mod rotation;
mod settling;
mod status;
mod stripe;
mod void;
