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
pub(super) struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// What it says; its beginning when it is longer than [`LINE_MAX`].
    pub text: Vec<u8>,
    /// Whether that is all.
    pub is_whole: bool,
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

/// Reads line by line: LF, CR LF and CR alone each end one.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    /// The last line ended with CR, so that LF at the start of the next is part of that end.
    is_behind_cr: bool,
    pub ends: Ends,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0, is_behind_cr: false, ends: Ends::default() }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let (mut text, mut is_whole, mut is_anything) = (Vec::new(), true, false);
        loop {
            let mut available = self.input.fill_buf()?;
            if self.is_behind_cr && !available.is_empty() {
                self.is_behind_cr = false;
                if available[0] == b'\n' {
                    self.ends.crlf = true;
                    self.input.consume(1);
                    continue;
                }
                self.ends.cr = true;
            }
            if available.is_empty() {
                self.ends.cr |= std::mem::take(&mut self.is_behind_cr);
                break;
            }
            is_anything = true;
            let end = memchr2(b'\n', b'\r', available);
            let used = end.map_or(available.len(), |end| end + 1);
            let ended_by = end.map(|end| available[end]);
            available = &available[..end.unwrap_or(available.len())];
            if text.len() + available.len() <= LINE_MAX {
                text.extend_from_slice(available);
            } else {
                is_whole = false;
            }
            self.input.consume(used);
            match ended_by {
                Some(b'\n') => self.ends.lf = true,
                Some(_) => self.is_behind_cr = true,
                None => continue,
            }
            break;
        }
        if !is_anything {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, text, is_whole }))
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
                assert_eq!(lines.ends.to_string(), ends);
            }
        }
    }
}
