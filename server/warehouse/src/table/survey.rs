//! Looking at a file before its rows are read: whether it is one at all, and how it is written.

use super::{
    Encoding, Format, Kind, NoSuchFile, RowError, Rows, Shape, Why,
    csv::Records,
    header::{self, First, Header},
    lines::{Ends, Lines, has_nul},
    number::Convention,
};
use std::io::{self, Read, Seek};

/// How much of a file's text is looked at to find its kind, its delimiter and its header, in bytes.
const SAMPLE: usize = 64 * 1024;
/// What may part columns, the most usual first.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// How the files begin that are mistaken for CSV most often: workbooks and archives, old workbooks.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xD0\xCF\x11\xE0"];
/// How pictures, documents and packed files begin.
const BINARIES: [&[u8]; 5] = [b"\x89PNG", b"%PDF-", b"\x1F\x8B", b"\xFF\xD8\xFF", b"GIF8"];

/// Looks at all of a file. It is read three times at most, and left wherever that ended.
///
/// # Errors
/// When it cannot be read; and then, when it is no such file.
pub fn survey<R: Read + Seek>(
    input: &mut R,
    shape: &'static Shape,
) -> io::Result<Result<Format, NoSuchFile>> {
    input.rewind()?;
    let encoding = Encoding::detect(input)?;
    input.rewind()?;
    let mut start = Vec::new();
    input.by_ref().take(8).read_to_end(&mut start)?;
    input.rewind()?;
    let mut sample = Vec::new();
    encoding.decode(&mut *input).take(SAMPLE as u64).read_to_end(&mut sample)?;
    if WORKBOOKS.iter().any(|begin| start.starts_with(begin)) {
        return Ok(Err(NoSuchFile { line: 1, why: Why::Workbook }));
    }
    if BINARIES.iter().any(|begin| start.starts_with(begin)) {
        return Ok(Err(NoSuchFile { line: 1, why: Why::Binary(shape.send) }));
    }
    if sample.len() == SAMPLE
        && let Some(end) = sample.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'))
    {
        // The last line may go on.
        sample.truncate(end + 1);
    }
    let kind = match json(&sample) {
        Some(kind) if shape.is_json => kind,
        _ => match dialect(&sample, encoding, shape)? {
            Ok(kind) => kind,
            Err(refused) => return Ok(Err(refused)),
        },
    };
    let mut format = Format { shape, encoding, ends: Ends::default(), kind, cut_from: None };
    input.rewind()?;
    let seen = read_all(input, &mut format)?;
    Ok(match seen {
        Some(line) if has_nul(&sample) => Err(NoSuchFile { line, why: Why::Binary(shape.send) }),
        Some(line) => Err(NoSuchFile { line, why: Why::OtherText(shape.send) }),
        None => Ok(format),
    })
}

/// What parts the words of a header in the first line of a text; a comma when nothing does.
#[must_use]
pub fn delimiter_of_header(text: &[u8]) -> u8 {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // Of equals the last is the greatest, and the most usual one comes first.
    DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}

/// Reads a file to its end for what all of it shows. Answers the first row when no row has the form of one.
fn read_all<R: Read + Seek>(input: &mut R, format: &mut Format) -> io::Result<Option<u64>> {
    let mut rows = Rows::new(input, format)?;
    let has_header = matches!(format.kind, Kind::Csv { header, .. } if header.lines > 0);
    let (mut first, mut formless, mut has_form) = (None, 0, has_header);
    let mut shown = Convention::default();
    while let Some((number, value)) = rows.next_shown(&mut shown)? {
        first.get_or_insert(number);
        match value {
            Err(error) if error.is_formless() => formless += 1,
            _ => has_form = true,
        }
        if !has_form && formless == header::LOOKED_AT {
            return Ok(first);
        }
    }
    (format.ends, format.cut_from) = (rows.ends(), rows.cut_from());
    if let Kind::Csv { convention, .. } = &mut format.kind {
        *convention = shown;
    }
    Ok(first.filter(|_| !has_form))
}

impl<R: Read> Rows<R> {
    /// The next row for the survey: whether it has the form of one, and what its number shows.
    fn next_shown(&mut self, shown: &mut Convention) -> io::Result<Option<(u64, Result<(), RowError>)>> {
        let Some((number, raw)) = self.next_raw()? else { return Ok(None) };
        Ok(Some((
            number,
            raw.and_then(|raw| match raw {
                super::Raw::Object(text) => super::row::json_arrival(&text).map(drop),
                super::Raw::Cells([_, other]) => {
                    shown.see(&other);
                    Ok(())
                }
            }),
        )))
    }
}

/// Which kind of JSON it is, if it is any.
fn json(sample: &[u8]) -> Option<Kind> {
    let text = sample.trim_ascii_start();
    match text.first()? {
        b'{' => Some(Kind::JsonLines),
        b'[' => match text[1..].trim_ascii_start().first() {
            None | Some(b'{' | b']') => Some(Kind::JsonArray),
            Some(b'"' | b'[' | b'0'..=b'9') => Some(Kind::JsonLines),
            Some(_) => None,
        },
        _ => None,
    }
}

/// Finds the delimiter and the header.
fn dialect(sample: &[u8], encoding: Encoding, shape: &Shape) -> io::Result<Result<Kind, NoSuchFile>> {
    let told = told_delimiter(sample)?;
    let mut best: Option<(u8, Vec<First>, (usize, usize))> = None;
    for delimiter in told.map_or(DELIMITERS.to_vec(), |told| vec![told]) {
        let rows = first_rows(sample, encoding, delimiter, u64::from(told.is_some()))?;
        let names = rows.iter().map(|row| row.names(shape)).max().unwrap_or(0);
        let fitting = rows.iter().filter(|row| row.fits(shape.plain(), shape)).count();
        let found = (names, fitting);
        if best.as_ref().is_none_or(|(_, _, so_far)| found > *so_far) {
            best = Some((delimiter, rows, found));
        }
    }
    let (delimiter, rows, _) = best.unwrap_or((b',', Vec::new(), (0, 0)));
    Ok(header::find(&rows, shape).map(|mut header: Header| {
        header.lines = header.lines.max(u64::from(told.is_some()));
        Kind::Csv { delimiter, header, convention: Convention::Unknown }
    }))
}

/// What a first line `sep=;` says, as spreadsheets write and read it.
fn told_delimiter(sample: &[u8]) -> io::Result<Option<u8>> {
    let Some(line) = Lines::new(sample).next()? else { return Ok(None) };
    let text = line.text.trim_ascii_start();
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let is_sep = text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"sep="));
    let Some((&delimiter, rest)) = text.get(4..).filter(|_| is_sep).and_then(<[u8]>::split_first) else {
        return Ok(None);
    };
    let is_it = (delimiter.is_ascii_punctuation() && delimiter != b'"') || delimiter == b'\t';
    let is_all =
        rest.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'"' || DELIMITERS.contains(byte));
    Ok((is_it && is_all).then_some(delimiter))
}

fn first_rows(sample: &[u8], encoding: Encoding, delimiter: u8, skipped: u64) -> io::Result<Vec<First>> {
    let mut lines = Lines::new(sample);
    for _ in 0..skipped {
        lines.next()?;
    }
    let mut records = Records::new(lines, delimiter, 0..=usize::MAX);
    let mut rows = Vec::with_capacity(header::LOOKED_AT);
    while rows.len() < header::LOOKED_AT
        && let Some(record) = records.next()?
    {
        let cells = record.cells.unwrap_or_default();
        let used = super::csv::used(&cells);
        let text = |cell: &Vec<u8>| encoding.text(cell).unwrap_or("\0").trim().to_owned();
        rows.push(First {
            number: record.number,
            last: record.last,
            cells: cells[..used].iter().map(text).collect(),
        });
    }
    Ok(rows)
}
