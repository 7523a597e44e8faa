//! Putting it all together, and taking it apart again.

use crate::{
    cli::{BrokerChoice, FtpChoice, Serve},
    data::{Begun, Reset},
    recount,
    styles::{self, Services},
    web::{self, listen::Patience, security::Guard},
};
use availability::AvailabilityClient;
use bridge::{
    embedded,
    management::{self, Bound, Visibility},
    neighbours::Neighbours,
    tap,
};
use catalog::{Catalog, sqlite::SqliteProducts};
use control::{Control, Desk};
use flow::{Node, Service, Style, fault::FaultKind};
use inventory::{Inventory, sqlite::SqliteStock};
use journal::{Journal, sequencer::Sequencer};
use lapin::{Connection, options::QueueDeclareOptions, types::FieldTable};
use messaging::{
    Bindings, BrokerUri, Depths, House, Links, Scope, Strangers, Unacked,
    connection::{Connector, Owner, Session},
    consumer::Consumer,
    supervisor::Supervisor,
    topology,
};
use std::{
    fs::{File, TryLockError},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, signal::unix, sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use warehouse::{
    Brake,
    ftp::{DropBox, Embedded, FtpUrl, Monitor},
    simulator::{Runner, Simulation},
};
use wishlist::{Post, Wishlist, smtp::SmtpServer, sqlite::SqliteWishes};

/// How long consumers and relays may take after a stop, and then open requests. Together with the end of the
/// embedded broker that stays below ten seconds.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(4_500);
const REQUESTS_TIMEOUT: Duration = Duration::from_secs(1);

/// Below the data's folder: what is kept only while it is worked on.
const SPOOL: &str = "spool";

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address of the page cannot be had.
    #[error("cannot listen on {addr}: {source}; choose another with --{flag}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The flag that names it.
        flag: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The folder of the stores cannot be used.
    #[error("cannot use the folder {}: {source}; choose another with --data", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A store cannot be opened.
    #[error("{0}; move the file away, or choose another folder with --data")]
    Store(#[from] store::StoreError),
    /// The page was not built.
    #[error(
        "the page's files are not in {}; run `make build`, and start from the project's root",
        web::page::SITE_ROOT
    )]
    NotBuilt,
    /// The embedded broker does not start.
    #[error("the embedded broker: {0}")]
    Broker(#[from] broker::StartError),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The signal of a file that outgrows the process' limit, on Linux, macOS and the BSDs (setrlimit(2)).
const SIGXFSZ: i32 = 25;

/// Serves until told to stop by SIGTERM or Ctrl-C.
///
/// # Errors
/// When something that it needs cannot be had; nothing is running then.
pub async fn run(settings: Serve) -> Result<(), ServeError> {
    if !web::page::is_built() {
        return Err(ServeError::NotBuilt);
    }
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let mut terminate = unix::signal(unix::SignalKind::terminate()).map_err(other)?;
    // Whoever listens is not ended by it: a write beyond a limit on files' sizes then fails, as on a full disk.
    let _too_large = unix::signal(unix::SignalKind::from_raw(SIGXFSZ)).map_err(other)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stopped.cancel();
    });
    serve(settings, stop, |line| {
        // Whoever started us may have closed standard output; that is no reason to stop.
        let _ = writeln!(std::io::stdout(), "{line}");
    })
    .await
}

fn other(error: impl std::fmt::Display) -> ServeError {
    ServeError::Other(error.to_string())
}

/// Serves until `stop`; tells `say` where everything is.
///
/// # Errors
/// When something that it needs cannot be had; nothing is running then.
pub async fn serve(settings: Serve, stop: CancellationToken, say: impl Fn(String)) -> Result<(), ServeError> {
    let data = |source| ServeError::Data { path: settings.data.clone(), source };
    std::fs::create_dir_all(&settings.data).map_err(data)?;
    let _lock = lock(&settings.data).map_err(data)?;
    let listener = TcpListener::bind(settings.addr).await.map_err(|source| ServeError::Listen {
        addr: settings.addr,
        flag: "addr",
        source,
    })?;
    let addr = listener.local_addr().map_err(other)?;
    let (ftp_url, ftp_server) = bind_ftp_server(&settings).await?;

    let sequencer = matches!(settings.broker, BrokerChoice::At(_)).then(Sequencer::default);
    let journal = Journal::open(&settings.data, settings.keep(), sequencer).map_err(data)?;
    let (strangers, bound) = (Strangers::default(), Bound::default());
    let inventory =
        Inventory::new(SqliteStock::open(&settings.data).await?, journal.clone(), styles::announce).await?;
    let catalog = Catalog::new(SqliteProducts::open(&settings.data).await?, journal.clone());
    let seen_at = settings.public_url.as_ref().map(|public| public.origin().to_owned());
    let base_url = seen_at.unwrap_or_else(|| format!("http://{}", reachable(addr)));
    let neighbours = Neighbours::new(&base_url, journal.clone());
    let post = Post { base_url: base_url.into(), has_smtp: settings.smtp.is_some() };
    let wishlist = Wishlist::new(SqliteWishes::open(&settings.data).await?, journal.clone(), post);
    let control = Control::new(journal.clone(), control::HOLD_MAX);
    let availability = AvailabilityClient::new(reachable(addr), control.scopes());
    let services = Services { inventory, catalog, wishlist, availability };
    let begun = Begun::of(&settings.data);
    begun.finish(&services).await.map_err(other)?;
    recount::server_started(&journal, &services).await?;

    let carrier = Carrier::start(&settings, &journal, &strangers).await?;
    let tasks = TaskTracker::new();
    if let Some(house) = carrier.embedded.clone() {
        say(format!("broker at amqp://{}", house.local_addr()));
        recount::parked_in(&journal, &house).await;
        let (stopped, end) = (control.broker_stopped(), stop.clone());
        let (teller, journal, told_end) = (house.clone(), journal.clone(), stop.clone());
        tasks.spawn(async move { house.follow(stopped, end).await });
        let tell = move |trouble| journal.report(embedded::trouble(trouble));
        tasks.spawn(async move { teller.tell_trouble(tell, told_end).await });
    }
    // Consumers stop first, while inventory still answers them over HTTP.
    let consumers_stop = CancellationToken::new();
    let links = Links::default();
    let unacked = Unacked::default();
    let connector = Connector {
        uri: carrier.uri.clone(),
        journal: journal.clone(),
        links: links.clone(),
        stopped_on_purpose: control.broker_stopped(),
        is_ours: carrier.embedded.is_some(),
        stop: consumers_stop.clone(),
    };
    let desk = Desk::new(connector.clone(), journal.clone());
    for (style, service) in Style::ALL.iter().flat_map(|style| Service::ALL.iter().map(move |s| (*style, *s)))
    {
        let scope = control.scope(style, service);
        let consumer = Consumer {
            queue: style.queue_of(service),
            handler: styles::handler(style, services.clone()),
            journal: journal.clone(),
            strangers: strangers.clone(),
            unacked: unacked.clone(),
            scope: scope.clone(),
            stop: consumers_stop.clone(),
        };
        let inventory = (service == Service::Inventory).then(|| services.inventory.clone());
        // One of our connections says for all of them who is here.
        let is_first = inventory.is_some() && Some(style) == Style::ALL.first().copied();
        let neighbours = is_first.then(|| neighbours.clone());
        let (control, stop) = (control.clone(), consumers_stop.clone());
        let session = ServiceSession { control, scope, consumer, inventory, neighbours, stop };
        let owner = Owner { node: service.into(), style: Some(style) };
        tasks.spawn(connector.clone().keep(owner, session));
    }
    let visibility = watch_strangers(&settings, &journal, &bound, &tasks, &consumers_stop)?;
    let depths = match &carrier.embedded {
        Some(house) => Depths::Embedded(house.clone()),
        None => {
            let (channel, sampled) = watch::channel(None);
            let (journal, stop) = (journal.clone(), consumers_stop.clone());
            let watching = WatchRemote { channel, journal, strangers, bound, control: control.clone(), stop };
            let owner = Owner { node: Node::Foreign("bridge".into()), style: None };
            tasks.spawn(connector.keep(owner, watching));
            Depths::Remote { channel: sampled, unacked }
        }
    };
    if let Some(server) = &ftp_server {
        say(format!("drop box at ftp://{}", server.addr));
    }
    let uploads = ftp_server.as_ref().map(Embedded::uploads).unwrap_or_default();
    let drop_box = DropBox::new(ftp_url, &services.inventory, uploads);
    let spool = settings.data.join(SPOOL);
    let monitor = Monitor {
        drop_box: drop_box.clone(),
        inventory: services.inventory.clone(),
        brake: Brake::new(services.inventory.clone(), depths.clone()),
        is_ours: ftp_server.is_some(),
        quiet: Duration::from_millis(settings.ftp_quiet_ms),
        spool: spool.clone(),
        stop: consumers_stop.clone(),
    };
    let simulation = Simulation::default();
    let runner = Runner {
        simulation: simulation.clone(),
        inventory: services.inventory.clone(),
        wishlist: services.wishlist.clone(),
        drop_box: drop_box.clone(),
        brake: monitor.brake.clone(),
        stop: consumers_stop.clone(),
    };
    tasks.spawn(runner.run());
    watch_files(&settings, ftp_server, monitor, &tasks).map_err(data)?;
    if let Some(url) = &settings.smtp {
        let smtp = SmtpServer::parse(url).map_err(other)?;
        let (wishlist, stop) = (services.wishlist.clone(), consumers_stop.clone());
        tasks.spawn(async move { wishlist.send_mail(smtp, stop).await });
    }
    tasks.close();

    let reset = Reset {
        services: services.clone(),
        begun,
        desk: desk.clone(),
        simulation: simulation.clone(),
        depths: depths.clone(),
        journal: journal.clone(),
        broker: carrier.uri.clone(),
        alone: Arc::default(),
    };
    let streams_stop = stop.clone();
    let parts = web::Parts {
        services,
        journal: journal.clone(),
        control: control.clone(),
        desk,
        depths,
        links,
        house: carrier.embedded.clone(),
        drop_box,
        reset,
        simulation,
        broker_label: carrier.label,
        visibility,
        spool,
        stop: streams_stop,
    };
    let http_stop = CancellationToken::new();
    let router = web::routes(&parts, Guard { bound: addr, public_url: settings.public_url });
    let http = tokio::spawn({
        let http_stop = http_stop.clone();
        web::listen::serve(listener, router, Patience::default(), http_stop)
    });
    say(format!("listening on http://{addr}"));

    stop.cancelled().await;
    consumers_stop.cancel();
    // What is held is in somebody's hands: it is to be finished, not given up.
    control.open_all_gates();
    if timeout(DRAIN_TIMEOUT, tasks.wait()).await.is_err() {
        tracing::warn!("some work is not done yet; it stays in its queue or in the outbox");
    }
    http_stop.cancel();
    if timeout(REQUESTS_TIMEOUT, http).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
    drop(parts);
    if let Some(house) = carrier.embedded {
        house.shutdown().await;
    }
    journal.close().await;
    Ok(())
}

/// The drop box's address, and the embedded FTP server unless another one is named.
async fn bind_ftp_server(settings: &Serve) -> Result<(FtpUrl, Option<Embedded>), ServeError> {
    match &settings.ftp {
        FtpChoice::At(url) => Ok((url.clone(), None)),
        FtpChoice::Embedded => {
            let addr = settings.ftp_listen;
            let listening = Embedded::bind(addr).await;
            let server =
                listening.map_err(|source| ServeError::Listen { addr, flag: "ftp-listen", source })?;
            Ok((Embedded::url(reachable(server.addr)), Some(server)))
        }
    }
}

/// Starts to watch what others do on the broker, where that takes asking; says whether it is seen.
fn watch_strangers(
    settings: &Serve,
    journal: &Journal,
    bound: &Bound,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Visibility, ServeError> {
    let BrokerChoice::At(uri) = &settings.broker else { return Ok(Visibility::full()) };
    let Some(url) = settings.management.clone() else {
        return Ok(Visibility::none("RabbitMQ's management API was not named"));
    };
    let visibility = Visibility::none("RabbitMQ's management API has not answered yet");
    let (vhost, stop) = (uri.uri().vhost, stop.clone());
    let watcher =
        management::Watcher::new(url, &vhost, journal.clone(), bound.clone(), visibility.clone(), stop);
    tasks.spawn(watcher.map_err(other)?.run());
    Ok(visibility)
}

/// Starts the monitor of the drop box, and the server in which it is if that is ours.
fn watch_files(
    settings: &Serve,
    server: Option<Embedded>,
    monitor: Monitor,
    tasks: &TaskTracker,
) -> std::io::Result<()> {
    if let Some(server) = server {
        let (folder, stop) = (settings.data.join("ftp"), monitor.stop.clone());
        std::fs::create_dir_all(&folder)?;
        tasks.spawn(async move { server.serve(&folder, stop).await });
    }
    // What a crash left there is half of a copy.
    match std::fs::remove_dir_all(&monitor.spool) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(&monitor.spool)?,
    }
    tasks.spawn(monitor.run());
    Ok(())
}

/// Keeps other servers out of the folder, until the file is closed: two relays would send everything twice.
pub(crate) fn lock(folder: &Path) -> std::io::Result<File> {
    let file = File::create(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(std::io::Error::other("another skuflow is using it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The broker, ours or another.
struct Carrier {
    uri: BrokerUri,
    label: String,
    embedded: Option<House>,
}

impl Carrier {
    async fn start(settings: &Serve, journal: &Journal, strangers: &Strangers) -> Result<Self, ServeError> {
        match &settings.broker {
            BrokerChoice::At(uri) => {
                let label = format!("broker at {}", uri.place());
                Ok(Self { uri: uri.clone(), label, embedded: None })
            }
            BrokerChoice::Embedded => {
                let shown = journal.picture().await;
                let config = broker::Config {
                    listen: settings.amqp_listen,
                    data: Some(settings.data.join("broker")),
                    on_event: Some(embedded::watcher(journal.clone(), strangers.clone(), &shown)),
                    ..broker::Config::default()
                };
                let house = House::start(config).await?;
                let place = reachable(house.local_addr());
                let uri = format!("amqp://guest:guest@{place}/%2f").parse().map_err(ServeError::Other)?;
                Ok(Self { uri, label: "embedded broker".to_owned(), embedded: Some(house) })
            }
        }
    }
}

/// An address that listens everywhere is reached by loopback.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let mut addr = bound;
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    addr
}

/// What one service of one style does with its connection: it consumes, and inventory also relays.
struct ServiceSession {
    control: Control,
    scope: Scope,
    consumer: Consumer,
    inventory: Option<Inventory>,
    neighbours: Option<Neighbours>,
    stop: CancellationToken,
}

impl Session for ServiceSession {
    async fn run(
        &self,
        connection: &Connection,
        ready: &(dyn Fn() + Send + Sync),
    ) -> Result<(), lapin::Error> {
        let channel = connection.create_channel().await?;
        topology::declare(&channel, &self.control).await?;
        let supervisor = Supervisor::start(self.consumer.clone(), connection).await?;
        ready();
        let relay = async {
            match &self.inventory {
                Some(inventory) => {
                    inventory.relay(self.scope.style, connection, &self.stop, &self.scope).await
                }
                None => Ok(()),
            }
        };
        let neighbours = async {
            match &self.neighbours {
                Some(neighbours) => neighbours.watch(connection, &self.stop).await,
                None => Ok(()),
            }
        };
        let binding = topology::keep_binding(&channel, self.consumer.queue, &self.control, &self.stop);
        tokio::try_join!(supervisor.run(), relay, binding, neighbours)?;
        Ok(())
    }

    async fn cut(&self) -> String {
        let mut crashes = self.control.crashes(self.scope.style, self.scope.service);
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

    fn lost(&self, reason: &str) {
        self.scope.crew().interrupted(reason.to_owned());
    }
}

/// The bridge's own connection to a broker that is not ours: the tap, and a channel for measuring.
struct WatchRemote {
    channel: watch::Sender<Option<lapin::Channel>>,
    journal: Journal,
    strangers: Strangers,
    bound: Bound,
    control: Control,
    stop: CancellationToken,
}

impl Session for WatchRemote {
    async fn run(
        &self,
        connection: &Connection,
        ready: &(dyn Fn() + Send + Sync),
    ) -> Result<(), lapin::Error> {
        // Until it hears everything, it hears nothing: what is bound may not be unbound before that.
        self.control.tap_follows(Some(0));
        self.channel.send_replace(Some(connection.create_channel().await?));
        let Self { journal, strangers, bound, control, stop, .. } = self;
        let channel = connection.create_channel().await?;
        topology::declare(&channel, control).await?;
        let mut depths = Vec::new();
        for queue in &flow::topology::QUEUES {
            let passive = QueueDeclareOptions { passive: true, ..Default::default() };
            let dead = channel.queue_declare(queue.dead.into(), passive, FieldTable::default()).await?;
            depths.push((queue, u64::from(dead.message_count())));
        }
        recount::parked(journal, depths).await;
        tap::run(connection, journal, strangers, bound, control, stop, ready).await
    }

    fn lost(&self, _reason: &str) {
        self.channel.send_replace(None);
        self.control.tap_follows(None);
    }
}
