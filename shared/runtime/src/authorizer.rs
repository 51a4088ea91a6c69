//! The Lambda authorizer: always allows, and says in its context who asks. The edge enforces it, so that every refusal has
//! our own body; what is missing here is missing there.

use api::Authorization;
use app::authorize::{Caller, NotAuthorized, authorize};
use app::ports::Clock;
use app::ports::settings::ApiKeys;
use domain::id::SpaceId;
use domain::scope::Scope;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Serves authorizer events (payload version 2.0, simple responses) until Lambda ends the process.
pub async fn serve<S: ApiKeys, K: Clock>(store: &S, clock: &K) -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move { answer(store, clock, &event.payload).await })).await
}

/// The answer to one event. A table that cannot be read fails the invocation: an answer would be kept by the gateway and go on
/// refusing callers after the table is back.
pub async fn answer<S: ApiKeys, K: Clock>(store: &S, clock: &K, event: &Value) -> Result<Value, Error> {
    let headers = event["headers"].as_object();
    let authorization = headers.and_then(|headers| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")));
    let authorization = authorization.and_then(|(_, value)| value.as_str());
    let context = match authorize(store, clock, authorization).await {
        Ok(caller) => {
            let scopes: Vec<_> = caller.scopes.iter().map(|scope| scope.as_str()).collect();
            json!({"space": caller.space.to_string(), "keyId": caller.key_id, "scopes": scopes.join(" ")})
        }
        Err(NotAuthorized::Unauthenticated) => json!({"problem": "unauthenticated"}),
        Err(NotAuthorized::Unavailable(detail)) => {
            tracing::error!(detail, "an API key could not be looked up");
            return Err("an API key could not be looked up".into());
        }
    };
    Ok(json!({"isAuthorized": true, "context": context}))
}

/// What the context says at the other end; only a complete one names a caller.
pub(crate) fn read_context(fields: Option<&HashMap<String, Value>>) -> Authorization {
    let text = |name: &str| fields.and_then(|fields| fields.get(name)).and_then(Value::as_str);
    if text("problem").is_some() {
        return Authorization::Nobody;
    }
    let caller = || {
        let scopes = text("scopes")?.split(' ').filter(|scope| !scope.is_empty()).map(Scope::parse).collect::<Option<Vec<_>>>()?;
        Some(Caller { space: SpaceId::parse(text("space")?)?, key_id: text("keyId")?.to_owned(), scopes })
    };
    caller().map_or(Authorization::Nobody, Authorization::Caller)
}
