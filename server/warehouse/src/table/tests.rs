use super::*;
use proptest::prelude::*;
use std::io::Cursor;

/// The format in words, and each row in one: `2 MUG-RED 12`, or its reason.
fn read(bytes: impl AsRef<[u8]>) -> Result<(String, Vec<String>), String> {
    let mut input = Cursor::new(bytes.as_ref());
    let format =
        survey(&mut input, &ARRIVALS).unwrap().map_err(|error| format!("{}: {error}", error.line))?;
    input.set_position(0);
    let mut rows = Rows::new(input, &format).unwrap();
    let texts = std::iter::from_fn(|| rows.next_arrival().unwrap()).map(|row| match row.value {
        Ok((sku, quantity)) => format!("{} {sku} {quantity}", row.number),
        Err(error) => format!("{} {error}", row.number),
    });
    Ok((format.to_string(), texts.collect()))
}

fn rows(bytes: impl AsRef<[u8]>) -> Vec<String> {
    read(bytes).unwrap().1
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(to_bytes).collect()
}

#[test]
fn a_file_without_a_header_has_sku_and_quantity_and_perhaps_a_warehouse() {
    assert_eq!(rows("MUG-RED,12\nlamp-arc, 3 ,north\n"), ["1 MUG-RED 12", "2 LAMP-ARC 3"]);
    assert_eq!(rows("MUG-RED,12"), ["1 MUG-RED 12"], "without a newline at the end");
}

#[test]
fn a_header_may_name_the_columns_in_any_order() {
    for header in ["warehouse,quantity,sku", "Warehouse, Units ,SKU Code", "\"note\",\"QTY\",\"Item Number\""]
    {
        assert_eq!(rows(format!("{header}\nnorth,12,MUG-RED\n")), ["2 MUG-RED 12"], "{header}");
    }
}

#[test]
fn lines_before_the_header_shift_no_column() {
    assert_eq!(rows("sep=,\nsku,on_order,quantity\nMUG-RED,99,3\n"), ["3 MUG-RED 3"]);
    assert_eq!(rows("\"SEP=;\"\r\nMUG-RED;3\r\n"), ["2 MUG-RED 3"]);
    let title = "Stock, north\n,,\n\nsku,on_order,quantity\nMUG-RED,99,3\n";
    assert_eq!(
        read(title).unwrap(),
        ("comma, UTF-8, LF, header in line 4".to_owned(), vec!["5 MUG-RED 3".to_owned()])
    );
}

#[test]
fn what_excel_and_european_warehouses_send_is_told_and_taken() {
    let text = "sku;quantity;note\r\nMUG-RED;12;caf\u{e9} \u{20ac}\r\n;;\r\nLAMP;3;\"a;\r\nb\"\r\nTV;1;\r\n";
    let expected = ["2 MUG-RED 12", "4 LAMP 3", "6 TV 1"];
    let windows: Vec<u8> = text
        .chars()
        .map(|c| if c == '\u{20ac}' { 0x80 } else { u8::try_from(u32::from(c)).unwrap() })
        .collect();
    for (bytes, says) in [
        (text.into(), "semicolon, UTF-8, CRLF"),
        (format!("\u{feff}{text}").into_bytes(), "semicolon, UTF-8, CRLF"),
        (windows, "semicolon, Windows-1252, CRLF"),
        (utf16(text, u16::to_le_bytes), "semicolon, UTF-16LE, CRLF"),
        (utf16(text, u16::to_be_bytes), "semicolon, UTF-16BE, CRLF"),
        (text.replace(';', "\t").replace("a\t", "a;").into(), "tab, UTF-8, CRLF"),
        (text.replace(';', "|").replace("\r\n", "\r").into(), "bar, UTF-8, CR"),
        (text.replace(';', ",").replace("\r\n", "\n").into(), "comma, UTF-8, LF"),
    ] {
        let (format, rows) = read(bytes).unwrap();
        assert_eq!((format.as_str(), rows.as_slice()), (says, expected.map(str::to_owned).as_slice()));
    }
}

#[test]
fn a_number_with_marks_counts_only_where_the_whole_file_leaves_no_doubt() {
    let (format, read_rows) = read("sku;qty\nA;1.000\nB;2,0\nC;2,5\n").unwrap();
    assert_eq!(format, "semicolon, UTF-8, LF, decimal comma");
    assert_eq!(read_rows[..2], ["2 A 1000", "3 B 2"]);
    assert!(read_rows[2].contains("not a whole number"), "{read_rows:?}");
    let doubtful = rows("sku;qty\nA;1.000\nB;2\n");
    assert!(doubtful[0].contains("can be read in two ways"), "{doubtful:?}");
    assert_eq!(doubtful[1], "3 B 2");
    assert!(rows("1.23457E+11,5\nA,1\n")[0].contains("spreadsheet"));
}

#[test]
fn every_bad_row_says_its_line_and_what_is_wrong_and_spoils_no_other() {
    let text =
        b"A,1\nB\nC D,1\nE,x\nF,0\n\"G,1\nH,1,north,4\nI,1000001\n\"J\",\"2\"\nK\0,1\nL,1,\xff\nM,1,\xc3\xa9\n,,\n\x1a";
    let rows = rows(text);
    let says = [
        "1 A 1",
        "2 a row has",
        "3 sku: ' '",
        "4 quantity: \"x\" is not a whole number",
        "5 quantity: a quantity is",
        "6 a quote is not closed",
        "7 a row has",
        "8 quantity: a quantity is",
        "9 J 2",
        "10 it has a NUL",
        "11 a byte in it is not UTF-8 text",
        "12 M 1",
    ];
    assert_eq!(rows.len(), says.len(), "{rows:?}");
    for (row, says) in rows.iter().zip(says) {
        assert!(row.starts_with(says), "{row:?} does not start with {says:?}");
    }
}

#[test]
fn a_line_without_end_is_one_bad_row() {
    let text = [b"A,1\n".to_vec(), vec![b'x'; 3 * LINE_MAX], b"\nB,2\n".to_vec()].concat();
    assert_eq!(rows(text), ["1 A 1", "2 the line is longer than 64 KiB", "3 B 2"]);
}

#[test]
fn json_is_told_by_its_first_characters_and_an_array_is_no_row() {
    let (format, read_rows) = read(
        "\u{feff}{\"sku\":\" mug-red \",\"quantity\":12}\r\n\r\n[\"TV\",5]\r\n{\"quantity\":3,\"sku\":\"LAMP\"}\n{\"sku\":\"A\"}",
    )
    .unwrap();
    assert_eq!(format, "JSON Lines, UTF-8, mixed line ends");
    assert_eq!((read_rows[0].as_str(), read_rows[2].as_str()), ("1 MUG-RED 12", "4 LAMP 3"));
    assert!(
        read_rows[1].starts_with("3 ") && read_rows[1].contains("an array is not a row"),
        "{read_rows:?}"
    );
    assert!(read_rows[3].contains("missing field `quantity`"), "{read_rows:?}");
    let (format, items) =
        read(r#"[{"sku":"A","quantity":1},{"sku":"B","quantity":"x"},{"sku":"C","quantity":3}]"#).unwrap();
    assert_eq!((format.as_str(), items.len()), ("JSON array, UTF-8, LF", 3));
    assert_eq!((items[0].as_str(), items[2].as_str()), ("1 A 1", "3 C 3"));
    assert!(items[1].starts_with("2 item 2 of the array: "), "{items:?}");
    assert!(read("[\"TV\",5]\n[\"TV\",6]\n").is_err());
}

#[test]
fn what_is_no_such_file_at_all_is_told_apart_from_a_file_with_mistakes() {
    assert_eq!(rows("MUG-RED,many\n").len(), 1);
    assert!(rows("").is_empty());
    for (bytes, says) in [
        (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "1: it is not a text file"),
        (b"PK\x03\x04xlsx", "1: it is not a text file but a spreadsheet"),
        (b"\0\0\0", "1: it is not a text file"),
        (b"To whom it may concern\nyour mugs are late\n", "1: none of its first rows"),
        (b"Stock\nsku,name\nMUG-RED,Red mug\n", "2: its header (sku, name) names no column quantity"),
        (b"foo;bar\nMUG-RED;3\n", "1: its header (foo, bar) names no column that is known"),
        (b"sku,qty,Quantity\nA,1,2\n", "1: its header names the quantity twice: qty and Quantity"),
    ] {
        let error = read(bytes).unwrap_err();
        assert!(error.starts_with(says), "{error:?} does not start with {says:?}");
    }
}

#[test]
fn an_array_on_one_long_line_keeps_all_its_items() {
    let items = vec![r#"{"sku":"A","quantity":1}"#; 10_000].join(",");
    assert_eq!(rows(format!("[{items}]")).len(), 10_000);
}

#[test]
fn the_row_in_which_a_file_ends_is_known_whatever_its_last_byte() {
    for (text, cut_from) in [
        ("A,1\nB,2\n", None),
        ("A,1\nB,2", Some(2)),
        ("A,1\n\"B\",\"2\"", Some(2)),
        ("A,1\nB,2,\"a\nb", Some(2)),
        ("A,1\nB,2,\"a\nb\nc,4\nd", Some(2)),
        ("A,1\nB,2,\"a\nb\nC,4\n", None),
        ("A,1\nB,2,\"a\nb\"", Some(2)),
        ("A,1\n  ", None),
        ("{\"sku\":\"A\",\"quantity\":1}\n{\"sku\":\"B\",\"quantity\":1}", None),
        ("{\"sku\":\"A\",\"quantity\":1}\n{\"sku\":\"B\",\"more\":{\"a\":1}", Some(2)),
        ("{\"sku\":\"A\",\"quantity\":1}\n{\"sku\":\"B\"", Some(2)),
        ("[{\"sku\":\"A\",\"quantity\":1},\n{\"sku\":\"B\"", Some(2)),
        ("[{\"sku\":\"A\",\"quantity\":1},\n{\"sku\":\"B\",\"quantity\":1}", None),
    ] {
        let format = survey(&mut Cursor::new(text), &ARRIVALS).unwrap().unwrap();
        let found = format
            .cut_from()
            .filter(|from| rows(text).iter().any(|row| row.starts_with(&format!("{from} "))));
        assert_eq!(found, cut_from, "{text:?}");
    }
}

#[path = "../../tests/generated/mod.rs"]
mod generated;

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_every_dialect_good_and_bad_rows_are_those_in_the_file(file in generated::file()) {
        let mut input = Cursor::new(&file.bytes);
        let format = survey(&mut input, &ARRIVALS).unwrap();
        prop_assert!(format.is_ok(), "{format:?}");
        input.set_position(0);
        let mut rows = Rows::new(input, &format.unwrap()).unwrap();
        let (mut good, mut bad) = (Vec::new(), 0);
        while let Some(row) = rows.next_arrival().unwrap() {
            match row.value {
                Ok((sku, quantity)) => good.push((sku.to_string(), quantity.get())),
                Err(_) => bad += 1,
            }
        }
        prop_assert_eq!((good, bad), (file.good, file.bad));
    }
}
