//! An address, in JSON one flat object.

use super::{LONGEST_EMAIL, LONGEST_NAME, read_id};
use crate::json::{Object, Value, one_of};
use crate::json_out::{Json, Members};
use domain::Refusal;
use domain::transaction::properties::{Address, CalendarDate, Contact, Country, Gender, Organization, Person, Place};

pub fn read(value: &Value<'_>) -> Result<Address, Refusal> {
    let mut object = value.object()?;
    let address = Address {
        person: read_person(&mut object),
        organization: read_organization(&mut object),
        place: read_place(&mut object),
        contact: read_contact(&mut object),
    };
    object.finish().map(|()| address)
}

pub fn show(address: &Address) -> Members {
    let Address { person, organization, place, contact } = address;
    [show_person(person), show_organization(organization), show_place(place), show_contact(contact)]
        .into_iter()
        .fold(Json::object(), |object, part| object.with_all(part.into_vec()))
}

fn read_person(object: &mut Object<'_>) -> Person {
    Person {
        salutation: object.optional("salutation", |value| value.free_text(20)),
        given_name: object.optional("givenName", |value| value.free_text(LONGEST_NAME)),
        family_name: object.optional("familyName", |value| value.free_text(LONGEST_NAME)),
        date_of_birth: object.optional("dateOfBirth", |value| value.parsed(CalendarDate::parse, "must be a date such as 1985-03-27")),
        gender: object.optional("gender", one_of(Gender::ALL, Gender::as_str)),
        social_security_number: object.optional("socialSecurityNumber", |value| value.free_text(100)),
    }
}

fn show_person(person: &Person) -> Members {
    let Person { salutation, given_name, family_name, date_of_birth, gender, social_security_number } = person;
    Json::object()
        .with_some("salutation", salutation.as_ref())
        .with_some("givenName", given_name.as_ref())
        .with_some("familyName", family_name.as_ref())
        .with_some("dateOfBirth", date_of_birth.map(|date| date.to_string()))
        .with_some("gender", gender.map(Gender::as_str))
        .with_some("socialSecurityNumber", social_security_number.as_ref())
}

fn read_organization(object: &mut Object<'_>) -> Organization {
    Organization {
        organization_name: object.optional("organizationName", |value| value.free_text(LONGEST_NAME)),
        commercial_register_number: object.optional("commercialRegisterNumber", |value| value.free_text(100)),
        sales_tax_number: object.optional("salesTaxNumber", |value| value.free_text(100)),
        legal_organization_form: object.optional("legalOrganizationForm", read_id),
    }
}

fn show_organization(organization: &Organization) -> Members {
    let Organization { organization_name, commercial_register_number, sales_tax_number, legal_organization_form } = organization;
    Json::object()
        .with_some("organizationName", organization_name.as_ref())
        .with_some("commercialRegisterNumber", commercial_register_number.as_ref())
        .with_some("salesTaxNumber", sales_tax_number.as_ref())
        .with_some("legalOrganizationForm", *legal_organization_form)
}

fn read_place(object: &mut Object<'_>) -> Place {
    Place {
        street: object.optional("street", |value| value.free_text(300)),
        postcode: object.optional("postcode", |value| value.free_text(40)),
        city: object.optional("city", |value| value.free_text(LONGEST_NAME)),
        postal_state: object.optional("postalState", |value| value.free_text(LONGEST_NAME)),
        country: object.optional("country", |value| value.parsed(Country::parse, "must be two upper-case letters such as CH")),
        dependent_locality: object.optional("dependentLocality", |value| value.free_text(LONGEST_NAME)),
        sorting_code: object.optional("sortingCode", |value| value.free_text(100)),
    }
}

fn show_place(place: &Place) -> Members {
    let Place { street, postcode, city, postal_state, country, dependent_locality, sorting_code } = place;
    Json::object()
        .with_some("street", street.as_ref())
        .with_some("postcode", postcode.as_ref())
        .with_some("city", city.as_ref())
        .with_some("postalState", postal_state.as_ref())
        .with_some("country", country.as_ref().map(Country::as_str))
        .with_some("dependentLocality", dependent_locality.as_ref())
        .with_some("sortingCode", sorting_code.as_ref())
}

fn read_contact(object: &mut Object<'_>) -> Contact {
    Contact {
        email_address: object.optional("emailAddress", |value| value.free_text(LONGEST_EMAIL)),
        phone_number: object.optional("phoneNumber", |value| value.free_text(100)),
        mobile_phone_number: object.optional("mobilePhoneNumber", |value| value.free_text(100)),
    }
}

fn show_contact(contact: &Contact) -> Members {
    let Contact { email_address, phone_number, mobile_phone_number } = contact;
    Json::object()
        .with_some("emailAddress", email_address.as_ref())
        .with_some("phoneNumber", phone_number.as_ref())
        .with_some("mobilePhoneNumber", mobile_phone_number.as_ref())
}
