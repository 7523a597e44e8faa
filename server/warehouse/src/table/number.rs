//! Whole numbers as people and spreadsheets write them.
//!
//! In `1,000` the comma may part thousands or a fraction. What the other numbers of a file show decides it for all of
//! them; where they show nothing, or both, nobody guesses.

use super::row::RowError;

/// What the comma means, and so what the full stop means: the other one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Convention {
    /// The file does not say.
    #[default]
    Unknown,
    /// `1.000,00`.
    CommaDecimal,
    /// `1,000.00`.
    DotDecimal,
    /// The file says both.
    Both,
}

impl Convention {
    /// Takes in what one more number of the file shows.
    pub fn see(&mut self, text: &str) {
        let shown = match Form::of(text.trim()) {
            Some(Form::Fraction { mark, .. }) => mark,
            Some(Form::Thousands { mark: b',', .. }) => b'.',
            Some(Form::Thousands { .. }) => b',',
            _ => return,
        };
        let shown = if shown == b',' { Self::CommaDecimal } else { Self::DotDecimal };
        *self = match *self {
            Self::Unknown => shown,
            same if same == shown => same,
            _ => Self::Both,
        };
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// When it is none, or when it can be read in two ways.
    pub fn whole(self, text: &str) -> Result<i64, RowError> {
        let none = || RowError::Number(text.to_owned());
        let doubt = || RowError::Doubt(text.to_owned());
        let (digits, fraction) = match Form::of(text).ok_or_else(none)? {
            Form::Plain { digits } => (digits, ""),
            _ if self == Self::Both => return Err(doubt()),
            Form::Fraction { digits, fraction, .. } => (digits, fraction),
            Form::Thousands { digits, .. } => (digits, ""),
            Form::Either { before, behind, mark } => match (self, mark) {
                (Self::CommaDecimal, b',') | (Self::DotDecimal, b'.') => (before, behind),
                (Self::Unknown | Self::Both, _) => return Err(doubt()),
                _ => (before + behind, ""),
            },
        };
        if fraction.bytes().any(|digit| digit != b'0') {
            return Err(none());
        }
        digits.parse().map_err(|_| none())
    }

    /// The word for a file's report; `None` when it matters nowhere.
    pub(super) const fn word(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::CommaDecimal => Some("decimal comma"),
            Self::DotDecimal => Some("decimal point"),
            Self::Both => Some("decimal comma and point"),
        }
    }
}

/// Whether a text is meant as a number: digits, and what may stand between and before them.
pub(super) fn is_meant(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ',') || is_gap(c))
}

/// What parts thousands and nothing else.
const fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '\'' | '\u{2019}' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// How a number is written. `digits` come with their sign and without marks.
enum Form<'a> {
    Plain { digits: String },
    Fraction { mark: u8, digits: String, fraction: &'a str },
    Thousands { mark: u8, digits: String },
    Either { mark: u8, before: String, behind: &'a str },
}

impl<'a> Form<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let sign = if text.starts_with('-') { "-" } else { "" };
        let (whole, end) = match unsigned.rfind(['.', ',']) {
            None => {
                let digits = sign.to_owned() + &joined(unsigned, is_gap)?;
                return Some(Self::Plain { digits });
            }
            Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
        };
        let mark = unsigned.as_bytes()[whole.len()];
        if !is_digits(end) {
            return None;
        }
        let other = if mark == b',' { '.' } else { ',' };
        if whole.contains(char::from(mark)) {
            // The same mark twice parts thousands.
            let digits = sign.to_owned() + &joined(unsigned, |c| c == char::from(mark))?;
            return Some(Self::Thousands { mark, digits });
        }
        let has_gaps = whole.contains(|c| c == other || is_gap(c));
        let digits =
            if whole.contains(other) { joined(whole, |c| c == other)? } else { joined(whole, is_gap)? };
        let can_part = !has_gaps && end.len() == 3 && whole.len() <= 3 && !whole.starts_with('0');
        let digits = sign.to_owned() + &digits;
        Some(if can_part {
            Self::Either { mark, before: digits, behind: end }
        } else {
            Self::Fraction { mark, digits, fraction: end }
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of a number whose thousands are parted by one kind of gap; three behind each.
fn joined(text: &str, is_gap: impl Fn(char) -> bool) -> Option<String> {
    let mut groups = text.split(&is_gap);
    let first = groups.next()?;
    let is_parted = first.len() < text.len();
    if !is_digits(first) || (is_parted && (first.len() > 3 || first.starts_with('0'))) {
        return None;
    }
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !is_digits(group) {
            return None;
        }
        digits += group;
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(numbers: &[&str]) -> Vec<Option<i64>> {
        let mut convention = Convention::default();
        numbers.iter().for_each(|number| convention.see(number));
        numbers.iter().map(|number| convention.whole(number).ok()).collect()
    }

    #[test]
    fn a_mark_counts_only_where_the_file_leaves_no_doubt() {
        assert_eq!(read(&["1,000", "5"]), [None, Some(5)]);
        assert_eq!(read(&["1,000", "12,50", "3,0"]), [Some(1), None, Some(3)]);
        assert_eq!(read(&["1,000", "2.0"]), [Some(1_000), Some(2)]);
        assert_eq!(read(&["1.000", "1.234.567"]), [Some(1_000), Some(1_234_567)]);
        assert_eq!(read(&["1.234,00", "1.000"]), [Some(1_234), Some(1_000)]);
        assert_eq!(read(&["1,5", "1.5", "1,000", "7"]), [None, None, None, Some(7)], "both");
        assert_eq!(read(&["0,500", "1,000"]), [None, Some(1)]);
        assert_eq!(read(&["1234,000", "-3"]), [Some(1_234), Some(-3)]);
        assert!(matches!(Convention::Unknown.whole("1,000"), Err(RowError::Doubt(_))));
    }

    #[test]
    fn what_parts_thousands_and_nothing_else_leaves_no_doubt() {
        assert_eq!(
            read(&["1 000", "12'345", "1\u{202f}234\u{202f}567", "+7"]),
            [Some(1_000), Some(12_345), Some(1_234_567), Some(7)]
        );
        assert_eq!(
            read(&["1 00", "1  000", "12 34", " ", "", "1e3", "1,", ",5", "1,,000", "--1", "1,00,000"]),
            [None; 11]
        );
    }
}
