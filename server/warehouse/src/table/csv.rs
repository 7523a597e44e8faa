//! Rows of text with a delimiter (RFC 4180), and where a quote that nobody closed ends.
//!
//! A quoted cell may hold delimiters and line breaks. It is closed by a quote before a delimiter or a line's end. When
//! none comes within [`LINE_MAX`] bytes, when another quote comes before, or when the row that came of it has not the
//! columns of the file, then the quote was never meant to be closed: its line alone is a bad row, and the next line
//! begins the next one.

use super::{
    lines::{LINE_MAX, Line, Lines, is_blank},
    row::RowError,
};
use memchr::memchr;
use std::{
    collections::VecDeque,
    io::{self, BufRead},
    ops::RangeInclusive,
};

/// A row as it stands in the text.
#[derive(Debug)]
pub(super) struct Record {
    /// The line in which it begins, from 1.
    pub number: u64,
    /// The line in which it ends.
    pub last: u64,
    /// Its cells, or why there are none.
    pub cells: Result<Vec<Vec<u8>>, RowError>,
}

/// Reads row by row.
#[derive(Debug)]
pub(super) struct Records<R> {
    pub lines: Lines<R>,
    /// Lines that were read to see where a quote ends.
    ahead: VecDeque<Line>,
    delimiter: u8,
    /// How many columns a row of several lines may have.
    columns: RangeInclusive<usize>,
    /// The first row of which nobody knows whether it is all there: the text ends in it without a line's end.
    pub cut_from: Option<u64>,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(lines: Lines<R>, delimiter: u8, columns: RangeInclusive<usize>) -> Self {
        Self { lines, ahead: VecDeque::new(), delimiter, columns, cut_from: None }
    }

    /// The next row in which anything stands; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(record) = self.next_or_empty()? else { return Ok(None) };
            match &record.cells {
                Ok(cells) if cells.iter().all(|cell| is_blank(cell)) => {}
                _ => return Ok(Some(record)),
            }
        }
    }

    fn next_or_empty(&mut self) -> io::Result<Option<Record>> {
        let first = match self.ahead.pop_front() {
            Some(line) => line,
            None => match self.lines.next()? {
                Some(line) => line,
                None => return Ok(None),
            },
        };
        let number = first.number;
        let alone = |cells| Ok(Some(Record { number, last: number, cells }));
        if !first.has_end {
            self.cut_from.get_or_insert(number);
        }
        if !first.is_whole {
            return alone(Err(RowError::TooLong));
        }
        let mut splitter = Splitter::new(self.delimiter);
        match splitter.line(&first.text) {
            Step::Done => return alone(Ok(splitter.cells)),
            Step::Stray => return alone(Err(RowError::Quote)),
            Step::Open => {}
        }
        let mut length = first.text.len();
        for more in 0.. {
            if more == self.ahead.len() {
                match self.lines.next()? {
                    Some(line) => self.ahead.push_back(line),
                    None => {
                        // The quote may be closed in what is still to come.
                        if self.ahead.back().is_some_and(|last| !last.has_end) {
                            self.cut_from.get_or_insert(number);
                        }
                        break;
                    }
                }
            }
            let line = &self.ahead[more];
            length += line.text.len() + 1;
            if !line.is_whole || length > LINE_MAX {
                break;
            }
            match splitter.line(&line.text) {
                Step::Open => {}
                Step::Stray => break,
                Step::Done => {
                    if !self.columns.contains(&used(&splitter.cells)) {
                        break;
                    }
                    let last = line.number;
                    if !line.has_end {
                        self.cut_from.get_or_insert(number);
                    }
                    self.ahead.drain(..=more);
                    return Ok(Some(Record { number, last, cells: Ok(splitter.cells) }));
                }
            }
        }
        alone(Err(RowError::Quote))
    }
}

/// How many cells there are up to the last that says anything.
pub(super) fn used(cells: &[Vec<u8>]) -> usize {
    cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1)
}

enum Step {
    /// The row ended with the line.
    Done,
    /// A quoted cell goes on in the next line.
    Open,
    /// A quote stands where none can.
    Stray,
}

/// Splits lines into the cells of one row.
struct Splitter {
    delimiter: u8,
    cells: Vec<Vec<u8>>,
    /// The quoted cell that is not closed yet.
    cell: Option<Vec<u8>>,
}

impl Splitter {
    const fn new(delimiter: u8) -> Self {
        Self { delimiter, cells: Vec::new(), cell: None }
    }

    fn line(&mut self, text: &[u8]) -> Step {
        let mut at = 0;
        let mut is_quoted = self.cell.is_some();
        if let Some(cell) = &mut self.cell {
            cell.push(b'\n');
        }
        loop {
            if !is_quoted {
                let start = self.behind_blanks(text, at);
                is_quoted = text.get(start) == Some(&b'"');
                if is_quoted {
                    self.cell = Some(Vec::new());
                    at = start + 1;
                }
            }
            let end = if std::mem::take(&mut is_quoted) {
                match self.quoted(text, at) {
                    Ok(end) => end,
                    Err(step) => return step,
                }
            } else {
                let end = memchr(self.delimiter, &text[at..]).map_or(text.len(), |length| at + length);
                self.cells.push(text[at..end].to_vec());
                end
            };
            if end == text.len() {
                return Step::Done;
            }
            at = end + 1;
        }
    }

    /// Reads a quoted cell on from `at`; answers where the delimiter or the line's end behind it is.
    fn quoted(&mut self, text: &[u8], mut at: usize) -> Result<usize, Step> {
        let mut cell = self.cell.take().unwrap_or_default();
        while let Some(length) = memchr(b'"', &text[at..]) {
            cell.extend_from_slice(&text[at..at + length]);
            let behind = at + length + 1;
            if text.get(behind) == Some(&b'"') {
                cell.push(b'"');
                at = behind + 1;
                continue;
            }
            let end = self.behind_blanks(text, behind);
            if end < text.len() && text[end] != self.delimiter {
                return Err(Step::Stray);
            }
            self.cells.push(cell);
            return Ok(end);
        }
        cell.extend_from_slice(&text[at..]);
        self.cell = Some(cell);
        Err(Step::Open)
    }

    fn behind_blanks(&self, text: &[u8], from: usize) -> usize {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t') && *byte != self.delimiter;
        text[from..].iter().position(|byte| !is_blank(byte)).map_or(text.len(), |length| from + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Option<Vec<String>>)> {
        let mut records = Records::new(Lines::new(text.as_bytes()), b',', 2..=3);
        let mut rows = Vec::new();
        while let Some(Record { number, cells, .. }) = records.next().unwrap() {
            let texts = |cells: Vec<Vec<u8>>| cells.into_iter().map(|cell| String::from_utf8(cell).unwrap());
            rows.push((number, cells.ok().map(|cells| texts(cells).collect())));
        }
        rows
    }

    fn row(number: u64, cells: &[&str]) -> (u64, Option<Vec<String>>) {
        (number, Some(cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn a_line_break_in_quotes_belongs_to_its_row() {
        assert_eq!(
            rows("TV-70,1,\"replaces the\nTV-71,900,see note\"\r\nB,2\n"),
            [row(1, &["TV-70", "1", "replaces the\nTV-71,900,see note"]), row(3, &["B", "2"])]
        );
        assert_eq!(
            rows("A, \"say \"\"hi\"\", you\" ,5\" wide"),
            [row(1, &["A", "say \"hi\", you", "5\" wide"])]
        );
        assert_eq!(rows("\"\",,\n , \t\n\n\"A\",\"\""), [row(4, &["A", ""])]);
    }

    #[test]
    fn a_quote_that_nobody_closed_spoils_its_own_line() {
        let rest = [row(2, &["B", "2", "x"]), row(3, &["C", "3", "y, z"])];
        for first in
            ["A,\"1", "A,1,\"note", "\"A,1,note", "A,1,\"a \"\"b", "A,1,\"a\"b", "A,\"1\" x,\"\"", "A,B,C,\""]
        {
            let read = rows(&format!("{first}\nB,2,x\nC,3,\"y, z\"\n"));
            assert_eq!(read[0], (1, None), "{first}");
            assert_eq!(read[1..], rest, "{first}");
        }
        let far = "B,2\n".repeat(LINE_MAX / 2);
        let read = rows(&format!("A,1,\"x\n{far}C,3,y\"\n"));
        assert_eq!((read.len(), &read[0]), (LINE_MAX / 2 + 2, &(1, None)), "it is not looked for for ever");
    }
}
