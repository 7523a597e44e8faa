//! Where messages are put that failed: a sorted set by the time at which they are due, or one of those that are parked.

use crate::{
    entry,
    intake::{Origin, Seat},
    job::{self, Job},
    names,
    scripts::{PUT_ENTRY, PUT_JOB},
};
use flow::topology::Queue;
use messaging::{
    Envelope,
    publisher::PublishError,
    transport::{Aside, Place},
};
use std::sync::Arc;

/// See the module; clones share it.
#[derive(Clone)]
pub struct RedisAside(pub(crate) Arc<Seat>);

impl Aside for RedisAside {
    type Tag = Arc<Origin>;

    /// In one step with settling what was given, and at most once, whoever else was given it meanwhile.
    async fn put(
        &self,
        tag: &Arc<Origin>,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> Result<(), PublishError> {
        let seat = &self.0;
        #[expect(clippy::cast_precision_loss, reason = "a delay is short")]
        let (key, delay_s) = match place {
            Place::Retry { delay_ms } => (names::retry(queue), delay_ms as f64 / 1e3),
            Place::Dead => (names::dead(queue), 0.0),
        };
        let due_s = job::now_s() + delay_s;
        let put = match &**tag {
            Origin::Entry { is_own, id } => {
                let mut put = PUT_ENTRY.key(key);
                put.key(&seat.streams[usize::from(*is_own)]).arg(seat.group()).arg(id);
                put.arg(due_s).arg(entry::as_text(envelope)).arg(u8::from(*is_own));
                put.invoke_async::<u8>(&mut seat.link.connection()).await
            }
            Origin::Job(text) => {
                let job = Job::read(text).unwrap_or_else(|| Job::wrapping(text, queue));
                let job = job.carrying(envelope).in_list(queue).to_text();
                let mut put = PUT_JOB.key(key);
                put.key(&seat.working).arg(text).arg(due_s).arg(job);
                put.invoke_async::<u8>(&mut seat.link.connection()).await
            }
        };
        put.map_err(|error| seat.link.failed(error))?;
        Ok(())
    }
}
