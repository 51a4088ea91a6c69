//! An address: a person, an organization, or both, at a place. On the wire it is one flat object.
//!
//! Addresses are personal data: none of these types has a `Debug`, and groups hold them as `Personal`.

use super::{CalendarDate, Country};
use crate::named::named;

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Address {
    pub person: Person,
    pub organization: Organization,
    pub place: Place,
    pub contact: Contact,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub salutation: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub date_of_birth: Option<CalendarDate>,
    pub gender: Option<Gender>,
    pub social_security_number: Option<String>,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Organization {
    pub organization_name: Option<String>,
    pub commercial_register_number: Option<String>,
    pub sales_tax_number: Option<String>,
    /// The number of a legal form in the merchant's own list.
    pub legal_organization_form: Option<u64>,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// With the house number; several lines are separated by line breaks.
    pub street: Option<String>,
    pub postcode: Option<String>,
    pub city: Option<String>,
    pub postal_state: Option<String>,
    pub country: Option<Country>,
    pub dependent_locality: Option<String>,
    pub sorting_code: Option<String>,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contact {
    pub email_address: Option<String>,
    pub phone_number: Option<String>,
    pub mobile_phone_number: Option<String>,
}

named! {
    Gender {
        Male = "MALE",
        Female = "FEMALE",
    }
}
