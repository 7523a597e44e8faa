//! Frames on the wire (spec 2.3.5): reading them within limits, and writing many at once.

use super::tables::{self, Fault};
use crate::{
    core::{Exception, Message, Properties, Send, short},
    raw,
};
use amq_protocol::{
    frame::{AMQPFrame, WriteContext, gen_frame},
    protocol::{AMQPClass, basic, constants, parse_class},
    types::ShortString,
};
use bytes::{Buf, Bytes, BytesMut};

/// Type, channel and length before the payload.
const HEADER_BYTES: usize = 7;
/// What surrounds a payload: the header and the end marker.
pub(crate) const OVERHEAD_BYTES: usize = HEADER_BYTES + 1;
const CLASS_BASIC: u16 = 60;
const TOO_DEEP: &str = "a table is nested too deep";

/// Class and method of `basic.qos`.
const BASIC_QOS: (u16, u16) = (60, 10);
/// Class and method of `basic.publish`.
pub(crate) const BASIC_PUBLISH: (u16, u16) = (60, 40);

/// An error that ends the connection.
#[derive(Debug, thiserror::Error)]
#[error("{exception}")]
pub(crate) struct Failure {
    pub(crate) exception: Exception,
    /// Class and method that caused it; zeros when it was no method.
    pub(crate) ids: (u16, u16),
}

impl Failure {
    pub(crate) fn of_connection(exception: Exception) -> Self {
        Self { exception, ids: (0, 0) }
    }
}

/// A frame as it came.
#[derive(Debug)]
pub(crate) enum Frame {
    Method {
        channel: u16,
        method: AMQPClass,
    },
    /// Without properties if they cannot be read.
    Header {
        channel: u16,
        class: u16,
        body_bytes: u64,
        properties: Option<Properties>,
    },
    Body {
        channel: u16,
        payload: Bytes,
    },
    Heartbeat,
}

/// What is accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameLimits {
    pub(crate) frame_bytes: usize,
    pub(crate) table_depth: usize,
}

/// Takes the next frame from the front of the buffer, once it is complete.
pub(crate) fn take_frame(buffer: &mut BytesMut, limits: FrameLimits) -> Result<Option<Frame>, Failure> {
    let Some(header) = buffer.get(..HEADER_BYTES) else { return Ok(None) };
    let kind = header[0];
    let channel = u16::from_be_bytes([header[1], header[2]]);
    let length = u32::from_be_bytes([header[3], header[4], header[5], header[6]]) as usize;
    // Before the payload has come, or a client could have us wait for (and keep) 4 GiB. RabbitMQ allows
    // the eight bytes around the payload on top, and some clients rely on it.
    if length > limits.frame_bytes {
        let max = limits.frame_bytes - OVERHEAD_BYTES;
        return Err(Failure::of_connection(Exception::frame_error(format!(
            "type {kind}, all octets = <<>>: {{frame_too_large,{length},{max}}}"
        ))));
    }
    let whole = HEADER_BYTES + length + 1;
    if buffer.len() < whole {
        buffer.reserve(whole - buffer.len());
        return Ok(None);
    }
    let payload = &buffer[HEADER_BYTES..whole - 1];
    let end = buffer[whole - 1];
    if end != constants::FRAME_END {
        return Err(Failure::of_connection(Exception::frame_error(format!(
            "type {kind}, {}: {{invalid_frame_end_marker,{end}}}",
            snippet(payload)
        ))));
    }
    let frame = parse(kind, channel, payload, limits.table_depth)?;
    buffer.advance(whole);
    Ok(Some(frame))
}

fn parse(kind: u8, channel: u16, payload: &[u8], table_depth: usize) -> Result<Frame, Failure> {
    let unexpected = || {
        let text = format!("type {kind}, {}", snippet(payload));
        Failure::of_connection(Exception::unexpected_frame(text))
    };
    match kind {
        constants::FRAME_METHOD => parse_method(channel, payload, table_depth),
        constants::FRAME_HEADER | constants::FRAME_BODY if channel == 0 => Err(unexpected()),
        constants::FRAME_HEADER => parse_header(channel, payload, table_depth),
        // A copy, for a slice would keep the whole read buffer alive as long as the message.
        constants::FRAME_BODY => Ok(Frame::Body { channel, payload: Bytes::copy_from_slice(payload) }),
        // Heartbeats are for connections, not for channels (spec 4.2.7).
        constants::FRAME_HEARTBEAT if channel == 0 => Ok(Frame::Heartbeat),
        constants::FRAME_HEARTBEAT => Err(unexpected()),
        _ => Err(unknown_frame(kind, payload)),
    }
}

fn unknown_frame(kind: u8, payload: &[u8]) -> Failure {
    let text = format!("type {kind}, {}: unknown_frame", snippet(payload));
    Failure::of_connection(Exception::frame_error(text))
}

fn parse_method(channel: u16, payload: &[u8], table_depth: usize) -> Result<Frame, Failure> {
    const IDS_BYTES: usize = 4;
    let (mut ids, fields) = payload.split_at_checked(IDS_BYTES).unwrap_or_default();
    let ids = if ids.is_empty() { (0, 0) } else { (ids.get_u16(), ids.get_u16()) };
    let fail = |exception| Err(Failure { exception, ids });
    match tables::check_method(payload, table_depth) {
        Ok(()) => {}
        Err(Fault::TooDeep) => return fail(Exception::syntax_error(TOO_DEEP)),
        // RabbitMQ's reader dies of it and cannot say so any more; this is what it says of headers.
        Err(Fault::Unreadable) => return fail(Exception::internal_error("")),
    }
    // The codec drops the prefetch size, in octets, that nobody implements.
    if ids == BASIC_QOS
        && let Some(size) = fields.first_chunk::<4>().map(|size| u32::from_be_bytes(*size))
        && size != 0
    {
        return fail(Exception::not_implemented(format!("prefetch_size!=0 ({size})")));
    }
    match parse_class(payload) {
        Ok(([], method)) => Ok(Frame::Method { channel, method }),
        _ if ids == BASIC_PUBLISH
            && let Some(publish) = parse_publish(fields) =>
        {
            let method = AMQPClass::Basic(basic::AMQPMethod::Publish(publish));
            Ok(Frame::Method { channel, method })
        }
        _ => fail(Exception::frame_error(format!("cannot decode <<{}>>", numbers(fields)))),
    }
}

/// A publish whose names may not be text, which the codec does not read (spec 1.8.3.7).
fn parse_publish(fields: &[u8]) -> Option<basic::Publish> {
    let name = |bytes: &[u8]| ShortString::from(&*raw::escape(bytes));
    let (_ticket, rest) = fields.split_at_checked(2)?;
    let (length, rest) = rest.split_first()?;
    let (exchange, rest) = rest.split_at_checked((*length).into())?;
    let (length, rest) = rest.split_first()?;
    let (routing_key, rest) = rest.split_at_checked((*length).into())?;
    let [bits] = rest else { return None };
    Some(basic::Publish {
        exchange: name(exchange),
        routing_key: name(routing_key),
        mandatory: bits & 1 != 0,
        immediate: bits & 2 != 0,
    })
}

/// Class, weight, body size, properties (spec 2.3.5.2).
fn parse_header(channel: u16, payload: &[u8], table_depth: usize) -> Result<Frame, Failure> {
    const FIXED_BYTES: usize = 12;
    let malformed = || unknown_frame(constants::FRAME_HEADER, payload);
    let (mut fixed, encoded) = payload.split_at_checked(FIXED_BYTES).ok_or_else(malformed)?;
    let class = fixed.get_u16();
    let _weight = fixed.get_u16();
    let body_bytes = fixed.get_u64();
    let properties = match tables::check_properties(encoded, table_depth) {
        Ok(()) => Properties::decode(encoded),
        Err(Fault::Unreadable) => None,
        Err(Fault::TooDeep) => {
            return Err(Failure { exception: Exception::syntax_error(TOO_DEEP), ids: BASIC_PUBLISH });
        }
    };
    Ok(Frame::Header { channel, class, body_bytes, properties })
}

/// The beginning of a payload as RabbitMQ's error texts show it: as text if it is some.
fn snippet(payload: &[u8]) -> String {
    const SHOWN: usize = 16;
    let show = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ') => {
            format!("<<\"{}\">>", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        _ => format!("<<{}>>", numbers(bytes)),
    };
    if payload.len() <= SHOWN {
        format!("all octets = {}", show(payload))
    } else {
        format!("first {SHOWN} octets = {}", show(&payload[..SHOWN]))
    }
}

fn numbers(bytes: &[u8]) -> String {
    // No more than an error text has room for.
    const SHOWN: usize = 256;
    let shown = &bytes[..bytes.len().min(SHOWN)];
    shown.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

/// Appends frames to a buffer.
#[derive(Debug)]
pub(crate) struct Encoder {
    buffer: Vec<u8>,
    frame_bytes: usize,
}

impl Encoder {
    pub(crate) fn new(frame_bytes: usize) -> Self {
        Self { buffer: Vec::new(), frame_bytes }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.buffer
    }

    pub(crate) fn clear(&mut self) {
        // One huge message must not leave its buffer to an idle connection.
        const KEPT_BYTES: usize = 1 << 20;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES);
    }

    pub(crate) fn send(&mut self, channel: u16, send: Send) {
        match send {
            Send::Method(method) => self.method(channel, method),
            Send::Deliver { consumer_tag, delivery_tag, redelivered, message } => {
                let deliver = basic::Deliver {
                    consumer_tag: short(&consumer_tag),
                    delivery_tag,
                    redelivered,
                    exchange: short(message.exchange()),
                    routing_key: ShortString::default(),
                };
                self.with_content(channel, basic::AMQPMethod::Deliver(deliver), &message);
            }
            Send::GetOk { delivery_tag, redelivered, message_count, message } => {
                let get_ok = basic::GetOk {
                    delivery_tag,
                    redelivered,
                    exchange: short(message.exchange()),
                    routing_key: ShortString::default(),
                    message_count,
                };
                self.with_content(channel, basic::AMQPMethod::GetOk(get_ok), &message);
            }
            Send::Return { exception, message } => {
                let returned = basic::Return {
                    reply_code: exception.reply_code.code(),
                    reply_text: short(&exception.reply_text()),
                    exchange: short(message.exchange()),
                    routing_key: ShortString::default(),
                };
                self.with_content(channel, basic::AMQPMethod::Return(returned), &message);
            }
        }
    }

    pub(crate) fn method(&mut self, channel: u16, method: AMQPClass) {
        self.frame(&AMQPFrame::Method(channel, method));
    }

    pub(crate) fn heartbeat(&mut self) {
        self.frame(&AMQPFrame::Heartbeat);
    }

    fn frame(&mut self, frame: &AMQPFrame) {
        self.buffer = gen_frame(frame)(WriteContext::from(std::mem::take(&mut self.buffer)))
            .expect("writing to memory does not fail")
            .into_inner()
            .0;
    }

    /// A method, its content header and its body in as many frames as it takes (spec 2.3.5.2). The method comes without
    /// its routing key, which is put in as the bytes it was published with.
    fn with_content(&mut self, channel: u16, method: basic::AMQPMethod, message: &Message) {
        let after_key = if matches!(method, basic::AMQPMethod::GetOk(_)) { size_of::<u32>() } else { 0 };
        let start = self.buffer.len();
        self.method(channel, AMQPClass::Basic(method));
        let key = message.routing_key_bytes();
        let key = &key[..key.len().min(u8::MAX.into())];
        let length_at = self.buffer.len() - 1 - after_key - 1;
        self.buffer[length_at] = u8::try_from(key.len()).expect("it was cut to 255");
        self.buffer.splice(length_at + 1..length_at + 1, key.iter().copied());
        let payload_bytes =
            u32::try_from(self.buffer.len() - start - OVERHEAD_BYTES).expect("a method is short");
        self.buffer[start + 3..start + HEADER_BYTES].copy_from_slice(&payload_bytes.to_be_bytes());
        let properties = message.encoded_properties();
        let body = message.body();
        self.raw_frame(constants::FRAME_HEADER, channel, |buffer| {
            buffer.extend(CLASS_BASIC.to_be_bytes());
            buffer.extend(0_u16.to_be_bytes());
            buffer.extend((body.len() as u64).to_be_bytes());
            buffer.extend_from_slice(properties);
        });
        for part in body.chunks(self.frame_bytes - OVERHEAD_BYTES) {
            self.raw_frame(constants::FRAME_BODY, channel, |buffer| buffer.extend_from_slice(part));
        }
    }

    fn raw_frame(&mut self, kind: u8, channel: u16, write: impl FnOnce(&mut Vec<u8>)) {
        let buffer = &mut self.buffer;
        buffer.push(kind);
        buffer.extend(channel.to_be_bytes());
        let length_at = buffer.len();
        buffer.extend([0; 4]);
        let payload_at = buffer.len();
        write(buffer);
        let length = u32::try_from(buffer.len() - payload_at).expect("a frame is at most frame-max long");
        buffer[length_at..payload_at].copy_from_slice(&length.to_be_bytes());
        buffer.push(constants::FRAME_END);
    }
}
