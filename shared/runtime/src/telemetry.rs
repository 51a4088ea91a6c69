//! Logs: one JSON object a line, on standard output for functions, as text on standard error for people.

use tracing_subscriber::EnvFilter;

/// For functions: JSON lines that CloudWatch understands.
pub fn for_functions(filter: &str) {
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(EnvFilter::new(filter)).with_current_span(true);
    // A second subscriber cannot be set: then the first one is already right.
    drop(subscriber.without_time().try_init());
}

/// For people at a terminal.
pub fn for_people(filter: &str) {
    let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).with_ansi(false);
    drop(subscriber.try_init());
}
