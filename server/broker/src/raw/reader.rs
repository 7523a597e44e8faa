//! Taking encoded fields apart.

use super::{DEPTH_MAX, Header};

/// Reads the parts of an encoded table or of properties, from the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn short(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(crate) fn long(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    }

    pub(crate) fn short_string(&mut self) -> Option<&'a [u8]> {
        let length = self.take(1)?[0];
        self.take(length.into())
    }

    pub(super) fn table(&mut self) -> Option<Vec<Header<'a>>> {
        let length = self.long()?;
        let mut fields = Reader(self.take(length)?);
        let mut headers = Vec::new();
        while !fields.0.is_empty() {
            headers.push(Header { name: fields.short_string()?, typed: fields.typed(DEPTH_MAX)? });
        }
        Some(headers)
    }

    /// A value of that type that holds no others (the types are RabbitMQ's reading of section 4.2.5.5).
    pub(crate) fn plain(&mut self, kind: u8) -> Option<&'a [u8]> {
        match kind {
            b't' | b'b' | b'B' => self.take(1),
            b's' | b'U' | b'u' => self.take(2),
            b'I' | b'i' | b'f' => self.take(4),
            b'L' | b'l' | b'd' | b'T' => self.take(8),
            b'D' => self.take(5),
            b'V' => self.take(0),
            b'S' | b'x' => self.long().and_then(|length| self.take(length)),
            _ => None,
        }
    }

    /// A value with its type before it; what is inside of it must make sense too.
    pub(super) fn typed(&mut self, depth: usize) -> Option<&'a [u8]> {
        let start = self.0;
        let kind = self.take(1)?[0];
        if matches!(kind, b'F' | b'A') {
            let depth = depth.checked_sub(1)?;
            let length = self.long()?;
            let mut inner = Reader(self.take(length)?);
            while !inner.0.is_empty() {
                if kind == b'F' {
                    inner.short_string()?;
                }
                inner.typed(depth)?;
            }
        } else {
            self.plain(kind)?;
        }
        start.get(..start.len() - self.0.len())
    }
}
