//! The embedded broker: starts it, stops it, and starts it again at the same place with the same data.

use broker::{Broker, Config, Health, QueueCounts, StartError};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long its clients have to say goodbye, and its store to be written.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(4);
/// How long to wait before trying again to start it.
const PAUSE: Duration = Duration::from_millis(500);

/// The embedded broker, running or not; clones share it.
#[derive(Clone)]
pub struct EmbeddedBroker {
    config: Arc<Config>,
    addr: SocketAddr,
    broker: Arc<Mutex<Option<Broker>>>,
}

impl EmbeddedBroker {
    /// Starts the broker.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        let broker = Broker::start(config.clone()).await?;
        let addr = broker.local_addr();
        // The very port it got: clients know it by now.
        config.listen = addr;
        Ok(Self { config: Arc::new(config), addr, broker: Arc::new(Mutex::new(Some(broker))) })
    }

    /// Where it listens while it runs.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// What queues hold at this moment, nothing if they are not there; none while it is stopped. Waits for nothing.
    #[must_use]
    pub fn queue_counts<'a>(&self, queues: impl Iterator<Item = &'a str>) -> Option<Vec<QueueCounts>> {
        let broker = self.lock();
        let broker = broker.as_ref()?;
        Some(queues.map(|queue| broker.queue_counts(queue).unwrap_or_default()).collect())
    }

    /// Why it takes no messages, if so; none while it is stopped. Waits for nothing.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self.lock().as_ref()?.health() {
            Health::MemoryFull { held_bytes, limit_bytes } => {
                Some(format!("its messages use {held_bytes} bytes of memory, and may use {limit_bytes}"))
            }
            Health::StoreFailing { times, reason, .. } => {
                Some(format!("its store cannot be written ({reason}), tried {times} times so far"))
            }
            _ => None,
        }
    }

    /// Tells why it takes no messages when that begins, and nothing when it ends, until told to end. Not more often than
    /// anybody could read it.
    pub async fn tell_trouble(&self, tell: impl Fn(Option<String>), end: CancellationToken) {
        let mut was_well = true;
        loop {
            // Before the look: what changes after it is waited for.
            let changes = self.lock().as_ref().map(Broker::health_changes);
            let trouble = self.trouble();
            if was_well != trouble.is_none() {
                was_well = trouble.is_none();
                tell(trouble);
            }
            let change = async {
                if let Some(mut changes) = changes {
                    changes.next().await;
                }
                sleep(PAUSE).await;
            };
            tokio::select! {
                () = change => {}
                () = end.cancelled() => return,
            }
        }
    }

    /// Stops and starts it as `stopped` says, until told to end; then it runs on if it did.
    pub async fn follow(&self, mut stopped: watch::Receiver<bool>, end: CancellationToken) {
        loop {
            let wanted = !*stopped.borrow_and_update();
            let is_running = self.lock().is_some();
            if is_running && !wanted {
                self.shutdown().await;
            }
            let pause = if wanted && !is_running {
                match Broker::start(Config::clone(&self.config)).await {
                    Ok(broker) => {
                        *self.lock() = Some(broker);
                        None
                    }
                    Err(error) => {
                        tracing::error!(%error, "the embedded broker does not start again; trying once more");
                        Some(PAUSE)
                    }
                }
            } else {
                None
            };
            tokio::select! {
                Ok(()) = stopped.changed() => {}
                () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
                () = end.cancelled() => return,
            }
        }
    }

    /// Stops it: its port is closed, its connections end, its messages are on disk.
    pub async fn shutdown(&self) {
        let broker = self.lock().take();
        if let Some(broker) = broker
            && timeout(SHUTDOWN_TIMEOUT, broker.shutdown()).await.is_err()
        {
            tracing::warn!("the embedded broker's clients did not say goodbye in time");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Broker>> {
        self.broker.lock().expect("nothing panics while it holds the broker")
    }
}
