//! The systems over Redis. One starts when it is first used: before that there is no connection, no child and no session.

use crate::{
    modes::{self, ModeTold, Modes},
    serve::{redis_session::RedisSession, sessions::Sessions},
    truth::OfStores,
};
use flow::{
    Actor, Id, Service, Style, System, Transport,
    api::{QueueDepth, TransportState, TransportTold},
    topology::Queue,
};
use futures::future::BoxFuture;
use messaging::{
    Envelope,
    connection::{Connector, Dial, Owner},
    depths::Gauge,
    letters::{Letter, Shelf},
    lossy::{Ledger, Truth},
    transport::Lost,
};
use redis_transport::{
    Hub, Redis, RedisLink, Server, Way, depths,
    letters::{self, of},
    server::{ServerError, State},
};
use std::{
    collections::HashSet,
    fmt,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::task::TaskTracker;

/// How long Redis may take to say what waits in it.
const SAMPLE_TIMEOUT: Duration = Duration::from_millis(500);

/// Why Redis takes no messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("Redis does not answer: {0}")]
    Silent(String),
    #[error("Redis takes no messages: {0}")]
    Refuses(String),
}

/// See the module; clones share it.
#[derive(Clone)]
pub struct RedisSystems(Arc<Shared>);

struct Shared {
    connector: Connector<Redis>,
    modes: Modes,
    /// Where what was sent and has not had its effect is noted.
    data: PathBuf,
    hubs: OnceLock<[Hub; Style::ALL.len()]>,
    sessions: Sessions,
    tasks: TaskTracker,
    /// Which systems are at work, by their style.
    awake: [AtomicBool; Style::ALL.len()],
    /// One at a time is woken.
    waking: Mutex<()>,
    /// For what is asked now and then.
    link: Mutex<Option<RedisLink>>,
}

impl fmt::Debug for RedisSystems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisSystems")
    }
}

impl RedisSystems {
    /// Nothing is started yet. What is started ends with the connector's `stop`, and is one of `tasks`.
    pub(crate) fn new(
        connector: Connector<Redis>,
        modes: Modes,
        data: PathBuf,
        sessions: Sessions,
        tasks: TaskTracker,
    ) -> Self {
        let (awake, waking, link) = (Default::default(), Mutex::default(), Mutex::default());
        let hubs = OnceLock::new();
        Self(Arc::new(Shared { connector, modes, data, hubs, sessions, tasks, awake, waking, link }))
    }

    /// What the systems share, made when they are first asked for.
    fn hubs(&self) -> Result<&[Hub; Style::ALL.len()], ServerError> {
        if let Some(hubs) = self.0.hubs.get() {
            return Ok(hubs);
        }
        let Shared { connector, modes, data, sessions, .. } = &*self.0;
        let hub = |style| {
            let system = System { style, transport: Transport::Redis };
            let (journal, stop) = (connector.journal.clone(), connector.stop.clone());
            let stores = OfStores(sessions.services.clone());
            let truth = Arc::new(OfRedis { stores, redis: connector.uri.clone() });
            let ledger = Ledger::open(data, system, journal.clone(), truth)
                .map_err(|error| ServerError::Folder(error.to_string()))?;
            Ok::<_, ServerError>(Hub::new(system, Way::of(modes.of(system)), ledger, journal, stop))
        };
        let hubs = [hub(Style::Choreography)?, hub(Style::Orchestration)?];
        Ok(self.0.hubs.get_or_init(|| hubs))
    }

    /// Somebody has changed the mode of a system.
    pub fn mode_is(&self, system: System, by: &Arc<Actor>) {
        self.0.modes.tell(&self.0.connector.journal, system, Some(by));
        if let Some(hubs) = self.0.hubs.get() {
            hubs[system.style as usize].set_way(Way::of(self.0.modes.of(system)));
        }
    }

    /// What is in the services' memories goes with the server, and is told.
    pub async fn end(&self) {
        for hub in self.0.hubs.get().into_iter().flatten() {
            hub.end().await;
        }
    }

    fn server(&self) -> &Server {
        &self.0.connector.uri.0
    }

    /// Sets a system to work unless it is. A Redis that was named and does not answer is asked again and again.
    ///
    /// # Errors
    /// When there is none that could ever answer.
    pub async fn wake(&self, system: System) -> Result<(), ServerError> {
        if self.is_awake(system.style) {
            return Ok(());
        }
        let _waking = self.0.waking.lock().await;
        if self.is_awake(system.style) {
            return Ok(());
        }
        match self.server().ready().await {
            Ok(_) | Err(ServerError::NoAnswer { .. }) => {}
            Err(error) => return Err(error),
        }
        if self.0.connector.stop.is_cancelled() {
            return Ok(());
        }
        let hub = self.hubs()?[system.style as usize].clone();
        self.0.awake[system.style as usize].store(true, Ordering::Release);
        self.0.modes.tell(&self.0.connector.journal, system, None);
        for (system, service) in system.services() {
            let session = RedisSession {
                of: self.0.sessions.of(system, service, self.0.connector.stop.clone()),
                hub: hub.clone(),
                crashed: AtomicBool::default(),
            };
            let owner = Owner { node: service.into(), system: Some(system) };
            self.0.tasks.spawn(self.0.connector.clone().keep(owner, session));
        }
        Ok(())
    }

    fn is_awake(&self, style: Style) -> bool {
        self.0.awake[style as usize].load(Ordering::Acquire)
    }

    pub async fn told(&self, system: System) -> TransportTold {
        let server = self.server();
        let trouble = self.trouble().await;
        let (state, label, detail) = match server.state() {
            State::Running { label } if trouble.is_some() => {
                let state = match trouble {
                    Some(Trouble::Silent(_)) => TransportState::Down,
                    _ => TransportState::Running,
                };
                (state, Some(label), trouble.map(|trouble| trouble.to_string()))
            }
            State::Asleep => (TransportState::Asleep, None, None),
            State::Running { label } => (TransportState::Running, Some(label), None),
            State::Failed(error @ ServerError::NotInstalled) => {
                (TransportState::NotInstalled, None, Some(error.to_string()))
            }
            State::Failed(error) => (TransportState::Down, Some(server.place()), Some(error.to_string())),
        };
        let ModeTold { mode, modes, fetch, fetches, promise } = modes::told(system, self.0.modes.of(system));
        TransportTold {
            transport: Transport::Redis,
            state,
            mode,
            modes,
            fetch,
            fetches,
            promise,
            server: label,
            detail,
            sockets: Vec::new(),
        }
    }

    /// What keeps a Redis that somebody uses from taking messages.
    pub async fn trouble(&self) -> Option<Trouble> {
        if !Style::ALL.iter().any(|style| self.is_awake(*style)) {
            return None;
        }
        let asked = async { self.link().await?.refusal().await };
        match timeout(SAMPLE_TIMEOUT, asked).await {
            Ok(Ok(refusal)) => refusal.map(Trouble::Refuses),
            Ok(Err(Lost(why))) => Some(Trouble::Silent(why)),
            Err(_) => Some(Trouble::Silent(format!("no answer within {} ms", SAMPLE_TIMEOUT.as_millis()))),
        }
    }

    /// The process id of our child, while there is one.
    #[must_use]
    pub fn child(&self) -> Option<u32> {
        self.server().pid()
    }

    /// Ends our child, once nobody works with it any more.
    pub async fn stop(&self) {
        self.server().stop().await;
    }

    /// A connection for what is asked now and then. One that Redis has ended since is found out before it is used.
    async fn link(&self) -> Result<RedisLink, Lost> {
        let mut known = self.0.link.lock().await;
        if let Some(link) = known.as_ref()
            && link.ping().await.is_ok()
        {
            return Ok(link.clone());
        }
        let (link, _) = self.0.connector.uri.dial("desk").await.map_err(Lost)?;
        *known = Some(link.clone());
        Ok(link)
    }
}

impl Gauge for RedisSystems {
    fn sample(&self) -> BoxFuture<'_, Vec<QueueDepth>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for system in Transport::Redis.systems() {
                if !self.is_awake(system.style) {
                    continue;
                }
                let Some(hubs) = self.0.hubs.get() else { continue };
                let hub = &hubs[system.style as usize];
                let sampled = async { depths::sample(&self.link().await?, hub, system).await };
                // Whoever asks wants to know of the other transports too.
                match timeout(SAMPLE_TIMEOUT, sampled).await {
                    Ok(Ok(depths)) => all.extend(depths),
                    Ok(Err(error)) => {
                        tracing::debug!(%system, %error, "what waits in Redis cannot be counted")
                    }
                    Err(_) => tracing::debug!(%system, "Redis is too slow to be asked what waits in it"),
                }
            }
            all
        })
    }
}

impl Shelf for RedisSystems {
    fn letters(&self, queue: &'static Queue) -> BoxFuture<'_, Result<Vec<Box<dyn Letter>>, Lost>> {
        Box::pin(async move {
            if !self.is_awake(queue.style) || queue.service == Service::Loyalty {
                return Ok(Vec::new());
            }
            let link = self.link().await?;
            let on_shelf = |letter| Box::new(OnShelf { letter, link: link.clone() }) as Box<dyn Letter>;
            Ok(of(&link, queue).await?.into_iter().map(on_shelf).collect())
        })
    }
}

/// A parked message, and the way to it.
struct OnShelf {
    letter: letters::Letter,
    link: RedisLink,
}

impl Letter for OnShelf {
    fn envelope(&self) -> &Envelope {
        &self.letter.envelope
    }

    fn discard(&self) -> BoxFuture<'_, Result<bool, Lost>> {
        Box::pin(self.letter.discard(&self.link))
    }

    fn replay<'a>(&'a self, envelope: &'a Envelope) -> BoxFuture<'a, Result<bool, Lost>> {
        Box::pin(self.letter.replay(envelope, &self.link))
    }
}

/// What the stores and Redis know of messages that seem to be lost.
struct OfRedis {
    stores: OfStores,
    redis: Redis,
}

impl Truth for OfRedis {
    fn handled(&self, queue: &'static Queue, ids: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>> {
        self.stores.handled(queue, ids)
    }

    fn waits(&self, queue: &'static Queue, ids: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>> {
        Box::pin(async move {
            let mut waits = self.stores.waits(queue, ids).await?;
            if queue.style == Style::Orchestration {
                let (link, _) = self.redis.dial("judge").await?;
                let listed = depths::listed(&link, queue).await;
                waits.extend(listed.map_err(|Lost(why)| why)?);
            }
            Ok(waits)
        })
    }
}
