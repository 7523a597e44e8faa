//! Setting a server to work, and bringing it to rest.

use super::{
    ServeError,
    build::Built,
    other,
    sessions::{Sessions, WatchRemote},
};
use crate::{
    carriers::Carriers,
    cli::{BrokerChoice, Serve},
    data::Reset,
    measure::{Means, Measure},
    members::Members,
    modes::Modes,
    recount,
    redis::RedisSystems,
    web::{self, listen::Patience, security::Guard, transport::Carriage},
    zeromq::{self, ZeromqSystems},
};
use bridge::{
    embedded,
    management::{self, Bound, Visibility},
};
use classes::{Access, Rooms, http::Classes};
use control::{Control, Desk};
use flow::{Node, Service, System, Transport};
use inventory::Inventory;
use journal::Journal;
use messaging::{
    Bindings as _, Depths, EmbeddedBroker, Links, Unacked,
    connection::{Connector, Owner},
    depths::Source,
    lossy::ledger,
};
use redis_transport::{Redis, Server, server::Choice};
use std::{fs::File, path::Path, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use warehouse::{
    Backpressure,
    ftp::{DropBox, Embedded, Monitor},
    simulator::{Runner, Simulation},
};
use wishlist::smtp::SmtpServer;

/// How long consumers and relays may take after a stop, and then open requests. Together with the end of the
/// embedded broker that stays below ten seconds.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(4_500);
const REQUESTS_TIMEOUT: Duration = Duration::from_secs(1);
/// Below the data's folder: what is kept only while it is worked on.
const SPOOL: &str = "spool";

/// A server at work.
pub(super) struct Running {
    tasks: TaskTracker,
    consumers_stop: CancellationToken,
    control: Control,
    carriers: Carriers,
    http: JoinHandle<()>,
    http_stop: CancellationToken,
    embedded: Option<EmbeddedBroker>,
    journal: Journal,
    _lock: File,
}

impl Built {
    /// Sets it to work until `stop`; tells `say` where everything is.
    ///
    /// # Errors
    /// When something cannot be had.
    pub async fn start(
        self,
        settings: Serve,
        stop: &CancellationToken,
        say: &impl Fn(String),
    ) -> Result<Running, ServeError> {
        let data = |source| ServeError::Data { path: settings.data.clone(), source };
        let Self {
            lock,
            listener,
            addr,
            ftp_url,
            ftp_server,
            journal,
            strangers,
            bound,
            neighbours,
            control,
            services,
            marker,
            broker,
            doors,
        } = self;
        let tasks = TaskTracker::new();
        if let Some(embedded) = &broker.embedded {
            say(format!("broker at amqp://{}", embedded.local_addr()));
            recount::parked_in(&journal, embedded, control.queues()).await;
            watch_embedded(embedded, &journal, &control, &tasks, stop);
        }
        // Consumers stop first, while inventory still answers them over HTTP.
        let consumers_stop = CancellationToken::new();
        let links = Links::default();
        let unacked = Unacked::default();
        let connector = Connector {
            uri: broker.uri.clone(),
            journal: journal.clone(),
            links: links.clone(),
            stopped_on_purpose: control.broker_stopped(Transport::Amqp),
            is_ours: broker.embedded.is_some(),
            stop: consumers_stop.clone(),
        };
        let desk = Desk::new(connector.clone(), journal.clone(), control.clone());
        let members = Members {
            loyalty: services.loyalty.clone(),
            inventory: services.inventory.clone(),
            control: control.clone(),
            connector: connector.clone(),
            journal: journal.clone(),
            alone: Arc::default(),
        };
        let sessions = Sessions {
            services: services.clone(),
            journal: journal.clone(),
            strangers: strangers.clone(),
            unacked: unacked.clone(),
            control: control.clone(),
            neighbours,
        };
        for (system, service) in Transport::Amqp.systems().flat_map(System::services) {
            let session = sessions.of(system, service, consumers_stop.clone());
            let owner = Owner { node: service.into(), system: Some(system) };
            tasks.spawn(connector.clone().keep(owner, session));
        }
        for system in Transport::Amqp.systems() {
            let (sessions, stop) = (sessions.clone(), consumers_stop.clone());
            let session = move |leaves| sessions.of(system, Service::Loyalty, leaves);
            tasks.spawn(members.clone().keep(system, stop, session));
        }
        let modes = Modes::open(&settings.data);
        let carriers = Carriers {
            redis: redis_systems(&settings, modes.clone(), &connector, &sessions, &tasks),
            zeromq: ZeromqSystems::new(zeromq::Setup {
                listen: settings.zeromq_listen.unwrap_or_default(),
                doors,
                data: settings.data.clone(),
                modes: modes.clone(),
                connector: Connector {
                    stopped_on_purpose: control.broker_stopped(Transport::Zeromq),
                    is_ours: false,
                    ..connector.clone().over(())
                },
                sessions: sessions.clone(),
                tasks: tasks.clone(),
            }),
        };
        let Carriers { redis, zeromq } = carriers.clone();
        services.inventory.carried_by(Arc::new(carriers.clone()));
        desk.also(Transport::Redis, Arc::new(redis.clone())).await;
        desk.also(Transport::Zeromq, Arc::new(zeromq.clone())).await;
        wake_where_something_is_left(&settings.data, &carriers, &journal, &services.inventory, &tasks)
            .await?;
        let visibility = watch_strangers(&settings, &journal, &bound, &tasks, &consumers_stop)?;
        let depths = match &broker.embedded {
            Some(house) => Source::Embedded(house.clone()),
            None => {
                let (channel, sampled) = watch::channel(None);
                let (journal, stop) = (journal.clone(), consumers_stop.clone());
                let watching =
                    WatchRemote { channel, journal, strangers, bound, control: control.clone(), stop };
                let owner = Owner { node: Node::Foreign("bridge".into()), system: None };
                tasks.spawn(connector.keep(owner, watching));
                Source::Remote { channel: sampled, unacked }
            }
        };
        let depths = Depths::new(depths, control.clone());
        depths.also(Arc::new(redis));
        depths.also(Arc::new(zeromq));
        if let Some(server) = &ftp_server {
            say(format!("drop box at ftp://{}", server.addr));
        }
        let uploads = ftp_server.as_ref().map(Embedded::uploads).unwrap_or_default();
        let drop_box = DropBox::new(ftp_url, &services.inventory, uploads);
        let spool = settings.data.join(SPOOL);
        let monitor = Monitor {
            drop_box: drop_box.clone(),
            inventory: services.inventory.clone(),
            backpressure: Backpressure::new(services.inventory.clone(), depths.clone()),
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
            backpressure: monitor.backpressure.clone(),
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
            marker,
            desk: desk.clone(),
            simulation: simulation.clone(),
            members: members.clone(),
            depths: depths.clone(),
            journal: journal.clone(),
            broker: broker.uri.clone(),
            alone: Arc::default(),
        };
        let carriage = Carriage {
            carriers: carriers.clone(),
            modes,
            links: links.clone(),
            broker: broker.label.clone(),
        };
        let means = Means {
            services: services.clone(),
            control: control.clone(),
            journal: journal.clone(),
            depths: depths.clone(),
            carriage: carriage.clone(),
            simulation: simulation.clone(),
            amounts: settings.amounts,
        };
        let presenter_key = Access::wanted(settings.presenter_key, addr.ip());
        let seen_at = settings.public_url.as_ref().map(|public| public.origin().to_owned());
        let rooms = Rooms::open(&settings.data);
        let access = Access::new(presenter_key.as_ref().map(|(key, _)| key), rooms.clone());
        tasks.spawn(rooms.clone().look(stop.clone()));
        let parts = web::Parts {
            classes: Classes { rooms, access: access.clone(), seen_at: seen_at.clone(), stop: stop.clone() },
            measure: Measure::new(means, tasks.clone(), consumers_stop.clone()),
            carriage,
            services,
            journal: journal.clone(),
            control: control.clone(),
            desk,
            depths,
            links,
            embedded: broker.embedded.clone(),
            drop_box,
            members,
            reset,
            simulation,
            broker_label: broker.label,
            visibility,
            spool,
            stop: stop.clone(),
        };
        let http_stop = CancellationToken::new();
        let guard = Guard { bound: addr, public_url: settings.public_url, access };
        let router = web::routes(&parts, guard);
        let http = tokio::spawn(web::listen::serve(listener, router, Patience::default(), http_stop.clone()));
        if let Some((key, true)) = presenter_key {
            let (key, seen_at) = (key.reveal(), seen_at.unwrap_or_else(|| format!("http://{addr}")));
            say(format!("presenter key: {key}"));
            say(format!("presenter's browser: {seen_at}/presenter?key={key}"));
        }
        say(format!("listening on http://{addr}"));
        let embedded = broker.embedded;
        Ok(Running {
            tasks,
            consumers_stop,
            control,
            carriers,
            http,
            http_stop,
            embedded,
            journal,
            _lock: lock,
        })
    }
}

impl Running {
    /// Brings it to rest: first who consumes, then who answers them, then the broker and the journal.
    pub async fn drain(self) {
        self.consumers_stop.cancel();
        // What is held is in somebody's hands: it is to be finished, not given up.
        self.control.open_all_gates();
        if timeout(DRAIN_TIMEOUT, self.tasks.wait()).await.is_err() {
            tracing::warn!("some work is not done yet; it stays in its queue or in the outbox");
        }
        self.http_stop.cancel();
        if timeout(REQUESTS_TIMEOUT, self.http).await.is_err() {
            tracing::warn!("some requests were cut off");
        }
        self.carriers.redis.end().await;
        self.carriers.redis.stop().await;
        self.carriers.zeromq.end().await;
        if let Some(embedded) = self.embedded {
            embedded.shutdown().await;
        }
        self.journal.close().await;
    }
}

/// The systems over Redis, which nobody has used yet.
fn redis_systems(
    settings: &Serve,
    modes: Modes,
    connector: &Connector,
    sessions: &Sessions,
    tasks: &TaskTracker,
) -> RedisSystems {
    let choice = match &settings.redis {
        Some(url) => Choice::At(url.clone()),
        None => Choice::Own { data: settings.data.join("redis") },
    };
    let connector = Connector {
        uri: Redis(Server::new(choice)),
        journal: connector.journal.clone(),
        links: connector.links.clone(),
        stopped_on_purpose: sessions.control.broker_stopped(Transport::Redis),
        is_ours: false,
        stop: connector.stop.clone(),
    };
    RedisSystems::new(connector, modes, settings.data.clone(), sessions.clone(), tasks.clone())
}

/// Sets to work again what the last run has left something to do in.
async fn wake_where_something_is_left(
    data: &Path,
    carriers: &Carriers,
    journal: &Journal,
    inventory: &Inventory,
    tasks: &TaskTracker,
) -> Result<(), ServeError> {
    let picture = journal.picture().await;
    for system in System::ALL.into_iter().filter(|system| !system.transport.is_default()) {
        let is_left = inventory.unsent_of(system).await? > 0
            || !picture.system(system).is_settled()
            || ledger::is_left(data, system);
        if is_left {
            let carriers = carriers.clone();
            tasks.spawn(async move {
                if let Err(error) = carriers.wake(system).await {
                    tracing::warn!(%system, %error, "what was left to do waits");
                }
            });
        }
    }
    Ok(())
}

/// Lets the embedded broker follow the fault that stops it, and tells why it takes no messages.
fn watch_embedded(
    embedded: &EmbeddedBroker,
    journal: &Journal,
    control: &Control,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let (follower, stopped, end) = (embedded.clone(), control.broker_stopped(Transport::Amqp), stop.clone());
    tasks.spawn(async move { follower.follow(stopped, end).await });
    let (teller, journal, end) = (embedded.clone(), journal.clone(), stop.clone());
    let tell = move |trouble| journal.report(embedded::trouble(trouble));
    tasks.spawn(async move { teller.tell_trouble(tell, end).await });
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
