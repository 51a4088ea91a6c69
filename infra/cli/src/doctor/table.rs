//! The table: there, and of the form that the store's own definition has.

use super::{Ended, Report};
use crate::arguments::At;
use crate::aws;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType, TableDescription, TableStatus,
    TimeToLiveStatus,
};
use store_dynamodb::table::{EXPIRES, HASH, INDEXES, Index, RANGE};

pub async fn examine(at: &At, client: &Client, name: &str, report: &mut Report) -> Result<(), Ended> {
    let deploy = format!("sam deploy --parameter-overrides Stage={}   # template.yaml defines it", at.stage);
    let table = match client.describe_table().table_name(name).send().await {
        Ok(answer) => answer.table,
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
            let fix = format!("{deploy}; if it held payments, restore it from its point-in-time backup under this name first");
            return Err(report.ends("table", format!("{name} is missing"), fix));
        }
        Err(error) => {
            let fix = "Allow dynamodb:DescribeTable and dynamodb:DescribeTimeToLive on the table to who runs this.";
            return Err(report.ends("table", format!("{name}: {}", aws::told(&error)), fix));
        }
    };
    let Some(table) = table else { return Err(report.ends("table", format!("{name}: described without a form"), deploy)) };
    let mut wrong = flaws(&table);
    wrong.extend(expiry(client, name).await);
    match wrong.as_slice() {
        [] => report.fine("table", format!("{name} is reached and has its form")),
        wrong => report.problem("table", format!("{name}: {}", wrong.join("; ")), deploy),
    }
    Ok(())
}

fn flaws(table: &TableDescription) -> Vec<String> {
    let mut wrong = Vec::new();
    if !matches!(table.table_status(), Some(TableStatus::Active | TableStatus::Updating)) {
        wrong.push(format!("it is {}", table.table_status().map_or("in no state", TableStatus::as_str)));
    }
    if !has_keys(table.key_schema(), HASH, RANGE) {
        wrong.push(format!("its keys are not {HASH} and {RANGE}"));
    }
    wrong.extend(INDEXES.iter().filter_map(|index| index_flaw(index, table.global_secondary_indexes())));
    wrong
}

fn has_keys(schema: &[KeySchemaElement], hash: &str, range: &str) -> bool {
    let named = |role: &KeyType| schema.iter().find(|element| element.key_type() == role).map(KeySchemaElement::attribute_name);
    schema.len() == 2 && named(&KeyType::Hash) == Some(hash) && named(&KeyType::Range) == Some(range)
}

fn index_flaw(index: &Index, there: &[GlobalSecondaryIndexDescription]) -> Option<String> {
    let Some(found) = there.iter().find(|found| found.index_name() == Some(index.name)) else {
        return Some(format!("index {} is missing", index.name));
    };
    if !has_keys(found.key_schema(), index.hash, index.range) {
        return Some(format!("index {} has other keys than {} and {}", index.name, index.hash, index.range));
    }
    if !found.projection().is_some_and(|projection| carries(projection, index.carries)) {
        return Some(format!("index {} carries other attributes", index.name));
    }
    match found.index_status() {
        // An emulator may not tell.
        Some(IndexStatus::Active | IndexStatus::Updating) | None => None,
        Some(status) => Some(format!("index {} is {}", index.name, status.as_str())),
    }
}

fn carries(projection: &Projection, expected: &[&str]) -> bool {
    let mut carried: Vec<_> = projection.non_key_attributes().iter().map(String::as_str).collect();
    let mut expected = expected.to_vec();
    carried.sort_unstable();
    expected.sort_unstable();
    let kind = if expected.is_empty() { ProjectionType::KeysOnly } else { ProjectionType::Include };
    projection.projection_type() == Some(&kind) && carried == expected
}

async fn expiry(client: &Client, name: &str) -> Option<String> {
    match client.describe_time_to_live().table_name(name).send().await {
        Ok(answer) => {
            let is_on = answer.time_to_live_description().is_some_and(|expiry| {
                let status = expiry.time_to_live_status();
                expiry.attribute_name() == Some(EXPIRES) && matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
            });
            (!is_on).then(|| format!("items do not expire by {EXPIRES}"))
        }
        Err(error) => Some(format!("whether items expire cannot be read: {}", aws::told(&error))),
    }
}
