//! A connection as one service uses it, in one way that messages travel.

use crate::{
    Hub, RedisLink,
    aside::HeldAside,
    form::Form,
    hub::Way,
    intake::RedisIntake,
    names,
    outlet::{RedisOutlet, add_entry},
    place::RedisPlace,
    reception::Reception,
    resque::{Registry, worker_name},
};
use flow::{Id, Service, Style, mode::Fetch};
use messaging::{
    consumer::Consumer,
    lossy::MemoryIntake,
    transport::{Link, Lost},
    worker::WorkerError,
};
use redis::cmd;
use std::sync::{Arc, Weak};
use tokio::sync::{Mutex, watch};
use tokio_util::task::TaskTracker;

/// See the module.
pub struct WayLink {
    link: RedisLink,
    hub: Hub,
    way: Way,
    /// Why the service's memory is not filled any more.
    broken: watch::Sender<Option<String>>,
    /// What fills it, which the workers keep open.
    reception: Mutex<Weak<Reception>>,
    tasks: TaskTracker,
}

impl WayLink {
    pub(crate) fn new(link: RedisLink, hub: Hub) -> Self {
        let (reception, tasks) = (Mutex::new(Weak::new()), TaskTracker::new());
        Self { way: hub.way(), link, hub, broken: watch::Sender::new(None), reception, tasks }
    }

    /// Makes what the queues of the system need. What is there stays.
    ///
    /// # Errors
    /// When Redis does not answer, or somebody keeps something else under the name.
    pub async fn declare(&self) -> Result<(), Lost> {
        for queue in self.hub.system().queues() {
            self.link.declare_queue(queue, self.way.form()).await?;
        }
        Ok(())
    }

    /// Where the system publishes.
    #[must_use]
    pub fn outlet(&self) -> RedisOutlet {
        RedisOutlet::open(&self.link, &self.hub, self.way)
    }

    /// What fills the service's memory, opened unless it is.
    async fn reception(&self, service: Service) -> Result<Arc<Reception>, Lost> {
        let mut known = self.reception.lock().await;
        if let Some(open) = known.upgrade() {
            return Ok(open);
        }
        let broken = self.broken.clone();
        let opened = Reception::open(&self.link, &self.hub, self.way, service, broken, &self.tasks).await;
        let open = Arc::new(opened.inspect_err(|Lost(why)| {
            self.broken.send_replace(Some(why.clone()));
        })?);
        *known = Arc::downgrade(&open);
        Ok(open)
    }

    /// The workers have gone in good order: what they left in the service's memory is put where Redis keeps it. With the server
    /// ends what was only ever published.
    ///
    /// # Errors
    /// When Redis does not answer. What was not put there is in memory still.
    pub async fn close(&self, service: Service, is_end: bool) -> Result<(), Lost> {
        self.tasks.close();
        self.tasks.wait().await;
        let (queue, memory) = (self.hub.system().queue_of(service), self.hub.memory(service));
        let is_lost = is_end && self.way == Way::PubSub;
        // Next to be taken is the last one that goes back.
        for item in if is_lost { Vec::new() } else { memory.take_waiting() }.into_iter().rev() {
            let id = Id::clone(&item.envelope.message_id);
            let command = match queue.style {
                Style::Choreography => add_entry(&names::own_stream(service), &item.envelope),
                Style::Orchestration => {
                    let form = self.way.form();
                    let mut back = cmd(form.give_back());
                    back.arg(form.list(queue)).arg(form.write(&item.envelope, queue));
                    back
                }
            };
            if let Err(error) = command.exec_async(&mut self.link.connection()).await {
                memory.replayed(item.envelope);
                return Err(self.link.failed(error));
            }
            if queue.style == Style::Choreography {
                self.hub.ledger().settled(service, [id]);
            }
        }
        Ok(())
    }
}

impl Link for WayLink {
    type Intake = RedisPlace;

    async fn open(
        &self,
        consumer: &Consumer,
        tag: &Id,
        prefetch: u16,
    ) -> Result<(RedisPlace, Option<u64>), WorkerError> {
        let (queue, link, way) = (consumer.queue, &self.link, self.way);
        let failed = |error| link.failed(error);
        link.declare_queue(queue, way.form()).await?;
        let waiting = crate::depths::ready(&mut link.connection(), &self.hub, queue).await.map_err(failed)?;
        // Who hears channels reads the service's group too: there lies what is tried again, and what waited before.
        let is_in_redis = !matches!(way, Way::Jobs(_, Fetch::Basic));
        let kept = if is_in_redis {
            if way.is_kept() {
                self.hub.ledger().all_kept(queue.service);
            }
            let intake = RedisIntake::open(link.clone(), queue, way.form(), tag, prefetch).await;
            Some(intake.map_err(failed)?)
        } else {
            None
        };
        let registry = match way.form() {
            Form::Resque => Some(Registry::open(link, queue, tag).await.map_err(failed)?),
            Form::Sidekiq => None,
        };
        let held = if way.is_kept() {
            None
        } else {
            let (memory, worker) = (self.hub.memory(queue.service).clone(), worker_name(tag, queue));
            let aside = HeldAside { link: link.clone(), form: way.form(), worker };
            let reception = self.reception(queue.service).await?;
            Some(MemoryIntake::new(aside, memory, reception, self.broken.subscribe(), prefetch))
        };
        let place = RedisPlace { queue, kept, held, registry, in_hand: 0, link: link.clone() };
        Ok((place, Some(waiting)))
    }

    fn is_up(&self) -> bool {
        self.link.is_up() && self.broken.borrow().is_none()
    }
}
