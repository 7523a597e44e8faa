#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod config;
mod core;
mod event;
mod health;
mod listener;
pub mod raw;
mod store;

pub use crate::health::{Health, HealthChanges};
pub use crate::store::StoreError;
pub use crate::{
    config::{Config, EventHook, Limits, Product},
    core::Message,
    event::{
        BindingDestination, BindingInfo, ConnectionInfo, ConsumerInfo, DeathReason, Event, ExchangeInfo,
        ExchangeKind, Overview, QueueCounts, QueueDepth, QueueInfo, Settlement,
    },
};
/// The properties and field types of messages are those of the `amq-protocol` crate.
pub use amq_protocol::{protocol::BasicProperties, types};

use crate::{
    core::{Core, Names, Settings},
    listener::{Clock, FRAME_MIN_BYTES, Shared},
    store::{Signal, Store},
};
use std::{fmt, io, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::task::TaskTracker;

/// Deliveries to one connection pause while this much is on its way to the socket.
const MAX_UNWRITTEN_BYTES: usize = 1 << 20;

/// How many messages may move before others get the broker: a few milliseconds' worth.
const TURN_STEPS: usize = 2000;

/// Why a broker did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A limit is too low for the protocol.
    #[error("frame_bytes is {0}, but AMQP needs frames of at least 4096 bytes (spec 4.2.3)")]
    FrameTooSmall(u32),
}

/// A running broker. Dropping it stops it without a word to its clients; [`Broker::shutdown`] is kinder.
pub struct Broker {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
    tasks: TaskTracker,
    store: Option<Arc<Signal>>,
    writer: Option<JoinHandle<()>>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

impl Broker {
    /// Starts a broker; clients can connect when it returns. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the configuration makes no sense.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        if config.limits.frame_bytes < FRAME_MIN_BYTES {
            return Err(StartError::FrameTooSmall(config.limits.frame_bytes));
        }
        let clock = Clock::start();
        let settings = Settings {
            vhost: config.vhost.clone(),
            user: config.user.clone(),
            max_message_bytes: config.limits.message_bytes,
            max_queues: config.limits.queues,
            max_unwritten_bytes: MAX_UNWRITTEN_BYTES,
            durable: config.data.is_some(),
            hook: config.on_event.clone(),
            turn_steps: TURN_STEPS,
        };
        let mut core = Core::new(settings, Names::random(), clock.now_ms());
        let store = match config.data.clone() {
            None => {
                core.report_started();
                None
            }
            Some(folder) => {
                let path = folder.clone();
                let opening = tokio::task::spawn_blocking(move || Store::open(&path));
                let (store, restored) = opening.await.map_err(|error| StoreError::Damaged {
                    path: folder.clone(),
                    detail: error.to_string(),
                })??;
                core.restore(restored).map_err(|exception| StoreError::Damaged {
                    path: folder.clone(),
                    detail: exception.to_string(),
                })?;
                Some(store)
            }
        };
        let listen = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;
        let signal = store.is_some().then(Arc::<Signal>::default);
        let shared = Arc::new(Shared::new(&config, core, clock, signal.clone()));
        let writer = store.zip(signal.clone()).map(|(store, signal)| {
            let shared = shared.clone();
            tokio::task::spawn_blocking(move || store::run(store, &shared, &signal))
        });
        let tasks = TaskTracker::new();
        tasks.spawn(listener::run(listener, shared.clone(), tasks.clone()));
        let timer = shared.clone();
        tasks.spawn(async move { timer.run_timer().await });
        let worker = shared.clone();
        tasks.spawn(async move { worker.run_work().await });
        Ok(Self { shared, local_addr, tasks, store: signal, writer })
    }

    /// Where the broker listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Everything there is. Waits for its turn, and must not be called from an event hook.
    pub fn overview(&self) -> Overview {
        self.shared.overview()
    }

    /// What a queue holds at this moment; none if there is no such queue. Waits for nothing.
    pub fn queue_counts(&self, queue: &str) -> Option<QueueCounts> {
        self.shared.gauges.read(queue)
    }

    /// Whether messages are taken, and if not, why. Waits for nothing.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// Tells when [`Broker::health`] may have changed.
    pub fn health_changes(&self) -> HealthChanges {
        HealthChanges(self.shared.pressure.subscribe())
    }

    /// How many bytes all messages take of memory: what counts against [`Limits::memory_bytes`]. Waits for nothing.
    pub fn held_bytes(&self) -> usize {
        self.shared.held_bytes()
    }

    /// Closes all connections with 320 CONNECTION_FORCED, writes everything to disk and stops.
    pub async fn shutdown(mut self) {
        self.shared.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // What the connections held when they ended must be on disk as it is.
        while self.shared.work() {
            tokio::task::yield_now().await;
        }
        if let Some(signal) = &self.store {
            signal.stop();
        }
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the store's writer failed");
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.shared.shutdown.cancel();
        if let Some(signal) = &self.store {
            signal.stop();
        }
    }
}
