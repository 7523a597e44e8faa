//! A message as frames: topic, headers, body; and a heartbeat.

use bytes::Bytes;
use flow::topology::Queue;
use messaging::Envelope;
use zeromq::ZmqMessage;

pub use messaging::lossy::headers::{Beat, Headers};

/// The first frame of a heartbeat.
pub const HEARTBEAT: &str = "heartbeat";

/// What frames turn out to be.
#[derive(Debug, Clone)]
pub enum Read {
    Message { topic: String, number: u64, envelope: Box<Envelope> },
    Beat(Beat),
}

/// The frames of a message.
#[must_use]
pub fn message(topic: &str, headers: &Headers, body: &[u8]) -> ZmqMessage {
    let frames = vec![topic.to_owned().into(), headers.to_json().into(), Bytes::copy_from_slice(body)];
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
    use messaging::envelope::{PastAttempt, new_id};

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
