//! JSON: an object a line, or an array of objects.

use super::{
    lines::{LINE_MAX, Line, Lines, is_blank},
    row::RowError,
};
use std::io::{self, BufRead};

/// Something else than an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an array is not a row; write one object for each row")]
pub struct Array;

/// The text of an object, without the mark and the blanks around it. Whether it is well formed is not looked at.
///
/// # Errors
/// When it is an array: the serialisation of an object's fields in their order is no object.
pub fn object(bytes: &[u8]) -> Result<&[u8], Array> {
    let text = bytes.trim_ascii_start();
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text).trim_ascii();
    if text.first() == Some(&b'[') { Err(Array) } else { Ok(text) }
}

/// Whether a line of JSON Lines says nothing.
#[must_use]
pub fn is_nothing(bytes: &[u8]) -> bool {
    object(bytes).is_ok_and(is_blank)
}

/// Whether a text is JSON from its first byte to its last, whatever it says.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    object(bytes).is_ok_and(|text| serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok())
}

/// The items of an array, one after the other. An item that is broken ends where the next object begins.
#[derive(Debug)]
pub(super) struct Items<R> {
    pub lines: Lines<R>,
    line: Option<Line>,
    at: usize,
    place: Place,
    /// How many items there have been.
    pub count: u64,
    /// The text ends within the last one.
    pub is_cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Within,
    Behind,
}

/// An item that has begun.
#[derive(Default)]
struct Item {
    text: Vec<u8>,
    /// What is open in it: `{` and `[`.
    open: Vec<u8>,
    is_string: bool,
    is_escaped: bool,
    /// The last byte that was no blank and in no string.
    last: u8,
    is_too_long: bool,
}

/// What a byte does to an item.
enum Step {
    GoesOn,
    Ends,
    /// It is broken, and what comes next begins with this byte.
    Breaks,
}

impl Item {
    fn byte(&mut self, byte: u8) -> Step {
        if !self.is_string && byte == b'{' && self.open.last() == Some(&b'{') && self.last != b':' {
            return Step::Breaks;
        }
        if self.text.len() < LINE_MAX {
            self.text.push(byte);
        } else {
            self.is_too_long = true;
        }
        if self.is_string {
            if std::mem::take(&mut self.is_escaped) {
                return Step::GoesOn;
            }
            match byte {
                b'\\' => self.is_escaped = true,
                b'"' => self.is_string = false,
                _ => {}
            }
            return Step::GoesOn;
        }
        match byte {
            b'"' => self.is_string = true,
            b'{' | b'[' => self.open.push(byte),
            b'}' | b']' => {
                self.open.pop();
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
        if self.open.is_empty() && matches!(byte, b'}' | b']') { Step::Ends } else { Step::GoesOn }
    }
}

impl<R: BufRead> Items<R> {
    pub(super) fn new(lines: Lines<R>) -> Self {
        Self { lines: lines.in_pieces(), line: None, at: 0, place: Place::Before, count: 0, is_cut: false }
    }

    /// The next item's text; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, RowError>>> {
        let item = match self.place {
            Place::Behind => self.behind()?,
            _ => self.item()?,
        };
        self.count += u64::from(item.is_some());
        Ok(item)
    }

    fn item(&mut self) -> io::Result<Option<Result<Vec<u8>, RowError>>> {
        let mut item: Option<Item> = None;
        let mut is_passing = false;
        loop {
            let Some(byte) = self.peek()? else {
                self.is_cut |= item.is_some();
                let cut = RowError::Json("the file ends within it".to_owned());
                return Ok(item.map(|_| Err(cut)));
            };
            if let Some(begun) = &mut item {
                let is_end_of_line = byte == b'\n';
                // A line break stands in no string; and a bare word ends where the next item may begin.
                if is_end_of_line && begun.is_string {
                    return Ok(Some(Err(RowError::Json("a string in it is not closed".to_owned()))));
                }
                let is_word = begun.open.is_empty() && !begun.is_string;
                if is_word && matches!(byte, b',' | b']' | b'\n') {
                    return Ok(Some(Ok(std::mem::take(&mut begun.text))));
                }
                match begun.byte(byte) {
                    Step::GoesOn => self.at += 1,
                    Step::Ends => {
                        self.at += 1;
                        let text = std::mem::take(&mut begun.text);
                        return Ok(Some(if begun.is_too_long { Err(RowError::TooLong) } else { Ok(text) }));
                    }
                    Step::Breaks => {
                        return Ok(Some(Err(RowError::Json("it is not closed".to_owned()))));
                    }
                }
                continue;
            }
            match byte {
                b'[' if self.place == Place::Before => self.place = Place::Within,
                b']' if !is_passing => {
                    self.place = Place::Behind;
                    self.at += 1;
                    return self.behind();
                }
                b'{' => {
                    item = Some(Item::default());
                    continue;
                }
                _ if byte.is_ascii_whitespace() || byte == b',' => {}
                // The rest of what was broken.
                b'"' | b'}' | b':' if self.is_rest() => is_passing = true,
                _ if is_passing => is_passing = byte != b'\n',
                _ => {
                    item = Some(Item::default());
                    continue;
                }
            }
            self.at += 1;
        }
    }

    /// Whether what comes is the rest of an object, and no item: a name and a colon, or a brace that closes it.
    fn is_rest(&self) -> bool {
        let Some(line) = &self.line else { return false };
        let rest = &line.text[self.at.min(line.text.len())..];
        rest.contains(&b':') || rest.first() == Some(&b'}')
    }

    /// Whatever comes behind the array's end, a line at a time.
    fn behind(&mut self) -> io::Result<Option<Result<Vec<u8>, RowError>>> {
        loop {
            if let Some(line) = &self.line
                && !is_blank(&line.text[self.at.min(line.text.len())..])
            {
                self.line = None;
                return Ok(Some(Err(RowError::BehindArray)));
            }
            self.at = 0;
            self.line = self.lines.next()?;
            if self.line.is_none() {
                return Ok(None);
            }
        }
    }

    /// The next byte; a line's end is a line feed.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(line) = &self.line {
                if let Some(byte) = line.text.get(self.at) {
                    return Ok(Some(*byte));
                }
                if self.at == line.text.len() && line.is_whole {
                    return Ok(Some(b'\n'));
                }
            }
            self.at = 0;
            self.line = self.lines.next()?;
            if self.line.is_none() {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<Option<String>> {
        let mut items = Items::new(Lines::new(text.as_bytes()));
        std::iter::from_fn(|| items.next().unwrap())
            .map(|item| item.ok().map(|text| String::from_utf8(text).unwrap()))
            .collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn an_array_has_its_items_on_one_line_or_on_many() {
        let (a, b) = (r#"{"a":"x]},{"}"#, "{\"b\":[{\"c\":1}],\n\"d\":{}}");
        for text in [format!("[{a},{b}]"), format!(" [\n  {a},\r  {b}\n]\n\n"), format!("[\r\n{a}\r\n,{b},]")]
        {
            assert_eq!(items(&text), [some(a), some(b)], "{text}");
        }
        assert!(items("[]").is_empty());
        assert_eq!(items("[5,\"x\",null,[1]]"), [some("5"), some("\"x\""), some("null"), some("[1]")]);
    }

    #[test]
    fn an_item_that_is_broken_spoils_no_other() {
        let good = some(r#"{"sku":"B"}"#);
        for broken in
            [r#"{"sku":"A"#, r#"{"sku":"A","n":1"#, r#"{"sku":"A","n":1,"#, "{\n\"sku\":\"A,\n\"n\":1\n}"]
        {
            let read = items(&format!("[{broken}\n,{{\"sku\":\"B\"}},\n{{\"sku\":\"B\"}}]"));
            assert_eq!(read, [None, good.clone(), good.clone()], "{broken}");
        }
        assert_eq!(items(r#"[{"sku":"B"},{"sku":"A""#), [good.clone(), None]);
        assert_eq!(items("[{\"sku\":\"B\"}]\n{}\n"), [good, None]);
    }

    #[test]
    fn an_array_line_is_no_object() {
        assert_eq!(object(b" \xef\xbb\xbf {} \r"), Ok(&b"{}"[..]));
        assert_eq!(object(b"[\"A\",5]"), Err(Array));
        assert!(is_nothing("\u{feff} ".as_bytes()) && !is_nothing(b"[") && !is_nothing(b"x"));
    }
}
