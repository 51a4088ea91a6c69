//! What merchants wrote about a transaction, in the data item: one nested map for each group, with the names of the JSON.
//!
//! Both directions name every field, so that a new property does not compile until it is stored. Decimal numbers are texts:
//! the engine must not touch their digits. What is not set is left out; the groups are always there.

mod address;
mod line_item;

use crate::attributes::{Item, Reader, Writer, Wrong};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::transaction::properties::{
    Checkout, CompletionBehavior, CustomersPresence, Environment, EnvironmentSelectionStrategy, Language, MetaData, Order, Payer, Personal,
    Processing, Properties, ReturnUrl, TimeZone, TokenizationMode,
};

pub(crate) fn write(properties: &Properties) -> Item {
    let Properties { order, payer, checkout, processing } = properties;
    Writer::default()
        .map("order", write_order(order))
        .map("payer", write_payer(payer))
        .map("checkout", write_checkout(checkout))
        .map("processing", write_processing(processing))
        .item()
}

/// The properties of a data item, or the attribute that is wrong.
pub(crate) fn read(item: &Item) -> Result<Properties, &'static str> {
    read_groups(Reader(item)).map_err(|Wrong(attribute)| attribute)
}

fn read_groups(item: Reader<'_>) -> Result<Properties, Wrong> {
    Ok(Properties {
        order: read_order(item.map("order")?)?,
        payer: read_payer(item.map("payer")?)?,
        checkout: read_checkout(item.map("checkout")?)?,
        processing: read_processing(item.map("processing")?)?,
    })
}

fn write_order(order: &Order) -> Writer {
    let Order { invoice_merchant_reference, shipping_method, line_items, meta_data } = order;
    let entries = meta_data.entries().iter().map(|(key, value)| (key.clone(), AttributeValue::S(value.clone())));
    Writer::default()
        .some(invoice_merchant_reference.as_ref(), |map, reference| map.text("invoiceMerchantReference", reference))
        .some(shipping_method.as_ref(), |map, method| map.text("shippingMethod", method))
        .list("lineItems", line_items.iter().map(line_item::write))
        .map("metaData", Writer::new(entries.collect()))
}

fn read_order(map: Reader<'_>) -> Result<Order, Wrong> {
    Ok(Order {
        invoice_merchant_reference: owned(map, "invoiceMerchantReference")?,
        shipping_method: owned(map, "shippingMethod")?,
        line_items: map.list("lineItems")?.iter().map(line_item::read).collect::<Result<_, _>>()?,
        meta_data: read_meta_data(map.map("metaData")?)?,
    })
}

fn read_meta_data(Reader(entries): Reader<'_>) -> Result<MetaData, Wrong> {
    let text = |value: &AttributeValue| value.as_s().cloned().map_err(|_| Wrong("metaData"));
    let texts = entries.iter().map(|(key, value)| Ok((key.clone(), text(value)?))).collect::<Result<_, _>>()?;
    MetaData::new(texts).map_err(|_| Wrong("metaData"))
}

fn write_payer(payer: &Payer) -> Writer {
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
    Writer::default()
        .some(customer_id.as_ref(), |map, id| map.text("customerId", id.reveal()))
        .some(customer_email_address.as_ref(), |map, address| map.text("customerEmailAddress", address.reveal()))
        .some(billing_address.as_ref(), |map, address| map.map("billingAddress", address::write(address.reveal())))
        .some(shipping_address.as_ref(), |map, address| map.map("shippingAddress", address::write(address.reveal())))
        .some(language.as_ref(), |map, language| map.text("language", language.as_str()))
        .some(time_zone.as_ref(), |map, zone| map.text("timeZone", zone.as_str()))
        .some(*customers_presence, |map, presence| map.text("customersPresence", presence.as_str()))
        .some(device_session_identifier.as_ref(), |map, session| map.text("deviceSessionIdentifier", session.reveal()))
}

fn read_payer(map: Reader<'_>) -> Result<Payer, Wrong> {
    let address = |map: Reader<'_>, name| address::read(map.map(name)?).map(Personal::new);
    Ok(Payer {
        customer_id: owned(map, "customerId")?.map(Personal::new),
        customer_email_address: owned(map, "customerEmailAddress")?.map(Personal::new),
        billing_address: map.some("billingAddress", address)?,
        shipping_address: map.some("shippingAddress", address)?,
        language: parsed(map, "language", Language::parse)?,
        time_zone: parsed(map, "timeZone", TimeZone::parse)?,
        customers_presence: parsed(map, "customersPresence", CustomersPresence::parse)?,
        device_session_identifier: owned(map, "deviceSessionIdentifier")?.map(Personal::new),
    })
}

fn write_checkout(checkout: &Checkout) -> Writer {
    let Checkout {
        success_url,
        failed_url,
        allowed_payment_method_brands,
        allowed_payment_method_configurations,
        space_view_id,
        emails_disabled,
    } = checkout;
    let numbers = |ids: &[u64]| ids.iter().map(|id| AttributeValue::N(id.to_string())).collect::<Vec<_>>();
    Writer::default()
        .some(success_url.as_ref(), |map, url| map.text("successUrl", url.as_str()))
        .some(failed_url.as_ref(), |map, url| map.text("failedUrl", url.as_str()))
        .list("allowedPaymentMethodBrands", numbers(allowed_payment_method_brands))
        .list("allowedPaymentMethodConfigurations", numbers(allowed_payment_method_configurations))
        .some(*space_view_id, |map, id| map.number("spaceViewId", id))
        .some(*emails_disabled, |map, disabled| map.flag("emailsDisabled", disabled))
}

fn read_checkout(map: Reader<'_>) -> Result<Checkout, Wrong> {
    let number = |value: &AttributeValue| value.as_n().ok()?.parse().ok();
    let numbers = |name| map.list(name)?.iter().map(|value| number(value).ok_or(Wrong(name))).collect::<Result<_, _>>();
    Ok(Checkout {
        success_url: parsed(map, "successUrl", ReturnUrl::parse)?,
        failed_url: parsed(map, "failedUrl", ReturnUrl::parse)?,
        allowed_payment_method_brands: numbers("allowedPaymentMethodBrands")?,
        allowed_payment_method_configurations: numbers("allowedPaymentMethodConfigurations")?,
        space_view_id: map.some("spaceViewId", Reader::number)?,
        emails_disabled: map.some("emailsDisabled", Reader::flag)?,
    })
}

fn write_processing(processing: &Processing) -> Writer {
    let Processing {
        environment,
        environment_selection_strategy,
        completion_behavior,
        auto_confirmation_enabled,
        charge_retry_enabled,
        tokenization_mode,
        token,
    } = processing;
    Writer::default()
        .some(*environment, |map, environment| map.text("environment", environment.as_str()))
        .some(*environment_selection_strategy, |map, strategy| map.text("environmentSelectionStrategy", strategy.as_str()))
        .some(*completion_behavior, |map, behavior| map.text("completionBehavior", behavior.as_str()))
        .some(*auto_confirmation_enabled, |map, enabled| map.flag("autoConfirmationEnabled", enabled))
        .some(*charge_retry_enabled, |map, enabled| map.flag("chargeRetryEnabled", enabled))
        .some(*tokenization_mode, |map, mode| map.text("tokenizationMode", mode.as_str()))
        .some(*token, |map, token| map.number("token", token))
}

fn read_processing(map: Reader<'_>) -> Result<Processing, Wrong> {
    Ok(Processing {
        environment: parsed(map, "environment", Environment::parse)?,
        environment_selection_strategy: parsed(map, "environmentSelectionStrategy", EnvironmentSelectionStrategy::parse)?,
        completion_behavior: parsed(map, "completionBehavior", CompletionBehavior::parse)?,
        auto_confirmation_enabled: map.some("autoConfirmationEnabled", Reader::flag)?,
        charge_retry_enabled: map.some("chargeRetryEnabled", Reader::flag)?,
        tokenization_mode: parsed(map, "tokenizationMode", TokenizationMode::parse)?,
        token: map.some("token", Reader::number)?,
    })
}

fn owned(map: Reader<'_>, name: &'static str) -> Result<Option<String>, Wrong> {
    Ok(map.some(name, Reader::text)?.map(str::to_owned))
}

fn parsed<T>(map: Reader<'_>, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Wrong> {
    map.some(name, |map, name| map.parsed(name, parse))
}

#[cfg(test)]
mod tests;
