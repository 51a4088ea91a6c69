//! An address as a map, flat as in the JSON.

use super::{owned, parsed};
use crate::attributes::{Reader, Writer, Wrong};
use domain::transaction::properties::{Address, CalendarDate, Contact, Country, Gender, Organization, Person, Place};

pub(super) fn write(address: &Address) -> Writer {
    let Address { person, organization, place, contact } = address;
    let map = write_person(Writer::default(), person);
    let map = write_organization(map, organization);
    let map = write_place(map, place);
    write_contact(map, contact)
}

pub(super) fn read(map: Reader<'_>) -> Result<Address, Wrong> {
    Ok(Address {
        person: Person {
            salutation: owned(map, "salutation")?,
            given_name: owned(map, "givenName")?,
            family_name: owned(map, "familyName")?,
            date_of_birth: parsed(map, "dateOfBirth", CalendarDate::parse)?,
            gender: parsed(map, "gender", Gender::parse)?,
            social_security_number: owned(map, "socialSecurityNumber")?,
        },
        organization: Organization {
            organization_name: owned(map, "organizationName")?,
            commercial_register_number: owned(map, "commercialRegisterNumber")?,
            sales_tax_number: owned(map, "salesTaxNumber")?,
            legal_organization_form: map.some("legalOrganizationForm", Reader::number)?,
        },
        place: Place {
            street: owned(map, "street")?,
            postcode: owned(map, "postcode")?,
            city: owned(map, "city")?,
            postal_state: owned(map, "postalState")?,
            country: parsed(map, "country", Country::parse)?,
            dependent_locality: owned(map, "dependentLocality")?,
            sorting_code: owned(map, "sortingCode")?,
        },
        contact: Contact {
            email_address: owned(map, "emailAddress")?,
            phone_number: owned(map, "phoneNumber")?,
            mobile_phone_number: owned(map, "mobilePhoneNumber")?,
        },
    })
}

fn write_person(map: Writer, person: &Person) -> Writer {
    let Person { salutation, given_name, family_name, date_of_birth, gender, social_security_number } = person;
    map.some(salutation.as_ref(), |map, text| map.text("salutation", text))
        .some(given_name.as_ref(), |map, text| map.text("givenName", text))
        .some(family_name.as_ref(), |map, text| map.text("familyName", text))
        .some(*date_of_birth, |map, date| map.text("dateOfBirth", date.to_string()))
        .some(*gender, |map, gender| map.text("gender", gender.as_str()))
        .some(social_security_number.as_ref(), |map, text| map.text("socialSecurityNumber", text))
}

fn write_organization(map: Writer, organization: &Organization) -> Writer {
    let Organization { organization_name, commercial_register_number, sales_tax_number, legal_organization_form } = organization;
    map.some(organization_name.as_ref(), |map, text| map.text("organizationName", text))
        .some(commercial_register_number.as_ref(), |map, text| map.text("commercialRegisterNumber", text))
        .some(sales_tax_number.as_ref(), |map, text| map.text("salesTaxNumber", text))
        .some(*legal_organization_form, |map, number| map.number("legalOrganizationForm", number))
}

fn write_place(map: Writer, place: &Place) -> Writer {
    let Place { street, postcode, city, postal_state, country, dependent_locality, sorting_code } = place;
    map.some(street.as_ref(), |map, text| map.text("street", text))
        .some(postcode.as_ref(), |map, text| map.text("postcode", text))
        .some(city.as_ref(), |map, text| map.text("city", text))
        .some(postal_state.as_ref(), |map, text| map.text("postalState", text))
        .some(country.as_ref(), |map, country| map.text("country", country.as_str()))
        .some(dependent_locality.as_ref(), |map, text| map.text("dependentLocality", text))
        .some(sorting_code.as_ref(), |map, text| map.text("sortingCode", text))
}

fn write_contact(map: Writer, contact: &Contact) -> Writer {
    let Contact { email_address, phone_number, mobile_phone_number } = contact;
    map.some(email_address.as_ref(), |map, text| map.text("emailAddress", text))
        .some(phone_number.as_ref(), |map, text| map.text("phoneNumber", text))
        .some(mobile_phone_number.as_ref(), |map, text| map.text("mobilePhoneNumber", text))
}
