//! The properties that merchants write, as JSON: read from a body with the limit of each, and shown in answers.
//!
//! `show` takes every group apart by naming all its fields, so that a new property does not compile until it is shown.

mod address;
mod line_item;

use crate::json::{Object, Value, one_of};
use crate::json_out::{Json, Members};
use domain::Refusal;
use domain::card_data::contains_card_number;
use domain::transaction::properties::{
    Checkout, CompletionBehavior, CustomersPresence, Environment, EnvironmentSelectionStrategy, Language, MetaData, Order, Payer, Personal,
    Processing, Properties, ReturnUrl, TimeZone, TokenizationMode,
};
use std::ops::RangeInclusive;

/// Most numbers in one of the lists of allowed means of payment.
const MOST_ALLOWED: usize = 100;
/// Of references, and of names of people and places.
const LONGEST_NAME: usize = 100;
const LONGEST_EMAIL: usize = 254;

/// All writable properties of a body; what is wrong with them is kept in the body.
pub fn read(body: &mut Object<'_>) -> Properties {
    Properties { order: read_order(body), payer: read_payer(body), checkout: read_checkout(body), processing: read_processing(body) }
}

/// Adds the properties that are set.
pub fn show(properties: &Properties, out: &mut Vec<(String, Json)>) {
    let Properties { order, payer, checkout, processing } = properties;
    for group in [show_order(order), show_payer(payer), show_checkout(checkout), show_processing(processing)] {
        out.extend(group.into_vec());
    }
}

fn read_order(body: &mut Object<'_>) -> Order {
    Order {
        invoice_merchant_reference: body.optional("invoiceMerchantReference", |value| read_reference(value, 0..=LONGEST_NAME)),
        shipping_method: body.optional("shippingMethod", |value| value.free_text(200)),
        line_items: body.optional("lineItems", line_item::read_all).unwrap_or_default(),
        meta_data: body.optional("metaData", read_meta_data).unwrap_or_default(),
    }
}

fn show_order(order: &Order) -> Members {
    let Order { invoice_merchant_reference, shipping_method, line_items, meta_data } = order;
    let meta_data = meta_data.entries().iter().fold(Json::object(), |object, (key, value)| object.with(key, value));
    Json::object()
        .with_some("invoiceMerchantReference", invoice_merchant_reference.as_ref())
        .with_some("shippingMethod", shipping_method.as_ref())
        .with_any("lineItems", line_items.iter().map(line_item::show))
        .with_some("metaData", (!order.meta_data.entries().is_empty()).then_some(meta_data))
}

/// Limits are refusals of their own, and so is what looks like a card number.
fn read_meta_data(value: &Value<'_>) -> Result<MetaData, Refusal> {
    let texts = value.each_entry(MetaData::MOST_KEYS, |key, entry| {
        MetaData::check_key(key)?;
        check_key(value, key)?;
        entry.free_text(usize::MAX)
    })?;
    MetaData::new(texts.ok_or(MetaData::TOO_MANY_KEYS)?)
}

/// Keys that the caller made up are free text too; the pointer is that of their object, so that it does not repeat them.
fn check_key(object: &Value<'_>, key: &str) -> Result<(), Refusal> {
    match () {
        () if key.chars().any(char::is_control) => Err(object.flaw("must not have control characters in a key")),
        () if contains_card_number(key) => Err(Refusal::CardDataNotAllowed { pointer: object.pointer().to_owned() }),
        () => Ok(()),
    }
}

fn read_payer(body: &mut Object<'_>) -> Payer {
    Payer {
        customer_id: body.optional("customerId", |value| value.free_text(LONGEST_NAME)).map(Personal::new),
        customer_email_address: body.optional("customerEmailAddress", |value| value.free_text(LONGEST_EMAIL)).map(Personal::new),
        billing_address: body.optional("billingAddress", address::read).map(Personal::new),
        shipping_address: body.optional("shippingAddress", address::read).map(Personal::new),
        language: body.optional("language", |value| value.parsed(Language::parse, "must be a language tag such as de-CH")),
        time_zone: body
            .optional("timeZone", |value| value.parsed(TimeZone::parse, "must be the name of a time zone such as Europe/Zurich")),
        customers_presence: body.optional("customersPresence", one_of(CustomersPresence::ALL, CustomersPresence::as_str)),
        device_session_identifier: body.optional("deviceSessionIdentifier", |value| read_reference(value, 10..=40)).map(Personal::new),
    }
}

fn show_payer(payer: &Payer) -> Members {
    let Payer {
        customer_id,
        customer_email_address,
        billing_address,
        shipping_address,
        language,
        time_zone,
        customers_presence,
        device_session_identifier,
    } = payer;
    Json::object()
        .with_some("customerId", customer_id.as_ref().map(Personal::reveal))
        .with_some("customerEmailAddress", customer_email_address.as_ref().map(Personal::reveal))
        .with_some("billingAddress", billing_address.as_ref().map(|address| address::show(address.reveal())))
        .with_some("shippingAddress", shipping_address.as_ref().map(|address| address::show(address.reveal())))
        .with_some("language", language.as_ref().map(Language::as_str))
        .with_some("timeZone", time_zone.as_ref().map(TimeZone::as_str))
        .with_some("customersPresence", customers_presence.map(CustomersPresence::as_str))
        .with_some("deviceSessionIdentifier", device_session_identifier.as_ref().map(Personal::reveal))
}

fn read_checkout(body: &mut Object<'_>) -> Checkout {
    Checkout {
        success_url: body.optional("successUrl", read_url),
        failed_url: body.optional("failedUrl", read_url),
        allowed_payment_method_brands: body.optional("allowedPaymentMethodBrands", read_ids).unwrap_or_default(),
        allowed_payment_method_configurations: body.optional("allowedPaymentMethodConfigurations", read_ids).unwrap_or_default(),
        space_view_id: body.optional("spaceViewId", read_id),
        emails_disabled: body.optional("emailsDisabled", Value::boolean),
    }
}

fn show_checkout(checkout: &Checkout) -> Members {
    let Checkout {
        success_url,
        failed_url,
        allowed_payment_method_brands,
        allowed_payment_method_configurations,
        space_view_id,
        emails_disabled,
    } = checkout;
    Json::object()
        .with_some("successUrl", success_url.as_ref().map(ReturnUrl::as_str))
        .with_some("failedUrl", failed_url.as_ref().map(ReturnUrl::as_str))
        .with_any("allowedPaymentMethodBrands", allowed_payment_method_brands.iter().copied())
        .with_any("allowedPaymentMethodConfigurations", allowed_payment_method_configurations.iter().copied())
        .with_some("spaceViewId", *space_view_id)
        .with_some("emailsDisabled", *emails_disabled)
}

fn read_processing(body: &mut Object<'_>) -> Processing {
    Processing {
        environment: body.optional("environment", one_of(Environment::ALL, Environment::as_str)),
        environment_selection_strategy: body
            .optional("environmentSelectionStrategy", one_of(EnvironmentSelectionStrategy::ALL, EnvironmentSelectionStrategy::as_str)),
        completion_behavior: body.optional("completionBehavior", one_of(CompletionBehavior::ALL, CompletionBehavior::as_str)),
        auto_confirmation_enabled: body.optional("autoConfirmationEnabled", Value::boolean),
        charge_retry_enabled: body.optional("chargeRetryEnabled", Value::boolean),
        tokenization_mode: body.optional("tokenizationMode", one_of(TokenizationMode::ALL, TokenizationMode::as_str)),
        token: body.optional("token", read_id),
    }
}

fn show_processing(processing: &Processing) -> Members {
    let Processing {
        environment,
        environment_selection_strategy,
        completion_behavior,
        auto_confirmation_enabled,
        charge_retry_enabled,
        tokenization_mode,
        token,
    } = processing;
    Json::object()
        .with_some("environment", environment.map(Environment::as_str))
        .with_some("environmentSelectionStrategy", environment_selection_strategy.map(EnvironmentSelectionStrategy::as_str))
        .with_some("completionBehavior", completion_behavior.map(CompletionBehavior::as_str))
        .with_some("autoConfirmationEnabled", *auto_confirmation_enabled)
        .with_some("chargeRetryEnabled", *charge_retry_enabled)
        .with_some("tokenizationMode", tokenization_mode.map(TokenizationMode::as_str))
        .with_some("token", *token)
}

fn read_reference(value: &Value<'_>, length: RangeInclusive<usize>) -> Result<String, Refusal> {
    let longest = *length.end();
    value.printable_ascii(length)?;
    value.free_text(longest)
}

fn read_url(value: &Value<'_>) -> Result<ReturnUrl, Refusal> {
    value.free_text(2000)?;
    value.parsed(ReturnUrl::parse, "must be an http or https URL of 9 to 2000 characters")
}

fn read_ids(value: &Value<'_>) -> Result<Vec<u64>, Refusal> {
    value.each(MOST_ALLOWED, read_id)
}

/// A number that names something in the merchant's own lists; a card number is none.
fn read_id(value: &Value<'_>) -> Result<u64, Refusal> {
    let number = value.integer()?;
    if contains_card_number(&number.to_string()) {
        return Err(Refusal::CardDataNotAllowed { pointer: value.pointer().to_owned() });
    }
    let id = u64::try_from(number).ok().filter(|id| (1..1 << 53).contains(id));
    id.ok_or_else(|| value.flaw("must be a positive integer below 2^53"))
}

#[cfg(test)]
mod tests;
