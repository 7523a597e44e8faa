//! Names whose bytes need not be text.

use std::borrow::Cow;

/// Where bytes that are not UTF-8 are kept in a name that is text: this and the byte make one private-use character.
const ESCAPED: u32 = 0x0010_FF00;

/// Bytes as a name that tells them all: [`unescape`] brings them back. Text is its own name.
pub(crate) fn escape(bytes: &[u8]) -> Cow<'_, str> {
    let is_plain = |text: &str| !text.chars().any(|c| u32::from(c) >= ESCAPED);
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => Cow::Borrowed(text),
        _ => {
            let mut name = String::new();
            let escaped =
                |byte: &u8| char::from_u32(ESCAPED + u32::from(*byte)).unwrap_or(char::REPLACEMENT_CHARACTER);
            for chunk in bytes.utf8_chunks() {
                for c in chunk.valid().chars() {
                    if u32::from(c) < ESCAPED {
                        name.push(c);
                    } else {
                        name.extend(c.encode_utf8(&mut [0; 4]).as_bytes().iter().map(escaped));
                    }
                }
                name.extend(chunk.invalid().iter().map(escaped));
            }
            Cow::Owned(name)
        }
    }
}

/// The bytes of a name.
pub(crate) fn unescape(name: &str) -> Cow<'_, [u8]> {
    if !name.chars().any(|c| u32::from(c) >= ESCAPED) {
        return Cow::Borrowed(name.as_bytes());
    }
    let mut bytes = Vec::new();
    for c in name.chars() {
        match u32::from(c).checked_sub(ESCAPED).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_brings_its_bytes_back(bytes in proptest::collection::vec(any::<u8>(), 0..40), text in "\\PC{0,10}|[\u{10FE00}-\u{10FFFF}]{1,4}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let name = escape(bytes);
                prop_assert_eq!(&*unescape(&name), bytes);
            }
        }
    }
}
