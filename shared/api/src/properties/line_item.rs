//! The lines of an order. Their amounts are shown as they were given, without trailing zeros.

use super::check_key;
use crate::json::{Value, one_of};
use crate::json_out::{Json, Members};
use domain::Refusal;
use domain::transaction::properties::{Attribute, LineItem, LineItemType, SignedDecimal, Tax, TaxRate};
use std::collections::{BTreeMap, BTreeSet};

const MOST_LINES: usize = 500;
const MOST_TAXES: usize = 10;
const MOST_ATTRIBUTES: usize = 50;
const LONGEST_ATTRIBUTE: usize = 512;

/// The lines of an order; no two have the same `uniqueId`, by which captures and refunds name them.
pub fn read_all(value: &Value<'_>) -> Result<Vec<LineItem>, Refusal> {
    let lines = value.each(MOST_LINES, read)?;
    let mut seen = BTreeSet::new();
    match lines.iter().position(|line| !seen.insert(&line.unique_id)) {
        Some(index) => Err(Refusal::flaw(format!("{}/{index}/uniqueId", value.pointer()), "is the uniqueId of an earlier line")),
        None => Ok(lines),
    }
}

fn read(value: &Value<'_>) -> Result<LineItem, Refusal> {
    let mut object = value.object()?;
    let unique_id = object.required("uniqueId", |value| filled(value, 1, 200));
    let name = object.required("name", |value| filled(value, 1, 150));
    let quantity = object.required("quantity", Value::decimal);
    let amount_including_tax = object.required("amountIncludingTax", read_signed_amount);
    let kind = object.required("type", one_of(LineItemType::ALL, LineItemType::as_str));
    let sku = object.optional("sku", |value| value.free_text(200));
    let shipping_required = object.optional("shippingRequired", Value::boolean);
    let taxes = object.optional("taxes", |value| value.each(MOST_TAXES, read_tax)).unwrap_or_default();
    let attributes = object.optional("attributes", read_attributes).unwrap_or_default();
    let discount_including_tax = object.optional("discountIncludingTax", Value::amount);
    object.finish()?;
    let (Some(unique_id), Some(name), Some(quantity), Some(amount_including_tax), Some(kind)) =
        (unique_id, name, quantity, amount_including_tax, kind)
    else {
        return Err(Refusal::internal("a required property of a line item is missing without a flaw"));
    };
    Ok(LineItem {
        unique_id,
        name,
        quantity,
        amount_including_tax,
        kind,
        sku,
        shipping_required,
        taxes,
        attributes,
        discount_including_tax,
    })
}

pub fn show(line: &LineItem) -> Members {
    let LineItem {
        unique_id,
        name,
        quantity,
        amount_including_tax,
        kind,
        sku,
        shipping_required,
        taxes,
        attributes,
        discount_including_tax,
    } = line;
    let attributes = attributes.iter().fold(Json::object(), |object, (key, attribute)| object.with(key, show_attribute(attribute)));
    Json::object()
        .with("uniqueId", unique_id)
        .with("name", name)
        .with("quantity", *quantity)
        .with("amountIncludingTax", Json::Number(amount_including_tax.to_string()))
        .with("type", kind.as_str())
        .with_some("sku", sku.as_ref())
        .with_some("shippingRequired", *shipping_required)
        .with_any("taxes", taxes.iter().map(show_tax))
        .with_some("attributes", (!line.attributes.is_empty()).then_some(attributes))
        .with_some("discountIncludingTax", *discount_including_tax)
}

fn filled(value: &Value<'_>, shortest: usize, longest: usize) -> Result<String, Refusal> {
    let text = value.free_text(longest)?;
    if text.chars().count() < shortest {
        return Err(value.flaw(format!("must have at least {shortest} characters")));
    }
    Ok(text)
}

fn read_signed_amount(value: &Value<'_>) -> Result<SignedDecimal, Refusal> {
    let text = value.number_text().ok_or(Refusal::InvalidAmount)?;
    SignedDecimal::parse(&text).map_err(|_| Refusal::InvalidAmount)
}

fn read_tax(value: &Value<'_>) -> Result<Tax, Refusal> {
    let mut object = value.object()?;
    let title = object.required("title", |value| filled(value, 2, 40));
    let rate = object.required("rate", |value| TaxRate::new(value.decimal()?).ok_or_else(|| value.flaw("must be at most 100")));
    object.finish()?;
    title.zip(rate).map(|(title, rate)| Tax { title, rate }).ok_or_else(|| Refusal::internal("a tax is missing without a flaw"))
}

fn show_tax(tax: &Tax) -> Members {
    let Tax { title, rate } = tax;
    Json::object().with("title", title).with("rate", rate.percent())
}

fn read_attributes(value: &Value<'_>) -> Result<BTreeMap<String, Attribute>, Refusal> {
    let attributes = value.each_entry(MOST_ATTRIBUTES, |key, entry| {
        if !(1..=40).contains(&key.chars().count()) {
            return Err(value.flaw("must have keys of 1 to 40 characters"));
        }
        check_key(value, key)?;
        read_attribute(entry)
    })?;
    attributes.ok_or_else(|| value.flaw(format!("must have at most {MOST_ATTRIBUTES} properties")))
}

/// `{"label", "value"}`, or only the value.
fn read_attribute(value: &Value<'_>) -> Result<Attribute, Refusal> {
    if value.is_string() {
        return Ok(Attribute { label: None, value: value.free_text(LONGEST_ATTRIBUTE)? });
    }
    let mut object = value.object()?;
    let label = object.optional("label", |value| value.free_text(LONGEST_ATTRIBUTE));
    let text = object.required("value", |value| value.free_text(LONGEST_ATTRIBUTE));
    object.finish()?;
    text.map(|value| Attribute { label, value }).ok_or_else(|| Refusal::internal("an attribute is missing without a flaw"))
}

fn show_attribute(attribute: &Attribute) -> Json {
    let Attribute { label, value } = attribute;
    match label {
        Some(label) => Json::object().with("label", label).with("value", value).into(),
        None => Json::from(value),
    }
}
