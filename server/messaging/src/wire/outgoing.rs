//! From lapin to the broker.

use super::{
    Buffer, CONTENT_FIXED_BYTES, FRAME_BODY, FRAME_CONTENT_HEADER, FRAME_HEADER_BYTES, FRAME_METHOD,
    FrameMax, Head, MARK, write_body, write_frame,
};
use crate::{headers::HEADER_PAST, raw};
use std::collections::HashMap;

/// `connection.tune-ok`, class and method.
const TUNE_OK: [u8; 4] = [0, 10, 0, 31];
/// Where its `frame_max` lies, behind class, method and `channel_max`.
const FRAME_MAX_AT: std::ops::Range<usize> = 6..10;
const PROTOCOL_HEADER_BYTES: usize = 8;

/// A message whose properties lapin sends in front of its body, as far as they have come.
#[derive(Debug)]
struct Collecting {
    fixed: [u8; 4],
    body_bytes: u64,
    properties: Vec<u8>,
    missing: usize,
}

#[derive(Debug)]
pub(super) struct Outgoing {
    frame_max: FrameMax,
    pending: Buffer,
    collecting: HashMap<[u8; 2], Collecting>,
}

impl Outgoing {
    pub(super) fn new(frame_max: FrameMax) -> Self {
        Self { frame_max, pending: Buffer::default(), collecting: HashMap::new() }
    }

    /// Takes what lapin wrote, and appends what the broker is to read.
    pub(super) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.pending.add(bytes);
        while self.pending.pass(out) {
            let unread = self.pending.unread();
            if unread.first() == Some(&b'A') {
                self.pending.passing = PROTOCOL_HEADER_BYTES;
                continue;
            }
            let Some(head) = Head::read(unread) else { return };
            let is_judged = match head.kind {
                FRAME_METHOD => head.channel == [0, 0],
                FRAME_CONTENT_HEADER => true,
                FRAME_BODY => self.collecting.contains_key(&head.channel),
                _ => false,
            };
            if !is_judged {
                self.pending.passing = head.frame_bytes();
                continue;
            }
            let Some(frame) = unread.get(..head.frame_bytes()) else { return };
            let payload = &frame[FRAME_HEADER_BYTES..frame.len() - 1];
            match head.kind {
                FRAME_METHOD if payload.starts_with(&TUNE_OK) && payload.len() >= FRAME_MAX_AT.end => {
                    let agreed = self.frame_max.bytes().to_be_bytes();
                    let (before, after) = (&payload[..FRAME_MAX_AT.start], &payload[FRAME_MAX_AT.end..]);
                    write_frame(out, FRAME_METHOD, head.channel, &[before, &agreed, after]);
                }
                FRAME_CONTENT_HEADER => match Collecting::begin(payload) {
                    Some(collecting) => drop(self.collecting.insert(head.channel, collecting)),
                    None => out.extend_from_slice(frame),
                },
                FRAME_BODY => {
                    let frame_max_bytes = self.frame_max.bytes();
                    if let Some(collecting) = self.collecting.get_mut(&head.channel)
                        && collecting.take(head.channel, payload, frame_max_bytes, out)
                    {
                        self.collecting.remove(&head.channel);
                    }
                }
                _ => out.extend_from_slice(frame),
            }
            self.pending.consume(head.frame_bytes());
        }
    }
}

impl Collecting {
    /// What a content header announces, if it bears the mark.
    fn begin(payload: &[u8]) -> Option<Self> {
        let (fixed, properties) = payload.split_at_checked(CONTENT_FIXED_BYTES)?;
        let missing = mark_in(properties)?;
        let whole = u64::from_be_bytes(*fixed[4..].first_chunk::<8>()?);
        let body_bytes = whole.checked_sub(missing as u64)?;
        let fixed = *fixed.first_chunk::<4>()?;
        Some(Self { fixed, body_bytes, properties: Vec::new(), missing })
    }

    /// Takes a part of the body; `true` once the real content header is out.
    fn take(&mut self, channel: [u8; 2], body: &[u8], frame_max_bytes: u32, out: &mut Vec<u8>) -> bool {
        let (properties, body) = body.split_at(self.missing.min(body.len()));
        self.properties.extend_from_slice(properties);
        self.missing -= properties.len();
        if self.missing > 0 {
            return false;
        }
        let max_bytes =
            (frame_max_bytes as usize).saturating_sub(FRAME_HEADER_BYTES + 1 + CONTENT_FIXED_BYTES);
        let properties = raw::fit(std::mem::take(&mut self.properties), max_bytes, HEADER_PAST);
        let body_bytes = self.body_bytes.to_be_bytes();
        write_frame(out, FRAME_CONTENT_HEADER, channel, &[&self.fixed, &body_bytes, &properties]);
        write_body(out, channel, body, frame_max_bytes);
        true
    }
}

/// How many bytes of the body are properties, by properties that are nothing but [`super::marker`].
fn mark_in(properties: &[u8]) -> Option<usize> {
    let length = properties.strip_prefix(&MARK[..])?.first_chunk::<4>()?;
    (properties.len() == MARK.len() + length.len()).then_some(u32::from_be_bytes(*length) as usize)
}
