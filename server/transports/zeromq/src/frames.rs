//! A message as frames: topic, headers, body; and a heartbeat.

use bytes::Bytes;
use flow::{Id, topology::Queue};
use messaging::{
    Envelope,
    envelope::{PastAttempt, shortened},
};
use serde::{Deserialize, Serialize};
use zeromq::ZmqMessage;

/// The first frame of a heartbeat.
pub const HEARTBEAT: &str = "heartbeat";

/// The second frame of a message. What is not there is not written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Headers {
    /// Which message of its topic it is, from 1; 0 where nobody counts.
    #[serde(default)]
    pub number: u64,
    /// The run of the producer within which it was counted.
    #[serde(default)]
    pub run: String,
    pub message_id: String,
    pub correlation_id: String,
    /// The event's or the command's name.
    #[serde(rename = "type")]
    pub message_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// When it was made, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Which attempt at handling it this is, from 1.
    #[serde(default = "first")]
    pub attempt: u32,
    /// Why it was parked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
    pub content_type: String,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    attempt: u32,
    reason: String,
    at: String,
}

const fn first() -> u32 {
    1
}

impl Headers {
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        let text = |id: &Id| id.to_string();
        let write = |past: &PastAttempt| Past {
            attempt: past.attempt,
            reason: past.reason.clone(),
            at: past.at.clone(),
        };
        Self {
            message_id: text(&envelope.message_id),
            correlation_id: text(&envelope.correlation_id),
            message_type: text(&envelope.message_type),
            app_id: Some(text(&envelope.app_id)),
            timestamp: envelope.timestamp_s,
            traceparent: envelope.traceparent.as_ref().map(text),
            attempt: envelope.attempt,
            reason: envelope.reason.as_ref().map(text),
            origin: envelope.origin.as_ref().map(text),
            past: envelope.past.iter().map(write).collect(),
            content_type: "application/json".to_owned(),
            ..Self::default()
        }
    }

    /// The message with that body.
    #[must_use]
    pub fn envelope(self, body: &[u8]) -> Envelope {
        let read = |past: Past| PastAttempt {
            attempt: past.attempt,
            reason: shortened(&past.reason),
            at: shortened(&past.at),
        };
        Envelope {
            message_id: self.message_id.into(),
            correlation_id: self.correlation_id.into(),
            message_type: self.message_type.into(),
            app_id: self.app_id.map_or_else(|| "unknown".into(), Into::into),
            timestamp_s: self.timestamp,
            traceparent: self.traceparent.map(Into::into),
            attempt: self.attempt.max(1),
            reason: self.reason.map(Into::into),
            origin: self.origin.map(Into::into),
            past: self.past.into_iter().map(read).collect(),
            body: body.into(),
            came_with: None,
        }
    }

    /// As one frame.
    #[must_use]
    pub fn to_frame(&self) -> Bytes {
        serde_json::to_vec(self).expect("headers are plain data").into()
    }
}

/// The second frame of a heartbeat: the newest number of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    pub topic: String,
    pub number: u64,
    pub run: String,
}

/// What frames turn out to be.
#[derive(Debug, Clone)]
pub enum Read {
    Message { topic: String, number: u64, envelope: Box<Envelope> },
    Beat(Beat),
}

/// The frames of a message.
#[must_use]
pub fn message(topic: &str, headers: &Headers, body: &[u8]) -> ZmqMessage {
    let frames = vec![topic.to_owned().into(), headers.to_frame(), Bytes::copy_from_slice(body)];
    ZmqMessage::try_from(frames).expect("there are three frames")
}

/// The frames of a heartbeat.
#[must_use]
pub fn beat(beat: &Beat) -> ZmqMessage {
    let text = serde_json::to_vec(beat).expect("a heartbeat is plain data");
    let frames: Vec<Bytes> = vec![HEARTBEAT.into(), text.into()];
    ZmqMessage::try_from(frames).expect("there are two frames")
}

/// Reads what came.
///
/// # Errors
/// Why these are not the frames of a message or of a heartbeat.
pub fn read(message: &ZmqMessage) -> Result<Read, String> {
    let frames: Vec<&[u8]> = message.iter().map(|frame| &frame[..]).collect();
    match frames[..] {
        [topic, told] if topic == HEARTBEAT.as_bytes() => {
            let beat = serde_json::from_slice(told);
            beat.map(Read::Beat).map_err(|error| format!("its heartbeat cannot be read: {error}"))
        }
        [topic, headers, body] => {
            let topic = std::str::from_utf8(topic).map_err(|_| "its topic is not UTF-8".to_owned())?;
            let headers: Headers = serde_json::from_slice(headers)
                .map_err(|error| format!("its second frame are not headers: {error}"))?;
            let number = headers.number;
            Ok(Read::Message { topic: topic.to_owned(), number, envelope: headers.envelope(body).into() })
        }
        _ => Err(format!("it has {} frames, and not topic, headers and body", frames.len())),
    }
}

/// The topic of what is addressed to one queue alone: the command's name, or the event's with the service before it.
#[must_use]
pub fn own_topic(queue: &Queue) -> String {
    if queue.routing_key.is_empty() {
        format!("{}.{}", queue.service, queue.message_type())
    } else {
        queue.routing_key.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Service, Transport};
    use messaging::envelope::new_id;

    fn sent(body: &[u8]) -> Envelope {
        Envelope {
            message_id: new_id(),
            correlation_id: new_id(),
            message_type: "sku_processed".into(),
            app_id: "inventory".into(),
            timestamp_s: Some(7),
            traceparent: Some("00-a-b-01".into()),
            attempt: 3,
            reason: Some("no".into()),
            origin: Some("zeromq:sku_processed/catalog".into()),
            past: vec![PastAttempt { attempt: 1, reason: "no".into(), at: "now".into() }],
            body: body.into(),
            came_with: None,
        }
    }

    #[test]
    fn a_message_reads_back_the_same_from_its_frames_whatever_its_body() {
        for body in [&b"{\"sku\":\"A\"}"[..], b"", b"\xff\x00garbage"] {
            let sent = sent(body);
            let headers = Headers { number: 5, ..Headers::of(&sent) };
            let Read::Message { topic, number, envelope } =
                read(&message("sku_processed", &headers, body)).unwrap()
            else {
                panic!("it is a message")
            };
            assert_eq!((&*topic, number), ("sku_processed", 5));
            assert_eq!(format!("{envelope:?}"), format!("{sent:?}"));
        }
        let told = Beat { topic: "t".into(), number: 9, run: "r".into() };
        assert!(matches!(read(&beat(&told)).unwrap(), Read::Beat(read) if read == told));
    }

    #[test]
    fn what_are_not_our_frames_is_refused_with_what_is_wrong() {
        let of = |frames: &[&'static [u8]]| {
            let frames: Vec<Bytes> = frames.iter().map(|frame| Bytes::from_static(frame)).collect();
            read(&ZmqMessage::try_from(frames).unwrap()).unwrap_err()
        };
        assert_eq!(of(&[b"one"]), "it has 1 frames, and not topic, headers and body");
        assert_eq!(of(&[b"a", b"b", b"c", b"d"]), "it has 4 frames, and not topic, headers and body");
        assert_eq!(of(&[b"\xff", b"{}", b""]), "its topic is not UTF-8");
        assert!(of(&[b"t", b"{}", b""]).starts_with("its second frame are not headers: missing field"));
        assert!(of(&[b"heartbeat", b"[]"]).starts_with("its heartbeat cannot be read"));
    }

    #[test]
    fn each_queue_has_a_topic_of_its_own_that_the_events_does_not_begin() {
        let [fanned, pushed] = Transport::Zeromq.systems().collect::<Vec<_>>()[..] else { panic!() };
        assert_eq!(own_topic(fanned.queue_of(Service::Catalog)), "catalog.sku_processed");
        assert_eq!(own_topic(pushed.queue_of(Service::Catalog)), "update_sku_availability");
    }
}
