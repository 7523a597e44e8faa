//! From the broker to lapin.

use super::{
    Buffer, CLASS_BASIC, CONTENT_FIXED_BYTES, FRAME_BODY, FRAME_CONTENT_HEADER, FRAME_HEADER_BYTES,
    FRAME_METHOD, FrameMax, HEADER_IN_BODY, Head, LAPIN_FRAME_BYTES, MARK, write_body, write_frame,
};
use crate::raw;

/// `connection.tune`, class and method.
const TUNE: [u8; 4] = [0, 10, 0, 30];
/// Methods that bring somebody else's routing key: `basic.return`, `basic.deliver`, `basic.get-ok`.
const RETURN: [u8; 4] = [0, 60, 0, 50];
const DELIVER: [u8; 4] = [0, 60, 0, 60];
const GET_OK: [u8; 4] = [0, 60, 0, 71];
/// A frame beyond this is not waited for: whoever sends it speaks another protocol, and lapin says so.
const ABSURD_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Incoming {
    frame_max: FrameMax,
    pending: Buffer,
}

impl Incoming {
    pub(super) fn new(frame_max: FrameMax) -> Self {
        Self { frame_max, pending: Buffer::default() }
    }

    /// Takes what the broker sent, and appends what lapin is to read.
    pub(super) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.pending.add(bytes);
        while self.pending.pass(out) {
            let unread = self.pending.unread();
            let Some(head) = Head::read(unread) else {
                // The protocol header of a broker that speaks another version.
                if unread.first() == Some(&b'A') {
                    self.pending.passing = usize::MAX;
                    continue;
                }
                return;
            };
            let is_judged = match head.kind {
                FRAME_METHOD | FRAME_CONTENT_HEADER => head.payload_bytes <= ABSURD_BYTES,
                FRAME_BODY => {
                    head.frame_bytes() > LAPIN_FRAME_BYTES as usize && head.payload_bytes <= ABSURD_BYTES
                }
                _ => false,
            };
            if !is_judged {
                self.pending.passing = if head.kind == b'A' { usize::MAX } else { head.frame_bytes() };
                continue;
            }
            let Some(frame) = unread.get(..head.frame_bytes()) else { return };
            let payload = &frame[FRAME_HEADER_BYTES..frame.len() - 1];
            let changed = match head.kind {
                FRAME_METHOD => self.method(head, payload, out),
                FRAME_CONTENT_HEADER => content_header(head, payload, out),
                _ => {
                    write_body(out, head.channel, payload, LAPIN_FRAME_BYTES);
                    true
                }
            };
            if !changed {
                out.extend_from_slice(frame);
            }
            self.pending.consume(head.frame_bytes());
        }
    }

    /// Appends a method in words that lapin can read; `false` if it can as it is.
    fn method(&self, head: Head, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let Some((ids, fields)) = payload.split_first_chunk::<4>() else { return false };
        // The fields: short strings, or so many plain bytes.
        let layout: &[Field] = match *ids {
            TUNE => {
                if let Some(bytes) = fields.get(2..6).and_then(|bytes| bytes.first_chunk::<4>()) {
                    self.frame_max.offered(u32::from_be_bytes(*bytes));
                }
                return false;
            }
            RETURN => &[Field::Plain(2), Field::Text, Field::Text, Field::Text],
            DELIVER => &[Field::Text, Field::Plain(9), Field::Text, Field::Text],
            GET_OK => &[Field::Plain(9), Field::Text, Field::Text],
            _ => return false,
        };
        let Some(legible) = legible_fields(fields, layout) else { return false };
        write_frame(out, FRAME_METHOD, head.channel, &[ids, &legible]);
        true
    }
}

#[derive(Clone, Copy)]
enum Field {
    Text,
    Plain(usize),
}

/// The fields with every text readable; none if they are, or are something else.
fn legible_fields(fields: &[u8], layout: &[Field]) -> Option<Vec<u8>> {
    let (mut rest, mut out, mut is_changed) = (fields, Vec::new(), false);
    for field in layout {
        match *field {
            Field::Plain(length) => {
                let (plain, after) = rest.split_at_checked(length)?;
                out.extend_from_slice(plain);
                rest = after;
            }
            Field::Text => {
                let (length, after) = rest.split_first()?;
                let (text, after) = after.split_at_checked((*length).into())?;
                is_changed |= std::str::from_utf8(text).is_err();
                let text = raw::readable(text);
                out.push(u8::try_from(text.len()).ok()?);
                out.extend_from_slice(text.as_bytes());
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest);
    is_changed.then_some(out)
}

/// Appends a content header that lapin can take, and the real properties as the beginning of the body; `false` if it can
/// take them as they are.
fn content_header(head: Head, payload: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((fixed, properties)) = payload.split_at_checked(CONTENT_FIXED_BYTES) else { return false };
    let is_small = head.frame_bytes() <= LAPIN_FRAME_BYTES as usize;
    if fixed[..2] != CLASS_BASIC || (is_small && raw::is_legible(properties, HEADER_IN_BODY)) {
        return false;
    }
    let Ok(length) = u32::try_from(properties.len()) else { return false };
    let body_bytes = fixed[4..].first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let body_bytes = (body_bytes + u64::from(length)).to_be_bytes();
    let length = length.to_be_bytes();
    let header: [&[u8]; 4] = [&fixed[..4], &body_bytes, &MARK, &length];
    write_frame(out, FRAME_CONTENT_HEADER, head.channel, &header);
    write_body(out, head.channel, properties, LAPIN_FRAME_BYTES);
    true
}
