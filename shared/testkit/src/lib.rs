//! For tests alone: what stands in for clock, chance and PSP, and values that are ready to use.

pub use embedded::definition as table_definition;
