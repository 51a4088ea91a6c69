//! A line of an order as a map.

use super::owned;
use crate::attributes::{Reader, Writer, Wrong};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Decimal;
use domain::transaction::properties::{Attribute, LineItem, LineItemType, SignedDecimal, Tax, TaxRate};
use std::collections::BTreeMap;

pub(super) fn write(line: &LineItem) -> AttributeValue {
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
    let attributes = attributes.iter().map(|(key, attribute)| (key.clone(), write_attribute(attribute)));
    let map = Writer::default()
        .text("uniqueId", unique_id)
        .text("name", name)
        .text("quantity", quantity.to_string())
        .text("amountIncludingTax", amount_including_tax.to_string())
        .text("type", kind.as_str())
        .some(sku.as_ref(), |map, sku| map.text("sku", sku))
        .some(*shipping_required, |map, required| map.flag("shippingRequired", required))
        .list("taxes", taxes.iter().map(write_tax))
        .map("attributes", Writer::new(attributes.collect()))
        .some(*discount_including_tax, |map, discount| map.text("discountIncludingTax", discount.to_string()));
    AttributeValue::M(map.item())
}

pub(super) fn read(line: &AttributeValue) -> Result<LineItem, Wrong> {
    let map = line.as_m().map(Reader).map_err(|_| Wrong("lineItems"))?;
    Ok(LineItem {
        unique_id: map.text("uniqueId")?.to_owned(),
        name: map.text("name")?.to_owned(),
        quantity: map.parsed("quantity", parse_decimal)?,
        amount_including_tax: map.parsed("amountIncludingTax", |text| SignedDecimal::parse(text).ok())?,
        kind: map.parsed("type", LineItemType::parse)?,
        sku: owned(map, "sku")?,
        shipping_required: map.some("shippingRequired", Reader::flag)?,
        taxes: map.list("taxes")?.iter().map(read_tax).collect::<Result<_, _>>()?,
        attributes: read_attributes(map.map("attributes")?)?,
        discount_including_tax: map.some("discountIncludingTax", |map, name| map.parsed(name, parse_decimal))?,
    })
}

fn write_tax(tax: &Tax) -> AttributeValue {
    let Tax { title, rate } = tax;
    AttributeValue::M(Writer::default().text("title", title).text("rate", rate.percent().to_string()).item())
}

fn read_tax(tax: &AttributeValue) -> Result<Tax, Wrong> {
    let map = tax.as_m().map(Reader).map_err(|_| Wrong("taxes"))?;
    let rate = |text: &str| TaxRate::new(parse_decimal(text)?);
    Ok(Tax { title: map.text("title")?.to_owned(), rate: map.parsed("rate", rate)? })
}

fn write_attribute(attribute: &Attribute) -> AttributeValue {
    let Attribute { label, value } = attribute;
    let map = Writer::default().some(label.as_ref(), |map, label| map.text("label", label)).text("value", value);
    AttributeValue::M(map.item())
}

fn read_attributes(Reader(entries): Reader<'_>) -> Result<BTreeMap<String, Attribute>, Wrong> {
    let attribute = |value: &AttributeValue| {
        let map = value.as_m().map(Reader).map_err(|_| Wrong("attributes"))?;
        Ok(Attribute { label: owned(map, "label")?, value: map.text("value")?.to_owned() })
    };
    entries.iter().map(|(key, value)| Ok((key.clone(), attribute(value)?))).collect()
}

fn parse_decimal(text: &str) -> Option<Decimal> {
    Decimal::parse(text).ok()
}
