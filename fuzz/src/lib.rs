//! What the fuzz targets share: a world in memory that answers requests, and what must hold of every answer.
//!
//! A target takes bytes that a stranger may have sent, leads them through the entry point that a stranger reaches, and demands
//! more than that nothing panics.

pub mod answer;
pub mod input;
mod memory;
mod sandbox;
pub mod world;

pub use sandbox::Answer as PspAnswer;
pub use world::World;
