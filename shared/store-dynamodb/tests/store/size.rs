//! How large an item is, as DynamoDB counts: names and values in UTF-8, numbers by two digits a byte.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use aws_sdk_dynamodb::types::AttributeValue;
use testkit::Item;

pub fn of_item(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + of_value(value)).sum()
}

fn of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => of_number(number),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + of_value(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + of_value(value)).sum::<usize>(),
        other => panic!("we write no {other:?}"),
    }
}

/// At most 21 bytes; one more below zero.
fn of_number(number: &str) -> usize {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    1 + digits.div_ceil(2) + usize::from(number.starts_with('-'))
}

#[test]
fn sizes_are_counted() {
    let value = |value| of_item(&Item::from([("ab".to_owned(), value)]));
    assert_eq!(value(AttributeValue::S("\u{fc}x".into())), 5);
    assert_eq!(value(AttributeValue::N("1785751200000".into())), 2 + 8);
    assert_eq!(value(AttributeValue::Bool(true)), 3);
    assert_eq!(value(AttributeValue::L(vec![AttributeValue::Bool(true)])), 2 + 3 + 2);
}
