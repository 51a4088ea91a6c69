//! The currencies of ISO 4217 and how many decimals each has.
//!
//! Source: ISO 4217 list one (active codes). Left out on purpose: codes of metals, bond units, testing and "no currency"
//! (XAU, XBA, XTS, XXX …), which nobody can be charged in.

use std::fmt;

/// A currency in which an amount can be held; only `parse` makes one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

impl Currency {
    /// The currency with this upper-case code, if ISO 4217 has it.
    pub fn parse(code: &str) -> Option<Self> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        if !code.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        let listed = |list: &str| list.as_bytes().chunks(4).any(|entry| entry.starts_with(&code));
        let decimals = match () {
            () if listed(TWO_DECIMALS) => 2,
            () if listed(NO_DECIMALS) => 0,
            () if listed(THREE_DECIMALS) => 3,
            () if listed(FOUR_DECIMALS) => 4,
            () => return None,
        };
        Some(Self { code, decimals })
    }

    pub fn code(&self) -> &str {
        // The code is three ASCII letters, checked by `parse`.
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// Digits after the decimal point: 2 for EUR, 0 for JPY, 3 for KWD.
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Every currency that is known, in alphabetical order within its number of decimals.
pub fn all() -> impl Iterator<Item = Currency> {
    [TWO_DECIMALS, NO_DECIMALS, THREE_DECIMALS, FOUR_DECIMALS].into_iter().flat_map(|list| list.split(' ')).filter_map(Currency::parse)
}

// Codes stand four bytes apart: three letters and a space.
const TWO_DECIMALS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
                            CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
                            HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP \
                            MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD \
                            SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS \
                            VED VES WST XCD XCG YER ZAR ZMW ZWG";
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR_DECIMALS: &str = "CLF UYW";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_the_decimals_of_iso_4217() {
        for (code, decimals) in [("EUR", 2), ("CHF", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3), ("CLF", 4), ("ZWG", 2), ("AED", 2)] {
            assert_eq!(Currency::parse(code).map(|c| c.decimals()), Some(decimals), "{code}");
        }
    }

    #[test]
    fn a_currency_is_written_as_its_code() {
        let currency = Currency::parse("CHF").expect("a currency");
        assert_eq!(format!("{currency} {currency:?}"), "CHF CHF");
    }

    #[test]
    fn what_is_not_a_currency_is_refused() {
        for code in ["chf", "XXX", "EURO", "EU", "", "R A", " EU", "EUR ", "XTS", "X\u{dc}", "AD "] {
            assert_eq!(Currency::parse(code), None, "{code:?}");
        }
    }

    #[test]
    fn the_list_has_no_code_twice_and_each_parses_to_itself() {
        let codes: Vec<_> = all().map(|c| c.code().to_owned()).collect();
        let distinct: std::collections::BTreeSet<_> = codes.iter().collect();
        assert_eq!(codes.len(), distinct.len());
        assert!(codes.len() > 150, "{}", codes.len());
    }
}
