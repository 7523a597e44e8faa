//! How deep the tables in a frame are nested, found out before the codec follows them down the stack.

use crate::raw::Reader;

/// Refuses a method whose tables are nested too deep. What is malformed passes: the codec refuses that.
pub(crate) fn method_depth_ok(payload: &[u8], max: usize) -> bool {
    let mut reader = Reader(payload);
    let (Some(class), Some(method)) = (reader.short(), reader.short()) else { return true };
    // What stands before the table of a method: a reserved short, then short strings, then bits.
    let (reserved, strings, bits) = match (class, method) {
        (10, 11) => (false, 0, false),               // connection.start-ok
        (40, 10) | (60, 20) => (true, 2, true),      // exchange.declare, basic.consume
        (40, 30 | 40) | (50, 20) => (true, 3, true), // exchange.bind, exchange.unbind, queue.bind
        (50, 10) => (true, 1, true),                 // queue.declare
        (50, 50) => (true, 3, false),                // queue.unbind
        _ => return true,
    };
    let mut skip = || {
        reader.take(if reserved { 2 } else { 0 })?;
        (0..strings).try_for_each(|_| reader.short_string().map(drop))?;
        reader.take(usize::from(bits))
    };
    skip().is_none() || table(&mut reader, max)
}

/// Refuses content properties whose headers are nested too deep.
pub(crate) fn properties_depth_ok(properties: &[u8], max: usize) -> bool {
    const CONTENT_TYPE: u16 = 1 << 15;
    const CONTENT_ENCODING: u16 = 1 << 14;
    const HEADERS: u16 = 1 << 13;
    let mut reader = Reader(properties);
    let Some(flags) = reader.short() else { return true };
    let before = [CONTENT_TYPE, CONTENT_ENCODING].into_iter().filter(|flag| flags & flag != 0);
    for _ in before {
        if reader.short_string().is_none() {
            return true;
        }
    }
    flags & HEADERS == 0 || table(&mut reader, max)
}

/// Refuses the fields of a table that has no length before them.
pub(crate) fn fields_depth_ok(fields: &[u8], max: usize) -> bool {
    self::fields(Reader(fields), max, true)
}

/// Walks a table with its length; false if it is nested deeper than `max`.
fn table(reader: &mut Reader<'_>, max: usize) -> bool {
    let Some(table) = reader.long().and_then(|length| reader.take(length)) else { return true };
    max > 0 && fields(Reader(table), max, true)
}

/// Walks the fields of a table, or with `named` false those of an array.
fn fields(mut reader: Reader<'_>, max: usize, named: bool) -> bool {
    while !reader.0.is_empty() {
        if named && reader.short_string().is_none() {
            return true;
        }
        let Some(kind) = reader.take(1).map(|byte| byte[0]) else { return true };
        if matches!(kind, b'F' | b'A') {
            let Some(inner) = reader.long().and_then(|length| reader.take(length)) else { return true };
            if max <= 1 || !fields(Reader(inner), max - 1, kind == b'F') {
                return false;
            }
        } else if reader.plain(kind).is_none() {
            return true;
        }
    }
    true
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
        assert!(properties_depth_ok(&nested(1), 1));
        assert!(properties_depth_ok(&nested(8), 8));
        assert!(!properties_depth_ok(&nested(9), 8));
        assert!(!properties_depth_ok(&nested(5000), 32));
    }

    #[test]
    fn a_deep_table_in_a_method_is_found() {
        // queue.declare of the queue "q"
        let mut payload = vec![0, 50, 0, 10, 0, 0, 1, b'q', 0];
        payload.extend(&nested(40)[2..]);
        assert!(!method_depth_ok(&payload, 32));
        assert!(method_depth_ok(&payload, 64));
    }

    #[test]
    fn what_is_cut_off_is_left_to_the_codec() {
        let whole = nested(4);
        for length in 0..whole.len() {
            assert!(properties_depth_ok(&whole[..length], 8));
        }
    }
}
