//! What one row says, or why it does not count.

use super::{encoding::Encoding, lines::has_nul};
use flow::{Quantity, Sku};
use serde::Deserialize;

/// A SKU and how many pieces of it arrived.
pub type Arrival = (Sku, Quantity);

/// Why a row does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Too few columns or too many.
    #[error("{wanted}; this one has {found} columns")]
    Columns {
        /// What a row has.
        wanted: &'static str,
        /// How many columns it has instead.
        found: usize,
    },
    /// No JSON, or not with what is needed.
    #[error("it is not a JSON object with a \"sku\" and a \"quantity\": {0}")]
    Json(String),
    /// Something in a JSON array that does not count.
    #[error("item {0} of the array: {1}")]
    Item(u64, Box<RowError>),
    /// What comes behind an array.
    #[error("it stands behind the end of the array")]
    BehindArray,
    /// A quote that goes on where no quoted text can.
    #[error("a quote is not closed before the next column")]
    Quote,
    /// A row without end.
    #[error("the line is longer than 64 KiB")]
    TooLong,
    /// Bytes that stand for no character.
    #[error("a byte in it is not {0} text")]
    Encoding(Encoding),
    /// A byte that stands in no text.
    #[error("it has a NUL in it, which stands in no text")]
    Nul,
    #[error("sku: {0}")]
    Sku(#[from] flow::sku::SkuError),
    /// What a spreadsheet makes of a long number.
    #[error(
        "sku: {0:?} is a number that a spreadsheet has shortened; format the column as text there, and save it again"
    )]
    Shortened(String),
    #[error("quantity: {0:?} is not a whole number")]
    Number(String),
    /// A number that means one thing here and another there.
    #[error(
        "quantity: {0:?} can be read in two ways and the file does not say which; write it without , or ."
    )]
    Doubt(String),
    #[error("quantity: {0}")]
    Quantity(#[from] flow::sku::QuantityError),
}

impl RowError {
    /// Whether it has not even the form of a row.
    pub(super) const fn is_formless(&self) -> bool {
        matches!(
            self,
            Self::Columns { .. }
                | Self::Json(_)
                | Self::Item(..)
                | Self::BehindArray
                | Self::Quote
                | Self::TooLong
                | Self::Encoding(_)
                | Self::Nul
        )
    }
}

/// Reads a SKU; blanks around it say nothing.
///
/// # Errors
/// When it is none.
pub fn sku(text: &str) -> Result<Sku, RowError> {
    let text = text.trim();
    if is_shortened(text) { Err(RowError::Shortened(text.to_owned())) } else { Ok(Sku::parse(text)?) }
}

/// Whether it is a number in scientific notation, as spreadsheets write it: `1.23457E+11`.
fn is_shortened(text: &str) -> bool {
    let Some((number, power)) = text.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = match number.split_once(['.', ',']) {
        Some((whole, fraction)) => whole.len() == 1 && digits(whole) && digits(fraction),
        None => number.len() == 1 && digits(number),
    };
    is_number && power.strip_prefix('+').is_some_and(digits)
}

/// Checks that bytes are text.
pub(super) fn text(bytes: &[u8], encoding: Encoding) -> Result<&str, RowError> {
    if has_nul(bytes) {
        return Err(RowError::Nul);
    }
    encoding.text(bytes).ok_or(RowError::Encoding(encoding))
}

/// Checks that a line of JSON is text, for which JSON itself leaves no choice of encoding (RFC 8259, section 8.1).
///
/// # Errors
/// When it is none.
pub fn utf8(bytes: &[u8]) -> Result<&str, RowError> {
    text(bytes, Encoding::Utf8)
}

#[derive(Deserialize)]
struct JsonRow {
    sku: String,
    quantity: i64,
}

/// Reads an arrival that is a JSON object.
pub(super) fn json_arrival(bytes: &[u8]) -> Result<Arrival, RowError> {
    let object = super::json::object(bytes).map_err(|error| RowError::Json(error.to_string()))?;
    let JsonRow { sku: text, quantity } =
        serde_json::from_slice(object).map_err(|error| RowError::Json(error.to_string()))?;
    Ok((sku(&text)?, Quantity::parse(quantity)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_that_a_spreadsheet_shortened_says_so() {
        for text in ["1.23457E+11", " 1,23457e+11 ", "4E+12"] {
            let error = sku(text).unwrap_err().to_string();
            assert!(error.contains("spreadsheet"), "{text}: {error}");
        }
        for text in ["1E5", "1.2E11", "A.1E11", "E", "2E-7"] {
            assert_eq!(sku(text).unwrap().as_str(), text);
        }
    }
}
