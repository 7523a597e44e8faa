//! Peers that are no services of ours, in the journal: that they take part, by which name, and what they are sent.
//!
//! A subscriber tells its name by subscribing to `name:…` as well: nothing is ever sent on that topic. A PULL socket has no
//! such way, so that it is known by its address, as is a subscriber that tells none.

use crate::{
    frames::{self, Read},
    listen::Socket,
    zmtp::{COMMAND, Frame, MORE},
};
use bytes::Bytes;
use flow::{Event, Id, Kind, Node, Provenance, Style, System, topology::SKU_PROCESSED};
use journal::Journal;
use messaging::lossy::about::About;
use std::{net::SocketAddr, sync::Arc};
use zeromq::ZmqMessage;

/// Of how many peers at a socket each message is told.
pub(crate) const TOLD_MAX: usize = 8;
/// The topic by which a subscriber tells its name.
const NAME: &str = "name:";
/// How long a name may be, in characters.
const NAME_MAX: usize = 40;

/// Where it is told who takes part; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Guests {
    pub(crate) system: System,
    pub(crate) journal: Journal,
    /// What the identities of our own sockets begin with. Nobody else can know it.
    pub(crate) own: String,
}

/// One of them, for as long as it is connected.
pub(crate) struct Guest {
    guests: Guests,
    socket: Socket,
    peer: SocketAddr,
    name: Option<String>,
    /// How many of its subscriptions cover the event.
    covering: usize,
    /// As whom it was told to take part, while it does.
    told: Option<Place>,
    /// There while each message to it is told.
    followed: Option<Arc<()>>,
    /// The frames so far of the message that it is being sent.
    frames: Vec<Bytes>,
}

/// Where it stands in the picture.
#[derive(Clone)]
struct Place {
    node: Node,
    queue: Id,
    tag: Id,
    /// Whether the queue is its own, and goes with it.
    is_own: bool,
}

/// What a subscriber wants changed.
enum Change<'a> {
    Subscribe(&'a [u8]),
    Cancel(&'a [u8]),
}

/// Reads a subscription: a message that begins with 1 or 0 (RFC 23), or a command (RFC 37).
fn change(frame: &Frame) -> Option<Change<'_>> {
    if frame.flags & COMMAND != 0 {
        let subscribed = frame.body.strip_prefix(b"\x09SUBSCRIBE").map(Change::Subscribe);
        return subscribed.or_else(|| frame.body.strip_prefix(b"\x06CANCEL").map(Change::Cancel));
    }
    match frame.body.split_first()? {
        (1, topic) => Some(Change::Subscribe(topic)),
        (0, topic) => Some(Change::Cancel(topic)),
        _ => None,
    }
}

/// The identity in a peer's READY command, if it has one (RFC 23).
fn identity(ready: &Frame) -> Option<&[u8]> {
    let mut rest = ready.body.strip_prefix(b"\x05READY")?;
    while let Some((&length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(length.into())?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (value, after) = after.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)?;
        if name.eq_ignore_ascii_case(b"Identity") {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// A name as it can be shown: without what is not text.
fn shown(name: &[u8]) -> Option<String> {
    let text: String =
        String::from_utf8_lossy(name).chars().filter(|one| !one.is_control()).take(NAME_MAX).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Guests {
    /// A peer that has shaken hands; every message to it is told if it is `followed`. None if it is one of ours, or at a socket that sends nothing to others.
    pub(crate) fn greet(
        &self,
        socket: Socket,
        ready: &Frame,
        peer: SocketAddr,
        followed: Option<Arc<()>>,
    ) -> Option<Guest> {
        let identity = identity(ready).unwrap_or_default();
        if identity.starts_with(self.own.as_bytes()) || socket == Socket::Router {
            return None;
        }
        let (guests, name) = (self.clone(), shown(identity));
        let mut guest =
            Guest { guests, socket, peer, name, covering: 0, told: None, followed, frames: Vec::new() };
        if matches!(socket, Socket::Push(_)) {
            guest.joins();
        }
        Some(guest)
    }
}

impl Guest {
    /// Takes in what it sends.
    pub(crate) fn said(&mut self, frame: &Frame) {
        if self.socket != Socket::Pub {
            return;
        }
        let covers = |topic: &[u8]| SKU_PROCESSED.name.as_bytes().starts_with(topic);
        match change(frame) {
            Some(Change::Subscribe(topic)) => {
                if let Some(name) = topic.strip_prefix(NAME.as_bytes()) {
                    self.name = shown(name);
                    // It may say so after it has begun to listen.
                    if self.told.is_some() {
                        self.leaves("it has told its name");
                        self.joins();
                    }
                } else if covers(topic) {
                    self.covering += 1;
                    if self.covering == 1 {
                        self.joins();
                    }
                }
            }
            Some(Change::Cancel(topic)) if covers(topic) && self.covering > 0 => {
                self.covering -= 1;
                if self.covering == 0 {
                    self.leaves("it has cancelled its subscription");
                }
            }
            _ => {}
        }
    }

    /// Takes in a frame that it is sent.
    pub(crate) fn sent(&mut self, frame: &Frame) {
        if self.followed.is_none() || self.told.is_none() || frame.flags & COMMAND != 0 {
            return;
        }
        self.frames.push(Bytes::copy_from_slice(&frame.body));
        if frame.flags & MORE != 0 {
            return;
        }
        let message = ZmqMessage::try_from(std::mem::take(&mut self.frames));
        let Some(Read::Message { envelope, .. }) =
            message.ok().and_then(|message| frames::read(&message).ok())
        else {
            return;
        };
        let Some(place) = &self.told else { return };
        let about = About::of(&envelope);
        let routed = Kind::Routed { routing_key: "".into(), message: None };
        let delivered = Kind::Delivered { consumer_tag: Id::clone(&place.tag) };
        // Nothing is kept of what was sent to it: there is no more to come.
        for kind in [routed, delivered, Kind::Acked { duration_us: None }] {
            self.tell(place, Some(&about), kind);
        }
    }

    fn joins(&mut self) {
        let system = self.guests.system;
        let name = self.name.clone().unwrap_or_else(|| match self.socket {
            Socket::Push(_) => format!("PULL {}", self.peer),
            Socket::Pub | Socket::Router => format!("SUB {}", self.peer),
        });
        let (queue, is_own) = match self.socket {
            Socket::Push(service) => (Id::from(system.queue_of(service).name), false),
            // Two may have the same name.
            Socket::Pub | Socket::Router => (format!("SUB {}", self.peer).into(), true),
        };
        let place = Place {
            node: Node::from(Arc::<str>::from(name)),
            queue,
            tag: self.peer.to_string().into(),
            is_own,
        };
        let kind = Kind::ConsumerStarted { consumer_tag: Id::clone(&place.tag), ready: None };
        self.tell(&place, None, kind);
        self.told = Some(place);
    }

    fn leaves(&mut self, why: &str) {
        let Some(place) = self.told.take() else { return };
        let kind = Kind::ConsumerStopped { consumer_tag: Id::clone(&place.tag), reason: why.to_owned() };
        self.tell(&place, None, kind);
        if place.is_own {
            self.tell(&place, None, Kind::QueueDeleted { messages: 0 });
        }
    }

    fn tell(&self, place: &Place, about: Option<&About>, kind: Kind) {
        let mut event = Event::new(0, Provenance::Broker, kind);
        (event.system, event.node, event.queue) =
            (Some(self.guests.system), Some(place.node.clone()), Some(Id::clone(&place.queue)));
        if self.guests.system.style == Style::Choreography {
            event.exchange = Some(self.guests.system.exchange().name.into());
        }
        if let Some(about) = about {
            event.sku = about.sku;
            event.message_id = Some(Id::clone(&about.message_id));
            event.correlation_id = Some(Id::clone(&about.correlation_id));
            event.attempt = Some(about.attempt);
        }
        self.guests.journal.report(event);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.leaves("it has disconnected");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(flags: u8, body: &[u8]) -> Frame {
        Frame { flags, body: body.to_vec() }
    }

    #[test]
    fn a_peers_identity_is_read_from_its_ready_and_a_broken_one_is_none() {
        let ready = b"\x05READY\x0bSocket-Type\0\0\0\x04PULL\x08Identity\0\0\0\x05py-42";
        assert_eq!(identity(&frame(COMMAND, ready)), Some(&b"py-42"[..]));
        for end in 7..ready.len() {
            assert_eq!(identity(&frame(COMMAND, &ready[..end])), None, "cut at {end}");
        }
        assert_eq!(identity(&frame(COMMAND, b"\x05READY\xff\xff")), None);
    }

    #[test]
    fn a_subscription_is_read_in_both_forms() {
        for (flags, body) in [(0, &b"\x01sku"[..]), (COMMAND, b"\x09SUBSCRIBEsku")] {
            assert!(matches!(change(&frame(flags, body)), Some(Change::Subscribe(b"sku"))));
        }
        for (flags, body) in [(0, &b"\0sku"[..]), (COMMAND, b"\x06CANCELsku")] {
            assert!(matches!(change(&frame(flags, body)), Some(Change::Cancel(b"sku"))));
        }
        assert!(change(&frame(0, b"")).is_none() && change(&frame(0, b"\x02")).is_none());
    }

    #[test]
    fn a_name_is_shown_without_what_is_not_text_and_not_at_any_length() {
        assert_eq!(shown(b"analytics"), Some("analytics".to_owned()));
        assert_eq!(shown(b" \x1b[31m "), Some("[31m".to_owned()));
        assert_eq!(shown(&[b'x'; 300]).unwrap().len(), NAME_MAX);
        assert!(shown(b"").is_none() && shown(b"\0\0").is_none());
    }
}
