//! Makes the table from the store's own definition.

use crate::Failed;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
    TimeToLiveSpecification,
};
use store_dynamodb::table::{EXPIRES, HASH, INDEXES, Index, RANGE};

/// The table as JSON in CloudFormation's words, so that a test can compare it with the template.
pub fn definition() -> serde_json::Value {
    let key = |name: &str, role: &str| serde_json::json!({"AttributeName": name, "KeyType": role});
    let keys = |hash: &str, range: &str| serde_json::json!([key(hash, "HASH"), key(range, "RANGE")]);
    let projection = |index: &Index| match index.carries {
        [] => serde_json::json!({"ProjectionType": "KEYS_ONLY"}),
        carries => serde_json::json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": carries}),
    };
    let indexes = INDEXES.map(
        |index| serde_json::json!({"IndexName": index.name, "KeySchema": keys(index.hash, index.range), "Projection": projection(&index)}),
    );
    let attributes = key_attributes().map(|name| serde_json::json!({"AttributeName": name, "AttributeType": "S"}));
    serde_json::json!({
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
        "KeySchema": keys(HASH, RANGE),
        "GlobalSecondaryIndexes": indexes,
        "TimeToLiveSpecification": {"AttributeName": EXPIRES, "Enabled": true},
    })
}

/// Makes the table unless it exists.
pub async fn create_table(client: &Client, name: &str) -> Result<(), Failed> {
    let failed = |error: &dyn std::error::Error| Failed(format!("{}", DisplayErrorContext(error)));
    let attribute = |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let attributes = key_attributes().map(attribute).collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?;
    let indexes = INDEXES.iter().map(index).collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?;
    let create = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes))
        .set_key_schema(Some(key_schema(HASH, RANGE).map_err(|error| failed(&error))?))
        .set_global_secondary_indexes(Some(indexes));
    match create.send().await {
        Ok(_) => {}
        Err(SdkError::ServiceError(error)) if error.err().is_resource_in_use_exception() => return Ok(()),
        Err(error) => return Err(failed(&error)),
    }
    let expiry = TimeToLiveSpecification::builder().attribute_name(EXPIRES).enabled(true).build().map_err(|error| failed(&error))?;
    client.update_time_to_live().table_name(name).time_to_live_specification(expiry).send().await.map_err(|error| failed(&error))?;
    Ok(())
}

fn key_attributes() -> impl Iterator<Item = &'static str> {
    [HASH, RANGE].into_iter().chain(INDEXES.into_iter().flat_map(|index| [index.hash, index.range]))
}

type Unbuildable = aws_sdk_dynamodb::error::BuildError;

fn key_schema(hash: &str, range: &str) -> Result<Vec<KeySchemaElement>, Unbuildable> {
    let element = |name: &str, role| KeySchemaElement::builder().attribute_name(name).key_type(role).build();
    Ok(vec![element(hash, KeyType::Hash)?, element(range, KeyType::Range)?])
}

fn index(index: &Index) -> Result<GlobalSecondaryIndex, Unbuildable> {
    let projection = match index.carries {
        [] => Projection::builder().projection_type(ProjectionType::KeysOnly),
        carries => Projection::builder()
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(carries.iter().map(ToString::to_string).collect())),
    };
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .set_key_schema(Some(key_schema(index.hash, index.range)?))
        .projection(projection.build())
        .build()
}
