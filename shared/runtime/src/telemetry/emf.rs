//! Numbers in CloudWatch's embedded metric format: members that a line has beside its own, and that make it count. Nothing is
//! sent to CloudWatch but the line.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use app::metric::{Dimensions, Metric, Unit};
use domain::Timestamp;
use serde_json::{Map, Value, json};

pub const NAMESPACE: &str = "collana-pay";

/// Tells one installation in an account from another.
const STAGE: &str = "Stage";
const PSP: &str = "Psp";

/// What a metric is kept apart by.
pub const fn dimensions(metric: Metric) -> &'static [&'static str] {
    match metric.dimensions() {
        Dimensions::Stage => &[STAGE],
        Dimensions::StageAndPsp => &[STAGE, PSP],
    }
}

/// Makes the line count: this value of this metric.
pub(super) fn add(line: &mut Map<String, Value>, metric: Metric, value: i64, stage: &str, now: Timestamp) {
    let unit = match metric.unit() {
        Unit::Count => "Count",
        Unit::Milliseconds => "Milliseconds",
        Unit::Seconds => "Seconds",
    };
    let directive = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [dimensions(metric)],
        "Metrics": [{"Name": metric.name(), "Unit": unit}],
    });
    let psp = line.get("psp").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    for dimension in dimensions(metric) {
        let value = if *dimension == PSP { &psp } else { stage };
        line.insert((*dimension).to_owned(), value.into());
    }
    line.insert(metric.name().to_owned(), value.into());
    line.insert("_aws".to_owned(), json!({"Timestamp": now.millis(), "CloudWatchMetrics": [directive]}));
}
