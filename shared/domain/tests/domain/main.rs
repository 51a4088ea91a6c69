//! The rules about money, seen from outside: lives of transactions told in words, random lives beside a model that counts
//! with plain integers, the order of refusals, and the document that is written from the tables of states.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod canonical;
mod captures;
mod corrections;
mod documents;
mod doubt;
mod follow;
mod imports;
mod ledger;
mod model;
mod orders;
mod precedence;
mod rates;
mod refunds;
mod resolutions;
mod scenario;
mod stored;
mod voids;
mod watch;
