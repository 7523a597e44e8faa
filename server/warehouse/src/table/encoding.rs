//! Which characters a file's bytes stand for.

use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use std::{
    fmt,
    io::{self, BufReader, Read},
};

/// How much is looked at or decoded at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// How a file's text is written in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// What Western Windows programs write.
    Windows1252,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// The bytes of a text as UTF-8, without a mark.
pub type Decoded<R> = BufReader<DecodeReaderBytes<R, Vec<u8>>>;

impl Encoding {
    /// What a file is written in, by its mark or by all of its bytes. Without a mark it is UTF-8 as long as it holds at
    /// least as many of UTF-8's long characters as bytes that cannot be: then some bytes are broken, not all.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn detect(input: &mut impl Read) -> io::Result<Self> {
        let mut chunk = Vec::with_capacity(CHUNK + 4);
        let (mut is_start, mut long, mut broken) = (true, 0_u64, 0_u64);
        loop {
            let read = input.take(CHUNK as u64).read_to_end(&mut chunk)?;
            if std::mem::take(&mut is_start)
                && let Some(encoding) = Self::by_start(&chunk)
            {
                return Ok(encoding);
            }
            if read == 0 {
                break;
            }
            let rest = count(&chunk, &mut long, &mut broken);
            chunk.drain(..rest);
        }
        broken += u64::from(!chunk.is_empty());
        Ok(if broken == 0 || long >= broken { Self::Utf8 } else { Self::Windows1252 })
    }

    /// By the mark, or by every other byte being none: a text in Latin letters has zeros on one side alone.
    fn by_start(start: &[u8]) -> Option<Self> {
        match start {
            [0xEF, 0xBB, 0xBF, ..] => return Some(Self::Utf8),
            [0xFF, 0xFE, ..] => return Some(Self::Utf16Le),
            [0xFE, 0xFF, ..] => return Some(Self::Utf16Be),
            _ => {}
        }
        let zeros = |side: usize| start.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
        let most = start.len() / 2 * 4 / 5;
        match (zeros(0), zeros(1)) {
            (0, low) if most > 2 && low >= most => Some(Self::Utf16Le),
            (high, 0) if most > 2 && high >= most => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// The text of `input`. What is broken in UTF-8 stays as it is: `Encoding::text` finds it.
    pub fn decode<R: Read>(self, input: R) -> Decoded<R> {
        let encoding = match self {
            Self::Utf8 => None,
            Self::Utf16Le => Some(encoding_rs::UTF_16LE),
            Self::Utf16Be => Some(encoding_rs::UTF_16BE),
            Self::Windows1252 => Some(encoding_rs::WINDOWS_1252),
        };
        let decoder = DecodeReaderBytesBuilder::new()
            .encoding(encoding)
            .utf8_passthru(true)
            .strip_bom(true)
            .bom_override(true)
            .build_with_buffer(input, vec![0; CHUNK])
            .expect("the buffer holds more than a character");
        BufReader::with_capacity(CHUNK, decoder)
    }

    /// The text of decoded bytes; `None` when something in it was broken.
    pub(super) fn text(self, bytes: &[u8]) -> Option<&str> {
        let text = std::str::from_utf8(bytes).ok()?;
        let is_broken = match self {
            Self::Utf8 => false,
            Self::Utf16Le | Self::Utf16Be => text.contains('\u{fffd}'),
            // The five bytes that stand for nothing become control characters.
            Self::Windows1252 => {
                !text.is_ascii() && text.contains(['\u{81}', '\u{8d}', '\u{8f}', '\u{90}', '\u{9d}'])
            }
        };
        (!is_broken).then_some(text)
    }
}

/// Counts characters of several bytes and bytes that cannot be; says how far it came, which is before a character that
/// may go on.
fn count(bytes: &[u8], long: &mut u64, broken: &mut u64) -> usize {
    let mut from = 0;
    loop {
        let (good, bad) = match std::str::from_utf8(&bytes[from..]) {
            Ok(text) => (text, None),
            Err(error) => {
                let good = std::str::from_utf8(&bytes[from..from + error.valid_up_to()]);
                (good.expect("it is valid up to there"), Some(error.error_len()))
            }
        };
        if !good.is_ascii() {
            *long += good.chars().filter(|c| !c.is_ascii()).count() as u64;
        }
        from += good.len();
        match bad {
            None => return from,
            Some(None) => return from,
            Some(Some(length)) => {
                *broken += 1;
                from += length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(bytes: &[u8]) -> Encoding {
        Encoding::detect(&mut &*bytes).unwrap()
    }

    #[test]
    fn the_mark_says_it_and_else_the_bytes() {
        assert_eq!(detect(b"\xef\xbb\xbfA,1"), Encoding::Utf8);
        assert_eq!(detect(b"\xff\xfeA\0"), Encoding::Utf16Le);
        assert_eq!(detect(b"\xfe\xff\0A"), Encoding::Utf16Be);
        assert_eq!(detect(b"A\0,\x001\0\n\0B\0,\x002\0\n\0"), Encoding::Utf16Le, "without a mark");
        assert_eq!(detect("A,1,caf\u{e9}".as_bytes()), Encoding::Utf8);
        assert_eq!(detect(b"A,1,caf\xe9\n"), Encoding::Windows1252);
        assert_eq!(detect(b"A,1,caf\xe9"), Encoding::Windows1252, "at its very end");
        assert_eq!(
            detect("caf\u{e9} \u{20ac}, ".bytes().chain([0xff]).collect::<Vec<_>>().as_slice()),
            Encoding::Utf8
        );
        assert_eq!(detect(b"A\0B,1\n"), Encoding::Utf8, "one zero is a broken row and no other encoding");
        assert_eq!(detect(b""), Encoding::Utf8);
    }

    #[test]
    fn a_character_cut_in_two_by_a_chunk_is_none_the_worse() {
        for before in 0..4 {
            let text = "x".repeat(CHUNK - before) + &"\u{20ac}".repeat(CHUNK);
            assert_eq!(detect(text.as_bytes()), Encoding::Utf8);
        }
    }
}
