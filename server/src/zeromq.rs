//! The systems over ZeroMQ. One starts when it is first used: before that no socket is bound, unless a flag names where.

use crate::{
    modes::{self, ModeTold, Modes},
    serve::sessions::{Sessions, ZmqSession},
    truth::OfStores,
};
use flow::{
    Actor, Service, Style, System, Transport,
    api::{QueueDepth, SocketTold, TransportState, TransportTold},
    topology::Queue,
};
use futures::future::BoxFuture;
use messaging::{
    Envelope,
    connection::{Connector, Owner},
    depths::{self, Gauge},
    letters::{Letter, Shelf},
    lossy::Ledger,
    transport::Lost,
};
use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;
use zeromq_transport::{Doors, Hub, ListenAt, Way, letters};

/// See the module; clones share it.
#[derive(Clone)]
pub struct ZeromqSystems(Arc<Shared>);

/// What the systems are set up with.
pub(crate) struct Setup {
    pub listen: ListenAt,
    /// The doors, where they were bound as the server started.
    pub doors: Option<[(System, Doors); 2]>,
    /// The data folder: what is parked lies in it, and what was sent and has not had its effect.
    pub data: PathBuf,
    pub modes: Modes,
    /// What a connection needs; its way is each system's own.
    pub connector: Connector<()>,
    pub sessions: Sessions,
    pub tasks: TaskTracker,
}

struct Shared {
    setup: Setup,
    hubs: OnceLock<[Hub; Style::ALL.len()]>,
    awake: [AtomicBool; Style::ALL.len()],
    /// One at a time is woken.
    waking: Mutex<()>,
}

impl fmt::Debug for ZeromqSystems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ZeromqSystems")
    }
}

impl ZeromqSystems {
    /// Nothing is started yet. What is started ends with the connector's `stop`, and is one of the tasks.
    pub(crate) fn new(setup: Setup) -> Self {
        let (hubs, awake, waking) = (OnceLock::new(), Default::default(), Mutex::default());
        Self(Arc::new(Shared { setup, hubs, awake, waking }))
    }

    /// Sets a system to work unless it is.
    ///
    /// # Errors
    /// When its sockets cannot be bound.
    pub async fn wake(&self, system: System) -> Result<(), String> {
        if self.is_awake(system.style) {
            return Ok(());
        }
        let _waking = self.0.waking.lock().await;
        if self.is_awake(system.style) {
            return Ok(());
        }
        let Setup { connector, sessions, tasks, .. } = &self.0.setup;
        if connector.stop.is_cancelled() {
            return Ok(());
        }
        let hub = self.hubs()?[system.style as usize].clone();
        hub.starts_empty();
        self.0.awake[system.style as usize].store(true, Ordering::Release);
        self.0.setup.modes.tell(&connector.journal, system, None);
        for (system, service) in system.services() {
            let session = ZmqSession {
                of: sessions.of(system, service, connector.stop.clone()),
                hub: hub.clone(),
                crashed: AtomicBool::default(),
            };
            let owner = Owner { node: service.into(), system: Some(system) };
            tasks.spawn(connector.clone().over(hub.clone()).keep(owner, session));
        }
        Ok(())
    }

    /// The systems' sockets and memories, made when they are first asked for.
    fn hubs(&self) -> Result<&[Hub; Style::ALL.len()], String> {
        if let Some(hubs) = self.0.hubs.get() {
            return Ok(hubs);
        }
        let Setup { listen, doors, data, modes, connector, sessions, .. } = &self.0.setup;
        let cannot = |error: std::io::Error| {
            format!("the sockets of ZeroMQ cannot be bound: {error}; choose others with --zeromq-listen")
        };
        let doors = match doors {
            Some(doors) => doors.clone(),
            None => Doors::bind(*listen).map_err(cannot)?,
        };
        let [first, second] = doors.map(|(system, doors)| {
            let way = Way::of(modes.of(system).name);
            let (journal, stop) = (connector.journal.clone(), connector.stop.clone());
            let truth = Arc::new(OfStores(sessions.services.clone()));
            let ledger = Ledger::open(data, system, journal.clone(), truth).map_err(|error| {
                format!("what the last run left cannot be read: {error}; see to the data folder")
            })?;
            Hub::new(system, doors, way, data.join("zeromq"), ledger, journal, stop).map_err(cannot)
        });
        let hubs = [first?, second?];
        Ok(self.0.hubs.get_or_init(|| hubs))
    }

    fn hub(&self, system: System) -> Option<&Hub> {
        self.0.hubs.get().map(|hubs| &hubs[system.style as usize])
    }

    fn is_awake(&self, style: Style) -> bool {
        self.0.awake[style as usize].load(Ordering::Acquire)
    }

    #[must_use]
    pub fn told(&self, system: System) -> TransportTold {
        let ModeTold { mode, modes, fetch, fetches, promise } =
            modes::told(system, self.0.setup.modes.of(system));
        let awake = self.hub(system).filter(|_| self.is_awake(system.style));
        let told = |hub: &Hub| {
            let told = hub.sockets().map(|socket| SocketTold {
                socket_type: socket.type_name().to_owned(),
                endpoint: hub.doors().door(socket).endpoint(),
                carries: hub.carries(socket),
            });
            told.collect()
        };
        let turned_away = |hub: &Hub| hub.doors().all().find_map(|(_, door)| door.turned_away());
        TransportTold {
            transport: Transport::Zeromq,
            state: match awake {
                None => TransportState::Asleep,
                Some(_) => self.0.setup.connector.links.state_of(system),
            },
            mode,
            modes,
            fetch,
            fetches,
            promise,
            server: None,
            detail: awake.and_then(turned_away),
            sockets: awake.map(told).unwrap_or_default(),
        }
    }

    /// Somebody has changed the mode of a system.
    pub fn mode_is(&self, system: System, by: &Arc<Actor>) {
        let Setup { modes, connector, .. } = &self.0.setup;
        modes.tell(&connector.journal, system, Some(by));
        if let Some(hub) = self.hub(system) {
            hub.set_way(Way::of(self.0.setup.modes.of(system).name));
        }
    }

    /// What is in the services' memories goes with the server, and is told.
    pub async fn end(&self) {
        for hub in self.0.hubs.get().into_iter().flatten() {
            hub.end().await;
        }
    }
}

impl Gauge for ZeromqSystems {
    fn sample(&self) -> BoxFuture<'_, Vec<QueueDepth>> {
        let awake = Transport::Zeromq.systems().filter(|system| self.is_awake(system.style));
        let depth = |hub: &Hub, queue: &Queue| {
            let (ready, unacked, consumers) = hub.memory(queue.service).counts();
            depths::depth(queue, ready, unacked, consumers)
        };
        let of = |system: System| {
            let hub = self.hub(system);
            system.queues().filter_map(move |queue| hub.map(|hub| depth(hub, queue)))
        };
        let depths = awake.flat_map(of).collect();
        Box::pin(async move { depths })
    }
}

impl Shelf for ZeromqSystems {
    fn letters(&self, queue: &'static Queue) -> BoxFuture<'_, Result<Vec<Box<dyn Letter>>, Lost>> {
        Box::pin(async move {
            let Some(hub) = self.hub(queue.system()).filter(|_| queue.service != Service::Loyalty) else {
                return Ok(Vec::new());
            };
            let on_shelf = |letter| Box::new(OnShelf { letter, hub: hub.clone(), queue }) as Box<dyn Letter>;
            Ok(hub.letters(queue).await?.into_iter().map(on_shelf).collect())
        })
    }
}

/// A parked message, and the memory to which it may go back.
struct OnShelf {
    letter: letters::Letter,
    hub: Hub,
    queue: &'static Queue,
}

impl Letter for OnShelf {
    fn envelope(&self) -> &Envelope {
        &self.letter.envelope
    }

    fn discard(&self) -> BoxFuture<'_, Result<bool, Lost>> {
        Box::pin(async { self.letter.discard() })
    }

    /// Into the memory of its service: from there on it is as safe as that.
    fn replay<'a>(&'a self, envelope: &'a Envelope) -> BoxFuture<'a, Result<bool, Lost>> {
        Box::pin(async {
            let was_there = self.letter.discard()?;
            if was_there {
                self.hub.memory(self.queue.service).replayed(envelope.clone());
            }
            Ok(was_there)
        })
    }
}
