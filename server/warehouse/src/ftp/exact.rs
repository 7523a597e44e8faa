//! Names as exactly the bytes that a server has for them.
//!
//! FTP says nothing of encodings, and older servers hand out names in Latin-1 or whatever their disk has. Bytes that are no
//! UTF-8 become `\xe9`, and a backslash becomes `\x5c`; so each name has one text, which leads back to its bytes.

use std::{fmt::Write as _, io};
use suppaftp::Encoding;

/// The encoding of commands and listings.
#[derive(Debug)]
pub struct Exact;

impl Encoding for Exact {
    fn decode(&self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c == '\\' { text.push_str("\\x5c") } else { text.push(c) }
            }
            for byte in chunk.invalid() {
                write!(text, "\\x{byte:02x}").expect("a string takes all");
            }
        }
        text
    }

    fn encode(&self, text: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('\\') {
            bytes.extend_from_slice(before.as_bytes());
            let byte = byte(behind).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("{text:?} has a backslash in it"))
            })?;
            bytes.push(byte);
            rest = &behind[3..];
        }
        bytes.extend_from_slice(rest.as_bytes());
        Ok(bytes)
    }
}

/// The byte for which a text stands that came behind a backslash: `xe9…`.
fn byte(behind: &str) -> Option<u8> {
    let digits = behind.strip_prefix('x')?.get(..2)?;
    let is_ours = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u8::from_str_radix(digits, 16).ok().filter(|_| is_ours)
}

/// Whether all backslashes in a name stand for bytes that are no UTF-8, and none for itself.
pub fn has_no_backslash(name: &str) -> bool {
    name.match_indices('\\').all(|(at, _)| byte(&name[at + 1..]).is_some_and(|byte| byte >= 0x80))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_bytes() {
        for (bytes, text) in [
            (&b"stock.csv"[..], "stock.csv"),
            ("Lieferung März.csv".as_bytes(), "Lieferung März.csv"),
            (b"caf\xe9 \xff.csv", "caf\\xe9 \\xff.csv"),
            (b"\xe2\x82", "\\xe2\\x82"),
            (b"a\\xe9\\.csv", "a\\x5cxe9\\x5c.csv"),
        ] {
            assert_eq!(Exact.decode(bytes), text);
            assert_eq!(Exact.encode(text).unwrap(), bytes, "{text}");
        }
        assert!(has_no_backslash("caf\\xe9.csv"));
        for wrong in ["a\\b", "a\\", "a\\x5cb", "a\\xE9", "a\\x\u{e9}"] {
            assert!(!has_no_backslash(wrong), "{wrong}");
        }
        for wrong in ["a\\b", "a\\", "a\\xé"] {
            assert!(Exact.encode(wrong).is_err(), "{wrong}");
        }
    }
}
