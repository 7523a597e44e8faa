//! All that one system's sockets have in common, on both sides: the doors, the numbers, the services' memories, the mode.

use crate::{
    acked, door,
    frames::own_topic,
    guests::Guests,
    letters::{self, Letter},
    listen::{Doors, Socket, sockets_of},
    outlet::{self, ZmqOutlet},
};
use flow::{
    Kind, Service, Style, System,
    topology::{Queue, SKU_PROCESSED},
};
use journal::Journal;
use messaging::{
    lossy::{Ledger, Memory, Register, about::event, register::Topic},
    transport::Lost,
};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{sync::watch, task::spawn_blocking};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zeromq::ZmqError;

/// In which way messages travel: the system's modes, by what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By PUB and SUB, or PUSH and PULL.
    Plain,
    /// By ROUTER and DEALER, with acknowledgements.
    Acked,
}

impl Way {
    /// The way of a mode, by its name.
    #[must_use]
    pub fn of(mode: &str) -> Self {
        if mode == "acked" { Self::Acked } else { Self::Plain }
    }
}

/// See the module; clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    system: System,
    journal: Journal,
    doors: Doors,
    way: watch::Sender<Way>,
    ledger: Ledger,
    register: Register,
    memories: [Memory; Service::ALWAYS.len()],
    /// By which name each service is known to a ROUTER socket. Nobody else can know it.
    identities: [String; Service::ALWAYS.len()],
    /// What the identities of our own sockets begin with.
    own: String,
    /// Names this run to those who count.
    run: String,
    /// Where what is parked lies.
    parked: PathBuf,
    /// Where the sockets are, behind their doors.
    inside: TempDir,
    /// Told as the server stops.
    stop: CancellationToken,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub({})", self.0.system)
    }
}

impl Hub {
    /// A system whose sockets are behind those doors, and whose parked messages lie in that folder.
    ///
    /// # Errors
    /// When there can be no folder for the sockets.
    pub fn new(
        system: System,
        doors: Doors,
        way: Way,
        parked: PathBuf,
        ledger: Ledger,
        journal: Journal,
        stop: CancellationToken,
    ) -> std::io::Result<Self> {
        // Only we may enter it: there, nobody is checked.
        let inside = tempfile::Builder::new().prefix("skuflow-zeromq-").tempdir()?;
        let memory = |service| Memory::new(system.queue_of(service), true, ledger.clone(), journal.clone());
        let memories = Service::ALWAYS.map(memory);
        let register = Register::new(system, topics(system), ledger.clone(), journal.clone());
        let (judge, end) = (ledger.clone(), stop.clone());
        tokio::spawn(async move { judge.keep(&end).await });
        let token = || Uuid::new_v4().simple().to_string();
        let own = format!("skuflow-{}", token());
        for (_, door) in doors.all() {
            door.tell(Guests { system, journal: journal.clone(), own: own.clone() });
        }
        Ok(Self(Arc::new(Shared {
            system,
            doors,
            way: watch::Sender::new(way),
            ledger,
            register,
            memories,
            identities: Service::ALWAYS.map(|service| format!("{service}-{}", token())),
            own,
            run: token(),
            parked,
            inside,
            journal,
            stop,
        })))
    }

    #[must_use]
    pub fn system(&self) -> System {
        self.0.system
    }

    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    #[must_use]
    pub fn doors(&self) -> &Doors {
        &self.0.doors
    }

    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    #[must_use]
    pub fn register(&self) -> &Register {
        &self.0.register
    }

    #[must_use]
    pub fn memory(&self, service: Service) -> &Memory {
        &self.0.memories[service as usize]
    }

    pub(crate) fn identity(&self, service: Service) -> &str {
        &self.0.identities[service as usize]
    }

    /// An identity by which a door knows a socket of ours. No two sockets have the same: who comes back may do so before it
    /// was noticed that it had left.
    pub(crate) fn own_identity(&self) -> String {
        format!("{}-{}", self.0.own, Uuid::new_v4().simple())
    }

    pub(crate) fn service_of(&self, identity: &[u8]) -> Option<Service> {
        Service::ALWAYS.into_iter().find(|service| self.identity(*service).as_bytes() == identity)
    }

    pub(crate) fn run(&self) -> &str {
        &self.0.run
    }

    #[must_use]
    pub fn way(&self) -> Way {
        *self.0.way.borrow()
    }

    /// Changes the way; connections of the other end by themselves.
    pub fn set_way(&self, way: Way) {
        self.0.way.send_if_modified(|current| std::mem::replace(current, way) != way);
    }

    pub(crate) fn ways(&self) -> watch::Receiver<Way> {
        self.0.way.subscribe()
    }

    /// Whether the server stops: then inventory's sockets may go before the others have finished what they have in hand.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stop.is_cancelled()
    }

    /// The sockets that are there in the way that messages travel now.
    pub fn sockets(&self) -> impl Iterator<Item = Socket> {
        let way = self.way();
        sockets_of(self.0.system.style)
            .filter(move |socket| (*socket == Socket::Router) == (way == Way::Acked))
    }

    /// What travels by a socket, as its first frame says.
    #[must_use]
    pub fn carries(&self, socket: Socket) -> String {
        match socket {
            Socket::Pub => SKU_PROCESSED.name.to_owned(),
            Socket::Push(service) => self.0.system.queue_of(service).routing_key.to_owned(),
            Socket::Router => self.0.system.queue_of(Service::Catalog).message_type().to_owned(),
        }
    }

    /// Waits until these services hear what is sent, for at most so long; where nothing can be missed, not at all.
    pub async fn all_hear(&self, services: &[Service], most: Duration) {
        if self.way() == Way::Plain && !self.0.register.all_hear(services, most).await {
            tracing::debug!(system = %self.0.system, "not all are connected; what they miss is told");
        }
    }

    /// Binds the sockets, and answers where to publish. They are there for as long as anybody can publish.
    ///
    /// # Errors
    /// When they cannot be bound.
    pub async fn bind(&self) -> Result<ZmqOutlet, Lost> {
        let bound = match self.way() {
            Way::Plain => outlet::bind(self).await,
            Way::Acked => acked::bind(self).await,
        };
        bound.map_err(|error| Lost(format!("the sockets cannot be bound: {error}")))
    }

    /// Binds a socket behind its door.
    pub(crate) async fn bind_inside(
        &self,
        socket: Socket,
        inner: &mut impl zeromq::Socket,
    ) -> Result<door::Open, ZmqError> {
        let path = self.0.inside.path().join(Uuid::new_v4().simple().to_string());
        inner.bind(&format!("ipc://{}", path.display())).await?;
        Ok(self.0.doors.door(socket).open(path))
    }

    /// Tells how many are parked, where the journal tells another number.
    pub fn parked(&self, queue: &'static Queue) -> u64 {
        letters::count(&self.0.parked, queue)
    }

    /// What is parked of a queue, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn letters(&self, queue: &'static Queue) -> Result<Vec<Letter>, Lost> {
        let folder = self.0.parked.clone();
        let read = spawn_blocking(move || letters::of(&folder, queue)).await;
        read.map_err(|error| Lost(error.to_string()))?
    }

    pub(crate) fn parked_folder(&self) -> PathBuf {
        self.0.parked.clone()
    }

    /// Says that nothing is in the services' memories, where the last run's last word was another one.
    pub fn starts_empty(&self) {
        let picture = self.0.journal.picture_now();
        for queue in self.0.system.queues() {
            let shown = picture.system(self.0.system).queue(queue.name);
            if shown.is_some_and(|shown| shown.ready() + shown.unacked() > 0) {
                let (ready, unacked) = (Some(0), Some(0));
                let kind = Kind::Counted { messages: None, emails: None, dead: None, ready, unacked };
                self.0.journal.report(event(queue, None, kind));
            }
        }
    }

    /// The server ends: what is in the services' memories goes with it.
    pub async fn end(&self) {
        for service in Service::ALWAYS {
            self.memory(service).is_gone(&format!("the server ended with it in {service}'s memory"));
        }
        self.0.ledger.judge(Duration::ZERO).await;
    }
}

/// What is counted by numbers of its own.
fn topics(system: System) -> Vec<Topic> {
    let own = system.queues().map(|queue| Topic { name: own_topic(queue), service: Some(queue.service) });
    let all = Topic { name: SKU_PROCESSED.name.to_owned(), service: None };
    let of_all = (system.style == Style::Choreography).then_some(all);
    of_all.into_iter().chain(own).collect()
}
