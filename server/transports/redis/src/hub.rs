//! What the services of one system over Redis have in common: the mode, and what is kept by nobody in the modes that keep nothing.

use crate::{form::Form, names};
use flow::{
    Service, Style, System,
    mode::{Fetch, Mode},
};
use journal::Journal;
use messaging::lossy::{Ledger, Memory, Register, register::Topic};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// In which way messages travel and are taken: the system's modes, by what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Streams,
    PubSub,
    Jobs(Form, Fetch),
}

impl Way {
    #[must_use]
    pub fn of(mode: Mode) -> Self {
        match mode.name {
            "pubsub" => Self::PubSub,
            "sidekiq" => Self::Jobs(Form::Sidekiq, mode.fetch),
            "resque" => Self::Jobs(Form::Resque, mode.fetch),
            _ => Self::Streams,
        }
    }

    /// In whose form jobs are, where there are jobs.
    #[must_use]
    pub const fn form(self) -> Form {
        match self {
            Self::Jobs(form, _) => form,
            Self::Streams | Self::PubSub => Form::Sidekiq,
        }
    }

    /// Whether messages are kept until they are handled.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Streams | Self::Jobs(_, Fetch::Reliable))
    }
}

/// See the module; clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    system: System,
    journal: Journal,
    way: watch::Sender<Way>,
    ledger: Ledger,
    register: Register,
    memories: [Memory; Service::ALWAYS.len()],
    /// Names this run to those who count.
    run: String,
    /// Whether inventory may publish.
    publishes: watch::Sender<bool>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hub({})", self.0.system)
    }
}

impl Hub {
    /// What a system needs that begins in that way. It judges what is lost until told to stop.
    #[must_use]
    pub fn new(system: System, way: Way, ledger: Ledger, journal: Journal, stop: CancellationToken) -> Self {
        let is_all = system.style == Style::Choreography;
        let memory = |service| Memory::new(system.queue_of(service), is_all, ledger.clone(), journal.clone());
        let all = Topic { name: names::STREAM.to_owned(), service: None };
        let own =
            Service::ALWAYS.map(|service| Topic { name: names::own_stream(service), service: Some(service) });
        let topics = std::iter::once(all).chain(own);
        let register = Register::new(system, topics, ledger.clone(), journal.clone());
        let judge = ledger.clone();
        tokio::spawn(async move { judge.keep(&stop).await });
        Self(Arc::new(Shared {
            system,
            way: watch::Sender::new(way),
            register,
            memories: Service::ALWAYS.map(memory),
            run: Uuid::new_v4().simple().to_string(),
            publishes: watch::Sender::new(false),
            ledger,
            journal,
        }))
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

    pub(crate) fn run(&self) -> &str {
        &self.0.run
    }

    #[must_use]
    pub fn way(&self) -> Way {
        *self.0.way.borrow()
    }

    /// Changes the way: the services finish what they have in hand, and go on in the other.
    pub fn set_way(&self, way: Way) {
        self.0.way.send_if_modified(|current| std::mem::replace(current, way) != way);
    }

    #[must_use]
    pub fn ways(&self) -> watch::Receiver<Way> {
        self.0.way.subscribe()
    }

    /// Inventory publishes from now on, or no more.
    pub fn publishes(&self, does: bool) {
        self.0.publishes.send_replace(does);
    }

    /// Waits until inventory publishes no more, for at most so long: who leaves before that misses something.
    pub async fn is_quiet(&self, most: Duration) {
        let mut publishes = self.0.publishes.subscribe();
        // Late, it is no more than a loss that is told.
        let _ = timeout(most, publishes.wait_for(|publishes| !publishes)).await;
    }

    /// The server ends: what is in the services' memories goes with it.
    pub async fn end(&self) {
        for service in Service::ALWAYS {
            self.memory(service).is_gone(&format!("the server ended with it in {service}'s memory"));
        }
        self.0.ledger.judge(Duration::ZERO).await;
    }
}
