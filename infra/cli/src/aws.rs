//! AWS as an operator reaches it: by whatever AWS's own tools would use to prove who asks. Only this program looks for that;
//! functions are given it.

use crate::arguments::At;
use crate::failure::Failure;
use crate::output::clean;
use crate::target;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use serde::Deserialize;
use std::time::Duration;

/// One configuration for all clients, with region and credentials found.
pub async fn sdk(at: &At) -> Result<SdkConfig, Failure> {
    if at.endpoint_url.as_deref().is_some_and(|url| !url.starts_with("https://") && !target::is_here(url)) {
        let text = "the endpoint is neither https nor on this machine: credentials would be sent to it in the clear";
        return Err(Failure::usage(text));
    }
    let http = runtime::aws::http_client().map_err(|error| Failure::new(error.to_string()))?;
    let timeouts =
        TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).operation_attempt_timeout(Duration::from_secs(10)).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts);
    if let Some(region) = &at.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &at.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &at.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let sdk = loader.load().await;
    match sdk.region() {
        Some(_) => Ok(sdk),
        None => Err(Failure::usage("no AWS region is set").hint("Name one with --region, AWS_REGION, or in the profile.")),
    }
}

/// What a stack says about itself, in a parameter of its own: `/collana/<stage>/stack`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    pub table: String,
    pub url: String,
    pub allow_loopback: bool,
}

/// Where a stack keeps its parameters.
pub fn parameter_path(stage: &str) -> String {
    format!("/collana/{stage}")
}

/// Why the stack's own parameter was not read.
pub enum NoStack {
    Missing,
    /// Something is there that no stack wrote.
    Unreadable,
    /// AWS did not answer, or did not let us in.
    Refused(String),
}

pub async fn stack(ssm: &aws_sdk_ssm::Client, stage: &str) -> Result<Stack, NoStack> {
    let answer = match ssm.get_parameter().name(format!("{}/stack", parameter_path(stage))).send().await {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ParameterNotFound") => return Err(NoStack::Missing),
        Err(error) => return Err(NoStack::Refused(told(&error))),
    };
    let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
    serde_json::from_str(&value).map_err(|_| NoStack::Unreadable)
}

/// Why AWS did not do it, in a line: its own code and words, or what kept us from asking. What was read is never part of it.
pub fn told<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => clean(&format!("{code}: {message}")),
        (Some(code), None) => clean(code),
        (None, _) => clean(&causes(error)),
    }
}

/// The causes in their own words, from the outermost to the first.
fn causes(error: &dyn std::error::Error) -> String {
    let told = |error: &dyn std::error::Error| error.to_string().replace('\n', ";");
    std::iter::successors(Some(error), |error| error.source()).map(told).collect::<Vec<_>>().join(": ")
}

/// The code of an error alone, where the words or the answer could hold a secret.
pub fn kind<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    clean(error.code().unwrap_or("no answer that can be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_writes_what_is_read_here() {
        let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        assert!(template.contains(&format!("Name: !Sub {}/stack\n", parameter_path("${Stage}"))));
        let value = template.lines().map(str::trim).find(|line| line.starts_with("{\"table\"")).unwrap();
        let stack: Stack = serde_json::from_str(&value.replace("${AllowLoopback}", "true")).unwrap();
        assert!(stack.table == "${Table}" && stack.url.starts_with("https://${Api}.") && stack.allow_loopback);
    }
}
