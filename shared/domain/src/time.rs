//! Moments and spans. A moment comes in through the clock port; nothing here asks the machine for it.

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// PSPs that speak in whole seconds; a value beyond the range is kept at the end of time instead of wrapping.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.millis()))
    }

    pub const fn since(self, earlier: Timestamp) -> Span {
        Span::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A length of time in milliseconds; negative when it points to the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    pub const fn minus(self, other: Span) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    pub const fn from_hours(hours: i64) -> Self {
        Self::from_seconds(hours.saturating_mul(3600))
    }

    pub const fn from_days(days: i64) -> Self {
        Self::from_hours(days.saturating_mul(24))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_rounded_to_the_past() {
        for (millis, seconds) in [(1999, 1), (1000, 1), (999, 0), (0, 0), (-1, -1), (-1000, -1)] {
            assert_eq!((Timestamp::from_millis(millis).seconds(), Span::from_millis(millis).seconds()), (seconds, seconds));
        }
    }

    #[test]
    fn what_is_out_of_range_stays_at_the_end_of_time() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!((Timestamp::from_seconds(i64::MAX), end.plus(Span::from_days(1))), (end, end));
        assert_eq!(Span::from_days(i64::MAX), Span::from_millis(i64::MAX));
        assert_eq!(Timestamp::from_millis(i64::MIN).since(end), Span::from_millis(i64::MIN));
        assert_eq!(Span::from_seconds(2).minus(Span::from_seconds(3)), Span::from_millis(-1000));
    }
}
