//! The code of a class: six letters that are typed from the last row.

use rand::RngExt as _;
use std::{fmt, str::FromStr};

const LENGTH: usize = 6;
/// Without I and O, which are taken for 1 and 0, and without vowels that would make words.
const ALPHABET: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// A code, in capitals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

/// A text that cannot be a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a code is six letters, as the presenter's screen shows it")]
pub struct BadCode;

impl Code {
    /// A code that nobody guesses soon: one of 64 million.
    #[must_use]
    pub fn random() -> Self {
        let mut rng = rand::rng();
        Self((0..LENGTH).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect())
    }

    /// The code as people read it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = BadCode;

    /// Reads it in capitals or not, with spaces or hyphens between the letters.
    fn from_str(text: &str) -> Result<Self, BadCode> {
        let letters: String =
            text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
        let is_code = letters.len() == LENGTH && letters.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code { Ok(Self(letters)) } else { Err(BadCode) }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_was_typed() {
        let code = Code::random();
        assert_eq!(code.as_str().parse(), Ok(code.clone()));
        assert_eq!(code.as_str().to_lowercase().parse(), Ok(code.clone()));
        let (one, other) = code.as_str().split_at(3);
        assert_eq!(format!("{one}-{other} ").parse(), Ok(code));
        for text in ["", "ABCDE", "ABCDEFG", "ABC1EF", "ÄBCDEF", "../../"] {
            assert_eq!(text.parse::<Code>(), Err(BadCode), "{text}");
        }
    }
}
