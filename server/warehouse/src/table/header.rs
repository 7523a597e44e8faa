//! Which column is which: what a header says, wherever it stands, and whether there is one.

use super::{NoSuchFile, Shape, Why, number::is_meant, row};

/// How many rows are looked at.
pub(super) const LOOKED_AT: usize = 20;

/// What a column means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Sku,
    Quantity,
    Name,
}

impl Meaning {
    /// What a word in a header means. Case, blanks and punctuation do not matter: `SKU Code` is `sku_code`.
    fn of(word: &str) -> Option<Self> {
        let word: String =
            word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        Some(match word.as_str() {
            "sku" | "skucode" | "skuid" | "skuno" | "skunumber" | "itemnumber" | "itemno" | "itemcode"
            | "itemid" | "articlenumber" | "articleno" | "articlecode" | "productcode" | "productid"
            | "productnumber" | "partnumber" | "partno" | "stockcode" | "artikelnummer" | "artikelnr"
            | "artnr" => Self::Sku,
            "quantity" | "qty" | "units" | "pieces" | "pcs" | "menge" | "anzahl" | "stück" | "stueck"
            | "quantité" | "quantite" | "cantidad" => Self::Quantity,
            "name" | "productname" | "itemname" | "title" | "bezeichnung" => Self::Name,
            _ => return None,
        })
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::Quantity => "quantity",
            Self::Name => "name",
        }
    }
}

/// Where the columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub sku: usize,
    pub other: usize,
    /// How many there are at most.
    pub most: usize,
}

impl Columns {
    /// How many columns a row can have.
    pub(super) const fn range(self) -> std::ops::RangeInclusive<usize> {
        let least = if self.sku > self.other { self.sku } else { self.other };
        least + 1..=self.most
    }
}

/// Where the rows begin, and what their columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub columns: Columns,
    /// How many lines come before the first row; none without a header.
    pub lines: u64,
}

/// One of a file's first rows.
#[derive(Debug)]
pub(super) struct First {
    /// The line in which it begins.
    pub number: u64,
    /// The line in which it ends.
    pub last: u64,
    /// Its cells without blanks around; none when it is no row at all.
    pub cells: Vec<String>,
}

impl First {
    fn place(&self, meaning: Meaning) -> Option<usize> {
        self.cells.iter().position(|cell| Meaning::of(cell) == Some(meaning))
    }

    /// Whether it is a row, if those are the columns.
    pub(super) fn fits(&self, columns: Columns, shape: &Shape) -> bool {
        let cell = |at: usize| self.cells.get(at).map_or("", String::as_str);
        let other = cell(columns.other);
        let is_other = match shape.other {
            Meaning::Quantity => is_meant(other),
            _ => !other.is_empty(),
        };
        is_other && row::sku(cell(columns.sku)).is_ok() && columns.range().contains(&self.cells.len())
    }

    /// How many of the columns that we need it names.
    pub(super) fn names(&self, shape: &Shape) -> usize {
        [Meaning::Sku, shape.other].into_iter().filter(|&meaning| self.place(meaning).is_some()).count()
    }

    fn quoted(&self) -> String {
        self.cells.join(", ")
    }
}

/// Finds the header among the first rows.
pub(super) fn find(rows: &[First], shape: &Shape) -> Result<Header, NoSuchFile> {
    let plain = shape.plain();
    if let Some((at, row)) = rows.iter().enumerate().find(|(_, row)| row.names(shape) == 2) {
        return with_header(&rows[..at], row, shape);
    }
    // Without a whole header, what comes before the first row that fits may be one that names too little.
    let before = rows.iter().position(|row| row.fits(plain, shape)).unwrap_or(rows.len());
    for row in &rows[..before] {
        if let (true, Some(missing)) = (row.names(shape) == 1, missing(row, shape)) {
            return Err(NoSuchFile { line: row.number, why: Why::Missing(row.quoted(), missing) });
        }
    }
    let unknown = rows[..before].iter().find(|row| row.cells.len() > 1);
    match unknown {
        Some(row) if before < rows.len() && is_header(row, &rows[before..], shape) => {
            Err(NoSuchFile { line: row.number, why: Why::Unknown(row.quoted(), shape.other.word()) })
        }
        _ => Ok(Header { columns: plain, lines: 0 }),
    }
}

fn missing(row: &First, shape: &Shape) -> Option<&'static str> {
    [Meaning::Sku, shape.other].into_iter().find(|&meaning| row.place(meaning).is_none()).map(Meaning::word)
}

fn with_header(before: &[First], row: &First, shape: &Shape) -> Result<Header, NoSuchFile> {
    let mut places = [0; 2];
    for (place, meaning) in places.iter_mut().zip([Meaning::Sku, shape.other]) {
        let mut all = row.cells.iter().enumerate().filter(|(_, cell)| Meaning::of(cell) == Some(meaning));
        let first = all.next();
        if let (Some((_, first)), Some((_, second))) = (first, all.next()) {
            let why = Why::Twice(first.clone(), second.clone(), meaning.word());
            return Err(NoSuchFile { line: row.number, why });
        }
        *place = first.map_or(0, |(at, _)| at);
    }
    let columns = Columns { sku: places[0], other: places[1], most: row.cells.len() };
    // A title has another shape. What has that of a row would be lost without a word.
    let lost = before.iter().find(|row| row.cells.len() == columns.most && row.fits(columns, shape));
    match lost {
        Some(lost) => Err(NoSuchFile { line: lost.number, why: Why::RowBefore(row.number) }),
        None => Ok(Header { columns, lines: row.last }),
    }
}

/// Whether a row of unknown words is a header: words without a digit where the rows have numbers, and first one that
/// is no SKU, by its look or because it comes again.
fn is_header(row: &First, rows: &[First], shape: &Shape) -> bool {
    let Some(first) = row.cells.first() else { return false };
    let has_digit = |cell: &String| cell.chars().any(|c| c.is_ascii_digit());
    let looks_like_a_sku = first.contains(['-', '.']) && row::sku(first).is_ok();
    let comes_again =
        rows.iter().any(|row| row.cells.first().is_some_and(|cell| cell.eq_ignore_ascii_case(first)));
    shape.other == Meaning::Quantity
        && row.cells.iter().all(|cell| !cell.is_empty() && !has_digit(cell))
        && !looks_like_a_sku
        && !comes_again
}

#[cfg(test)]
mod tests {
    use super::{super::ARRIVALS, *};

    fn found(text: &str) -> Result<(usize, usize, u64), String> {
        let cells = |line: &str| line.split(',').map(|cell| cell.trim().to_owned()).collect();
        let rows: Vec<_> = (1..)
            .zip(text.lines())
            .map(|(number, line)| First { number, last: number, cells: cells(line) })
            .collect();
        let header = find(&rows, &ARRIVALS).map_err(|error| format!("{}: {error}", error.line))?;
        Ok((header.columns.sku, header.columns.other, header.lines))
    }

    #[test]
    fn a_header_says_which_column_is_which_wherever_it_stands() {
        assert_eq!(found("A,1"), Ok((0, 1, 0)));
        assert_eq!(found("on_order,QTY,Item Number\n1,2,A"), Ok((2, 1, 1)));
        assert_eq!(found("Stock of the day\nMonday,north,,\nsku,on_order,quantity\nA,99,3"), Ok((0, 2, 3)));
        assert_eq!(found("SKU_Code,Units"), Ok((0, 1, 1)));
        assert_eq!(found("A-1,many\nA-1,3"), Ok((0, 1, 0)), "a bad row is not a header");
        assert_eq!(found("LAMP,many\nMUG,3\nLAMP,4"), Ok((0, 1, 0)));
    }

    #[test]
    fn a_header_that_leaves_a_doubt_is_refused_by_name() {
        for (text, says) in [
            ("sku,name\nA,Mug", "1: its header (sku, name) names no column quantity"),
            ("Report\nfoo,qty\nA,3", "2: its header (foo, qty) names no column sku"),
            ("foo,bar\nA,3", "1: its header (foo, bar) names no column that is known"),
            ("SKU,Qty,Quantity\nA,1,2", "1: its header names the quantity twice: Qty and Quantity"),
            ("sku,sku,qty\nA,1,2", "1: its header names the sku twice: sku and sku"),
            ("A,1\nsku,qty\nB,2", "1: it has a row before the header in line 2"),
        ] {
            let error = found(text).unwrap_err();
            assert!(error.starts_with(says), "{error}");
        }
    }
}
