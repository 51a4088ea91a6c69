//! What lines hold, and that CloudWatch will count what is to be counted.
#![allow(clippy::expect_used, clippy::panic, reason = "a test ends by a panic that says what is wrong")]

use super::super::{emf, targets};
use super::*;
use app::metric::{Dimensions, TARGET};
use app::ports::store::{Due, Waiting};
use app::reconcile::tell_due;
use domain::OperationState;
use domain::id::{SpaceId, TransactionId};
use domain::time::{Span, Timestamp};
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

/// The lines that are written while something is done.
fn lines(filter: &str, done: impl FnOnce()) -> Vec<Value> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let out = Arc::clone(&written);
    let lines = Lines::to("prod", move |line| out.lock().expect("lines").push(line.to_owned()));
    let filter = targets(filter).with_target(TARGET, LevelFilter::INFO);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.with_filter(filter)), done);
    let written = written.lock().expect("lines");
    written.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[test]
fn a_line_is_flat_and_has_the_fields_of_its_spans() {
    let written = lines("info", || {
        let outer = tracing::info_span!("request", requestId = "r-1", space = 7, keyId = tracing::field::Empty).entered();
        outer.record("keyId", "k-1");
        let _inner = tracing::info_span!("webhook", space = 8, psp = None::<&str>).entered();
        tracing::info!(status = 201, isNew = true, doubt = None::<&str>, detail = %"as\ntext", "answered");
    });
    let expected = serde_json::json!({
        "level": "INFO", "target": module_path!(), "message": "answered",
        "requestId": "r-1", "keyId": "k-1", "space": 8, "status": 201, "isNew": true, "detail": "as\ntext",
    });
    assert_eq!(written, [expected]);
}

#[test]
fn an_invocation_and_a_request_are_told_apart() {
    let written = lines("info", || {
        let _invocation = tracing::info_span!(target: "lambda_runtime::layers::trace", "invoke", requestId = "aws").entered();
        let _request = tracing::info_span!("request", requestId = "ours").entered();
        tracing::info!("answered");
    });
    assert_eq!((&written[0]["invocationId"], &written[0]["requestId"]), (&"aws".into(), &"ours".into()));
}

#[test]
fn each_metric_is_one_line_that_cloudwatch_counts() {
    for metric in Metric::ALL {
        let written = lines("info", || match metric.dimensions() {
            Dimensions::Stage => metric::record(*metric, 17),
            Dimensions::StageAndPsp => tracing::info!(target: TARGET, metric = metric.name(), value = 17, psp = "stripe"),
        });
        let [line] = written.as_slice() else { panic!("{metric:?}: {written:?}") };
        assert_eq!(check(line), [(metric.name().to_owned(), 17)], "{line}");
        assert_eq!(line["Stage"], "prod");
        assert_eq!(line["Psp"].as_str(), (metric.dimensions() == Dimensions::StageAndPsp).then_some("stripe"));
        assert!(line.get("level").is_none() && line.get("message").is_none(), "a number is no line of the log: {line}");
    }
}

#[test]
fn a_number_tells_which_request_it_is_of() {
    let written = lines("info", || {
        let _request = tracing::info_span!("request", requestId = "r-1").entered();
        metric::operation(OperationState::Unknown);
        metric::psp_call("stripe", Span::from_millis(30), false);
    });
    let counted: Vec<_> = written.iter().flat_map(check).collect();
    let expected = [("OperationsInDoubt", 1), ("PspCallMillis", 30), ("PspCallsFailed", 1)];
    assert_eq!(counted, expected.map(|(name, value)| (name.to_owned(), value)));
    assert!(written.iter().all(|line| line["requestId"] == "r-1"));
}

#[test]
fn every_error_counts_and_nothing_else_does() {
    let written = lines("info", || {
        tracing::error!(detail = "x", "broken");
        tracing::warn!("odd");
    });
    assert_eq!(check(&written[0]), [("InternalErrors".to_owned(), 1)]);
    assert_eq!((&written[0]["message"], &written[0]["detail"]), (&"broken".into(), &"x".into()));
    assert!(written[1].get("_aws").is_none() && written[1].get("InternalErrors").is_none(), "{}", written[1]);
}

#[test]
fn what_is_due_is_two_numbers_and_a_line_if_it_is_anything() {
    let now = FixedClock.now();
    let due = |seconds: i64| Due {
        since: now.plus(Span::from_seconds(-seconds)),
        what: Waiting::Transaction(SpaceId::new(1).expect("a space"), TransactionId::new(1).expect("a transaction")),
    };
    let written = lines("info", || tell_due(&[due(1000), due(10), due(1)], now));
    let counted: Vec<_> = written[..2].iter().flat_map(check).collect();
    assert_eq!(counted, [("OldestDueSeconds".to_owned(), 1000), ("DueItems".to_owned(), 3)]);
    assert_eq!((&written[2]["items"], &written[2]["oldestSeconds"]), (&3.into(), &1000.into()));

    let written = lines("info", || tell_due(&[], now));
    let counted: Vec<_> = written.iter().flat_map(check).collect();
    assert_eq!(counted, [("OldestDueSeconds".to_owned(), 0), ("DueItems".to_owned(), 0)], "silence would be an alarm");
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    async fn sleep(&self, _: Span) {}
}

#[test]
fn a_filter_leaves_lines_out_and_no_number() {
    let written = lines("warn", || {
        tracing::info!("usual");
        metric::count(Metric::WebhooksParked);
        tracing::warn!("odd");
    });
    assert_eq!(written.len(), 2);
    assert_eq!(check(&written[0]), [("WebhooksParked".to_owned(), 1)]);
}

/// Holds a line to the specification of the format, and answers with what it counts.
fn check(line: &Value) -> Vec<(String, i64)> {
    const UNITS: [&str; 3] = ["Count", "Milliseconds", "Seconds"];
    let root = line.as_object().expect("the root is an object");
    let aws = root["_aws"].as_object().expect("_aws is an object");
    assert_eq!(members(aws), ["CloudWatchMetrics", "Timestamp"]);
    let age = SystemClock.now().millis() - aws["Timestamp"].as_i64().expect("Timestamp is a number of milliseconds");
    assert!((0..60_000).contains(&age), "CloudWatch takes what is not older than two weeks and not of the future; it is {age} ms old");
    let mut counted = Vec::new();
    for directive in aws["CloudWatchMetrics"].as_array().expect("CloudWatchMetrics is an array") {
        let directive = directive.as_object().expect("a directive is an object");
        assert_eq!(members(directive), ["Dimensions", "Metrics", "Namespace"]);
        let namespace = directive["Namespace"].as_str().expect("a namespace is a string");
        assert!((1..=1024).contains(&namespace.len()) && namespace == emf::NAMESPACE);
        let sets = directive["Dimensions"].as_array().expect("Dimensions is an array");
        assert_eq!(sets.len(), 1, "each set of dimensions is a metric more to pay for");
        let names: Vec<_> = sets[0].as_array().expect("a set is an array").iter().map(|name| name.as_str().expect("a name")).collect();
        assert!(!names.is_empty() && names.len() <= 30);
        for name in names {
            let value = root[name].as_str().expect("a dimension is a root member and a string");
            assert!((1..=1024).contains(&value.len()) && value.is_ascii());
        }
        let metrics = directive["Metrics"].as_array().expect("Metrics is an array");
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let metric = metric.as_object().expect("a metric is an object");
            assert_eq!(members(metric), ["Name", "Unit"]);
            let name = metric["Name"].as_str().expect("a name");
            assert!((1..=1024).contains(&name.len()) && UNITS.contains(&metric["Unit"].as_str().expect("a unit")));
            counted.push((name.to_owned(), root[name].as_i64().expect("a metric is a root member and a number")));
        }
    }
    counted
}

/// The names of an object's members, sorted.
fn members(object: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<_> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
