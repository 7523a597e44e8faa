//! The lines of a text, whichever way they end.

use memchr::{memchr, memchr2};
use std::{
    fmt,
    io::{self, BufRead},
};

/// The longest line, and the longest row, in bytes.
pub const LINE_MAX: usize = 64 * 1024;

/// One line, without its end.
#[derive(Debug)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// What it says; only its beginning when it is longer than [`LINE_MAX`].
    pub text: Vec<u8>,
    /// Whether that is all.
    pub is_whole: bool,
    /// Whether its end has come. A line without one may be cut.
    pub has_end: bool,
}

/// Which ends have been seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    lf: bool,
    crlf: bool,
    cr: bool,
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.lf, self.crlf, self.cr) {
            (_, false, false) => "LF",
            (false, true, false) => "CRLF",
            (false, false, true) => "CR",
            _ => "mixed line ends",
        })
    }
}

/// Cuts text that comes in pieces into lines: LF, CR LF and CR alone each end one.
#[derive(Debug, Default)]
pub struct Cutter {
    text: Vec<u8>,
    number: u64,
    /// Something of a line has come.
    is_begun: bool,
    is_too_long: bool,
    /// A line that is too long comes in pieces, and nothing of it is lost.
    in_pieces: bool,
    /// The last line ended with CR, so that LF at the start of the next is part of that end.
    is_behind_cr: bool,
    ends: Ends,
}

impl Cutter {
    /// Takes bytes up to the end of a line at most; answers how many, and the line that they end. Without a line all of
    /// them are taken.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Option<Line>) {
        let start = self.behind_cr(bytes);
        let rest = &bytes[start..];
        if rest.is_empty() {
            return (start, None);
        }
        self.is_begun = true;
        let end = memchr2(b'\n', b'\r', rest);
        let piece = &rest[..end.unwrap_or(rest.len())];
        let room = LINE_MAX - self.text.len();
        if self.in_pieces && piece.len() > room {
            self.text.extend_from_slice(&piece[..room]);
            let text = std::mem::take(&mut self.text);
            return (
                start + room,
                Some(Line { number: self.next_number(), text, is_whole: false, has_end: false }),
            );
        }
        self.is_too_long |= self.text.len() + piece.len() > LINE_MAX;
        if !self.is_too_long {
            self.text.extend_from_slice(piece);
        }
        let Some(end) = end else { return (bytes.len(), None) };
        match rest[end] {
            b'\n' => self.ends.lf = true,
            _ => self.is_behind_cr = true,
        }
        (start + end + 1, Some(self.line(true)))
    }

    /// The last line, when it has no end.
    pub fn finish(&mut self) -> Option<Line> {
        self.ends.cr |= std::mem::take(&mut self.is_behind_cr);
        self.is_begun.then(|| self.line(false))
    }

    /// The number of the line that comes next, or has begun.
    #[must_use]
    pub const fn next_number(&self) -> u64 {
        self.number + 1
    }

    /// How many bytes belong to the end before.
    fn behind_cr(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() || !std::mem::take(&mut self.is_behind_cr) {
            return 0;
        }
        let is_crlf = bytes[0] == b'\n';
        self.ends.crlf |= is_crlf;
        self.ends.cr |= !is_crlf;
        usize::from(is_crlf)
    }

    fn line(&mut self, has_end: bool) -> Line {
        self.number += 1;
        self.is_begun = false;
        let is_whole = !std::mem::take(&mut self.is_too_long);
        Line { number: self.number, text: std::mem::take(&mut self.text), is_whole, has_end }
    }
}

/// Reads line by line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    cutter: Cutter,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, cutter: Cutter::default() }
    }

    /// The same, with lines that are too long in pieces: all but the last are not whole.
    pub(super) fn in_pieces(mut self) -> Self {
        self.cutter.in_pieces = true;
        self
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                return Ok(self.cutter.finish());
            }
            let (used, line) = self.cutter.take(available);
            self.input.consume(used);
            if line.is_some() {
                return Ok(line);
            }
        }
    }
}

impl<R> Lines<R> {
    /// Which ends have been seen.
    pub(super) const fn ends(&self) -> Ends {
        self.cutter.ends
    }
}

/// Whether a text says nothing: blanks, or the mark that old systems put behind a file's end (Ctrl-Z).
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x1A)
}

/// Whether a text has a NUL.
pub(super) fn has_nul(text: &[u8]) -> bool {
    memchr(0, text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn every_kind_of_end_ends_a_line_once_wherever_a_buffer_ends() {
        for (text, ends) in [
            ("a\nb\n\nc", "LF"),
            ("a\r\nb\r\n\r\nc", "CRLF"),
            ("a\rb\r\rc\r", "CR"),
            ("a\rb\n\r\nc", "mixed line ends"),
        ] {
            for capacity in 1..8 {
                let mut lines = Lines::new(BufReader::with_capacity(capacity, text.as_bytes()));
                let mut read = Vec::new();
                while let Some(line) = lines.next().unwrap() {
                    read.push((line.number, String::from_utf8(line.text).unwrap()));
                }
                let expected = [(1, "a"), (2, "b"), (3, ""), (4, "c")].map(|(n, text)| (n, text.to_owned()));
                assert_eq!(read, expected, "{text:?} by {capacity}");
                assert_eq!(lines.ends().to_string(), ends);
            }
        }
    }
}
