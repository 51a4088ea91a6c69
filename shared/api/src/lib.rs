//! The HTTP edge, free of any framework: routes, what a request must look like, what an answer looks like.
//!
//! A request comes in as `Request`, whoever received it (a Lambda behind API Gateway or the dev server), passes the edge in
//! one place (`edge::serve`: who asks, what may they, what went wrong) and reaches its endpoint. No rule about money is here.

pub mod edge;
pub mod endpoints;
pub mod json;
pub mod json_out;
#[cfg(feature = "openapi")]
pub mod openapi;
mod parameters;
pub mod problem;
mod properties;
pub mod request;
pub mod routes;
pub mod time_text;
mod view;

pub use edge::Edge;
pub use request::{Authorization, Request, Response};
