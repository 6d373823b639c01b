//! Country codes: ISO 3166-1 alpha-2, and nothing that merely looks like one.

use serde::{de, Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Every code ISO 3166-1 assigns.
const ASSIGNED: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE \
    BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD \
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM \
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU \
    ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN \
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME \
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI \
    SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK \
    TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
    VN VU WF WS YE YT ZA ZM ZW";

/// What people write although ISO does not.
const MISTAKEN: &[(&str, &str)] = &[("UK", "GB"), ("EL", "GR"), ("EN", "GB"), ("SF", "FI")];

/// A country or territory with an ISO 3166-1 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of an upper-case code; `None` for `T1` (Tor), `XX`
    /// (unknown) and anything else ISO does not assign.
    pub fn from_code(code: &str) -> Option<Country> {
        let [a, b] = *code.as_bytes() else {
            return None;
        };
        ASSIGNED
            .split(' ')
            .any(|known| known == code)
            .then_some(Country([a, b]))
    }

    /// Every country there is.
    pub fn all() -> impl Iterator<Item = Country> {
        ASSIGNED.split(' ').filter_map(Country::from_code)
    }

    /// The two letters.
    pub fn code(&self) -> &str {
        // The bytes were checked against ASCII codes when the value was made.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The codes that differ from a wrong one in one letter only, at most six.
    pub fn alike(code: &str) -> Vec<String> {
        let upper = code.trim().to_ascii_uppercase();
        let alike =
            Country::all().filter(|known| strsim::damerau_levenshtein(known.code(), &upper) == 1);
        alike.take(6).map(|known| format!("`{known}`")).collect()
    }

    /// What was probably meant by a code that does not exist.
    pub fn meant_by(code: &str) -> Option<Country> {
        let upper = code.trim().to_ascii_uppercase();
        Country::from_code(&upper).or_else(|| {
            MISTAKEN
                .iter()
                .find(|(wrong, _)| *wrong == upper)
                .and_then(|(_, right)| Country::from_code(right))
        })
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Country, D::Error> {
        let code = String::deserialize(deserializer)?;
        Country::from_code(&code)
            .ok_or_else(|| de::Error::custom(format_args!("no country has the code `{code}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_assigned_codes_are_countries() {
        assert_eq!(Country::all().count(), 249);
        assert_eq!(
            Country::from_code("DE").map(|c| c.to_string()),
            Some("DE".into())
        );
        for not_a_country in ["T1", "XX", "UK", "de", "D", "DEU", "", "D ", "E F", "  "] {
            assert_eq!(Country::from_code(not_a_country), None, "{not_a_country:?}");
        }
    }

    #[test]
    fn common_mistakes_are_understood() {
        let meant = |s| Country::meant_by(s).map(|c| c.to_string());
        assert_eq!(meant("UK").as_deref(), Some("GB"));
        assert_eq!(meant(" de").as_deref(), Some("DE"));
        assert_eq!(meant("ZZ"), None);
    }
}
