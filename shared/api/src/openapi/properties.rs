//! The properties that merchants write on an import and find again in the transaction.

use super::schema::{AnySchema, Members, Named, Way, boolean, choice, id, list, map, object, one, reference, string, text};
use domain::transaction::properties::{
    CompletionBehavior, CustomersPresence, Environment, EnvironmentSelectionStrategy, Gender, LineItemType, MetaData, TokenizationMode,
};
use utoipa::openapi::KnownFormat;
use utoipa::openapi::schema::{AnyOfBuilder, SchemaFormat};

const MOST_LINES: usize = 500;
const MOST_ALLOWED: usize = 100;
const URL: &str = r"^https?://[A-Za-z0-9._:-]+([/?#][!-~]*)?$";

pub(super) fn all() -> Vec<Named> {
    let mut all = vec![
        ("CustomersPresence", choice("Where the customer was.", CustomersPresence::ALL, CustomersPresence::as_str)),
        ("Environment", choice("Which environment the payment page is shown in.", Environment::ALL, Environment::as_str)),
        (
            "EnvironmentSelectionStrategy",
            choice("How test or production is chosen.", EnvironmentSelectionStrategy::ALL, EnvironmentSelectionStrategy::as_str),
        ),
        ("CompletionBehavior", choice("When the payment is captured.", CompletionBehavior::ALL, CompletionBehavior::as_str)),
        ("TokenizationMode", choice("Whether the means of payment is kept.", TokenizationMode::ALL, TokenizationMode::as_str)),
        ("LineItemType", choice("What kind of line it is.", LineItemType::ALL, LineItemType::as_str)),
        ("Gender", choice("A gender.", Gender::ALL, Gender::as_str)),
    ];
    for (way, [line_item_name, tax_name, attribute_name, address_name]) in
        [(Way::In, ["LineItemIn", "TaxIn", "AttributeIn", "AddressIn"]), (Way::Out, ["LineItem", "Tax", "Attribute", "Address"])]
    {
        all.push((line_item_name, line_item(way, tax_name, attribute_name)));
        all.push((tax_name, tax(way)));
        all.push((attribute_name, attribute(way)));
        all.push((address_name, address(way)));
    }
    all
}

/// Adds them to the command or to the transaction.
pub(super) fn add(members: Members, way: Way) -> Members {
    let (line_item, address) = match way {
        Way::In => ("LineItemIn", "AddressIn"),
        Way::Out => ("LineItem", "Address"),
    };
    let meta_data = "Your own names and values, kept and shown as they are: at most 16 kB in all.";
    let value = text("A value.", MetaData::LONGEST_VALUE_CHARS);
    members
        .may("invoiceMerchantReference", reference("Your number of the invoice.", 0, 100))
        .may("shippingMethod", text("How it is shipped.", 200))
        .may("lineItems", list("The lines of the order. No two have the same `uniqueId`.", one(line_item, ""), Some(MOST_LINES)))
        .may("metaData", map(meta_data, MetaData::MOST_KEYS, value))
        .may("customerId", text("Your number of the customer.", 100))
        .may("customerEmailAddress", text("Where the customer is written to.", 254))
        .may("billingAddress", one(address, "Who pays."))
        .may("shippingAddress", one(address, "Where it is sent."))
        .may("language", string("A language tag (BCP 47).").max_length(Some(35)).pattern(Some("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")))
        .may("timeZone", string("A time zone (IANA).").max_length(Some(64)).pattern(Some("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$")))
        .may("customersPresence", one("CustomersPresence", ""))
        .may("deviceSessionIdentifier", reference("The payer's session in the shop.", 10, 40))
        .may("successUrl", url("Where the payer's browser goes afterwards. It is never called from here.", way))
        .may("failedUrl", url("Where the payer's browser goes after a failure. It is never called from here.", way))
        .may("allowedPaymentMethodBrands", list("Ids of brands.", id("An id."), Some(MOST_ALLOWED)))
        .may("allowedPaymentMethodConfigurations", list("Ids of configurations.", id("An id."), Some(MOST_ALLOWED)))
        .may("spaceViewId", id("An id in your own lists."))
        .may("emailsDisabled", boolean("No e-mails to the payer."))
        .may("environment", one("Environment", ""))
        .may("environmentSelectionStrategy", one("EnvironmentSelectionStrategy", ""))
        .may("completionBehavior", one("CompletionBehavior", ""))
        .may("autoConfirmationEnabled", boolean("Confirmed without being asked."))
        .may("chargeRetryEnabled", boolean("The payer may try again."))
        .may("tokenizationMode", one("TokenizationMode", ""))
        .may("token", id("An id in your own lists."))
}

/// Letters beyond ASCII are taken, too; programs had better write them as URLs do.
fn url(about: &str, way: Way) -> AnySchema {
    string(about).min_length(Some(9)).max_length(Some(2000)).pattern((way == Way::In).then_some(URL)).into()
}

fn line_item(way: Way, tax: &str, attribute: &str) -> AnySchema {
    let (quantity, amount, discount) = match way {
        Way::In => ("DecimalIn", "SignedAmountIn", "AmountIn"),
        Way::Out => ("Decimal", "SignedDecimal", "Decimal"),
    };
    object("A line of the order, kept as it was sent.")
        .need("uniqueId", text("By this name captures and refunds refer to the line.", 200).min_length(Some(1)))
        .need("name", text("What it is.", 150).min_length(Some(1)))
        .need("quantity", one(quantity, ""))
        .need("amountIncludingTax", one(amount, "The line's total; a discount is below zero."))
        .need("type", one("LineItemType", ""))
        .may("sku", text("The article's number.", 200))
        .may("shippingRequired", boolean("It has to be shipped."))
        .may("taxes", list("The taxes in it.", one(tax, ""), Some(10)))
        .may("attributes", map("Properties of the article.", 50, one(attribute, "")))
        .may("discountIncludingTax", one(discount, "What the line would cost more without its discount."))
        .end(way)
}

fn tax(way: Way) -> AnySchema {
    let rate = if way == Way::In { "PercentIn" } else { "Decimal" };
    object("A tax.").need("title", text("Its name.", 40).min_length(Some(2))).need("rate", one(rate, "In percent, at most 100.")).end(way)
}

fn attribute(way: Way) -> AnySchema {
    let labelled = object("With the name that people see.").may("label", text("", 512)).need("value", text("", 512)).end(way);
    AnyOfBuilder::new().description(Some("A property of the article.")).item(text("The value alone.", 512)).item(labelled).into()
}

fn address(way: Way) -> AnySchema {
    let day = string("A day, such as `1985-03-27`.").format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    object("An address. Every property is optional.")
        .may("salutation", text("", 20))
        .may("givenName", text("", 100))
        .may("familyName", text("", 100))
        .may("dateOfBirth", day)
        .may("gender", one("Gender", ""))
        .may("socialSecurityNumber", text("", 100))
        .may("organizationName", text("", 100))
        .may("commercialRegisterNumber", text("", 100))
        .may("salesTaxNumber", text("", 100))
        .may("legalOrganizationForm", id("An id in your own lists."))
        .may("street", text("", 300))
        .may("postcode", text("", 40))
        .may("city", text("", 100))
        .may("postalState", text("", 100))
        .may("country", string("Two upper-case letters (ISO 3166-1).").pattern(Some("^[A-Z]{2}$")))
        .may("dependentLocality", text("", 100))
        .may("sortingCode", text("", 100))
        .may("emailAddress", text("", 254))
        .may("phoneNumber", text("", 100))
        .may("mobilePhoneNumber", text("", 100))
        .end(way)
}
