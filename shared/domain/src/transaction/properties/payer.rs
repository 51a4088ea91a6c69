//! Who pays, where the bill and the goods go, and how to speak to that person.

use super::{Address, Language, Personal, TimeZone};
use crate::named::named;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    /// The number of the customer at the merchant.
    pub customer_id: Option<Personal<String>>,
    pub customer_email_address: Option<Personal<String>>,
    pub billing_address: Option<Personal<Address>>,
    pub shipping_address: Option<Personal<Address>>,
    pub language: Option<Language>,
    pub time_zone: Option<TimeZone>,
    pub customers_presence: Option<CustomersPresence>,
    /// Links the payment to what a fraud check has seen of the device.
    pub device_session_identifier: Option<Personal<String>>,
}

named! {
    CustomersPresence {
        NotPresent = "NOT_PRESENT",
        VirtualPresent = "VIRTUAL_PRESENT",
        PhysicalPresent = "PHYSICAL_PRESENT",
    }
}
