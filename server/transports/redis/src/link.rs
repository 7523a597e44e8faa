//! A service's connection: for everything that is answered at once. Whoever waits for messages has one of its own.

use crate::{
    Hub, RedisUrl, Server, WayLink,
    form::Form,
    names,
    outlet::is_refusal,
    server::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, connect},
};
use flow::{Style, topology::Queue};
use messaging::{
    connection::{Dial, Flow},
    transport::Lost,
};
use redis::{AsyncConnectionConfig, RedisError, RedisResult, aio::MultiplexedConnection, cmd};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often a connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(1);

/// How long what is written to see whether Redis writes stays there.
const PROBE_MS: u64 = 1_000;

/// The way to a Redis; clones share it.
#[derive(Debug, Clone)]
pub struct Redis(pub Server);

/// A connection to it; clones share it.
#[derive(Clone)]
pub struct RedisLink {
    url: RedisUrl,
    connection: MultiplexedConnection,
    is_up: Arc<AtomicBool>,
    /// Ends what was opened on it.
    cut: CancellationToken,
}

impl Dial for Redis {
    type Connection = RedisLink;
    type Cutter = CancellationToken;

    fn place(&self) -> String {
        self.0.place()
    }

    async fn dial(&self, name: &str) -> Result<(RedisLink, CancellationToken), String> {
        let url = self.0.ready().await.map_err(|error| error.to_string())?;
        let mut connection = connect(&url).await.map_err(|error| error.to_string())?;
        // Names of clients have no spaces. Where it may not be said, nothing is lost.
        let name = format!("skuflow-{}", name.replace(' ', "-"));
        let _ = cmd("CLIENT").arg("SETNAME").arg(name).exec_async(&mut connection).await;
        let cut = CancellationToken::new();
        let is_up = Arc::new(AtomicBool::new(true));
        Ok((RedisLink { url, connection, is_up, cut: cut.clone() }, cut))
    }

    async fn watch(&self, link: &RedisLink, _changed: &(dyn Fn(Flow) + Send + Sync)) -> String {
        loop {
            sleep(PING).await;
            if let Err(Lost(why)) = link.ping().await {
                return why;
            }
        }
    }

    async fn close(&self, link: &RedisLink) {
        link.cut.cancel();
    }
}

impl RedisLink {
    /// The connection, to be asked.
    #[must_use]
    pub fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    /// Where it leads.
    pub(crate) const fn url(&self) -> &RedisUrl {
        &self.url
    }

    /// Ends when the connection is cut or closed.
    pub(crate) fn cut(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// A connection on which a command may wait as long as it likes.
    pub(crate) async fn patient(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        self.url.client().get_multiplexed_async_connection_with_config(&config).await
    }

    /// Whether it is still there, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// Notes what an error says of the connection.
    pub(crate) fn failed(&self, error: RedisError) -> Lost {
        if error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error() {
            self.is_up.store(false, Ordering::Relaxed);
        }
        Lost(error.to_string())
    }

    /// Asks whether the other side is still there.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn ping(&self) -> Result<(), Lost> {
        cmd("PING").exec_async(&mut self.connection()).await.map_err(|error| self.failed(error))
    }

    /// Why Redis takes no messages, if so: it says that only to who writes.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn refusal(&self) -> Result<Option<String>, Lost> {
        let mut write = cmd("SET");
        write.arg(names::PROBE).arg(1).arg("PX").arg(PROBE_MS);
        match write.exec_async(&mut self.connection()).await {
            Ok(()) => Ok(None),
            Err(error) if is_refusal(&error) => Ok(Some(error.to_string())),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The connection as a service of a system uses it, in the way that messages travel now.
    #[must_use]
    pub fn at(&self, hub: &Hub) -> WayLink {
        WayLink::new(self.clone(), hub.clone())
    }

    /// Makes what one queue needs: the groups of its stream, or the name of its list. What is there stays.
    pub(crate) async fn declare_queue(&self, queue: &Queue, form: Form) -> Result<(), Lost> {
        let mut connection = self.connection();
        match queue.style {
            Style::Choreography => {
                let own = names::own_stream(queue.service);
                for stream in [names::STREAM, &own] {
                    // From its beginning: what was published before the group was there is meant for it too.
                    let mut create = cmd("XGROUP");
                    create
                        .arg("CREATE")
                        .arg(stream)
                        .arg(names::group(queue.service))
                        .arg("0")
                        .arg("MKSTREAM");
                    match create.exec_async(&mut connection).await {
                        // It is there; or it may be: who reads will see.
                        Err(error) if error.code() == Some("BUSYGROUP") || is_refusal(&error) => {}
                        created => created.map_err(|error| self.failed(error))?,
                    }
                }
            }
            Style::Orchestration => {
                let mut add = cmd("SADD");
                add.arg(form.queues()).arg(names::list(queue));
                match add.exec_async(&mut connection).await {
                    // Nothing but Sidekiq's and Resque's own pages looks there.
                    Err(error) if is_refusal(&error) => {}
                    added => added.map_err(|error| self.failed(error))?,
                }
            }
        }
        Ok(())
    }
}
