//! placeholder
use crate::attributes::Item;
use domain::transaction::properties::Properties;
pub(crate) fn write(_: &Properties) -> Item {
    Item::new()
}
pub(crate) fn read(_: &Item) -> Result<Properties, &'static str> {
    Ok(Properties::default())
}
