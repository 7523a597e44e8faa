//! Where messages are put that failed: a sorted set by the time at which they are due, or one of those that are parked.

use crate::{
    RedisLink, entry,
    form::Form,
    intake::{Origin, Seat},
    names, resque,
    scripts::{PUT_ENTRY, PUT_FAILED, PUT_JOB},
};
use flow::{Style, topology::Queue};
use messaging::{
    Envelope,
    publisher::PublishError,
    transport::{Aside, Place},
};
use redis::cmd;
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
        let delay_ms = match place {
            Place::Retry { delay_ms } => delay_ms,
            Place::Dead => 0,
        };
        let due_s = resque::due_s(delay_ms);
        let put = match &**tag {
            Origin::Entry { is_own, id } => {
                let mut put = PUT_ENTRY.key(match place {
                    Place::Retry { .. } => names::retry(queue),
                    Place::Dead => names::dead(queue),
                });
                put.key(&seat.streams[usize::from(*is_own)]).arg(seat.group()).arg(id);
                put.arg(due_s).arg(entry::as_text(envelope)).arg(u8::from(*is_own));
                put.invoke_async::<u8>(&mut seat.link.connection()).await
            }
            Origin::Job(text) => {
                let form = seat.form;
                let put = match (place, form) {
                    (Place::Dead, Form::Resque) => {
                        let mut put = PUT_FAILED.key(form.dead());
                        let failed = resque::failed(envelope, queue, &seat.worker);
                        put.key(&seat.working).arg(text).arg(failed);
                        put
                    }
                    _ => {
                        let is_dead = place == Place::Dead;
                        let mut put =
                            PUT_JOB.key(if is_dead { form.dead().to_owned() } else { form.retry(queue) });
                        let job = form.write_again(text, envelope, queue);
                        put.key(&seat.working).arg(text).arg(due_s).arg(job);
                        put
                    }
                };
                put.invoke_async::<u8>(&mut seat.link.connection()).await
            }
        };
        put.map_err(|error| seat.link.failed(error))?;
        Ok(())
    }
}

/// Where what was only in a service's memory is put: the same places.
#[derive(Clone)]
pub struct HeldAside {
    pub(crate) link: RedisLink,
    /// In whose form jobs are.
    pub(crate) form: Form,
    pub(crate) worker: String,
}

impl Aside for HeldAside {
    type Tag = u64;

    async fn put(
        &self,
        _tag: &u64,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> Result<(), PublishError> {
        let put = match (queue.style, place, self.form) {
            (Style::Orchestration, Place::Dead, Form::Resque) => {
                let mut put = cmd("RPUSH");
                put.arg(self.form.dead()).arg(resque::failed(envelope, queue, &self.worker));
                put
            }
            (style, place, form) => {
                let (is_job, is_dead) = (style == Style::Orchestration, place == Place::Dead);
                let key = match (is_job, is_dead) {
                    (true, true) => form.dead().to_owned(),
                    (true, false) => form.retry(queue),
                    (false, true) => names::dead(queue),
                    (false, false) => names::retry(queue),
                };
                let text = if is_job { form.write(envelope, queue) } else { entry::as_text(envelope) };
                let delay_ms = if let Place::Retry { delay_ms } = place { delay_ms } else { 0 };
                let mut put = cmd("ZADD");
                put.arg(key).arg(resque::due_s(delay_ms)).arg(text);
                put
            }
        };
        put.exec_async(&mut self.link.connection()).await.map_err(|error| self.link.failed(error))?;
        Ok(())
    }
}
