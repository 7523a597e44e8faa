//! What is parked with a transport that can be looked into, as the dead-letter desk needs to know it.

use crate::{Envelope, transport::Lost};
use flow::topology::Queue;
use futures::future::BoxFuture;

/// Where a transport's parked messages are.
pub trait Shelf: Send + Sync {
    /// What is parked of a queue, oldest first.
    fn letters(&self, queue: &'static Queue) -> BoxFuture<'_, Result<Vec<Box<dyn Letter>>, Lost>>;
}

pub trait Letter: Send + Sync {
    fn envelope(&self) -> &Envelope;

    /// Takes it out for good; `false` when it is not there any more.
    fn discard(&self) -> BoxFuture<'_, Result<bool, Lost>>;

    /// Takes it out and puts a message into its queue, in one step; `false` when it is not there any more.
    fn replay<'a>(&'a self, envelope: &'a Envelope) -> BoxFuture<'a, Result<bool, Lost>>;
}
