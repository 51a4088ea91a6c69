//! The words in which schemas are written here, and the schemas of single values: amounts, ids, moments, names.
//!
//! What is sent to us is closed (unknown properties are refused), what we answer is open (callers must tolerate more).

use domain::currency;
use domain::transaction::properties::MetaData;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, Ref, RefOr};

pub(super) type AnySchema = RefOr<Schema>;

/// A schema under the name by which others refer to it.
pub(super) type Named = (&'static str, AnySchema);

/// Whether a schema describes what is sent to us or what we answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// Printable ASCII, which references are made of.
const REFERENCE: &str = "^[ -~]*$";
/// Of the control characters only tab and line breaks.
const FREE_TEXT: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";
/// No control characters at all.
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]+$";
/// Longest digits that are an amount in every currency: 14 before the point, 4 behind it.
const DECIMAL: &str = r"^(0|[1-9][0-9]{0,13})(\.[0-9]{1,4})?$";
const SIGNED_DECIMAL: &str = r"^-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,4})?$";
const PERCENT: &str = r"^(100(\.0{1,4})?|(0|[1-9][0-9]?)(\.[0-9]{1,4})?)$";

/// The largest whole number that is an amount in a currency with two decimals.
const LARGEST: i64 = i64::MAX / 100;
/// Below this every integer is exact in JavaScript and in Business Central.
pub(super) const LARGEST_ID: i64 = (1 << 53) - 1;

/// An object that is being described, its properties in order.
pub(super) struct Members(ObjectBuilder);

pub(super) fn object(about: &str) -> Members {
    Members(ObjectBuilder::new().schema_type(Type::Object).description(Some(about)))
}

impl Members {
    /// A property that is always there.
    pub(super) fn need(self, name: &str, schema: impl Into<AnySchema>) -> Self {
        Self(self.0.property(name, schema).required(name))
    }

    /// A property that is absent where it is not set.
    pub(super) fn may(self, name: &str, schema: impl Into<AnySchema>) -> Self {
        Self(self.0.property(name, schema))
    }

    pub(super) fn end(self, way: Way) -> AnySchema {
        match way {
            Way::In => self.0.additional_properties(Some(AdditionalProperties::FreeForm(false))).into(),
            Way::Out => self.0.into(),
        }
    }
}

/// A named schema, with what it means in this place.
pub(super) fn one(name: &str, about: &str) -> AnySchema {
    let mut reference = Ref::from_schema_name(name);
    about.clone_into(&mut reference.description);
    reference.into()
}

pub(super) fn list(about: &str, of: impl Into<AnySchema>, most: Option<usize>) -> AnySchema {
    ArrayBuilder::new().description(Some(about)).items(of.into()).max_items(most).into()
}

/// Text that people wrote, at most so many characters.
pub(super) fn text(about: &str, longest: usize) -> ObjectBuilder {
    string(about).max_length(Some(longest)).pattern(Some(FREE_TEXT))
}

/// Printable ASCII of so many characters.
pub(super) fn reference(about: &str, shortest: usize, longest: usize) -> ObjectBuilder {
    string(about).min_length(Some(shortest)).max_length(Some(longest)).pattern(Some(REFERENCE))
}

pub(super) fn string(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description((!about.is_empty()).then_some(about))
}

pub(super) fn boolean(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).description(Some(about))
}

pub(super) fn integer(about: &str, smallest: i64, largest: i64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).description(Some(about)).minimum(Some(smallest)).maximum(Some(largest))
}

/// A number in the caller's own lists.
pub(super) fn id(about: &str) -> ObjectBuilder {
    integer(about, 1, LARGEST_ID)
}

pub(super) fn moment(about: &str) -> ObjectBuilder {
    string(about).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// One of the names of an enum of the domain.
pub(super) fn choice<T: Copy>(about: &str, all: &[T], name: impl Fn(T) -> &'static str) -> AnySchema {
    names(about, all.iter().map(|item| name(*item))).into()
}

pub(super) fn names<'a>(about: &str, names: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    string(about).enum_values(Some(names.into_iter().map(str::to_owned)))
}

/// A map to something from the caller's own names, which have at most 40 characters.
pub(super) fn map(about: &str, most: usize, value: impl Into<AnySchema>) -> AnySchema {
    let key = string("").min_length(Some(1)).max_length(Some(MetaData::LONGEST_KEY_CHARS)).pattern(Some(NAME));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(about))
        .max_properties(Some(most))
        .property_names(Some(key))
        .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
        .into()
}

/// The schemas of single values.
pub(super) fn all() -> Vec<Named> {
    vec![
        ("Amount", number("An amount in major units, with exactly the currency's decimals: `49.90` EUR, `500` JPY.", 0).into()),
        ("AmountIn", amount_in("0", DECIMAL, 0)),
        ("SignedAmountIn", amount_in("-5.00", SIGNED_DECIMAL, -LARGEST)),
        (
            "DecimalIn",
            either("A decimal number that is no amount, such as a quantity.", number_in(0, LARGEST), string("").pattern(Some(DECIMAL))),
        ),
        ("PercentIn", either("A rate in percent.", number_in(0, 100), string("").pattern(Some(PERCENT)))),
        ("Decimal", number("A decimal number, without trailing zeros.", 0).into()),
        (
            "SignedDecimal",
            ObjectBuilder::new().schema_type(Type::Number).description(Some("A decimal number that may be below zero.")).into(),
        ),
        ("Currency", currencies()),
    ]
}

fn amount_in(example: &str, pattern: &str, smallest: i64) -> AnySchema {
    let about = format!(
        "An amount in major units, as a JSON number or as text, read from its exact digits: `49.90`, `\"49.90\"` and `\"49.9\"` are \
         equal{}. No exponent, no grouping, no plus sign. More decimals than the currency has are refused unless they are zeros.",
        if example.starts_with('-') { "; a minus sign stands for a discount" } else { "" }
    );
    either(
        &about,
        number_in(smallest, LARGEST),
        string("At most 14 digits before the point and 4 behind it fit every currency.").pattern(Some(pattern)),
    )
}

fn either(about: &str, number: ObjectBuilder, text: ObjectBuilder) -> AnySchema {
    AnyOfBuilder::new().description(Some(about)).item(number).item(text).into()
}

fn number(about: &str, smallest: i64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number).description(Some(about)).minimum(Some(smallest))
}

fn number_in(smallest: i64, largest: i64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number).minimum(Some(smallest)).maximum(Some(largest))
}

/// The euro first: it is what examples and generated requests then begin with.
fn currencies() -> AnySchema {
    let mut codes: Vec<_> = currency::all().collect();
    codes.sort_by_key(|currency| (currency.code() != "EUR", currency.code().to_owned()));
    names("A code of ISO 4217 in upper case.", codes.iter().map(|currency| currency.code())).into()
}
