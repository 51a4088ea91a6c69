//! The wire between the product's DynamoDB code and the embedded engine: what goes wrong with a call of the table.

use super::faults::{Fault, Hazards, Side};
use super::plan::Away;
use domain::time::Span;
use embedded::{Call, Carried, NoAnswer, Wire, WireAnswer};
use std::sync::Arc;

pub(super) struct Table(pub Arc<Hazards>);

/// When a client gives a call up.
const PATIENCE: Span = Span::from_millis(1500);

const READ_BEFORE: &[Fault] = &[Fault::Crash, Fault::Freeze, Fault::Throttle, Fault::Error, Fault::LostRequest];
const READ_AFTER: &[Fault] = &[Fault::Crash, Fault::Freeze, Fault::LostAnswer];
const WRITE_BEFORE: &[Fault] =
    &[Fault::Crash, Fault::Freeze, Fault::Throttle, Fault::Conflict, Fault::Error, Fault::LostRequest, Fault::Late];
const WRITE_AFTER: &[Fault] = &[Fault::Crash, Fault::Freeze, Fault::LostAnswer, Fault::ErrorAfter, Fault::Duplicate];

impl Wire for Table {
    fn carry(&self, call: Call) -> Carried {
        let hazards = Arc::clone(&self.0);
        Box::pin(async move { carry(&hazards, call).await })
    }
}

async fn carry(hazards: &Arc<Hazards>, call: Call) -> Result<WireAnswer, NoAnswer> {
    let (before, after) = if is_read(&call) { (READ_BEFORE, READ_AFTER) } else { (WRITE_BEFORE, WRITE_AFTER) };
    let fault = hazards.point(Side::Table, before).await;
    hazards.sleep(hazards.chance.millis(1, 9)).await;
    if hazards.is_away(Away::Table) {
        hazards.inject(Fault::Outage);
        return match hazards.chance.one_in(2) {
            true => Ok(error("InternalServerError", 500)),
            false => no_answer(hazards).await,
        };
    }
    match fault {
        None => {}
        Some(Fault::Throttle) => return Ok(error("ProvisionedThroughputExceededException", 400)),
        Some(Fault::Conflict) => return Ok(conflict(&call)),
        Some(Fault::Error) => return Ok(error("InternalServerError", 500)),
        Some(Fault::Late) => {
            execute_later(hazards, call);
            return no_answer(hazards).await;
        }
        Some(_) => return no_answer(hazards).await,
    }
    let answer = execute(hazards, &call);
    match hazards.point(Side::Table, after).await {
        None => {}
        Some(Fault::ErrorAfter) => return Ok(error("InternalServerError", 500)),
        Some(Fault::Duplicate) => execute_later(hazards, call),
        Some(_) => return no_answer(hazards).await,
    }
    hazards.sleep(hazards.chance.millis(0, 4)).await;
    Ok(answer)
}

fn is_read(call: &Call) -> bool {
    matches!(call.operation.as_str(), "GetItem" | "BatchGetItem" | "Query")
}

fn execute(hazards: &Hazards, call: &Call) -> WireAnswer {
    let answer = call.execute();
    if !is_read(call) && answer.status == 200 && !answer.is_repeated {
        hazards.due.note(call);
    }
    let number = u64::from(answer.status);
    hazards.trace.tell(hazards.now(), "table", number, || format!("{} {} {}", answer.status, call.operation, told(call, &answer)));
    answer
}

/// What a person wants to see of a call.
fn told(call: &Call, answer: &WireAnswer) -> String {
    let key = call.body.find("S#").map_or("", |at| &call.body[at..]);
    if call.body.contains(r#""IndexName":"due""#) {
        return "what is due".to_owned();
    }
    let key: String = key.chars().take_while(|sign| *sign != '"').take(60).collect();
    let refused = if answer.status == 200 { "" } else { &answer.body };
    format!("{key} {}", refused.chars().take(160).collect::<String>())
}

fn execute_later(hazards: &Arc<Hazards>, call: Call) {
    let (hazards, lateness) = (Arc::clone(hazards), hazards.lateness());
    tokio::spawn(async move {
        hazards.sleep(lateness).await;
        execute(&hazards, &call);
    });
}

async fn no_answer(hazards: &Hazards) -> Result<WireAnswer, NoAnswer> {
    hazards.sleep(PATIENCE).await;
    Err(NoAnswer)
}

fn error(name: &str, status: u16) -> WireAnswer {
    refused(status, format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{name}","message":"as the seed says"}}"#))
}

/// Of a transaction the first item is the one that another was at.
fn conflict(call: &Call) -> WireAnswer {
    if call.operation != "TransactWriteItems" {
        return error("TransactionConflictException", 400);
    }
    let others = call.body.matches(r#"{"Put":"#).count().saturating_sub(1);
    let reasons = [vec![r#"{"Code":"TransactionConflict"}"#], vec![r#"{"Code":"None"}"#; others]].concat().join(",");
    let name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let body = format!(r#"{{"__type":"{name}","Message":"canceled","CancellationReasons":[{reasons}]}}"#);
    refused(400, body)
}

fn refused(status: u16, body: String) -> WireAnswer {
    WireAnswer { status, body, is_repeated: false }
}
