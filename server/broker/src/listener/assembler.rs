//! Putting a publish together from its method, content header and body frames (spec 2.3.5.2).

use super::frame::{BASIC_PUBLISH, Failure, Frame};
use crate::core::{Exception, Held, HeldBytes, Properties};
use amq_protocol::protocol::{AMQPClass, basic};
use bytes::Bytes;
use std::collections::HashMap;

const CLASS_BASIC: u16 = 60;
/// What a publish takes that is not complete, its content aside.
const PUBLISH_BYTES: usize = 2 * size_of::<Partial>();

/// Something that is complete.
#[derive(Debug)]
pub(crate) enum Command {
    Method {
        channel: u16,
        method: AMQPClass,
    },
    Publish {
        channel: u16,
        publish: basic::Publish,
        properties: Option<Properties>,
        body: Bytes,
    },
    /// A publish whose body is larger than allowed; nothing of it was kept.
    TooLarge {
        channel: u16,
        body_bytes: u64,
    },
}

/// A publish that is not complete.
#[derive(Debug)]
enum Partial {
    /// Its content header is missing.
    Header(basic::Publish),
    /// So much of its body is missing.
    Body {
        publish: basic::Publish,
        properties: Option<Properties>,
        missing: usize,
        body: Vec<u8>,
        held: Held,
    },
    /// So much of a body is missing that will be thrown away.
    TooLarge { body_bytes: u64, missing: u64 },
    /// More of a body has come than its header announced. Like RabbitMQ, this waits for an end that cannot come, and
    /// says so once something else does.
    Overrun,
}

impl Partial {
    /// What is wrong when something else comes than what is missing.
    fn interrupted(&self) -> Failure {
        let text = match self {
            Self::Header(_) => format!(
                "expected content header for class {CLASS_BASIC}, got non content header frame instead"
            ),
            Self::Body { .. } | Self::TooLarge { .. } | Self::Overrun => {
                "expected content body, got non content body frame instead".to_owned()
            }
        };
        in_publish(Exception::unexpected_frame(text))
    }
}

/// The publishes of one connection that are not complete, by channel.
#[derive(Debug)]
pub(crate) struct Assembler {
    partial: HashMap<u16, Partial>,
    max_body_bytes: usize,
    unfinished: HeldBytes,
}

/// What a publish holds without its body.
fn publish_bytes(properties: Option<&Properties>) -> usize {
    PUBLISH_BYTES + properties.map_or(0, |properties| properties.encoded().len())
}

impl Assembler {
    /// What its publishes take counts in the sum.
    pub(crate) fn new(max_body_bytes: usize, unfinished: HeldBytes) -> Self {
        Self { partial: HashMap::new(), max_body_bytes, unfinished }
    }

    /// Whether a body has begun.
    pub(crate) fn has_unfinished(&self) -> bool {
        self.partial.values().any(|partial| matches!(partial, Partial::Body { .. }))
    }

    /// The channel was closed in the middle of something.
    pub(crate) fn forget(&mut self, channel: u16) {
        self.partial.remove(&channel);
    }

    /// Takes a frame of an open channel.
    pub(crate) fn take(&mut self, frame: Frame) -> Result<Option<Command>, Failure> {
        match frame {
            Frame::Method { channel, method } => self.method(channel, method),
            Frame::Header { channel, class, body_bytes, properties } => {
                self.header(channel, class, body_bytes, properties)
            }
            Frame::Body { channel, payload } => self.body(channel, payload),
            Frame::Heartbeat => Ok(None),
        }
    }

    fn method(&mut self, channel: u16, method: AMQPClass) -> Result<Option<Command>, Failure> {
        if let Some(partial) = self.partial.get(&channel) {
            return Err(partial.interrupted());
        }
        match method {
            AMQPClass::Basic(basic::AMQPMethod::Publish(publish)) => {
                self.partial.insert(channel, Partial::Header(publish));
                Ok(None)
            }
            method => Ok(Some(Command::Method { channel, method })),
        }
    }

    fn header(
        &mut self,
        channel: u16,
        class: u16,
        body_bytes: u64,
        properties: Option<Properties>,
    ) -> Result<Option<Command>, Failure> {
        let publish = match self.partial.remove(&channel) {
            Some(Partial::Header(publish)) => publish,
            Some(other) => return Err(other.interrupted()),
            None => return Err(expected_method()),
        };
        if class != CLASS_BASIC {
            return Err(in_publish(Exception::unexpected_frame(format!(
                "expected content header for class {CLASS_BASIC}, got one for class {class} instead"
            ))));
        }
        let partial = match usize::try_from(body_bytes) {
            Ok(0) => {
                return Ok(Some(Command::Publish { channel, publish, properties, body: Bytes::new() }));
            }
            Ok(missing) if missing <= self.max_body_bytes => {
                let held = Held::new(&self.unfinished, publish_bytes(properties.as_ref()));
                Partial::Body { publish, properties, missing, body: Vec::new(), held }
            }
            // Its end must be found, for what comes next may be fine.
            _ => Partial::TooLarge { body_bytes, missing: body_bytes },
        };
        self.partial.insert(channel, partial);
        Ok(None)
    }

    fn body(&mut self, channel: u16, payload: Bytes) -> Result<Option<Command>, Failure> {
        let partial = match self.partial.remove(&channel) {
            Some(Partial::Overrun) => Partial::Overrun,
            Some(Partial::Body { missing, .. }) if payload.len() > missing => Partial::Overrun,
            Some(Partial::TooLarge { missing, .. }) if payload.len() as u64 > missing => Partial::Overrun,
            Some(Partial::Body { publish, properties, mut missing, mut body, mut held }) => {
                missing -= payload.len();
                // Most bodies come in one frame, and need no copy.
                let is_whole = missing == 0 && body.is_empty();
                if is_whole {
                    return Ok(Some(Command::Publish { channel, publish, properties, body: payload }));
                }
                // In growing pieces, but never more than was announced: what is left over would be kept.
                if body.capacity() - body.len() < payload.len() {
                    body.reserve_exact(payload.len() + missing.min(body.len()));
                }
                body.extend_from_slice(&payload);
                if missing == 0 {
                    let body = body.into();
                    return Ok(Some(Command::Publish { channel, publish, properties, body }));
                }
                held.set(publish_bytes(properties.as_ref()) + body.capacity());
                Partial::Body { publish, properties, missing, body, held }
            }
            Some(Partial::TooLarge { body_bytes, missing }) => {
                let missing = missing - payload.len() as u64;
                if missing == 0 {
                    return Ok(Some(Command::TooLarge { channel, body_bytes }));
                }
                Partial::TooLarge { body_bytes, missing }
            }
            Some(other) => return Err(other.interrupted()),
            None => return Err(expected_method()),
        };
        self.partial.insert(channel, partial);
        Ok(None)
    }
}

fn in_publish(exception: Exception) -> Failure {
    Failure { exception, ids: BASIC_PUBLISH }
}

fn expected_method() -> Failure {
    let text = "expected method frame, got non method frame instead";
    Failure::of_connection(Exception::unexpected_frame(text))
}
