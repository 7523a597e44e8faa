//! How a broker is set up.

use crate::event::Event;
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// Is told every [`Event`]; see there for what it may do.
pub type EventHook = Arc<dyn Fn(&Event) + Send + Sync>;

/// How a broker is set up. The default listens on a free loopback port and keeps everything in memory.
#[derive(Clone)]
pub struct Config {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The user who may connect.
    pub user: String,
    /// The password of that user.
    pub password: String,
    /// The one virtual host.
    pub vhost: String,
    /// What the broker says that it is.
    pub product: Product,
    /// The folder in which durable things survive a restart; none keeps everything in memory.
    pub data: Option<PathBuf>,
    /// What clients may use at most.
    pub limits: Limits,
    /// Is told every transition.
    pub on_event: Option<EventHook>,
}

/// What the broker tells clients about itself (`server-properties` of `connection.start`, spec 1.4.2.1).
///
/// Clients decide by name and version what they may ask for: some set a shared prefetch only where the product is
/// `RabbitMQ`, others refuse any version before 3.10. So the default names what this broker is compatible with, and
/// itself in `platform` and `information`.
#[derive(Clone, Debug)]
pub struct Product {
    /// `product`.
    pub name: String,
    /// `version`.
    pub version: String,
    /// `platform`.
    pub platform: String,
    /// `information`.
    pub information: String,
    /// `cluster_name`.
    pub cluster_name: String,
}

impl Default for Product {
    fn default() -> Self {
        let own_name = concat!("broker ", env!("CARGO_PKG_VERSION"));
        Self {
            name: "RabbitMQ".to_owned(),
            version: "3.10.8".to_owned(),
            platform: own_name.to_owned(),
            information: format!("{own_name}, compatible with RabbitMQ 3.10"),
            cluster_name: "broker@localhost".to_owned(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            user: "guest".to_owned(),
            password: "guest".to_owned(),
            vhost: "/".to_owned(),
            product: Product::default(),
            data: None,
            limits: Limits::default(),
            on_event: None,
        }
    }
}

impl fmt::Debug for Config {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("user", &self.user)
            .field("vhost", &self.vhost)
            .field("data", &self.data)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What clients may use at most. The defaults are RabbitMQ's where it has one.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at the same time.
    pub connections: usize,
    /// Channels of one connection (`channel-max`).
    pub channels: u16,
    /// Queues at the same time.
    pub queues: usize,
    /// Size of a frame in bytes (`frame-max`), at least 4096.
    pub frame_bytes: u32,
    /// Size of a message body in bytes.
    pub message_bytes: usize,
    /// How deep tables may be nested in tables.
    pub table_depth: usize,
    /// How long a client may take from connecting to `connection.open`.
    pub handshake: Duration,
    /// The heartbeat that is offered to clients; zero offers none.
    pub heartbeat: Duration,
    /// How many bytes of memory all messages may take before publishers are blocked (`connection.blocked`): bodies,
    /// properties and what it takes to hold them, in queues, with consumers, in open transactions and unfinished.
    pub memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        Self {
            connections: 10_000,
            channels: 2047,
            queues: 100_000,
            frame_bytes: 131_072,
            message_bytes: 128 * MIB,
            table_depth: 32,
            handshake: Duration::from_secs(10),
            heartbeat: Duration::from_secs(60),
            memory_bytes: 1024 * MIB,
        }
    }
}
