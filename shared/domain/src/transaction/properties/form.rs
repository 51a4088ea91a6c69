//! Texts with a form of their own. The form is checked, not whether such a thing exists.

use std::fmt;

macro_rules! text_form {
    ($(#[$doc:meta])* $name:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Option<Self> {
                let allowed: fn(&str) -> bool = $allowed;
                allowed(text).then(|| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text_form!(
    /// A language tag of BCP 47: `de`, `de-CH`, `zh-Hant-TW`.
    Language,
    |text| {
        let mut parts = text.split('-');
        let is_language = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
        let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        text.len() <= 35 && parts.next().is_some_and(is_language) && parts.all(is_subtag)
    }
);
text_form!(
    /// A name of the IANA time zone database: `Europe/Zurich`, `UTC`.
    TimeZone,
    |text| {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b));
        text.len() <= 64 && text.split('/').all(is_part)
    }
);
text_form!(
    /// A country by its two letters of ISO 3166-1: `CH`.
    Country,
    |text| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
);
text_form!(
    /// Where the payer's browser is sent afterwards: an http or https URL of 9 to 2000 characters. We never call it.
    ReturnUrl,
    |text| {
        let is_plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let host = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let host = host.and_then(|rest| rest.split(['/', '?', '#']).next());
        let is_host = |host: &str| !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-._:".contains(c));
        (9..=2000).contains(&text.chars().count()) && is_plain && host.is_some_and(is_host)
    }
);

/// A day of the Gregorian calendar, as `2026-08-20`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CalendarDate {
    year: u16,
    month: u8,
    day: u8,
}

impl CalendarDate {
    pub fn parse(text: &str) -> Option<Self> {
        let has_form =
            text.len() == 10 && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !has_form {
            return None;
        }
        let mut parts = text.split('-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next()?.parse().ok()?;
        let day = parts.next()?.parse().ok()?;
        (1..=days_of(year, month)?).contains(&day).then_some(Self { year, month, day })
    }
}

fn days_of(year: u16, month: u8) -> Option<u8> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if is_leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_zones_and_countries_have_their_form() {
        for text in ["de", "de-CH", "zh-Hant-TW", "sl-rozaj-1994"] {
            assert!(Language::parse(text).is_some(), "{text}");
        }
        for text in ["", "d", "de_CH", "de-", "1e", "de-CH\r\nX: y", "de-verylongpart"] {
            assert!(Language::parse(text).is_none(), "{text:?}");
        }
        for text in ["UTC", "Europe/Zurich", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert!(TimeZone::parse(text).is_some(), "{text}");
        }
        for text in ["", "/", "Europe/", "Europe Zurich", "../../etc/passwd"] {
            assert!(TimeZone::parse(text).is_none(), "{text:?}");
        }
        assert!(Country::parse("CH").is_some());
        for text in ["", "ch", "CHE", "\u{c4}"] {
            assert!(Country::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_return_url_is_of_the_web() {
        for text in ["https://shop.example/thanks?order=1", "http://localhost:3000/", "https://b\u{fc}cher.example/"] {
            assert!(ReturnUrl::parse(text).is_some(), "{text}");
        }
        let long = format!("https://a.example/{}", "x".repeat(2000));
        for text in [
            "",
            "https://",
            "http:///x/y",
            "javascript:alert(1)",
            "//shop.example/",
            "https://a b/",
            "https://a/\r\nX: y",
            "https://[x/",
            "https://u:p@a/",
            &long,
        ] {
            assert!(ReturnUrl::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        for text in ["2026-08-20", "2026-04-30", "2024-02-29", "2000-02-29", "1900-02-28", "0001-12-31"] {
            assert_eq!(CalendarDate::parse(text).map(|date| date.to_string()).as_deref(), Some(text));
        }
        for text in ["", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "2026-4-01", "20.08.2026", "+026-08-20"] {
            assert!(CalendarDate::parse(text).is_none(), "{text:?}");
        }
    }
}
