//! What wakes an operator: alarms and dashboard of `template.yaml` against the metrics of the code, and against the page that
//! says what to do.

use crate::project::template::{Template, reference};
use crate::project::workspace::root;
use serde_json::Value as Json;
use serde_yaml_ng::Value;
use std::collections::BTreeSet;
use testkit::metrics::{Metric, NAMESPACE, dimensions};

/// A metric as the template names it.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    namespace: String,
    name: String,
    /// The names of its dimensions.
    dimensions: Vec<String>,
    /// What stands behind the dimensions.
    values: Vec<String>,
}

#[test]
fn metrics_of_ours_are_named_as_the_code_names_them() {
    let template = Template::read();
    let named = alarms(&template).into_iter().map(|(_, alarm)| of_alarm(alarm)).chain(of_dashboard(&dashboard(&template)));
    let ours: Vec<_> = named.filter(|metric| !metric.namespace.starts_with("AWS/")).collect();
    assert!(!ours.is_empty(), "metrics are found");
    for named in &ours {
        assert_eq!(named.namespace, NAMESPACE, "{named:?}");
        let metric = Metric::parse(&named.name).unwrap_or_else(|| panic!("the code has no metric {named:?}"));
        assert_eq!(named.dimensions, dimensions(metric), "{named:?}");
    }
}

#[test]
fn every_metric_and_every_alarm_is_on_the_dashboard() {
    let template = Template::read();
    let dashboard = dashboard(&template);
    let shown: BTreeSet<_> = of_dashboard(&dashboard).into_iter().map(|metric| metric.name).collect();
    let missing: Vec<_> = Metric::ALL.iter().map(|metric| metric.name()).filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "metrics that the dashboard does not show: {missing:?}");

    let shown = dashboard.to_string();
    for (resource, _) in alarms(&template) {
        assert!(shown.contains(&format!("${{{resource}.Arn}}")), "the dashboard does not show {resource}");
    }
}

#[test]
fn every_metric_is_explained() {
    let page = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("docs/OPERATIONS.md can be read");
    let missing: Vec<_> = Metric::ALL.iter().map(|metric| metric.name()).filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "metrics that docs/OPERATIONS.md does not explain: {missing:?}");
}

#[test]
fn every_alarm_has_somebody_to_tell_and_a_page_that_says_what_to_do() {
    let page = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("docs/OPERATIONS.md can be read");
    for (resource, alarm) in alarms(&Template::read()) {
        let description = alarm["AlarmDescription"].as_str().expect("an alarm says what it means");
        let (_, heading) =
            description.split_once("docs/OPERATIONS.md#").unwrap_or_else(|| panic!("{resource} names no page: {description}"));
        let title = heading.replace('-', " ");
        assert!(
            page.lines().any(|line| line.strip_prefix("### ").is_some_and(|line| line.to_lowercase() == title)),
            "docs/OPERATIONS.md has no heading `### {title}`, which {resource} leads to"
        );
        let tells = |actions: &str| format!("{:?}", alarm[actions]).contains("AlarmTopic");
        assert!(tells("AlarmActions"), "{resource} has no AlarmActions");
        // What counts moments of ours cannot know when the matter is over.
        let counts_moments = alarm["Namespace"] == NAMESPACE && alarm["Statistic"] == "Sum";
        assert_eq!(tells("OKActions"), !counts_moments, "OKActions of {resource}");
        let silence = if resource == "ReconcileSilentAlarm" { "breaching" } else { "notBreaching" };
        assert_eq!(alarm["TreatMissingData"].as_str(), Some(silence), "{resource}");
    }
}

#[test]
fn every_function_has_its_log_and_its_errors_are_noticed() {
    let template = Template::read();
    let groups: BTreeSet<_> = template.of_type("AWS::Logs::LogGroup").map(|(name, _)| name.to_owned()).collect();
    let metrics: Vec<_> = alarms(&template).into_iter().map(|(_, alarm)| of_alarm(alarm)).collect();
    let shown = of_dashboard(&dashboard(&template));
    let has = |metrics: &[Named], name: &str, value: &str| metrics.iter().any(|metric| metric.name == name && metric.values == [value]);
    assert!(has(&metrics, "5xx", "Api"), "an alarm looks at what the API answers");

    let routed: BTreeSet<_> = template.routes().into_iter().map(|route| route.function).collect();
    let functions = template.functions();
    let mut own = BTreeSet::new();
    for (resource, properties) in template.of_type("AWS::Serverless::Function") {
        let group = reference(&properties["LoggingConfig"]["LogGroup"]);
        assert!(groups.contains(&group) && own.insert(group), "{resource} has no log group of its own");
        assert!(has(&shown, "Errors", resource) && has(&shown, "Throttles", resource), "the dashboard does not show errors of {resource}");
        // A function behind a route that fails is a 5xx of the API; one that is called by a schedule falls silent.
        let by_api = routed.contains(&functions[resource]);
        let by_silence =
            !properties["Events"].is_null() && alarms(&template).iter().any(|(_, alarm)| alarm["TreatMissingData"] == "breaching");
        let is_noticed = by_api || by_silence || has(&metrics, "Errors", resource);
        assert!(is_noticed, "no alarm notices that {resource} fails");
    }
}

#[test]
fn one_alarm_alone_takes_silence_for_a_failure() {
    let template = Template::read();
    let silent: Vec<_> = alarms(&template).into_iter().filter(|(_, alarm)| alarm["TreatMissingData"] == "breaching").collect();
    let [("ReconcileSilentAlarm", alarm)] = silent.as_slice() else { panic!("{silent:?}") };
    // A run that fails is an invocation, too: what tells that somebody has looked is the number that a run ends with.
    assert_eq!(of_alarm(alarm).name, Metric::OldestDueSeconds.name());
    assert_eq!((alarm["Statistic"].as_str(), alarm["ComparisonOperator"].as_str()), (Some("SampleCount"), Some("LessThanThreshold")));
}

fn alarms(template: &Template) -> Vec<(&str, &Value)> {
    let alarms: Vec<_> = template.of_type("AWS::CloudWatch::Alarm").collect();
    assert!(!alarms.is_empty(), "there are alarms");
    alarms
}

fn of_alarm(alarm: &Value) -> Named {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let pairs = alarm["Dimensions"].as_sequence().map(Vec::as_slice).unwrap_or_default();
    Named {
        namespace: text(&alarm["Namespace"]),
        name: text(&alarm["MetricName"]),
        dimensions: pairs.iter().map(|pair| text(&pair["Name"])).collect(),
        values: pairs.iter().map(|pair| pair["Value"].as_str().map_or_else(|| reference(&pair["Value"]), str::to_owned)).collect(),
    }
}

/// The dashboard as JSON; names that are put into it stand there as `${Name}`.
fn dashboard(template: &Template) -> Json {
    let (_, dashboard) = template.of_type("AWS::CloudWatch::Dashboard").next().expect("there is a dashboard");
    serde_json::from_str(&reference(&dashboard["DashboardBody"])).expect("its body is JSON")
}

fn of_dashboard(dashboard: &Json) -> Vec<Named> {
    let widgets = dashboard["widgets"].as_array().expect("a dashboard has widgets");
    let metrics = widgets.iter().filter(|widget| widget["type"] == "metric").flat_map(|widget| {
        let metrics = widget["properties"]["metrics"].as_array();
        metrics.expect("a widget has metrics").iter().map(|metric| metric.as_array().expect("a metric is an array"))
    });
    metrics.map(|metric| metric[0]["expression"].as_str().map_or_else(|| of_row(metric), of_search)).collect()
}

/// `["namespace", "name", "dimension", "value", …, {options}]`
fn of_row(row: &[Json]) -> Named {
    let texts: Vec<_> = row.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    let value = |text: &String| text.trim_start_matches("${").trim_end_matches('}').to_owned();
    Named {
        namespace: texts[0].clone(),
        name: texts[1].clone(),
        dimensions: texts[2..].iter().step_by(2).cloned().collect(),
        values: texts[2..].iter().skip(1).step_by(2).map(value).collect(),
    }
}

/// `SEARCH('{"namespace",dimension,…} … MetricName="name"', …)`
fn of_search(expression: &str) -> Named {
    let between = |from: &str, to: char| expression.split_once(from).and_then(|(_, rest)| rest.split_once(to)).expect("a search").0;
    let mut schema = between("{", '}').split(',').map(|part| part.trim_matches('"').to_owned());
    Named {
        namespace: schema.next().expect("a namespace"),
        name: between("MetricName=\"", '"').to_owned(),
        dimensions: schema.collect(),
        values: vec![],
    }
}
