//! Moments as text: RFC 3339 in UTC with milliseconds, `2026-11-22T10:00:00.000Z`.

use domain::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment as it is answered; one beyond the calendar has no text.
pub fn write(moment: Timestamp) -> Option<String> {
    let nanos = i128::from(moment.millis()) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    let millis = moment.millis().rem_euclid(1000);
    let text = date.replace_nanosecond(0).ok()?.format(&Rfc3339).ok()?;
    Some(format!("{}.{millis:03}Z", text.strip_suffix('Z')?))
}

pub fn parse(text: &str) -> Option<Timestamp> {
    let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(date.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_with_milliseconds_and_read_back() {
        let moment = Timestamp::from_millis(1_795_341_600_007);
        assert_eq!(write(moment).as_deref(), Some("2026-11-22T10:00:00.007Z"));
        assert_eq!(parse("2026-11-22T10:00:00.007Z"), Some(moment));
        assert_eq!(parse("2026-11-22T11:00:00.007+01:00"), Some(moment));
        assert_eq!(parse("yesterday"), None);
    }
}
