//! When something is due, as the writes have said. The sweep looks each minute and mostly finds nothing; a world that knows when
//! it would find something spares itself the other minutes.

use domain::Timestamp;
use embedded::Call;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The due times of items, by their keys.
#[derive(Default)]
pub(super) struct DueTimes(Mutex<BTreeMap<String, String>>);

impl DueTimes {
    pub fn has_come(&self, now: Timestamp) -> bool {
        let now = format!("{:015}", now.millis());
        self.all().values().any(|due| *due <= now)
    }

    /// What a write that was carried out has changed.
    pub fn note(&self, write: &Call) {
        let body: Value = serde_json::from_str(&write.body).unwrap_or_default();
        match body["TransactItems"].as_array() {
            Some(items) => items.iter().for_each(|item| self.note_item(if item["Put"].is_null() { &item["Update"] } else { &item["Put"] })),
            None => self.note_item(&body),
        }
    }

    fn note_item(&self, write: &Value) {
        let put = &write["Item"];
        if !put.is_null() {
            return self.set(key(put), put["due"]["S"].as_str());
        }
        let Some(change) = write["UpdateExpression"].as_str() else { return };
        if change.contains("REMOVE due") {
            self.set(key(&write["Key"]), None);
        } else if change.contains("SET due") {
            // What it was is among the values, too, as the condition.
            let values = write["ExpressionAttributeValues"].as_object().into_iter().flat_map(|values| values.values());
            self.set(key(&write["Key"]), values.filter_map(|value| value["S"].as_str()).max());
        }
    }

    fn set(&self, key: String, due: Option<&str>) {
        match due {
            Some(due) => self.all().insert(key, due.to_owned()),
            None => self.all().remove(&key),
        };
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(item: &Value) -> String {
    format!("{} {}", item["pk"]["S"], item["sk"]["S"])
}
