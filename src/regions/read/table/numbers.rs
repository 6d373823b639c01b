//! Numbers of a table.

use super::super::Notes;
use super::Table;
use serde_json::Number;
use toml::de::DeValue;

impl Table<'_> {
    /// A whole number from 0; 0 where it is missing.
    pub fn number(&mut self, name: &'static str, notes: &mut Notes) -> u32 {
        let number = self.maybe_number(name, "a whole number such as 10", notes);
        number.unwrap_or_default()
    }

    /// A whole number from 0 that may be missing; what is `expected` is said
    /// where it is something else.
    pub fn maybe_number(
        &mut self,
        name: &'static str,
        expected: &str,
        notes: &mut Notes,
    ) -> Option<u32> {
        self.maybe_between(name, 0..=u32::MAX, expected, notes)
    }

    /// The same within a range.
    pub fn maybe_between(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<u32>,
        expected: &str,
        notes: &mut Notes,
    ) -> Option<u32> {
        let value = self.take(name, notes)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok())
            .filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong(value.span().start, name, expected, notes);
        }
        number
    }

    /// The same, but 0 is wrong as well.
    pub fn maybe_positive(
        &mut self,
        name: &'static str,
        expected: &str,
        notes: &mut Notes,
    ) -> Option<u32> {
        let value = self.take(name, notes)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok())
            .filter(|number| *number > 0);
        if number.is_none() {
            self.wrong(value.span().start, name, expected, notes);
        }
        number
    }

    /// A positive number with a point, which may be missing.
    pub fn maybe_decimal(&mut self, name: &'static str, notes: &mut Notes) -> Option<Number> {
        let value = self.take(name, notes)?;
        let text = match value.get_ref() {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) => integer.as_str(),
            _ => "",
        };
        let number: Option<Number> = serde_json::from_str(text).ok();
        let number = number.filter(|number| number.as_f64().is_some_and(|number| number > 0.0));
        if number.is_none() {
            let expected = "a positive number such as 1.5";
            self.wrong(value.span().start, name, expected, notes);
        }
        number
    }
}
