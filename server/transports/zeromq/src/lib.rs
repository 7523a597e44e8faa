//! ZeroMQ as a transport: what [`messaging::transport`] asks for, by sockets of the services themselves and no broker.
//!
//! Inventory, who sends, *binds*; the services *connect*. There are six sockets, on consecutive ports where one is named:
//!
//! | port | socket | carries |
//! | --- | --- | --- |
//! | +0 | PUB | the event, topic `sku_processed`; with a list of inventory's own, topics such as `catalog.sku_processed` |
//! | +1, +2, +3 | PUSH | the commands `recalculate_sku`, `update_sku_availability`, `update_wishlists` |
//! | +4, +5 | ROUTER | the event and the commands in the mode `acked` |
//!
//! # Frames
//!
//! A message is three frames: its topic (the command's name on a PUSH socket), its headers as one JSON object
//! ([`frames::Headers`]), and its body. `number` counts the messages of a topic from 1, within one `run` of the producer: who
//! misses a number has lost a message. A heartbeat is two frames, `heartbeat` and `{"topic","number","run"}` with the newest
//! number, once a second for as long as there is something to tell.
//!
//! In the mode `acked` a service connects a DEALER and says `hello`; the answer is `welcome`. It then gets the three frames,
//! and answers each message, once it has had its effect, with two: `ack` and the `message_id`.
//!
//! # What is promised
//!
//! - `pubsub`, `pushpull`: *at most once*. Confirmed is what was handed to a socket. A PUB socket keeps nothing for who is not
//!   subscribed; a PUSH socket takes nothing while no worker is connected, so that such a command stays in the outbox. What a
//!   service has in its memory (waiting, in hand, or put off for another attempt) goes with the service. What is lost is told
//!   ([`messaging::lossy`]).
//! - `acked`: *at least once*. Confirmed is what every service addressed has acknowledged; the outbox keeps the rest.
//! - What used up its attempts lies in files of the consumer ([`letters`]), and survives all of us.
//!
//! # Where we do not trust the library
//!
//! The sockets of the `zeromq` crate reserve memory for whatever length a peer claims, and have no limit of any kind. So peers
//! come in by a door of ours ([`door`]), which lets only well-formed frames of a modest size pass; the sockets themselves are in
//! a folder that nobody else can enter. A PULL socket of it stays connected when it is dropped ([`reception`] shuts it down),
//! and a PUSH socket notices that a peer is gone only by writing to it ([`outlet`] writes it something that may be lost).
//!
//! | module | noun |
//! | --- | --- |
//! | [`listen`] | where the sockets are |
//! | [`door`] | what lets peers in |
//! | [`guests`] | peers that are no services of ours, in the journal |
//! | [`hub`] | all that one system's sockets have in common |
//! | [`outlet`], [`acked`] | where messages are published, in either way |
//! | [`reception`], [`link`] | a service's socket and connection |
//! | [`aside`] | where messages are put that failed |
//! | [`letters`] | what is parked |
//! | [`frames`] | how a message is written |

pub mod acked;
pub mod aside;
pub mod door;
pub mod frames;
mod guests;
pub mod hub;
pub mod letters;
pub mod link;
pub mod listen;
pub mod outlet;
pub mod reception;
mod zmtp;

pub use hub::{Hub, Way};
pub use link::ZmqLink;
pub use listen::{Doors, ListenAt};
