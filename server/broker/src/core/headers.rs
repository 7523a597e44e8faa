//! Matching of a headers exchange (spec 3.1.3.4, with RabbitMQ's `-with-x` forms).

use super::exception::{Exception, Outcome};
use amq_protocol::types::{AMQPValue, FieldTable};

#[derive(Clone, Copy, PartialEq, Eq)]
enum XMatch {
    All { with_x: bool },
    Any { with_x: bool },
}

fn x_match(arguments: &FieldTable) -> XMatch {
    match arguments.inner().get("x-match") {
        Some(AMQPValue::LongString(value)) => match value.as_bytes() {
            b"any" => XMatch::Any { with_x: false },
            b"any-with-x" => XMatch::Any { with_x: true },
            b"all-with-x" => XMatch::All { with_x: true },
            _ => XMatch::All { with_x: false },
        },
        _ => XMatch::All { with_x: false },
    }
}

/// Refuses a binding whose `x-match` means nothing.
pub(crate) fn check_binding(arguments: &FieldTable) -> Outcome<()> {
    match arguments.inner().get("x-match") {
        None => Ok(()),
        Some(AMQPValue::LongString(value)) => match value.as_bytes() {
            b"all" | b"any" | b"all-with-x" | b"any-with-x" => Ok(()),
            _ => Err(Exception::precondition_failed(format!(
                "Invalid x-match field value <<\"{value}\">>; expected all, any, all-with-x, or any-with-x"
            ))),
        },
        Some(other) => Err(Exception::precondition_failed(format!(
            "Invalid x-match field type {} (value {}); expected longstr",
            super::arguments::type_name(other),
            super::arguments::erlang_term(other)
        ))),
    }
}

/// Whether a message with these headers takes a binding with these arguments.
pub(crate) fn matches(arguments: &FieldTable, headers: Option<&FieldTable>) -> bool {
    let x_match = x_match(arguments);
    let with_x = matches!(x_match, XMatch::All { with_x: true } | XMatch::Any { with_x: true });
    let mut wanted = arguments.inner().iter().filter(|(name, _)| {
        let name = name.as_str();
        name != "x-match" && (with_x || !name.starts_with("x-"))
    });
    let mut has = |(name, value): (&_, &AMQPValue)| {
        headers.and_then(|headers| headers.inner().get(name)).is_some_and(|found| same(value, found))
    };
    match x_match {
        XMatch::All { .. } => wanted.all(has),
        XMatch::Any { .. } => wanted.any(&mut has),
    }
}

/// A void argument asks only that the header is there. Values are compared without their types, for a client
/// often cannot choose in which width its library sends a number.
fn same(wanted: &AMQPValue, found: &AMQPValue) -> bool {
    if matches!(wanted, AMQPValue::Void) {
        return true;
    }
    if let (Some(wanted), Some(found)) = (number(wanted), number(found)) {
        return wanted == found;
    }
    if let (Some(wanted), Some(found)) = (octets(wanted), octets(found)) {
        return wanted == found;
    }
    wanted == found
}

#[derive(PartialEq)]
enum Number {
    Whole(i128),
    Fraction(f64),
}

fn number(value: &AMQPValue) -> Option<Number> {
    let fraction = match *value {
        AMQPValue::Timestamp(value) => return Some(Number::Whole(value.into())),
        AMQPValue::Float(value) => f64::from(value),
        AMQPValue::Double(value) => value,
        _ => return super::arguments::integer(value).map(|whole| Number::Whole(whole.into())),
    };
    // Beyond 2^53 a double does not tell whole numbers apart any more.
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    if fraction.fract() == 0.0 && fraction.abs() <= LARGEST_EXACT {
        return Some(Number::Whole(fraction as i128));
    }
    Some(Number::Fraction(fraction))
}

fn octets(value: &AMQPValue) -> Option<&[u8]> {
    match value {
        AMQPValue::LongString(text) => Some(text.as_bytes()),
        AMQPValue::ByteArray(bytes) => Some(bytes.as_slice()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, AMQPValue)]) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in entries {
            table.insert((*name).into(), value.clone());
        }
        table
    }

    fn text(text: &str) -> AMQPValue {
        AMQPValue::LongString(text.into())
    }

    #[test]
    fn all_wants_every_header_and_ignores_those_that_start_with_x() {
        let binding = table(&[("x-match", text("all")), ("format", text("pdf")), ("x-secret", text("y"))]);
        assert!(matches(&binding, Some(&table(&[("format", text("pdf")), ("more", text("z"))]))));
        assert!(!matches(&binding, Some(&table(&[("format", text("doc"))]))));
        assert!(!matches(&binding, None));
    }

    #[test]
    fn any_wants_one_header_and_none_is_not_enough() {
        let binding = table(&[("x-match", text("any")), ("a", text("1")), ("b", text("2"))]);
        assert!(matches(&binding, Some(&table(&[("b", text("2"))]))));
        assert!(!matches(&binding, Some(&table(&[("b", text("3"))]))));
        assert!(!matches(&table(&[("x-match", text("any"))]), Some(&table(&[("b", text("2"))]))));
    }

    #[test]
    fn the_with_x_forms_also_look_at_headers_that_start_with_x() {
        let binding = table(&[("x-match", text("all-with-x")), ("x-secret", text("y"))]);
        assert!(matches(&binding, Some(&table(&[("x-secret", text("y"))]))));
        assert!(!matches(&binding, Some(&table(&[("other", text("y"))]))));
    }

    #[test]
    fn a_void_argument_asks_only_for_presence_and_numbers_match_across_widths() {
        let binding = table(&[("there", AMQPValue::Void), ("n", AMQPValue::LongInt(5))]);
        let headers = table(&[("there", text("whatever")), ("n", AMQPValue::LongLongInt(5))]);
        assert!(matches(&binding, Some(&headers)));
    }
}
