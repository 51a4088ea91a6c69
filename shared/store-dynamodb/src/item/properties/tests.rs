//! What is written is read back; what is not as we write it is named.

use super::*;
use domain::Decimal;
use domain::transaction::properties::{
    Address, Attribute, CalendarDate, Contact, Country, Gender, LineItem, LineItemType, Organization, Person, Place, SignedDecimal, Tax,
    TaxRate,
};
use std::collections::BTreeMap;

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Every property, set.
fn full() -> Properties {
    Properties { order: full_order(), payer: full_payer(), checkout: full_checkout(), processing: full_processing() }
}

fn full_order() -> Order {
    let attribute = |label: Option<&str>| Attribute { label: label.map(str::to_owned), value: "red".into() };
    let line = LineItem {
        unique_id: "10000".into(),
        name: "Chair".into(),
        quantity: Decimal::parse("2.500").unwrap(),
        amount_including_tax: SignedDecimal::parse("-92233720368547758.07").unwrap(),
        kind: LineItemType::Discount,
        sku: text("4006381333931"),
        shipping_required: Some(false),
        taxes: vec![Tax { title: "MWST".into(), rate: TaxRate::new(Decimal::parse("8.1").unwrap()).unwrap() }],
        attributes: BTreeMap::from([("a".into(), attribute(Some("Colour"))), ("b".into(), attribute(None))]),
        discount_including_tax: Decimal::parse("0.1").ok(),
    };
    let plain = LineItem {
        unique_id: "20000".into(),
        sku: None,
        shipping_required: None,
        taxes: vec![],
        attributes: BTreeMap::new(),
        discount_including_tax: None,
        ..line.clone()
    };
    Order {
        invoice_merchant_reference: text(""),
        shipping_method: text("Post"),
        line_items: vec![line, plain],
        meta_data: MetaData::new(BTreeMap::from([("__proto__".into(), "\u{202e}#".into()), ("pk".into(), String::new())])).unwrap(),
    }
}

fn full_payer() -> Payer {
    let address = Address {
        person: Person {
            salutation: text("Frau"),
            given_name: text("Maria"),
            family_name: text("Muster"),
            date_of_birth: CalendarDate::parse("1985-03-27"),
            gender: Some(Gender::Female),
            social_security_number: text("756"),
        },
        organization: Organization {
            organization_name: text("Muster AG"),
            commercial_register_number: text("CHE-1"),
            sales_tax_number: text("CHE-2"),
            legal_organization_form: Some(7),
        },
        place: Place {
            street: text("Weg 1"),
            postcode: text("8001"),
            city: text("Z\u{fc}rich"),
            postal_state: text("ZH"),
            country: Country::parse("CH"),
            dependent_locality: text("Kreis 1"),
            sorting_code: text("1"),
        },
        contact: Contact { email_address: text("m@example.com"), phone_number: text("+41"), mobile_phone_number: text("+42") },
    };
    Payer {
        customer_id: text("K-77").map(Personal::new),
        customer_email_address: text("maria@example.com").map(Personal::new),
        billing_address: Some(Personal::new(address)),
        shipping_address: Some(Personal::new(Address::default())),
        language: Language::parse("de-CH"),
        time_zone: TimeZone::parse("Europe/Zurich"),
        customers_presence: Some(CustomersPresence::PhysicalPresent),
        device_session_identifier: text("session-0001").map(Personal::new),
    }
}

fn full_checkout() -> Checkout {
    Checkout {
        success_url: ReturnUrl::parse("https://shop.example/ok"),
        failed_url: ReturnUrl::parse("https://shop.example/no"),
        allowed_payment_method_brands: vec![2, 1],
        allowed_payment_method_configurations: vec![9_007_199_254_740_991],
        space_view_id: Some(3),
        emails_disabled: Some(true),
    }
}

fn full_processing() -> Processing {
    Processing {
        environment: Some(Environment::Preview),
        environment_selection_strategy: Some(EnvironmentSelectionStrategy::UseConfiguration),
        completion_behavior: Some(CompletionBehavior::CompleteDeferred),
        auto_confirmation_enabled: Some(false),
        charge_retry_enabled: Some(true),
        tokenization_mode: Some(TokenizationMode::ForceUpdate),
        token: Some(4),
    }
}

#[test]
fn what_is_written_is_read_back() {
    for properties in [Properties::default(), full()] {
        assert!(read(&write(&properties)) == Ok(properties));
    }
}

#[test]
fn every_group_is_a_map_of_its_own() {
    let mut names: Vec<_> = write(&full()).into_keys().collect();
    names.sort();
    assert_eq!(names, ["checkout", "order", "payer", "processing"]);
}

/// Puts a value of a type that we never write in the place of each attribute in turn, at every depth.
#[test]
fn an_attribute_of_another_type_is_named_and_never_defaulted() {
    let stored = write(&full());
    let mut places = Vec::new();
    collect_places(&AttributeValue::M(stored.clone()), &mut Vec::new(), &mut places);
    assert!(places.len() > 60, "{}", places.len());
    for place in places {
        let mut item = AttributeValue::M(stored.clone());
        *at(&mut item, &place) = AttributeValue::Null(true);
        let attribute = read(item.as_m().unwrap()).expect_err(&format!("{place:?} was not looked at"));
        let is_named = place.iter().any(|step| step == attribute);
        assert!(is_named, "{attribute} instead of {place:?}");
    }
}

#[test]
fn a_group_or_a_required_attribute_that_is_missing_is_named() {
    for group in ["order", "payer", "checkout", "processing"] {
        let mut item = write(&full());
        item.remove(group);
        assert!(read(&item) == Err(group));
    }
    for attribute in ["uniqueId", "name", "quantity", "amountIncludingTax", "type", "taxes", "attributes"] {
        let mut item = AttributeValue::M(write(&full()));
        let AttributeValue::M(line) = at(&mut item, &["order".into(), "lineItems".into(), "0".into()]) else { panic!("no line") };
        line.remove(attribute);
        assert!(read(item.as_m().unwrap()) == Err(attribute));
    }
}

#[test]
fn a_text_that_no_edge_would_have_let_in_is_named() {
    for (group, attribute, text) in [
        ("payer", "language", "de_CH"),
        ("checkout", "successUrl", "javascript:alert(1)"),
        ("processing", "environment", "TEST"),
        ("payer", "customersPresence", ""),
    ] {
        let mut item = AttributeValue::M(write(&full()));
        *at(&mut item, &[group.into(), attribute.into()]) = AttributeValue::S(text.into());
        assert!(read(item.as_m().unwrap()) == Err(attribute));
    }
}

fn collect_places(value: &AttributeValue, path: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &AttributeValue)> = match value {
        AttributeValue::M(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        AttributeValue::L(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => vec![],
    };
    for (step, child) in children {
        path.push(step);
        places.push(path.clone());
        collect_places(child, path, places);
        path.pop();
    }
}

fn at<'a>(value: &'a mut AttributeValue, path: &[String]) -> &'a mut AttributeValue {
    path.iter().fold(value, |value, step| match value {
        AttributeValue::M(map) => map.get_mut(step).unwrap(),
        AttributeValue::L(list) => list.get_mut(step.parse::<usize>().unwrap()).unwrap(),
        other => panic!("{other:?} has no {step}"),
    })
}
