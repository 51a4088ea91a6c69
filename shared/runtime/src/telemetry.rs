//! Logs: one JSON object a line, on standard output for functions, as text on standard error for people.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

/// For functions: JSON lines that CloudWatch understands, which knows the time by itself.
pub fn for_functions(filter: &str) {
    let layer = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false).without_time();
    // A second subscriber cannot be set: then the first one is already right.
    drop(registry().with(layer.with_filter(targets(filter))).try_init());
}

/// For people at a terminal.
pub fn for_people(filter: &str) {
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    drop(registry().with(layer.with_filter(targets(filter))).try_init());
}

/// `warn`, or levels by module: `warn,app=debug`. What cannot be read filters nothing that matters: it is `info`.
fn targets(filter: &str) -> Targets {
    filter.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO))
}
