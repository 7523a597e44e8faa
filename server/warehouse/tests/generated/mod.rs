//! Files as people have them, made up: in every dialect and encoding, with their good and their bad rows known.
#![allow(dead_code, reason = "each test uses its part of this")]

use proptest::prelude::*;

/// A file that was made up.
#[derive(Debug, Clone)]
pub struct Generated {
    /// What its name ends with.
    pub ending: &'static str,
    pub bytes: Vec<u8>,
    /// The SKU and the quantity of each good row.
    pub good: Vec<(String, u32)>,
    /// How many rows are bad.
    pub bad: u64,
}

#[derive(Debug, Clone)]
struct Row {
    quantity: Option<u32>,
    sku: String,
    note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    JsonLines,
    JsonArray,
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Style {
    kind: Kind,
    delimiter: char,
    end: &'static str,
    encoding: usize,
    title: &'static str,
    has_sku_first: bool,
}

fn row() -> impl Strategy<Value = Row> {
    let note = prop_oneof![
        Just(String::new()),
        "[a-z ]{0,9}",
        Just("a, b; c|d\te".to_owned()),
        Just("first\nTV-71,900,see\nTV-72;9;note".to_owned()),
        Just("he said \"no\"".to_owned()),
        Just("caf\u{e9} \u{20ac}".to_owned()),
    ];
    let quantity = prop_oneof![5 => (1..=1_000_000_u32).prop_map(Some), 1 => Just(None)];
    (quantity, "G-[A-Z][A-Z0-9_.-]{0,8}", note).prop_map(|(quantity, sku, note)| Row { quantity, sku, note })
}

fn style() -> impl Strategy<Value = Style> {
    (
        prop_oneof![3 => Just(Kind::Csv), 1 => Just(Kind::JsonLines), 1 => Just(Kind::JsonArray)],
        prop::sample::select(vec![',', ';', '\t', '|']),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        0..5_usize,
        prop::sample::select(vec!["", "sep", "Stock of the day"]),
        any::<bool>(),
    )
        .prop_map(|(kind, delimiter, end, encoding, title, has_sku_first)| Style {
            kind,
            delimiter,
            end,
            encoding,
            title,
            has_sku_first,
        })
}

/// A file of up to 40 rows, perhaps with a blank one and one that is not closed.
pub fn file() -> impl Strategy<Value = Generated> {
    (prop::collection::vec(row(), 1..40), style(), prop::option::of(0..40_usize), 0..40_usize)
        .prop_map(|(rows, style, unclosed, blank)| write(&rows, &style, unclosed, blank))
}

fn write(rows: &[Row], style: &Style, unclosed: Option<usize>, blank: usize) -> Generated {
    let mut lines = style.head();
    let (mut good, mut bad) = (Vec::new(), 0);
    // A file of JSON is one when some row has the form of an object; a CSV file has its header.
    let unclosed = unclosed.filter(|n| style.kind == Kind::Csv || *n > 0);
    for (n, row) in rows.iter().enumerate() {
        if n == blank {
            let blank = format!("{0} {0}", style.delimiter);
            lines.push(if style.kind == Kind::Csv { blank } else { " \t".to_owned() });
        }
        let is_unclosed = unclosed == Some(n);
        lines.push(style.row(row, n, is_unclosed, n + 1 == rows.len()));
        match row.quantity {
            Some(quantity) if !is_unclosed => good.push((row.sku.clone(), quantity)),
            _ => bad += 1,
        }
    }
    if style.kind == Kind::JsonArray {
        lines.push("]".to_owned());
    }
    let ending = match style.kind {
        Kind::Csv => "csv",
        Kind::JsonLines => "jsonl",
        Kind::JsonArray => "json",
    };
    Generated { ending, bytes: style.encode(&lines.join(style.end)), good, bad }
}

impl Style {
    fn head(&self) -> Vec<String> {
        match self.kind {
            Kind::JsonLines => return Vec::new(),
            Kind::JsonArray => return vec!["[".to_owned()],
            Kind::Csv => {}
        }
        let header =
            if self.has_sku_first { ["SKU Code", "Qty", "note"] } else { ["remark", "units", "Item Number"] };
        let header = header.join(&self.delimiter.to_string());
        match self.title {
            "" => vec![header],
            "sep" => vec![format!("sep={}", self.delimiter), header],
            title => vec![title.to_owned(), header],
        }
    }

    fn row(&self, row: &Row, n: usize, is_unclosed: bool, is_last: bool) -> String {
        let Row { quantity, sku, note } = row;
        if self.kind != Kind::Csv {
            let none = if n == 0 { serde_json::json!(0) } else { serde_json::json!("none") };
            let quantity = quantity.map_or(none, serde_json::Value::from);
            let mut text = serde_json::json!({ "sku": sku, "note": note, "quantity": quantity }).to_string();
            if is_unclosed {
                text.pop();
            }
            let comma = if self.kind == Kind::JsonArray && !is_last { "," } else { "" };
            return text + comma;
        }
        let quantity = quantity.map_or_else(|| "none".to_owned(), |quantity| quantity.to_string());
        let note = if is_unclosed { "\"open".to_owned() } else { self.quoted(note) };
        let cells = if self.has_sku_first { [sku, &quantity, &note] } else { [&note, &quantity, sku] };
        cells.map(String::as_str).join(&self.delimiter.to_string())
    }

    fn quoted(&self, cell: &str) -> String {
        if cell.contains([',', ';', '\t', '|', '"', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\"").replace('\n', self.end))
        } else {
            cell.to_owned()
        }
    }

    fn encode(&self, text: &str) -> Vec<u8> {
        let utf16 = |to_bytes: fn(u16) -> [u8; 2]| {
            std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(to_bytes).collect()
        };
        match self.encoding {
            0 => text.into(),
            1 => format!("\u{feff}{text}").into(),
            2 => utf16(u16::to_le_bytes),
            3 => utf16(u16::to_be_bytes),
            _ => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        }
    }
}
