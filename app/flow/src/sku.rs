//! What is counted, and how much of it.

use arrayvec::ArrayString;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest SKU, in characters.
pub const SKU_MAX_LEN: usize = 32;

/// A stock-keeping unit: 1 to 32 of `A-Z 0-9 - _ .`, upper-cased on entry.
///
/// It is `Copy` because every event, message and row carries one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Sku(ArrayString<SKU_MAX_LEN>);

/// Why a text is no [`Sku`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkuError {
    /// Nothing was given.
    #[error("a SKU must not be empty: give 1 to 32 of A-Z 0-9 - _ .")]
    Empty,
    /// More than [`SKU_MAX_LEN`] characters.
    #[error("a SKU has at most 32 characters; this one has {0}")]
    TooLong(usize),
    /// A character outside the alphabet.
    #[error("{0:?} cannot stand in a SKU: use A-Z 0-9 - _ .")]
    Character(char),
}

impl Sku {
    /// Reads a SKU, upper-casing ASCII letters.
    ///
    /// # Errors
    /// When the text is empty, too long, or has a character outside the alphabet.
    pub fn parse(text: &str) -> Result<Self, SkuError> {
        if text.is_empty() {
            return Err(SkuError::Empty);
        }
        if let Some(wrong) =
            text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        {
            return Err(SkuError::Character(wrong));
        }
        let mut inner = ArrayString::from(text).map_err(|_| SkuError::TooLong(text.chars().count()))?;
        inner.make_ascii_uppercase();
        Ok(Self(inner))
    }

    /// The SKU's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Sku {
    type Err = SkuError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Sku {
    type Error = SkuError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// How many pieces arrive or are sold at once: 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u32")]
pub struct Quantity(u32);

/// A number that is no [`Quantity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to 1,000,000, not {0}")]
pub struct QuantityError(pub i64);

impl Quantity {
    /// The largest quantity.
    pub const MAX: u32 = 1_000_000;

    /// Reads a quantity.
    ///
    /// # Errors
    /// When it is not between 1 and [`Quantity::MAX`].
    pub fn parse(number: i64) -> Result<Self, QuantityError> {
        match u32::try_from(number) {
            Ok(n @ 1..=Self::MAX) => Ok(Self(n)),
            _ => Err(QuantityError(number)),
        }
    }

    /// The number of pieces.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        Self::parse(number)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.get()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_upper_cased_on_entry() {
        assert_eq!(Sku::parse("mug-red_1.x").unwrap().as_str(), "MUG-RED_1.X");
    }

    #[test]
    fn a_sku_outside_the_alphabet_or_length_is_refused_with_its_reason() {
        assert_eq!(Sku::parse(""), Err(SkuError::Empty));
        assert_eq!(Sku::parse("A B"), Err(SkuError::Character(' ')));
        assert_eq!(Sku::parse("TÉ"), Err(SkuError::Character('É')));
        assert_eq!(Sku::parse(&"A".repeat(33)), Err(SkuError::TooLong(33)));
        assert!(Sku::parse(&"A".repeat(32)).is_ok());
    }

    #[test]
    fn a_quantity_is_one_to_a_million() {
        assert!(Quantity::parse(1).is_ok() && Quantity::parse(1_000_000).is_ok());
        for wrong in [0, -1, 1_000_001, i64::MAX] {
            assert_eq!(Quantity::parse(wrong), Err(QuantityError(wrong)));
        }
    }
}
