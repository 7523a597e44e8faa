//! Reading a file's rows: CSV or JSON Lines, told apart by the first character that is no space.
//!
//! One line is one row. A line is read whole and never more than that, so a file of any size takes the same little
//! memory, and a quote that nobody closed spoils its line and not the rest of the file.

use csv_core::{ReadRecordResult, Reader};
use flow::{Quantity, Sku};
use serde::Deserialize;
use std::io::{self, BufRead};

/// The longest line, in bytes.
const LINE_MAX: usize = 64 * 1024;
/// How much of a file is looked at to see whether it is one at all, in bytes.
pub const GLANCE: usize = 64 * 1024;
/// How many rows of it.
const GLANCE_ROWS: usize = 20;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One row that a line holds.
pub type Row = (Sku, Quantity);

/// A line that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// What it says.
    pub row: Result<Row, RowError>,
}

/// Why a line does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Too few columns or too many.
    #[error("a row has a SKU, a quantity and perhaps a warehouse; this one has {0} columns")]
    Columns(usize),
    /// No JSON, or not with what is needed.
    #[error("it is no JSON object with a \"sku\" and a \"quantity\": {0}")]
    Json(String),
    /// A quote that goes on beyond the line.
    #[error("a quote is not closed")]
    Quote,
    /// A line without end.
    #[error("the line is longer than 64 KiB")]
    TooLong,
    /// Not UTF-8.
    #[error("the line is no UTF-8 text")]
    Encoding,
    /// Not a SKU.
    #[error("sku: {0}")]
    Sku(#[from] flow::sku::SkuError),
    /// Not a number.
    #[error("quantity: {0:?} is no whole number")]
    Number(String),
    /// Not a quantity.
    #[error("quantity: {0}")]
    Quantity(#[from] flow::sku::QuantityError),
}

impl RowError {
    /// Whether the line has not even the form of a row.
    const fn is_formless(&self) -> bool {
        matches!(self, Self::Columns(_) | Self::Json(_) | Self::Quote | Self::TooLong | Self::Encoding)
    }
}

/// Why something is no such file at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchFile {
    /// Bytes that no text has.
    #[error("it is no text file; send CSV (sku,quantity) or JSON Lines in UTF-8")]
    Binary,
    /// Text of another kind.
    #[error("none of its first rows has a SKU and a quantity; send CSV (sku,quantity) or JSON Lines")]
    OtherText,
    /// A header that names too little.
    #[error("its header must name both columns, sku and quantity")]
    Header,
}

/// Looks at the first [`GLANCE`] bytes of a file: whether it can be taken in at all.
///
/// # Errors
/// When it cannot.
pub fn glance(start: &[u8]) -> Result<(), NoSuchFile> {
    let is_cut = start.len() >= GLANCE;
    if start.contains(&0) {
        return Err(NoSuchFile::Binary);
    }
    if let Err(error) = std::str::from_utf8(start) {
        // A character may be cut in two at the end of what we look at.
        let is_last = error.error_len().is_none() && is_cut;
        if !is_last {
            return Err(NoSuchFile::Binary);
        }
    }
    let mut rows = Rows::new(start);
    let mut formless = 0;
    while formless < GLANCE_ROWS
        && let Ok(Some(line)) = rows.next_line()
    {
        match line.row {
            Err(error) if error.is_formless() => formless += 1,
            _ => return Ok(()),
        }
    }
    match formless {
        0 => Ok(()),
        _ if rows.columns.is_none() => Err(NoSuchFile::Header),
        _ => Err(NoSuchFile::OtherText),
    }
}

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    sku: usize,
    quantity: usize,
    most: usize,
}

impl Columns {
    /// Without a header: SKU, quantity and perhaps a warehouse.
    const PLAIN: Self = Self { sku: 0, quantity: 1, most: 3 };

    /// What a header says; `None` when the fields are no header. The inner `None` is a header that names too little.
    fn of_header(fields: &[String]) -> Option<Option<Self>> {
        let place = |name: &str| fields.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
        match (place("sku"), place("quantity")) {
            (None, None) => None,
            (sku, quantity) => {
                Some(sku.zip(quantity).map(|(sku, quantity)| Self { sku, quantity, most: fields.len() }))
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

#[derive(Deserialize)]
struct JsonRow {
    sku: String,
    quantity: i64,
}

/// The rows of a file, one after the other.
pub struct Rows<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    format: Option<Format>,
    columns: Option<Columns>,
    csv: Reader,
}

impl<R: BufRead> Rows<R> {
    /// The rows of what `input` holds.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
            format: None,
            columns: Some(Columns::PLAIN),
            csv: Reader::new(),
        }
    }

    /// The next line that is not blank; `None` at the end. A header is no row.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let Some(is_whole) = self.read_line()? else { return Ok(None) };
            if !is_whole {
                return Ok(Some(self.as_line(Err(RowError::TooLong))));
            }
            let Ok(text) = std::str::from_utf8(&self.line).map(str::trim) else {
                return Ok(Some(self.as_line(Err(RowError::Encoding))));
            };
            if text.is_empty() {
                continue;
            }
            let is_first = self.format.is_none();
            let format = *self.format.get_or_insert(match text.as_bytes().first() {
                Some(b'{' | b'[') => Format::JsonLines,
                _ => Format::Csv,
            });
            let row = match format {
                Format::JsonLines => json_row(text),
                Format::Csv => match split(&mut self.csv, text) {
                    Err(error) => Err(error),
                    Ok(fields) => {
                        if is_first && let Some(columns) = Columns::of_header(&fields) {
                            self.columns = columns;
                            continue;
                        }
                        csv_row(self.columns, &fields)
                    }
                },
            };
            return Ok(Some(self.as_line(row)));
        }
    }

    const fn as_line(&self, row: Result<Row, RowError>) -> Line {
        Line { number: self.number, row }
    }

    /// Reads the next line; whether all of it fits, or `None` at the end.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let mut is_whole = true;
        let mut is_anything = false;
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                break;
            }
            is_anything = true;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            if self.line.len() + part.len() <= LINE_MAX {
                self.line.extend_from_slice(part);
            } else {
                is_whole = false;
            }
            let used = end.map_or(available.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !is_anything {
            return Ok(None);
        }
        self.number += 1;
        if self.number == 1 && self.line.starts_with(BOM) {
            self.line.drain(..BOM.len());
        }
        Ok(Some(is_whole))
    }
}

fn json_row(text: &str) -> Result<Row, RowError> {
    let JsonRow { sku, quantity } =
        serde_json::from_str(text).map_err(|error| RowError::Json(error.to_string()))?;
    Ok((Sku::parse(sku.trim())?, Quantity::parse(quantity)?))
}

fn csv_row(columns: Option<Columns>, fields: &[String]) -> Result<Row, RowError> {
    let columns = columns.ok_or(RowError::Columns(fields.len()))?;
    let field = |at: usize| fields.get(at).map(|field| field.trim());
    let (Some(sku), Some(quantity)) = (field(columns.sku), field(columns.quantity)) else {
        return Err(RowError::Columns(fields.len()));
    };
    if fields.len() > columns.most {
        return Err(RowError::Columns(fields.len()));
    }
    let sku = Sku::parse(sku)?;
    let number = quantity.parse().map_err(|_| RowError::Number(quantity.to_owned()))?;
    Ok((sku, Quantity::parse(number)?))
}

/// Splits one line of CSV (RFC 4180) into its fields.
fn split(csv: &mut Reader, text: &str) -> Result<Vec<String>, RowError> {
    csv.reset();
    // A field is never longer than its line, and there are no more fields than characters.
    let line = [text.as_bytes(), b"\n"].concat();
    let mut output = vec![0; line.len()];
    let mut ends = vec![0; line.len() + 1];
    let (result, _, _, ended) = csv.read_record(&line, &mut output, &mut ends);
    if result != ReadRecordResult::Record {
        // All was read and the record goes on: only a quote does that.
        return Err(RowError::Quote);
    }
    let starts = std::iter::once(&0).chain(&ends[..ended]);
    Ok(starts
        .zip(&ends[..ended])
        .map(|(start, end)| String::from_utf8_lossy(&output[*start..*end]).into_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Vec<String> {
        let mut rows = Rows::new(text.as_ref());
        std::iter::from_fn(|| rows.next_line().unwrap())
            .map(|line| match line.row {
                Ok((sku, quantity)) => format!("{} {sku} {quantity}", line.number),
                Err(error) => format!("{} {error}", line.number),
            })
            .collect()
    }

    #[test]
    fn a_file_without_a_header_has_sku_and_quantity_and_perhaps_a_warehouse() {
        assert_eq!(read("MUG-RED,12\nlamp-arc, 3 ,north\n"), ["1 MUG-RED 12", "2 LAMP-ARC 3"]);
        assert_eq!(read("MUG-RED,12"), ["1 MUG-RED 12"], "without a newline at the end");
    }

    #[test]
    fn a_header_may_name_the_columns_in_any_order() {
        for header in ["warehouse,quantity,sku", "Warehouse, Quantity ,SKU", "\"note\",\"quantity\",\"sku\""]
        {
            assert_eq!(read(format!("{header}\nnorth,12,MUG-RED\n")), ["2 MUG-RED 12"], "{header}");
        }
        assert_eq!(read("quantity,sku\n7,MUG-RED\n"), ["2 MUG-RED 7"]);
    }

    #[test]
    fn a_byte_order_mark_and_windows_lines_and_blank_lines_do_no_harm() {
        let text = "\u{feff}sku,quantity\r\n\r\nMUG-RED,12\r\n  \r\nLAMP-ARC,3\r\n";
        assert_eq!(read(text), ["3 MUG-RED 12", "5 LAMP-ARC 3"]);
        assert_eq!(read("\u{feff}MUG-RED,12\r\n"), ["1 MUG-RED 12"]);
    }

    #[test]
    fn json_lines_are_told_by_their_first_character() {
        let text = "\u{feff}{\"sku\":\"mug-red\",\"quantity\":12}\r\n{\"quantity\":3,\"warehouse\":\"north\",\"sku\":\"LAMP-ARC\"}\n{\"sku\":\"A\"}\n";
        let rows = read(text);
        assert_eq!(rows[..2], ["1 MUG-RED 12", "2 LAMP-ARC 3"]);
        assert!(rows[2].contains("missing field `quantity`"), "{rows:?}");
    }

    #[test]
    fn every_bad_row_says_its_line_and_what_is_wrong_and_spoils_no_other() {
        let text = "A,1\nB\nC D,1\nE,x\nF,0\n\"G,1\nH,1,north,4\nI,1000001\n\"J\",\"2\"\n";
        let rows = read(text);
        let says = [
            "1 A 1",
            "2 a row has",
            "3 sku: ' '",
            "4 quantity: \"x\" is no whole number",
            "5 quantity: a quantity is",
            "6 a quote is not closed",
            "7 a row has",
            "8 quantity: a quantity is",
            "9 J 2",
        ];
        assert_eq!(rows.len(), says.len(), "{rows:?}");
        for (row, says) in rows.iter().zip(says) {
            assert!(row.starts_with(says), "{row:?} does not start with {says:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_one_bad_row() {
        let text = [b"A,1\n".to_vec(), vec![b'x'; 3 * LINE_MAX], b"\nB,2\n".to_vec()].concat();
        assert_eq!(read(text), ["1 A 1", "2 the line is longer than 64 KiB", "3 B 2"]);
    }

    #[test]
    fn what_is_no_such_file_at_all_is_told_apart_from_a_file_with_mistakes() {
        assert_eq!(glance(b"MUG-RED,12\n"), Ok(()));
        assert_eq!(glance(b"MUG-RED,many\n"), Ok(()));
        assert_eq!(glance(b""), Ok(()));
        assert_eq!(glance(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Err(NoSuchFile::Binary));
        assert_eq!(glance(b"\xff\xfe\xfd"), Err(NoSuchFile::Binary));
        assert_eq!(glance(b"To whom it may concern\nyour mugs are late\n"), Err(NoSuchFile::OtherText));
        assert_eq!(glance(b"sku,name\nMUG-RED,Red mug\n"), Err(NoSuchFile::Header));
        let cut = "\u{e9},1\n".repeat(GLANCE);
        assert_eq!(
            glance(&cut.as_bytes()[1..=GLANCE]),
            Err(NoSuchFile::Binary),
            "it starts within a character"
        );
        assert_eq!(glance(&cut.as_bytes()[..GLANCE]), Ok(()), "it ends wherever the glance ends");
    }
}
