//! A service's connection: its socket is there while one of its workers is.

use crate::{Hub, Way, aside::ZmqAside, reception::Reception};
use flow::{Id, Service};
use messaging::{
    connection::{Dial, Flow},
    consumer::Consumer,
    lossy::MemoryIntake,
    transport::{Link, Lost},
    worker::WorkerError,
};
use std::sync::{Arc, Weak};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

/// Why a connection ends that is made anew in another mode.
const ANEW: &str = "the mode was changed";

/// A connection; clones share it.
#[derive(Clone)]
pub struct ZmqLink(Arc<Shared>);

struct Shared {
    hub: Hub,
    /// The way that it was made for.
    way: Way,
    /// Why it is broken, once it is.
    broken: watch::Sender<Option<String>>,
    /// The socket, which the workers keep open.
    reception: Mutex<Weak<Reception>>,
    cut: CancellationToken,
}

impl Dial for Hub {
    type Connection = ZmqLink;
    type Cutter = CancellationToken;

    fn place(&self) -> String {
        let doors: Vec<_> = self.sockets().map(|socket| self.doors().door(socket).endpoint()).collect();
        doors.join(", ")
    }

    /// There is nothing to connect to but a service's own socket, which its first worker connects.
    async fn dial(&self, _name: &str) -> Result<(ZmqLink, CancellationToken), String> {
        let cut = CancellationToken::new();
        let shared = Shared {
            hub: self.clone(),
            way: self.way(),
            broken: watch::Sender::new(None),
            reception: Mutex::new(Weak::new()),
            cut: cut.clone(),
        };
        Ok((ZmqLink(Arc::new(shared)), cut))
    }

    async fn watch(&self, link: &ZmqLink, _changed: &(dyn Fn(Flow) + Send + Sync)) -> String {
        let (mut broken, mut ways) = (link.0.broken.subscribe(), self.ways());
        let why = tokio::select! {
            why = broken.wait_for(Option::is_some) => {
                why.ok().and_then(|why| why.clone()).unwrap_or_else(|| "the connection is gone".to_owned())
            }
            _ = ways.wait_for(|way| *way != link.0.way) => ANEW.to_owned(),
        };
        if self.is_stopping() {
            // Whoever has something in hand finishes it.
            std::future::pending::<()>().await;
        }
        why
    }

    fn begins_anew(&self, why: &str) -> bool {
        why == ANEW
    }

    async fn close(&self, link: &ZmqLink) {
        link.0.cut.cancel();
    }
}

impl ZmqLink {
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// The service's socket, connected unless it is.
    async fn reception(&self, service: Service) -> Result<Arc<Reception>, Lost> {
        let mut known = self.0.reception.lock().await;
        if let Some(open) = known.upgrade() {
            return Ok(open);
        }
        let weak = Arc::downgrade(&self.0);
        let failed = move |why: String| {
            if let Some(link) = weak.upgrade() {
                link.broken.send_replace(Some(why));
            }
        };
        let opened = Reception::open(&self.0.hub, service, failed).await;
        let open = Arc::new(opened.inspect_err(|Lost(why)| {
            self.0.broken.send_replace(Some(why.clone()));
        })?);
        *known = Arc::downgrade(&open);
        Ok(open)
    }
}

impl Link for ZmqLink {
    type Intake = MemoryIntake<ZmqAside>;

    async fn open(
        &self,
        consumer: &Consumer,
        _tag: &Id,
        prefetch: u16,
    ) -> Result<(Self::Intake, Option<u64>), WorkerError> {
        let service = consumer.queue.service;
        let reception = self.reception(service).await?;
        let memory = self.0.hub.memory(service).clone();
        let (waiting, ..) = memory.counts();
        let broken = self.0.broken.subscribe();
        let aside = ZmqAside { hub: self.0.hub.clone(), memory: memory.clone() };
        Ok((MemoryIntake::new(aside, memory, reception, broken, prefetch), Some(waiting)))
    }

    fn is_up(&self) -> bool {
        self.0.broken.borrow().is_none()
    }
}
