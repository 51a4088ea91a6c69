//! The token bucket of a space: when it will be full again. It may go once it has been full for long.

use crate::attributes::{Item, Reader};
use app::ports::store::StoreError;
use domain::time::{Span, Timestamp};

pub(crate) const FULL_ON: &str = "fullOn";

/// A bucket that is not used for so long need not be there: one that is missing is full.
const KEPT: Span = Span::from_hours(24);

/// For the attribute by which the engine removes items, in seconds.
pub(crate) fn expires_at(now: Timestamp) -> i64 {
    now.plus(KEPT).seconds()
}

pub(crate) fn read_full_on(item: &Item) -> Result<Timestamp, StoreError> {
    Reader(item).time(FULL_ON).map_err(|wrong| wrong.of(item))
}
