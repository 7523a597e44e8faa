//! AMQP by way of lapin: connecting and connecting again, declaring, publishing with confirms, consuming.
//!
//! Nothing here knows what a message is about.

pub mod connection;
pub mod consumer;
pub mod envelope;
pub mod house;
pub mod publisher;
pub mod raw;
pub mod settling;
pub mod supervisor;
pub mod topology;
pub mod unacked;
pub mod wire;
pub mod worker;

pub use connection::{BrokerUri, Links};
pub use consumer::{Delivered, Failure, Handled, Handler};
pub use envelope::Envelope;
pub use house::House;
pub use publisher::Publisher;
pub use unacked::Unacked;
