//! By what a service's memory is filled in the modes in which nobody else keeps its messages: a subscription to the channels, or
//! taking jobs from a list.

use crate::{Hub, RedisLink, form::Form, hub::Way, job, names, pubsub};
use flow::Service;
use futures::StreamExt as _;
use messaging::{lossy::memory::Item, transport::Lost};
use redis::RedisResult;
use std::time::Duration;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// How long a pop waits for something: so long a stop may take.
const BLOCK: Duration = Duration::from_millis(400);
/// How long it may take until a subscription is heard of.
const JOIN: Duration = Duration::from_secs(3);

/// See the module. It ends when this is dropped, once it has heard what Redis was about to hand out.
pub(crate) struct Reception {
    _stop: DropGuard,
}

impl Reception {
    /// Begins to fill the memory; `broken` is told when that fails.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn open(
        link: &RedisLink,
        hub: &Hub,
        way: Way,
        service: Service,
        broken: watch::Sender<Option<String>>,
        tasks: &TaskTracker,
    ) -> Result<Self, Lost> {
        let stop = CancellationToken::new();
        let filling = Filling { link: link.clone(), hub: hub.clone(), service, stop: stop.clone() };
        let (joined, has_joined) = oneshot::channel();
        tasks.spawn(async move {
            let filled = match way {
                Way::Jobs(form, _) => {
                    let _ = joined.send(());
                    filling.pop(form).await
                }
                Way::Streams | Way::PubSub => filling.subscribe(joined).await,
            };
            if let Err(error) = filled {
                let Lost(why) = filling.link.failed(error);
                broken.send_replace(Some(why));
            }
        });
        let reception = Self { _stop: stop.drop_guard() };
        match timeout(JOIN, has_joined).await {
            Ok(Ok(())) => Ok(reception),
            _ => Err(Lost(format!("{service} cannot subscribe to Redis' channels"))),
        }
    }
}

struct Filling {
    link: RedisLink,
    hub: Hub,
    service: Service,
    stop: CancellationToken,
}

impl Filling {
    /// Takes jobs from the list, while a worker waits for one.
    async fn pop(&self, form: Form) -> RedisResult<()> {
        let queue = self.hub.system().queue_of(self.service);
        let memory = self.hub.memory(self.service);
        let mut connection = self.link.patient().await?;
        let mut pop = redis::cmd(form.pop());
        pop.arg(form.list(queue)).arg(BLOCK.as_secs_f64());
        loop {
            tokio::select! {
                () = memory.wanted() => {}
                () = self.stop.cancelled() => return Ok(()),
            }
            // To its end: what Redis hands out is nowhere else.
            let popped: Option<(String, Vec<u8>)> = match pop.query_async(&mut connection).await {
                Ok(popped) => popped,
                Err(error) => {
                    let why = format!("Redis was gone as {} took it", self.service);
                    self.hub.ledger().suspect_all(self.service, &memory.ids(), &why);
                    return Err(error);
                }
            };
            if let Some((_, text)) = popped {
                let (envelope, unreadable) = job::understood(&text, queue);
                memory.popped(Item { unreadable, ..Item::of(envelope, "".into()) });
            }
        }
    }

    /// Hears what is published.
    async fn subscribe(&self, joined: oneshot::Sender<()>) -> RedisResult<()> {
        let register = self.hub.register();
        let (mut sink, mut heard) = self.link.url().client().get_async_pubsub().await?.split();
        // Before it hears: what is sent from now on it must account for.
        register.joins(self.service);
        let _leaves = Leaves(self);
        let channel = |stream: &str| names::channel(stream, self.link.url().database());
        for stream in [names::STREAM, &names::own_stream(self.service), names::HEARTBEAT] {
            sink.subscribe(channel(stream)).await?;
        }
        let _ = joined.send(());
        loop {
            let message = tokio::select! {
                message = heard.next() => message,
                () = self.stop.cancelled() => return Ok(()),
            };
            let Some(message) = message else {
                return Err((redis::ErrorKind::Io, "the subscription to Redis is gone").into());
            };
            pubsub::heard(&self.hub, self.service, message.get_payload_bytes());
        }
    }
}

/// A subscription that is no more.
struct Leaves<'a>(&'a Filling);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.hub.register().leaves(self.0.service);
    }
}
