//! Where messages are put that failed: a sorted set by the time at which they are due, or one of those that are parked.

use crate::{
    entry,
    intake::{Origin, Seat},
    job::{self, Job},
    names,
};
use flow::topology::Queue;
use messaging::{
    Envelope,
    publisher::PublishError,
    transport::{Aside, Place},
};
use redis::pipe;
use std::sync::Arc;

/// See the module; clones share it.
#[derive(Clone)]
pub struct RedisAside(pub(crate) Arc<Seat>);

impl Aside for RedisAside {
    type Tag = Arc<Origin>;

    /// In one step with settling what was given.
    async fn put(
        &self,
        tag: &Arc<Origin>,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> Result<(), PublishError> {
        let seat = &self.0;
        let text = match &**tag {
            Origin::Entry { .. } => entry::as_text(envelope),
            Origin::Job(text) => {
                let job = Job::read(text).unwrap_or_else(|| Job::wrapping(text, queue));
                job.carrying(envelope).in_list(queue).to_text()
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "a delay is short")]
        let (key, delay_s) = match place {
            Place::Retry { delay_ms } => (names::retry(queue), delay_ms as f64 / 1e3),
            Place::Dead => (names::dead(queue), 0.0),
        };
        let mut commands = pipe();
        commands.atomic();
        commands.cmd("ZADD").arg(key).arg(job::now_s() + delay_s).arg(text).ignore();
        seat.settle(&[tag], &mut commands);
        let put = commands.exec_async(&mut seat.link.connection()).await;
        Ok(put.map_err(|error| seat.link.failed(error))?)
    }
}
