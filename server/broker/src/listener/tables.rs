//! What is wrong with the tables in a frame, found out before the codec follows them down the stack.

use crate::raw::Reader;

/// Why a table is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    TooDeep,
    /// A field is cut off, of a type that RabbitMQ does not know, or a number that Erlang does not have.
    Unreadable,
}

/// Looks at the table of a method. What is cut off before it or with it passes: the codec refuses that.
pub(crate) fn check_method(payload: &[u8], max_depth: usize) -> Result<(), Fault> {
    let mut reader = Reader(payload);
    let (Some(class), Some(method)) = (reader.short(), reader.short()) else { return Ok(()) };
    // What stands before the table of a method: a reserved short, then short strings, then bits.
    let (reserved, strings, bits) = match (class, method) {
        (10, 11) => (false, 0, false),               // connection.start-ok
        (40, 10) | (60, 20) => (true, 2, true),      // exchange.declare, basic.consume
        (40, 30 | 40) | (50, 20) => (true, 3, true), // exchange.bind, exchange.unbind, queue.bind
        (50, 10) => (true, 1, true),                 // queue.declare
        (50, 50) => (true, 3, false),                // queue.unbind
        _ => return Ok(()),
    };
    let mut skip = || {
        reader.take(if reserved { 2 } else { 0 })?;
        (0..strings).try_for_each(|_| reader.short_string().map(drop))?;
        reader.take(usize::from(bits))
    };
    if skip().is_none() { Ok(()) } else { check_table(&mut reader, max_depth) }
}

/// Looks at the headers among content properties. What is cut off before them or with them passes.
pub(crate) fn check_properties(properties: &[u8], max_depth: usize) -> Result<(), Fault> {
    const CONTENT_TYPE: u16 = 1 << 15;
    const CONTENT_ENCODING: u16 = 1 << 14;
    const HEADERS: u16 = 1 << 13;
    let mut reader = Reader(properties);
    let Some(flags) = reader.short() else { return Ok(()) };
    let before = [CONTENT_TYPE, CONTENT_ENCODING].into_iter().filter(|flag| flags & flag != 0);
    for _ in before {
        if reader.short_string().is_none() {
            return Ok(());
        }
    }
    if flags & HEADERS == 0 { Ok(()) } else { check_table(&mut reader, max_depth) }
}

/// Looks at the fields of a table that has no length before them.
pub(crate) fn check_fields(fields: &[u8], max_depth: usize) -> Result<(), Fault> {
    check_items(Reader(fields), max_depth, true)
}

fn check_table(reader: &mut Reader<'_>, max_depth: usize) -> Result<(), Fault> {
    let Some(table) = reader.long().and_then(|length| reader.take(length)) else { return Ok(()) };
    if max_depth == 0 { Err(Fault::TooDeep) } else { check_items(Reader(table), max_depth, true) }
}

/// Walks the fields of a table, or with `named` false those of an array.
fn check_items(mut reader: Reader<'_>, max_depth: usize, named: bool) -> Result<(), Fault> {
    while !reader.0.is_empty() {
        if named {
            reader.short_string().ok_or(Fault::Unreadable)?;
        }
        let kind = reader.take(1).ok_or(Fault::Unreadable)?[0];
        match kind {
            b'F' | b'A' => {
                let inner = reader.long().and_then(|length| reader.take(length)).ok_or(Fault::Unreadable)?;
                if max_depth <= 1 {
                    return Err(Fault::TooDeep);
                }
                check_items(Reader(inner), max_depth - 1, kind == b'F')?;
            }
            // Other brokers' short integer, which RabbitMQ calls `s`.
            b'U' => return Err(Fault::Unreadable),
            _ => {
                let value = reader.plain(kind).ok_or(Fault::Unreadable)?;
                if !is_number(kind, value) {
                    return Err(Fault::Unreadable);
                }
            }
        }
    }
    Ok(())
}

/// Erlang has neither infinity nor NaN.
fn is_number(kind: u8, value: &[u8]) -> bool {
    match (kind, value) {
        (b'f', &[a, b, c, d]) => f32::from_be_bytes([a, b, c, d]).is_finite(),
        (b'd', value) => value.first_chunk::<8>().is_some_and(|bytes| f64::from_be_bytes(*bytes).is_finite()),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers nested `depth` deep, as properties that have nothing else.
    fn nested(depth: usize) -> Vec<u8> {
        let mut table = Vec::new();
        for _ in 1..depth {
            let mut outer = vec![1, b'a', b'F'];
            outer.extend(u32::try_from(table.len()).unwrap().to_be_bytes());
            outer.extend(&table);
            table = outer;
        }
        let mut properties = vec![0x20, 0];
        properties.extend(u32::try_from(table.len()).unwrap().to_be_bytes());
        properties.extend(&table);
        properties
    }

    #[test]
    fn a_table_may_be_nested_up_to_the_limit_and_no_deeper() {
        assert_eq!(check_properties(&nested(1), 1), Ok(()));
        assert_eq!(check_properties(&nested(8), 8), Ok(()));
        assert_eq!(check_properties(&nested(9), 8), Err(Fault::TooDeep));
        assert_eq!(check_properties(&nested(5000), 32), Err(Fault::TooDeep));
    }

    #[test]
    fn a_deep_table_in_a_method_is_found() {
        // queue.declare of the queue "q"
        let mut payload = vec![0, 50, 0, 10, 0, 0, 1, b'q', 0];
        payload.extend(&nested(40)[2..]);
        assert_eq!(check_method(&payload, 32), Err(Fault::TooDeep));
        assert_eq!(check_method(&payload, 64), Ok(()));
    }

    #[test]
    fn what_is_cut_off_is_left_to_the_codec() {
        let whole = nested(4);
        for length in 0..whole.len() {
            assert_eq!(check_properties(&whole[..length], 8), Ok(()));
        }
    }

    #[test]
    fn a_field_that_rabbitmq_does_not_know_is_found_however_deep() {
        for field in [
            &b"Z\0"[..],
            b"U\0\x05",
            b"f\x7F\x80\0\0",
            b"d\x7F\xF8\0\0\0\0\0\0",
            b"S\0\0\0\x05cut",
            b"A\0\0\0\x02Z\0",
            b"F\0\0\0\x04\x01aZ\0",
        ] {
            assert_eq!(check_fields(&[b"\x01x", field].concat(), 8), Err(Fault::Unreadable), "{field:?}");
        }
        for field in [&b"u\0\x05"[..], b"s\0\x05", b"d\x3F\xF0\0\0\0\0\0\0", b"V", b"t\x07"] {
            assert_eq!(check_fields(&[b"\x01x", field].concat(), 8), Ok(()), "{field:?}");
        }
    }
}
