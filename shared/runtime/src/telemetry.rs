//! What a process tells of itself. Functions write one JSON object a line on standard output: a line of the log, or a number
//! that CloudWatch makes a metric of. People read text on standard error.

mod emf;
mod lines;

pub use emf::{NAMESPACE, dimensions};

use app::metric;
use lines::Lines;
use std::io::Write;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

/// For functions: what CloudWatch understands, which knows the time by itself.
pub fn for_functions(filter: &str, stage: &str) {
    json(filter, Lines::to(stage, |line| write(&mut std::io::stdout(), line)));
}

/// The same on standard error, for looking at it on this machine.
pub fn as_functions_do(filter: &str) {
    json(filter, Lines::to("local", |line| write(&mut std::io::stderr(), line)));
}

/// For people at a terminal.
pub fn for_people(filter: &str) {
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // Each number has a line of the log beside it.
    let targets = targets(filter).with_target(metric::TARGET, LevelFilter::OFF);
    drop(registry().with(layer.with_filter(targets)).try_init());
}

fn json(filter: &str, lines: Lines) {
    // Whatever is left out of the log, what alarms look at is not.
    let targets = targets(filter).with_target(metric::TARGET, LevelFilter::INFO);
    // A second subscriber cannot be set: then the first one is already right.
    drop(registry().with(lines.with_filter(targets)).try_init());
}

/// In one piece, so that lines of other threads do not get into it. A log that cannot be written has nobody to be told.
fn write(out: &mut dyn Write, line: &str) {
    drop(out.write_all(format!("{line}\n").as_bytes()));
}

/// `warn`, or levels by module: `warn,app=debug`. What cannot be read filters nothing that matters: it is `info`.
fn targets(filter: &str) -> Targets {
    filter.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO))
}
