//! How the payer is led through the payment, and with which means of payment.

use super::ReturnUrl;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    pub success_url: Option<ReturnUrl>,
    pub failed_url: Option<ReturnUrl>,
    /// Numbers of card and wallet brands; empty: any.
    pub allowed_payment_method_brands: Vec<u64>,
    /// Numbers of configured means of payment; empty: any.
    pub allowed_payment_method_configurations: Vec<u64>,
    /// Which of the merchant's shops or looks the payment belongs to.
    pub space_view_id: Option<u64>,
    pub emails_disabled: Option<bool>,
}
