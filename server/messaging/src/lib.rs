//! What all transports have in common ([`transport`] says what is theirs), and AMQP by way of lapin: connecting and connecting
//! again, declaring, publishing with confirms, consuming.
//!
//! Nothing here knows what a message is about, nor who holds or breaks anything: see [`hooks`].

pub mod amqp;
pub mod connection;
pub mod consumer;
pub mod crew;
pub mod depths;
pub mod embedded_broker;
pub mod envelope;
pub mod headers;
pub mod hooks;
pub mod letters;
pub mod lossy;
pub mod outcome;
pub mod publisher;
pub mod raw;
pub mod settling;
pub mod strangers;
pub mod supervisor;
pub mod topology;
pub mod transport;
pub mod unacked;
pub mod wire;
pub mod worker;

pub use connection::{BrokerUri, Links};
pub use consumer::{Delivered, Handler};
pub use depths::Depths;
pub use embedded_broker::EmbeddedBroker;
pub use envelope::Envelope;
pub use hooks::{Bindings, Hooks, Scope, Scopes};
pub use outcome::{Failure, Handled};
pub use publisher::Publisher;
pub use strangers::Strangers;
pub use unacked::Unacked;
