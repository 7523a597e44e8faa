//! Secrets: whoever has one is the presenter, or a follower.

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr, sync::Arc};

/// What a key that we make consists of: what nobody takes for something else when it is read out.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// 31 letters and digits, 26 times: 128 bits.
const LENGTH: usize = 26;

/// A secret; it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<str>);

/// What is kept of a key: enough to know it again, and not enough to use it. In hexadecimal.
pub type Digest = String;

/// The digest of a text that may be a key.
#[must_use]
pub fn digest(text: &str) -> Digest {
    use std::fmt::Write as _;

    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A text that cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key is 1 to 128 letters, digits and -._~+/= without spaces, as in an Authorization header")]
pub struct BadKey;

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        // RFC 6750, section 2.1: b64token.
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let is_key = (1..=128).contains(&text.len()) && text.bytes().all(is_fit);
        if is_key { Ok(Self(text.into())) } else { Err(BadKey) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key that nobody guesses.
    #[must_use]
    pub fn random() -> Self {
        let mut rng = rand::rng();
        let key: String =
            (0..LENGTH).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect();
        Self(key.into())
    }

    /// The key itself, to be told once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_made_is_one_that_can_be_named_and_no_two_are_the_same() {
        let (one, other) = (Key::random(), Key::random());
        assert_ne!(one, other);
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.reveal().parse(), Ok(one.clone()));
        assert!(!format!("{one:?}").contains(one.reveal()) && !one.digest().contains(one.reveal()));
    }

    #[test]
    fn what_no_header_could_carry_is_no_key() {
        for text in ["", "two words", "ü", "a;b", &"k".repeat(129)] {
            assert_eq!(text.parse::<Key>(), Err(BadKey), "{text}");
        }
    }
}
