//! What the use cases need from the world, as traits. The composition root chooses who fulfils them.

pub mod connections;
pub mod limits;
pub mod psp;
pub mod settings;
pub mod source;
pub mod store;

pub use connections::{Connections, NoConnection};
pub use psp::{Psp, Reading, WebhookEvent, WebhookRefused};
pub use source::{Clock, Source};

/// The ports of everything that reaches a PSP. What a use case may do with the store is its bound on `S`.
pub struct Ports<'a, S, C, K, R> {
    pub store: &'a S,
    pub connections: &'a C,
    pub clock: &'a K,
    pub source: &'a R,
}
