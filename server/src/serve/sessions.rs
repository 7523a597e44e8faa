//! What is done with each connection to the broker while it lasts.

use crate::{
    recount,
    styles::{self, Services},
};
use bridge::{
    management::Bound,
    neighbours::{Exchange, Neighbours},
    tap,
};
use control::Control;
use flow::{Service, System, Transport, api::WorkersState, fault::FaultKind};
use inventory::Inventory;
use journal::Journal;
use lapin::{Connection, options::QueueDeclareOptions, types::FieldTable};
use messaging::{
    Bindings as _, Publisher, Scope, Strangers, Unacked, connection::Session, consumer::Consumer,
    supervisor::Supervisor, topology, transport::Lost,
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zeromq_transport::{Hub, ZmqLink};

/// What the services do with their connections.
#[derive(Clone)]
pub(crate) struct Sessions {
    pub services: Services,
    pub journal: Journal,
    pub strangers: Strangers,
    pub unacked: Unacked,
    pub control: Control,
    pub neighbours: Neighbours,
}

impl Sessions {
    /// What one service of one system does, until told to stop.
    pub fn of(&self, system: System, service: Service, stop: CancellationToken) -> ServiceSession {
        let scope = self.control.scope(system, service);
        let consumer = Consumer {
            queue: system.queue_of(service),
            handler: styles::handler(system.style, self.services.clone()),
            journal: self.journal.clone(),
            strangers: self.strangers.clone(),
            unacked: self.unacked.clone(),
            scope: scope.clone(),
            stop: stop.clone(),
        };
        let inventory = (service == Service::Inventory).then(|| self.services.inventory.clone());
        // Of AMQP's connections one says for all of them who is here; a system over Redis starts by itself.
        let is_first = !system.transport.is_default() || Some(system) == Transport::Amqp.systems().next();
        let neighbours = inventory.is_some() && is_first;
        let neighbours = neighbours.then(|| self.neighbours.clone());
        ServiceSession { control: self.control.clone(), scope, consumer, inventory, neighbours, stop }
    }
}

/// What one service of one system does with its connection: it consumes, and inventory also relays.
pub(crate) struct ServiceSession {
    pub control: Control,
    pub scope: Scope,
    pub consumer: Consumer,
    pub inventory: Option<Inventory>,
    pub neighbours: Option<Neighbours>,
    pub stop: CancellationToken,
}

impl Session for ServiceSession {
    async fn run(&self, connection: &Connection, ready: &(dyn Fn() + Send + Sync)) -> Result<(), Lost> {
        let channel = connection.create_channel().await?;
        topology::declare(&channel, &self.control).await?;
        let supervisor = Supervisor::start(self.consumer.clone(), connection).await?;
        ready();
        let relay = async {
            match &self.inventory {
                Some(inventory) => {
                    let publisher = Publisher::open(connection).await?;
                    inventory.relay(self.scope.system, &publisher, &self.stop, &self.scope).await
                }
                None => Ok(()),
            }
        };
        let neighbours = async {
            match &self.neighbours {
                Some(neighbours) => neighbours.watch(Exchange::open(connection).await?, &self.stop).await,
                None => Ok(()),
            }
        };
        let binding = async {
            let (queue, control) = (self.consumer.queue, &self.control);
            Ok(topology::keep_binding(&channel, queue, control, &self.stop).await?)
        };
        tokio::try_join!(supervisor.run(), relay, binding, neighbours)?;
        Ok(())
    }

    async fn cut(&self) -> String {
        self.is_cut().await
    }

    fn lost(&self, reason: &str) {
        self.scope.crew().interrupted(reason.to_owned());
    }
}

impl ServiceSession {
    /// Waits until a fault cuts it, and says which; and whether that is as if the process had died.
    pub(super) async fn is_cut_by(&self) -> (String, bool) {
        let reason = self.is_cut().await;
        let kind = *self.control.crashes(self.scope.system, self.scope.service).borrow();
        (reason, matches!(kind, Some(FaultKind::CrashBeforeEffect | FaultKind::CrashBeforeAck)))
    }

    /// Whose workers are to be there.
    pub(super) fn listeners(&self) -> Vec<Service> {
        let mut listeners = Service::ALWAYS.to_vec();
        listeners.retain(|service| {
            let state = self.control.workers(self.scope.system, *service).state;
            !matches!(state, WorkersState::Stopped | WorkersState::Failed)
        });
        listeners
    }

    /// Waits until a fault cuts it, and says which.
    async fn is_cut(&self) -> String {
        let mut crashes = self.control.crashes(self.scope.system, self.scope.service);
        // Only ever closed with the whole server.
        let _ = crashes.changed().await;
        let Some(kind) = *crashes.borrow() else { return "the server ends".into() };
        let reason = match kind {
            FaultKind::ConnectionCut => return "the connection was cut, on purpose".into(),
            FaultKind::RelayCrash => return "the relay crashed, on purpose".into(),
            kind => format!("the service crashed, on purpose: {kind}"),
        };
        self.scope.crew().crashed(reason.clone());
        reason
    }
}

/// The same over ZeroMQ.
pub(crate) struct ZmqSession {
    pub of: ServiceSession,
    pub hub: Hub,
    /// Whether it ends as if its process had died, with all that was in its memory.
    pub crashed: AtomicBool,
}

/// How long inventory waits for the others to listen before it sends.
const LISTEN_WITHIN: Duration = Duration::from_secs(3);

impl Session<ZmqLink> for ZmqSession {
    async fn run(&self, link: &ZmqLink, ready: &(dyn Fn() + Send + Sync)) -> Result<(), Lost> {
        let ServiceSession { scope, consumer, inventory, stop, .. } = &self.of;
        let (system, queue, hub) = (scope.system, consumer.queue, &self.hub);
        recount::parked(&consumer.journal, [(queue, hub.parked(queue))]).await;
        let publishing = match inventory {
            Some(inventory) => Some((inventory, hub.bind().await?)),
            None => None,
        };
        let supervisor = Supervisor::start(consumer.clone(), link).await?;
        ready();
        let relay = async {
            let Some((inventory, outlet)) = publishing else { return Ok(()) };
            // Who sends before anybody listens loses it.
            hub.all_hear(&self.of.listeners(), LISTEN_WITHIN).await;
            inventory.relay(system, &outlet, stop, scope).await
        };
        tokio::try_join!(supervisor.run(), relay)?;
        Ok(())
    }

    async fn cut(&self) -> String {
        let (reason, is_death) = self.of.is_cut_by().await;
        self.crashed.store(is_death, Ordering::Relaxed);
        reason
    }

    fn lost(&self, reason: &str) {
        if self.crashed.swap(false, Ordering::Relaxed) {
            let service = self.of.scope.service;
            self.hub.memory(service).is_gone(&format!("{service} crashed with it in its memory"));
        }
        self.of.lost(reason);
    }
}

/// The bridge's own connection to a broker that is not ours: the tap, and a channel for measuring.
pub(super) struct WatchRemote {
    pub channel: watch::Sender<Option<lapin::Channel>>,
    pub journal: Journal,
    pub strangers: Strangers,
    pub bound: Bound,
    pub control: Control,
    pub stop: CancellationToken,
}

impl Session for WatchRemote {
    async fn run(&self, connection: &Connection, ready: &(dyn Fn() + Send + Sync)) -> Result<(), Lost> {
        // Until it hears everything, it hears nothing: what is bound may not be unbound before that.
        self.control.tap_follows(Some(0));
        self.channel.send_replace(Some(connection.create_channel().await?));
        let Self { journal, strangers, bound, control, stop, .. } = self;
        let channel = connection.create_channel().await?;
        topology::declare(&channel, control).await?;
        let mut depths = Vec::new();
        for queue in control.queues() {
            let passive = QueueDeclareOptions { passive: true, ..Default::default() };
            let dead = channel.queue_declare(queue.dead.into(), passive, FieldTable::default()).await?;
            depths.push((queue, u64::from(dead.message_count())));
        }
        recount::parked(journal, depths).await;
        Ok(tap::run(connection, journal, strangers, bound, control, stop, ready).await?)
    }

    fn lost(&self, _reason: &str) {
        self.channel.send_replace(None);
        self.control.tap_follows(None);
    }
}
