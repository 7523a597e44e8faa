//! Tables as people have them: rows out of CSV of any dialect and encoding, JSON Lines, or a JSON array.
//!
//! A file is surveyed first, all of it, since the last row may say how the first is to be read. Then it is read row by
//! row, and never more than a row of it is in memory. What is wrong with one row is told with the line in which it
//! begins and spoils no other; what leaves a doubt about all rows refuses the file.

mod csv;
mod encoding;
mod header;
pub mod json;
mod lines;
mod number;
mod row;
mod survey;

pub use encoding::Encoding;
pub use header::Meaning;
pub use lines::{Cutter, LINE_MAX, Line};
pub use row::{Arrival, RowError, sku, utf8};
pub use survey::{delimiter_of_header, survey};

use encoding::Decoded;
use flow::Quantity;
use header::{Columns, Header};
use lines::{Ends, Lines};
use number::Convention;
use std::{
    fmt,
    io::{self, Read},
};

/// What kind of table is expected.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// What comes with the SKU.
    pub other: Meaning,
    /// How many columns a row may have without a header.
    most: usize,
    /// What a row has.
    row: &'static str,
    /// What to send instead of something else.
    send: &'static str,
    /// Whether it may be JSON.
    is_json: bool,
}

/// Arrivals: a SKU, a quantity, and perhaps a warehouse that nobody asks for.
pub static ARRIVALS: Shape = Shape {
    other: Meaning::Quantity,
    most: 3,
    row: "a row has a SKU, a quantity and perhaps a warehouse",
    send: "send CSV (sku,quantity), JSON Lines or a JSON array",
    is_json: true,
};

/// Products: a SKU and its name.
pub static PRODUCTS: Shape = Shape {
    other: Meaning::Name,
    most: 2,
    row: "a row has a SKU and a name",
    send: "send CSV (sku,name)",
    is_json: false,
};

impl Shape {
    /// The columns without a header.
    const fn plain(&self) -> Columns {
        Columns { sku: 0, other: 1, most: self.most }
    }
}

/// Why something is no such file at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NoSuchFile {
    /// The line that shows it, from 1.
    pub line: u64,
    why: Why,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Why {
    #[error("it is not a text file; {0}")]
    Binary(&'static str),
    #[error("it is not a text file but a spreadsheet's own format or an archive; save it as CSV there")]
    Workbook,
    #[error("none of its first rows has a SKU and what belongs to it; {0}")]
    OtherText(&'static str),
    #[error("its header ({0}) names no column {1}; it must name both")]
    Missing(String, &'static str),
    #[error("its header ({0}) names no column that is known; name them sku and {1}")]
    Unknown(String, &'static str),
    #[error("its header names the {2} twice: {0} and {1}; leave one of them")]
    Twice(String, String, &'static str),
    #[error("it has a row before the header in line {0}; put the header first")]
    RowBefore(u64),
}

/// What a survey has found out about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    shape: &'static Shape,
    encoding: Encoding,
    ends: Ends,
    kind: Kind,
    cut_from: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv { delimiter: u8, header: Header, convention: Convention },
    JsonLines,
    JsonArray,
}

impl Format {
    /// The number of the first row that may be cut, as it has no end: whoever does not know that the file is whole cannot
    /// count it.
    #[must_use]
    pub const fn cut_from(&self) -> Option<u64> {
        self.cut_from
    }
}

impl fmt::Display for Format {
    /// In a few words, for people: `semicolon, Windows-1252, CRLF`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::JsonLines => "JSON Lines".to_owned(),
            Kind::JsonArray => "JSON array".to_owned(),
            Kind::Csv { delimiter, .. } => match delimiter {
                b',' => "comma".to_owned(),
                b';' => "semicolon".to_owned(),
                b'\t' => "tab".to_owned(),
                b'|' => "bar".to_owned(),
                other => format!("parted by {}", char::from(other)),
            },
        };
        write!(f, "{kind}, {}, {}", self.encoding, self.ends)?;
        if let Kind::Csv { header, convention, .. } = self.kind {
            if header.lines > 1 {
                write!(f, ", header in line {}", header.lines)?;
            }
            if let Some(word) = convention.word() {
                write!(f, ", {word}")?;
            }
        }
        Ok(())
    }
}

/// A row as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T> {
    /// The line in which it begins, from 1. In a JSON array, the item's number.
    pub number: u64,
    pub value: Result<T, RowError>,
}

/// The rows of a file, one after the other. Rows without anything in them are none.
#[derive(Debug)]
pub struct Rows<R> {
    format: Format,
    source: Source<Decoded<R>>,
    /// The line of JSON Lines that has no end, and is no whole object either.
    cut_line: Option<u64>,
}

#[derive(Debug)]
enum Source<R> {
    Csv(csv::Records<R>),
    JsonLines(Lines<R>),
    JsonArray(json::Items<R>),
}

/// A row before its values are read.
enum Raw {
    Cells([String; 2]),
    Object(Vec<u8>),
}

impl<R: Read> Rows<R> {
    /// The rows of what `input` holds from its start on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(input: R, format: &Format) -> io::Result<Self> {
        let mut lines = Lines::new(format.encoding.decode(input));
        let source = match format.kind {
            Kind::Csv { delimiter, header, .. } => {
                for _ in 0..header.lines {
                    lines.next()?;
                }
                Source::Csv(csv::Records::new(lines, delimiter, header.columns.range()))
            }
            Kind::JsonLines => Source::JsonLines(lines),
            Kind::JsonArray => Source::JsonArray(json::Items::new(lines)),
        };
        Ok(Self { format: format.clone(), source, cut_line: None })
    }

    /// The next arrival; `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_arrival(&mut self) -> io::Result<Option<Row<Arrival>>> {
        let Some((number, raw)) = self.next_raw()? else { return Ok(None) };
        let value = raw.and_then(|raw| match raw {
            Raw::Object(text) => row::json_arrival(&text),
            Raw::Cells([sku, quantity]) => {
                let number = self.convention().whole(&quantity)?;
                Ok((row::sku(&sku)?, Quantity::parse(number)?))
            }
        });
        let value = match self.source {
            Source::JsonArray(_) => value.map_err(|error| RowError::Item(number, Box::new(error))),
            _ => value,
        };
        Ok(Some(Row { number, value }))
    }

    /// The next product, its SKU and its name; `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_product(&mut self) -> io::Result<Option<Row<(flow::Sku, String)>>> {
        let Some((number, raw)) = self.next_raw()? else { return Ok(None) };
        let value = raw.and_then(|raw| match raw {
            Raw::Object(_) => Err(RowError::Json("products come as CSV".to_owned())),
            Raw::Cells([sku, name]) => Ok((row::sku(&sku)?, name)),
        });
        Ok(Some(Row { number, value }))
    }

    const fn convention(&self) -> Convention {
        match self.format.kind {
            Kind::Csv { convention, .. } => convention,
            _ => Convention::Unknown,
        }
    }

    fn next_raw(&mut self) -> io::Result<Option<(u64, Result<Raw, RowError>)>> {
        let encoding = self.format.encoding;
        let checked = |text: Vec<u8>| row::text(&text, encoding).map(drop).map(|()| Raw::Object(text));
        match &mut self.source {
            Source::Csv(records) => {
                let Some(record) = records.next()? else { return Ok(None) };
                Ok(Some((record.number, record.cells.and_then(|cells| self.select(&cells)))))
            }
            Source::JsonLines(lines) => loop {
                let Some(line) = lines.next()? else { return Ok(None) };
                if !line.has_end && !json::is_complete(&line.text) {
                    self.cut_line = Some(line.number);
                }
                if !line.is_whole {
                    return Ok(Some((line.number, Err(RowError::TooLong))));
                }
                if !json::is_nothing(&line.text) {
                    return Ok(Some((line.number, checked(line.text))));
                }
            },
            Source::JsonArray(items) => {
                let Some(item) = items.next()? else { return Ok(None) };
                Ok(Some((items.count, item.and_then(checked))))
            }
        }
    }

    /// The cells of our columns.
    fn select(&self, cells: &[Vec<u8>]) -> Result<Raw, RowError> {
        let Kind::Csv { header: Header { columns, .. }, .. } = self.format.kind else {
            return Err(RowError::BehindArray);
        };
        let found = csv::used(cells);
        if found > columns.most || cells.len() <= columns.sku.max(columns.other) {
            return Err(RowError::Columns { wanted: self.format.shape.row, found: found.max(1) });
        }
        for cell in cells {
            row::text(cell, self.format.encoding)?;
        }
        let text = |at: usize| row::text(&cells[at], self.format.encoding).map(|text| text.trim().to_owned());
        Ok(Raw::Cells([text(columns.sku)?, text(columns.other)?]))
    }

    /// The first row that may be cut, once all are read.
    fn cut_from(&self) -> Option<u64> {
        match &self.source {
            Source::Csv(records) => records.cut_from,
            Source::JsonLines(_) => self.cut_line,
            Source::JsonArray(items) => items.is_cut.then_some(items.count),
        }
    }

    const fn ends(&self) -> Ends {
        match &self.source {
            Source::Csv(records) => records.lines.ends(),
            Source::JsonLines(lines) => lines.ends(),
            Source::JsonArray(items) => items.lines.ends(),
        }
    }
}

#[cfg(test)]
mod tests;
