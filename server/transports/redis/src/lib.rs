//! Redis as a transport: what [`messaging::transport`] asks for, by streams and lists.
//!
//! - **Choreography** is one stream with a consumer group for each service. Every group sees every entry, an entry is pending
//!   until `XACK`, and what a dead worker held is taken over by `XAUTOCLAIM` once it has been idle for [`intake::TAKEOVER_MS`].
//! - **Orchestration** is jobs in Sidekiq's JSON format in one list for each command. Fetching is reliable: `BLMOVE` into a list
//!   of the worker's own, from which the job goes when it is done. The list of a worker that no longer says that it lives is
//!   moved back.
//!
//! In other modes less is promised. `pubsub` publishes on a channel, and who does not listen has lost it; the fetch `basic` pops a
//! job (`BRPOP`), and a worker that dies takes it along. What is lost then is told ([`messaging::lossy`]). `resque` is jobs in
//! Resque's format.
//!
//! What failed waits in a sorted set by the time at which it is due, and a script moves it back; what is parked rests in
//! another. Streams and reliable fetching promise at least once; with the services' inboxes that is once in effect.
//!
//! | module | noun |
//! | --- | --- |
//! | [`address`] | where a Redis is |
//! | [`server`] | the Redis that we use: another's, or our own child |
//! | [`link`] | a service's connection |
//! | [`hub`] | in which mode a system is, and what nobody keeps in it |
//! | [`way_link`] | a connection as it is used in one mode |
//! | [`outlet`] | where messages are published |
//! | [`place`] | a worker's place, in whatever mode |
//! | [`intake`] | its place at a group or list |
//! | `reception`, `pubsub` | by what a service's memory is filled |
//! | [`aside`] | where messages are put that failed |
//! | [`keeper`] | what has to be done from time to time |
//! | [`letters`] | what is parked |
//! | [`depths`] | how much waits |
//! | [`channel`] | what is said to all who listen now |
//! | [`entry`], [`job`], [`resque`], [`form`] | how a message is written, and where |
//! | [`names`], [`scripts`] | keys, and what must happen at once |

pub mod address;
pub mod aside;
pub mod channel;
pub mod depths;
pub mod entry;
mod fetch;
pub mod form;
pub mod hub;
pub mod intake;
pub mod job;
pub mod keeper;
pub mod letters;
pub mod link;
pub mod names;
pub mod outlet;
pub mod place;
mod pubsub;
mod reception;
pub mod resque;
pub mod scripts;
pub mod server;
pub mod way_link;

pub use address::RedisUrl;
pub use hub::{Hub, Way};
pub use link::{Redis, RedisLink};
pub use server::Server;
pub use way_link::WayLink;
