//! `POST /v1/webhooks/{space}/{connection}`

use crate::edge;
use crate::request::{Request, Response};
use app::ports::psp::RawWebhook;
use app::ports::store::WebhookStore;
use app::ports::{Clock, Connections, Ports, Source};
use app::webhook::{Acknowledgement, receive};
use domain::Refusal;
use domain::id::{ConnectionName, SpaceId};
use domain::time::Span;

/// Takes a PSP's webhook: 200 once it is stored, 401 if the PSP did not sign it, 503 if it must come again.
///
/// Whether the path names a space and connection of ours is not told: the answer is then that of a wrong signature.
pub async fn serve<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request) -> Response
where
    S: WebhookStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    edge::serve_open(ports.clock, request, "psp-webhook", webhook(ports, request)).await
}

async fn webhook<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request) -> Result<Response, Refusal>
where
    S: WebhookStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    let space = SpaceId::parse(request.parameter("space")).ok_or(Refusal::Unauthenticated)?;
    let connection = ConnectionName::parse(request.parameter("connection")).ok_or(Refusal::Unauthenticated)?;
    let headers = request.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let raw = RawWebhook { headers, body: request.body.clone() };
    match receive(ports, space, &connection, &raw).await {
        Acknowledgement::Stored => Ok(Response { status: 200, headers: vec![], body: String::new() }),
        Acknowledgement::Forged => Err(Refusal::Unauthenticated),
        Acknowledgement::TryLater => Err(Refusal::Unavailable { retry_after: Span::from_seconds(30) }),
    }
}
