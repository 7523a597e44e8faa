//! A message as it is published on a channel, and heartbeats: JSON objects.
//!
//! A message is its headers ([`Headers`]) with the `body` beside them; `topic` and `number` say which message of its channel it
//! is. What is no such object is a stranger's message: all of it is the body.

use crate::{Hub, names};
use flow::Service;
use messaging::{
    Envelope,
    envelope::new_id,
    lossy::{
        headers::{Beat, Headers},
        memory::{Item, Refused},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
struct Message {
    topic: String,
    #[serde(flatten)]
    headers: Headers,
    body: Value,
}

/// What is published of a message with that number.
pub(crate) fn message(hub: &Hub, topic: &str, number: u64, envelope: &Envelope) -> String {
    let headers = Headers { number, run: hub.run().to_owned(), ..Headers::of(envelope) };
    let body = serde_json::from_slice(&envelope.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&envelope.body).into_owned()));
    let message = Message { topic: topic.to_owned(), headers, body };
    serde_json::to_string(&message).expect("a message is plain data")
}

/// What is published to say how far a channel is.
pub(crate) fn beat(hub: &Hub, topic: String, number: u64) -> String {
    let beat = Beat { topic, number, run: hub.run().to_owned() };
    serde_json::to_string(&beat).expect("a heartbeat is plain data")
}

/// Takes in what a service hears.
pub(crate) fn heard(hub: &Hub, service: Service, payload: &[u8]) {
    let (exchange, envelope) = match serde_json::from_slice::<Message>(payload) {
        Ok(Message { topic, headers, body }) => {
            // Another run's numbers are not ours, as another Skuflow's are not.
            if headers.run == hub.run() && !hub.register().heard(service, &topic, headers.number) {
                return;
            }
            let body = if let Value::String(text) = body { text } else { body.to_string() };
            let exchange = if topic == names::STREAM { names::STREAM } else { "" };
            (exchange, headers.envelope(body.as_bytes()))
        }
        Err(_) => match serde_json::from_slice::<Beat>(payload) {
            Ok(beat) => {
                if beat.run == hub.run() {
                    hub.register().beat(service, &beat.topic, beat.number);
                }
                return;
            }
            Err(_) => (names::STREAM, strangers(payload)),
        },
    };
    let id = envelope.message_id.clone();
    if hub.memory(service).take_in(Item::of(envelope, exchange.into())) == Err(Refused::Full) {
        hub.ledger().suspect(service, &id, None, format!("{service}'s memory was full"));
    }
}

/// A message of which there is only the body.
fn strangers(body: &[u8]) -> Envelope {
    let id = new_id().to_string();
    let message_type = "sku_processed".to_owned();
    Headers { message_id: id.clone(), correlation_id: id, message_type, ..Headers::default() }.envelope(body)
}
