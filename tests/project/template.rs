//! What is deployed is what was written: routes, functions and table of `template.yaml` against those of the code.

use crate::project::workspace::root;
use api::routes::ROUTES;
use serde_json::{Value as Json, json};
use serde_yaml_ng::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Called by the gateway without a route of its own.
const AUTHORIZER: &str = "authorizer";

/// The only route that no API key opens: a PSP has none, and signs instead.
const OPEN: &str = "POST /v1/webhooks/{space}/{connection}";

#[test]
fn routes_are_those_of_the_code() {
    let template = Template::read();
    let deployed: BTreeSet<_> = template.routes().into_iter().map(|route| (route.key, route.function)).collect();
    let written: BTreeSet<_> = ROUTES.iter().map(|route| (route.key(), route.function.to_owned())).collect();
    let missing: Vec<_> = written.difference(&deployed).collect();
    let surplus: Vec<_> = deployed.difference(&written).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "routes that template.yaml lacks: {missing:?}; that the code lacks: {surplus:?}");
}

#[test]
fn only_the_webhook_is_open_to_callers_without_a_key() {
    let template = Template::read();
    let routes = template.routes();
    let open: Vec<_> = routes.iter().filter(|route| route.authorization == "NONE").map(|route| route.key.as_str()).collect();
    assert_eq!(open, [OPEN]);
    // A default of the API would open or close routes that do not say so themselves.
    assert!(template.properties("Api")["Body"].is_null() && template.of_type("AWS::Serverless::HttpApi").count() == 0);
    for route in routes.iter().filter(|route| route.key != OPEN) {
        assert_eq!(route.authorization, "CUSTOM", "{}", route.key);
        assert_eq!(route.authorizer.as_deref(), Some("Authorizer"), "{}", route.key);
    }
    let unscoped: Vec<_> = ROUTES.iter().filter(|route| route.scope.is_none()).map(|route| route.key()).collect();
    assert_eq!(unscoped, [OPEN], "the code's own list of routes that need no scope");
}

/// Whoever floods the only open route may not use up what the gateway lets through of the others.
#[test]
fn the_open_route_has_a_limit_of_its_own_below_that_of_the_others() {
    let template = Template::read();
    let stage = template.properties("ApiStage");
    let own = as_json(&stage["RouteSettings"]);
    assert_eq!(own.as_object().map(|routes| routes.keys().cloned().collect()), Some(vec![OPEN.to_owned()]));
    for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
        let (open, others) = (own[OPEN][limit].as_u64(), stage["DefaultRouteSettings"][limit].as_u64());
        assert!(open > Some(0) && open < others, "{limit}: {open:?} and {others:?}");
    }
    // A stage refuses settings of a route that does not exist yet.
    let first = template.0["Resources"]["ApiStage"]["DependsOn"].as_str().expect("the stage waits for the route");
    assert_eq!(template.properties(first)["RouteKey"].as_str(), Some(OPEN));
}

/// What the gateway keeps of the authorizer's answers, and for how long: a key that was revoked is refused a minute later.
#[test]
fn the_authorizer_is_asked_for_each_key_and_route_at_least_once_a_minute() {
    let template = Template::read();
    let authorizers: Vec<_> = template.of_type("AWS::ApiGatewayV2::Authorizer").map(|(name, _)| name).collect();
    assert_eq!(authorizers, ["Authorizer"]);
    let authorizer = template.properties("Authorizer");
    let sources = ["$request.header.Authorization", "$context.routeKey"];
    assert_eq!(as_json(&authorizer["IdentitySource"]), json!(sources), "what an answer is kept under");
    assert_eq!(authorizer["AuthorizerResultTtlInSeconds"].as_u64(), Some(60));
    assert_eq!(authorizer["AuthorizerType"].as_str(), Some("REQUEST"));
    assert_eq!(authorizer["AuthorizerPayloadFormatVersion"].as_str(), Some("2.0"));
    assert_eq!(authorizer["EnableSimpleResponses"].as_bool(), Some(true));
    assert!(reference(&authorizer["AuthorizerUri"]).contains("/${AuthorizerFunction.Arn}/"), "the function that it asks");
    let function = template.functions().remove("AuthorizerFunction");
    assert_eq!(function.as_deref(), Some("authorizer"));
}

#[test]
fn every_function_is_deployed_and_may_be_called_by_the_api() {
    let template = Template::read();
    let deployed = template.functions();
    let crates: BTreeSet<_> = std::fs::read_dir(root().join("functions"))
        .expect("functions/ can be read")
        .map(|entry| entry.expect("functions/ can be read").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(deployed.values().cloned().collect::<BTreeSet<_>>(), crates, "functions of template.yaml and folders of functions/");

    let permitted: BTreeSet<_> =
        template.of_type("AWS::Lambda::Permission").map(|(_, properties)| reference(&properties["FunctionName"])).collect();
    let routed: BTreeSet<_> = template.routes().into_iter().map(|route| route.function).collect();
    for (resource, function) in &deployed {
        let is_of_the_gateway = routed.contains(function) || function == AUTHORIZER;
        let has_event = !template.properties(resource)["Events"].is_null();
        assert_eq!(permitted.contains(resource), is_of_the_gateway, "{resource}: an AWS::Lambda::Permission is for what the gateway calls");
        assert!(is_of_the_gateway || has_event, "{resource}: neither a route nor an event leads to it");
    }
}

#[test]
fn the_table_is_that_of_the_code() {
    let template = Template::read();
    let table = template.properties("Table");
    let deployed = json!({
        "AttributeDefinitions": as_json(&table["AttributeDefinitions"]),
        "KeySchema": as_json(&table["KeySchema"]),
        "GlobalSecondaryIndexes": as_json(&table["GlobalSecondaryIndexes"]),
        "TimeToLiveSpecification": as_json(&table["TimeToLiveSpecification"]),
    });
    assert_eq!(deployed, testkit::table_definition(), "the table of template.yaml (left) and that of the code (right)");
}

/// What the embedded table has no part in, and an installation cannot do without.
#[test]
fn the_table_outlives_mistakes_and_feeds_notifications() {
    let template = Template::read();
    let resource = &template.0["Resources"]["Table"];
    assert_eq!(resource["DeletionPolicy"].as_str(), Some("Retain"));
    assert_eq!(resource["UpdateReplacePolicy"].as_str(), Some("Retain"));
    let table = template.properties("Table");
    assert_eq!(table["DeletionProtectionEnabled"].as_bool(), Some(true));
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"].as_bool(), Some(true));
    assert_eq!(table["BillingMode"].as_str(), Some("PAY_PER_REQUEST"));
    assert_eq!(table["StreamSpecification"]["StreamViewType"].as_str(), Some("NEW_IMAGE"));
}

#[test]
fn every_variable_of_the_functions_is_read_by_the_code() {
    let template = Template::read();
    let config = std::fs::read_to_string(root().join("shared/runtime/src/config.rs")).expect("config.rs can be read");
    let own = template.of_type("AWS::Serverless::Function").map(|(_, properties)| properties);
    let variables = std::iter::once(&template.0["Globals"]["Function"]).chain(own).map(|function| &function["Environment"]["Variables"]);
    let names: BTreeSet<_> =
        variables.filter_map(Value::as_mapping).flat_map(|variables| variables.keys()).filter_map(Value::as_str).collect();
    assert!(names.contains("TABLE_NAME"), "variables are found");
    let unread: Vec<_> = names.iter().filter(|name| !config.contains(&format!("\"{name}\""))).collect();
    assert!(unread.is_empty(), "variables that template.yaml sets and shared/runtime/src/config.rs does not read: {unread:?}");
}

/// cfn-lint does not follow names inside of SAM's functions, so a misspelt one would be found by the deployment.
#[test]
fn every_name_in_it_exists() {
    let template = Template::read();
    let named: BTreeSet<_> = ["Conditions", "Parameters", "Resources"]
        .iter()
        .flat_map(|section| template.0[*section].as_mapping().expect("the section exists").keys())
        .map(|name| name.as_str().expect("names are strings").to_owned())
        .collect();
    let mut used = BTreeSet::new();
    collect_names(&template.0, &mut used);
    assert!(used.contains("Table") && used.contains("Stage"), "names are found");
    let unknown: Vec<_> = used.iter().filter(|name| !name.starts_with("AWS::") && !named.contains(*name)).collect();
    assert!(unknown.is_empty(), "names that template.yaml uses and does not have: {unknown:?}");
}

fn collect_names(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Tagged(tagged) => match &tagged.value {
            Value::String(text) if tagged.tag == "Sub" => {
                let inside = text.split("${").skip(1).filter_map(|rest| rest.split(['}', '.']).next());
                used.extend(inside.map(str::to_owned));
            }
            Value::String(text) => {
                used.insert(text.split('.').next().unwrap_or_default().to_owned());
            }
            parts => {
                // `!If` begins with the name of a condition.
                used.extend(parts[0].as_str().filter(|_| tagged.tag == "If").map(str::to_owned));
                collect_names(parts, used);
            }
        },
        Value::Sequence(values) => values.iter().for_each(|value| collect_names(value, used)),
        Value::Mapping(entries) => entries.values().for_each(|value| collect_names(value, used)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(super) struct Template(Value);

/// A route as it would be deployed, led through its integration to the function behind it.
pub(super) struct DeployedRoute {
    key: String,
    pub function: String,
    authorization: String,
    authorizer: Option<String>,
}

impl Template {
    pub fn read() -> Self {
        let text = std::fs::read_to_string(root().join("template.yaml")).expect("template.yaml can be read");
        Self(serde_yaml_ng::from_str(&text).expect("template.yaml is YAML"))
    }

    fn properties(&self, resource: &str) -> &Value {
        let properties = &self.0["Resources"][resource]["Properties"];
        assert!(!properties.is_null(), "template.yaml has no resource {resource} with properties");
        properties
    }

    /// Names and properties of the resources of one type.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0["Resources"].as_mapping().expect("template.yaml has resources");
        resources.iter().filter(move |(_, resource)| resource["Type"].as_str() == Some(kind)).map(|(name, resource)| {
            let name = name.as_str().expect("names are strings");
            (name, &resource["Properties"])
        })
    }

    /// From the name of a function's resource to the folder in functions/ that it is built from.
    pub fn functions(&self) -> BTreeMap<String, String> {
        let functions = self.of_type("AWS::Serverless::Function").map(|(name, properties)| {
            let folder = properties["CodeUri"].as_str().expect("a function has its code in a folder");
            let folder = folder.strip_prefix("target/lambda/").and_then(|folder| folder.strip_suffix('/'));
            (name.to_owned(), folder.expect("CodeUri is target/lambda/<function>/").to_owned())
        });
        functions.collect()
    }

    pub fn routes(&self) -> Vec<DeployedRoute> {
        let functions = self.functions();
        let routes = self.of_type("AWS::ApiGatewayV2::Route").map(|(_, route)| {
            let target = reference(&route["Target"]);
            let integration =
                target.strip_prefix("integrations/${").and_then(|name| name.strip_suffix('}')).expect("a route has an integration");
            let function = reference(&self.properties(integration)["IntegrationUri"]);
            let function = function.strip_suffix(".Arn").expect("an integration leads to the ARN of a function");
            DeployedRoute {
                key: route["RouteKey"].as_str().expect("a route has a key").to_owned(),
                function: functions.get(function).expect("an integration leads to a function of the template").clone(),
                authorization: route["AuthorizationType"].as_str().unwrap_or("absent, which means NONE").to_owned(),
                authorizer: matches!(route["AuthorizerId"], Value::Tagged(_)).then(|| reference(&route["AuthorizerId"])),
            }
        });
        routes.collect()
    }
}

/// What stands behind `!Ref`, `!GetAtt` or `!Sub`.
pub(super) fn reference(value: &Value) -> String {
    let Value::Tagged(tagged) = value else { panic!("{value:?} refers to nothing") };
    tagged.value.as_str().expect("a reference is a string").to_owned()
}

fn as_json(value: &Value) -> Json {
    serde_json::to_value(value).expect("this part of the template is plain data")
}
