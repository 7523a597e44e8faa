//! Putting a publish together from its method, content header and body frames (spec 2.3.5.2).

use super::frame::Frame;
use crate::core::{Exception, Properties};
use amq_protocol::protocol::{AMQPClass, basic};
use bytes::{Bytes, BytesMut};
use std::collections::HashMap;

const CLASS_BASIC: u16 = 60;

/// Something that is complete.
#[derive(Debug)]
pub(crate) enum Command {
    Method { channel: u16, method: AMQPClass },
    Publish { channel: u16, publish: basic::Publish, properties: Properties, body: Bytes },
}

#[derive(Debug)]
enum Partial {
    Header(basic::Publish),
    Body { publish: basic::Publish, properties: Properties, missing: usize, body: BytesMut },
}

/// The publishes of one connection that are not complete, by channel.
#[derive(Debug)]
pub(crate) struct Assembler {
    partial: HashMap<u16, Partial>,
    max_body_bytes: usize,
}

impl Assembler {
    pub(crate) fn new(max_body_bytes: usize) -> Self {
        Self { partial: HashMap::new(), max_body_bytes }
    }

    /// The channel was closed in the middle of something.
    pub(crate) fn forget(&mut self, channel: u16) {
        self.partial.remove(&channel);
    }

    /// Takes a frame of an open channel; heartbeats must not come here.
    pub(crate) fn take(&mut self, frame: Frame) -> Result<Option<Command>, Exception> {
        match frame {
            Frame::Method { channel, method } => self.method(channel, method),
            Frame::Header { channel, class, body_bytes, properties } => {
                self.header(channel, class, body_bytes, properties)
            }
            Frame::Body { channel, payload } => self.body(channel, payload),
            Frame::Heartbeat => Ok(None),
        }
    }

    fn method(&mut self, channel: u16, method: AMQPClass) -> Result<Option<Command>, Exception> {
        match self.partial.get(&channel) {
            Some(Partial::Header(_)) => {
                return Err(Exception::unexpected_frame(format!(
                    "expected content header for class {CLASS_BASIC}, got non content header frame instead"
                )));
            }
            Some(Partial::Body { .. }) => {
                return Err(Exception::unexpected_frame(
                    "expected content body, got non content body frame instead",
                ));
            }
            None => {}
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
        properties: Properties,
    ) -> Result<Option<Command>, Exception> {
        match self.partial.remove(&channel) {
            Some(Partial::Header(publish)) if class == CLASS_BASIC => {
                // RabbitMQ reads a body that is too large to its end and then closes the channel; we do
                // not want to keep it that long.
                let missing = usize::try_from(body_bytes)
                    .ok()
                    .filter(|bytes| *bytes <= self.max_body_bytes)
                    .ok_or_else(|| {
                        Exception::resource_error(format!(
                            "message size {body_bytes} is larger than configured max size {}",
                            self.max_body_bytes
                        ))
                    })?;
                if missing == 0 {
                    let body = Bytes::new();
                    return Ok(Some(Command::Publish { channel, publish, properties, body }));
                }
                let body = BytesMut::new();
                self.partial.insert(channel, Partial::Body { publish, properties, missing, body });
                Ok(None)
            }
            Some(Partial::Header(_)) => Err(Exception::unexpected_frame(format!(
                "expected content header for class {CLASS_BASIC}, got one for class {class} instead"
            ))),
            Some(Partial::Body { .. }) => {
                Err(Exception::unexpected_frame("expected content body, got non content body frame instead"))
            }
            None => Err(expected_method()),
        }
    }

    fn body(&mut self, channel: u16, payload: Bytes) -> Result<Option<Command>, Exception> {
        match self.partial.remove(&channel) {
            Some(Partial::Body { publish, properties, missing, mut body }) => {
                let Some(missing) = missing.checked_sub(payload.len()) else {
                    return Err(Exception::frame_error(format!(
                        "content body has {} octets more than its header said",
                        payload.len() - missing
                    )));
                };
                if missing > 0 {
                    body.extend_from_slice(&payload);
                    self.partial.insert(channel, Partial::Body { publish, properties, missing, body });
                    return Ok(None);
                }
                let body = if body.is_empty() {
                    payload
                } else {
                    body.extend_from_slice(&payload);
                    body.freeze()
                };
                Ok(Some(Command::Publish { channel, publish, properties, body }))
            }
            Some(Partial::Header(_)) => Err(Exception::unexpected_frame(format!(
                "expected content header for class {CLASS_BASIC}, got non content header frame instead"
            ))),
            None => Err(expected_method()),
        }
    }
}

fn expected_method() -> Exception {
    Exception::unexpected_frame("expected method frame, got non method frame instead")
}
