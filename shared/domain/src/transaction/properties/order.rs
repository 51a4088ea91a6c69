//! What was bought, and how it is delivered.

use super::{LineItem, MetaData};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The number of the merchant's invoice.
    pub invoice_merchant_reference: Option<String>,
    pub shipping_method: Option<String>,
    /// As the caller gave them; their sum need not be the amount of the transaction.
    pub line_items: Vec<LineItem>,
    /// The caller's own names and values, for which we have no use.
    pub meta_data: MetaData,
}
