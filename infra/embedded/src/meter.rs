//! Counts round trips and consumed units, so that a test can hold each operation to its cost.
//!
//! The units are asked for on the wire (`ReturnConsumedCapacity`) and read from the answer, so the store itself knows
//! nothing of being measured. They are counted in hundredths: the engine gives halves.

use serde_json::Value;
use std::sync::{Arc, Mutex};

/// What was consumed, in hundredths of a unit where units are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The operations in order, one for each round trip.
    pub calls: Vec<String>,
    pub read_hundredths: u64,
    pub write_hundredths: u64,
    /// The part of the writes that indexes cost.
    pub index_write_hundredths: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<Usage>>);

const READS: [&str; 3] = ["GetItem", "BatchGetItem", "Query"];
const WRITES: [&str; 4] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];

impl Meter {
    /// The request with the question for its cost.
    pub fn ask(&self, operation: &str, body: &str) -> String {
        if !READS.contains(&operation) && !WRITES.contains(&operation) {
            return body.to_owned();
        }
        match serde_json::from_str::<Value>(body) {
            Ok(Value::Object(mut request)) => {
                request.insert("ReturnConsumedCapacity".to_owned(), Value::from("INDEXES"));
                Value::Object(request).to_string()
            }
            Ok(_) | Err(_) => body.to_owned(),
        }
    }

    pub fn count(&self, operation: &str, answer: &str) {
        let Ok(mut usage) = self.0.lock() else { return };
        usage.calls.push(operation.to_owned());
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let capacities = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.clone(),
            Value::Null => vec![],
            table => vec![table.clone()],
        };
        for capacity in &capacities {
            let total = hundredths(&capacity["CapacityUnits"]);
            match READS.contains(&operation) {
                true => usage.read_hundredths += total,
                false => usage.write_hundredths += total,
            }
            let indexes = capacity["GlobalSecondaryIndexes"].as_object().into_iter().flat_map(|indexes| indexes.values());
            if WRITES.contains(&operation) {
                usage.index_write_hundredths += indexes.map(|index| hundredths(&index["CapacityUnits"])).sum::<u64>();
            }
        }
    }

    pub fn take(&self) -> Usage {
        self.0.lock().map(|mut usage| std::mem::take(&mut *usage)).unwrap_or_default()
    }
}

/// A JSON number of units, `2`, `0.5` or `12.0`, in hundredths.
fn hundredths(units: &Value) -> u64 {
    let text = units.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction: String = fraction.chars().chain(['0', '0']).take(2).collect();
    whole.parse::<u64>().unwrap_or(0) * 100 + fraction.parse::<u64>().unwrap_or(0)
}
