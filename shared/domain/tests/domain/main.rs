//! The rules about money, seen from outside: lives of transactions told in words, random lives beside a model that counts
//! with plain integers, the order of refusals, and the document that is written from the tables of states.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod canonical;
mod captures;
mod corrections;
mod documents;
mod follow;
mod imports;
mod ledger;
mod model;
mod precedence;
mod rates;
mod refunds;
mod scenario;
mod stored;
mod voids;
