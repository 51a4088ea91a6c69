//! The adapters over real HTTP, against a PSP that answers whatever a test wants: the five outcomes, readings, webhooks.

mod fake;
mod orders;
mod outcomes;
mod sandbox;
mod stripe;
