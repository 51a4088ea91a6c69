//! What the use cases need from the world, as traits. The composition root chooses who fulfils them.

pub mod connections;
pub mod psp;
pub mod settings;
pub mod source;
pub mod store;

pub use connections::{Connections, NoConnection};
pub use psp::{Psp, Reading, WebhookEvent, WebhookRefused};
pub use source::{Clock, Source};
