//! `POST /v1/transactions/import`

use super::{capabilities_of, etag, merchant_reference};
use crate::edge::Edge;
use crate::json::{Object, Value};
use crate::request::{Request, Response};
use crate::{properties, view};
use app::ports::limits::Limits;
use app::ports::store::{ImportStore, StatusStore};
use app::ports::{Clock, Connections, Ports, Source};
use domain::Refusal;
use domain::id::{ConnectionName, PspReference};
use domain::transaction::ImportCommand;

/// Adopts a payment that a shop's plugin has taken at the PSP, after comparing amount and currency with what the PSP says.
///
/// 201 the first time, whatever came of it: read `importState` and `importFailure`. Sent again, 200 with the same id; after
/// a failure a corrected import tries again under the same id; with other words on a completed one, 409.
pub async fn serve<L, S, C, K, R>(edge: &Edge<'_, L, K>, ports: &Ports<'_, S, C, K, R>, request: &Request) -> Response
where
    L: Limits,
    S: ImportStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    edge.serve(request, "import", |caller, _| async move {
        let command = read(&request.body)?;
        let answer = app::import::import(ports, caller.space, &command).await?;
        let transaction = answer.whole.head.transaction();
        let body = view::whole(&answer.whole, capabilities_of(edge.psps, transaction)?)?;
        let response = Response::json(if answer.is_new { 201 } else { 200 }, &body).with("etag", etag(transaction.version()));
        Ok(match answer.is_new {
            true => response.with("location", format!("/v1/transactions/{}", transaction.facts().id)),
            false => response,
        })
    })
    .await
}

fn read(body: &[u8]) -> Result<ImportCommand, Refusal> {
    let mut body = Object::parse(body)?;
    let connection = body.required("connection", |value| value.parsed(ConnectionName::parse, "must be the name of a connection"));
    let psp_reference = body.required("pspReference", |value| {
        value.parsed(PspReference::parse, "must be the PSP's id of the payment: printable ASCII, at most 255")
    });
    let merchant_reference = body.required("merchantReference", merchant_reference);
    let amount = body.required("amount", Value::amount);
    let currency = body.required("currency", Value::currency);
    let properties = properties::read(&mut body);
    body.finish()?;
    match (connection, psp_reference, merchant_reference, amount, currency) {
        (Some(connection), Some(psp_reference), Some(merchant_reference), Some(amount), Some(currency)) => {
            Ok(ImportCommand { connection, psp_reference, merchant_reference, amount, currency, properties })
        }
        _ => Err(Refusal::internal("a required property without a flaw")),
    }
}
