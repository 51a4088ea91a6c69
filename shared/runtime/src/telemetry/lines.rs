//! Lines of functions: what happened, with the fields of everything it happened in, as one flat JSON object.

use super::emf;
use crate::system::SystemClock;
use app::metric::{self, Metric};
use app::ports::Clock;
use serde_json::{Map, Value};
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes events. A number becomes a metric, and every ERROR counts as one.
pub(super) struct Lines {
    stage: String,
    out: Box<dyn Fn(&str) + Send + Sync>,
}

impl Lines {
    pub fn to(stage: &str, out: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { stage: stage.to_owned(), out: Box::new(out) }
    }
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        // The Lambda runtime's own span: its request is the invocation, by which the platform's lines are found.
        if attributes.metadata().target().starts_with("lambda_runtime")
            && let Some(id) = fields.0.remove("requestId")
        {
            fields.0.insert("invocationId".to_owned(), id);
        }
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.0.extend(outer.0.clone());
            }
        }
        event.record(&mut fields);
        if let Some(line) = self.line(event, fields.0) {
            (self.out)(&Value::Object(line).to_string());
        }
    }
}

impl Lines {
    fn line(&self, event: &Event<'_>, mut line: Map<String, Value>) -> Option<Map<String, Value>> {
        let now = SystemClock.now();
        let metadata = event.metadata();
        if metadata.target() == metric::TARGET {
            let metric = line.remove("metric").and_then(|name| Metric::parse(name.as_str()?))?;
            let value = line.remove("value").and_then(|value| value.as_i64())?;
            emf::add(&mut line, metric, value, &self.stage, now);
            return Some(line);
        }
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        if *metadata.level() == Level::ERROR {
            emf::add(&mut line, Metric::InternalErrors, 1, &self.stage, now);
        }
        Some(line)
    }
}

/// Fields by name; a later one of the same name takes the place of an earlier one.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests;
