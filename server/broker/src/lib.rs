//! An embeddable AMQP 0-9-1 broker that behaves like RabbitMQ for unmodified clients.
//!
//! ```
//! # async fn run() -> Result<(), broker::StartError> {
//! let broker = broker::Broker::start(broker::Config::default()).await?;
//! let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
//! // Connect any AMQP 0-9-1 client to `url`.
//! broker.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod config;
#[allow(dead_code, reason = "durability is described in the core already; the store that uses it comes next")]
mod core;
mod event;
mod listener;

pub use crate::{
    config::{Config, EventHook, Limits},
    core::Message,
    event::{
        BindingDestination, BindingInfo, ConnectionInfo, ConsumerInfo, DeathReason, Event, ExchangeInfo,
        ExchangeKind, Overview, QueueDepth, QueueInfo, Settlement,
    },
};
/// The properties and field types of messages are those of the `amq-protocol` crate.
pub use amq_protocol::{protocol::BasicProperties, types};

use crate::{
    core::{Core, Names, Settings},
    listener::{Clock, FRAME_MIN_BYTES, Shared},
};
use std::{fmt, io, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

/// Deliveries to one connection pause while this much is on its way to the socket.
const MAX_UNWRITTEN_BYTES: usize = 1 << 20;

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
    /// Durability is not there yet.
    #[error("this broker cannot keep anything on disk yet: start it without a data folder")]
    NotDurable,
    /// A limit is too low for the protocol.
    #[error("frame_bytes is {0}, but AMQP needs frames of at least 4096 bytes (spec 4.2.3)")]
    FrameTooSmall(u32),
}

/// A running broker. Dropping it stops it without a word to its clients; [`Broker::shutdown`] is kinder.
pub struct Broker {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
    tasks: TaskTracker,
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
        if config.data.is_some() {
            return Err(StartError::NotDurable);
        }
        let clock = Clock::start();
        let settings = Settings {
            vhost: config.vhost.clone(),
            user: config.user.clone(),
            max_message_bytes: config.limits.message_bytes,
            max_queues: config.limits.queues,
            max_unwritten_bytes: MAX_UNWRITTEN_BYTES,
            durable: false,
            hook: config.on_event.clone(),
        };
        let core = Core::new(settings, Names::random(), clock.now_ms());
        let listen = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared::new(&config, core, clock, None));
        let tasks = TaskTracker::new();
        tasks.spawn(listener::run(listener, shared.clone(), tasks.clone()));
        let timer = shared.clone();
        tasks.spawn(async move { timer.run_timer().await });
        Ok(Self { shared, local_addr, tasks })
    }

    /// Where the broker listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Everything there is at this moment. Must not be called from an event hook.
    pub fn overview(&self) -> Overview {
        self.shared.with_core(|core| core.overview())
    }

    /// Closes all connections with 320 CONNECTION_FORCED and stops.
    pub async fn shutdown(self) {
        self.shared.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.shared.shutdown.cancel();
    }
}
