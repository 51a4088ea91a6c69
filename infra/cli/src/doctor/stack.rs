//! A stack on AWS: who asks, what the stage says, the table, the API.

use super::{Ended, Report, table};
use crate::arguments::At;
use crate::aws::{self, NoStack, Stack};
use crate::output::clean;
use crate::target::Target;
use aws_config::SdkConfig;
use aws_sdk_sts::error::SdkError;

pub async fn examine(at: &At, report: &mut Report) -> Result<Target, Ended> {
    let sdk = match aws::sdk(at).await {
        Ok(sdk) => sdk,
        Err(failure) => return Err(report.ends("region", failure.text, failure.hint.unwrap_or_default())),
    };
    identity(at, &sdk, report).await?;
    let parameters = aws_sdk_ssm::Client::new(&sdk);
    let stack = stage(at, &parameters, report).await?;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    table::examine(at, &client, &stack.table, report).await?;
    if stack.allow_loopback {
        let fix = "Deploy with AllowLoopback=false wherever real money moves.";
        report.warning("stage", "PSPs and endpoints on loopback are allowed (AllowLoopback)", fix);
    }
    api(at, &stack, report).await;
    Ok(Target::stack(at, client, parameters, &stack))
}

async fn identity(at: &At, sdk: &SdkConfig, report: &mut Report) -> Result<(), Ended> {
    let region = sdk.region().map(ToString::to_string).unwrap_or_default();
    match aws_sdk_sts::Client::new(sdk).get_caller_identity().send().await {
        Ok(identity) => {
            report.fine("identity", format!("{} in {region}", clean(identity.arn().unwrap_or("without a name"))));
            Ok(())
        }
        Err(error) if is_out_of_reach(&error) => {
            let fix = "Look at the network of this machine, and at --endpoint-url if it is given.";
            Err(report.ends("identity", format!("AWS cannot be reached: {}", aws::told(&error)), fix))
        }
        Err(error) => {
            let fix = match &at.profile {
                Some(profile) => format!("aws sso login --profile {profile}   # or set up credentials: aws configure"),
                None => "aws sso login   # or name a --profile, or set up credentials: aws configure".to_owned(),
            };
            Err(report.ends("identity", format!("AWS does not know who asks: {}", aws::told(&error)), fix))
        }
    }
}

/// No answer came, so nothing is known of whoever asked.
fn is_out_of_reach<E, R>(error: &SdkError<E, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        _ => false,
    }
}

async fn stage(at: &At, parameters: &aws_sdk_ssm::Client, report: &mut Report) -> Result<Stack, Ended> {
    let name = format!("{}/stack", aws::parameter_path(&at.stage));
    let subject = format!("stage {}", at.stage);
    match aws::stack(parameters, &at.stage).await {
        Ok(stack) => {
            report.fine(subject, format!("table {}, API {}", clean(&stack.table), clean(&stack.url)));
            Ok(stack)
        }
        Err(NoStack::Missing) => {
            let fix = format!("sam deploy --parameter-overrides Stage={}   # or another --stage, --region, --profile", at.stage);
            Err(report.ends(subject, format!("parameter {name} is missing: no stack of this stage is here"), fix))
        }
        Err(NoStack::Unreadable) => {
            let fix = format!("sam deploy --parameter-overrides Stage={}   # writes it anew", at.stage);
            Err(report.ends(subject, format!("parameter {name} is not what the template writes"), fix))
        }
        Err(NoStack::Refused(why)) => {
            let fix = format!("Allow ssm:GetParameter and kms:Decrypt on {}/* to who runs this.", aws::parameter_path(&at.stage));
            Err(report.ends(subject, format!("parameter {name}: {why}"), fix))
        }
    }
}

/// An API that asks for a key is there.
async fn api(at: &At, stack: &Stack, report: &mut Report) {
    let url = match (&at.url, &at.endpoint_url) {
        (Some(url), _) => url,
        // An emulator serves the API elsewhere than AWS would.
        (None, Some(_)) => return,
        (None, None) => &stack.url,
    };
    let asked = match psp::http_client() {
        Ok(http) => http.get(format!("{}/v1/psps", url.trim_end_matches('/'))).send().await.ok(),
        Err(_) => None,
    };
    match asked.map(|answer| answer.status().as_u16()) {
        Some(401) => report.fine("api", format!("{} answers, and asks for a key", clean(url))),
        Some(status) => report.problem("api", format!("{} answers a call without a key with {status}", clean(url)), "sam deploy"),
        None => report.problem("api", format!("{} does not answer", clean(url)), "Look at the network of this machine, then: sam deploy"),
    }
}
