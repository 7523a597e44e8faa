//! Everything that a server is made of, opened and not yet at work.

use super::{ServeError, lock, other};
use crate::{
    cli::{BrokerChoice, FtpChoice, Serve},
    data::ResetMarker,
    recount,
    styles::{self, Services},
};
use availability::AvailabilityClient;
use bridge::{embedded, management::Bound, neighbours::Neighbours};
use catalog::{Catalog, sqlite::SqliteProducts};
use control::Control;
use flow::System;
use inventory::{Inventory, intake::Announce, sqlite::SqliteStock};
use journal::{Journal, sequencer::Sequencer};
use loyalty::{Loyalty, sqlite::SqlitePoints};
use messaging::{BrokerUri, EmbeddedBroker, Strangers};
use std::{fs::File, net::SocketAddr};
use tokio::net::TcpListener;
use warehouse::ftp::{Embedded, FtpUrl};
use wishlist::{Post, Wishlist, sqlite::SqliteWishes};
use zeromq_transport::{Doors, ListenAt};

/// The parts of a server.
pub(super) struct Built {
    /// Keeps other servers out of the data's folder.
    pub lock: File,
    pub listener: TcpListener,
    pub addr: SocketAddr,
    pub ftp_url: FtpUrl,
    pub ftp_server: Option<Embedded>,
    pub journal: Journal,
    pub strangers: Strangers,
    pub bound: Bound,
    pub neighbours: Neighbours,
    pub control: Control,
    pub services: Services,
    pub marker: ResetMarker,
    pub broker: BrokerHandle,
    /// The ports of ZeroMQ's sockets, where a flag names them.
    pub doors: Option<[(System, Doors); 2]>,
}

impl Built {
    /// Opens all of it, and finishes what the last run has left half done.
    ///
    /// # Errors
    /// When something cannot be had.
    pub async fn open(settings: &Serve) -> Result<Self, ServeError> {
        let data = |source| ServeError::Data { path: settings.data.clone(), source };
        std::fs::create_dir_all(&settings.data).map_err(data)?;
        let lock = lock(&settings.data).map_err(data)?;
        let listener = TcpListener::bind(settings.addr).await.map_err(|source| ServeError::Listen {
            addr: settings.addr,
            flag: "addr",
            source,
        })?;
        let addr = listener.local_addr().map_err(other)?;
        let (ftp_url, ftp_server) = bind_ftp_server(settings).await?;
        let doors = settings.zeromq_listen.map(bind_zeromq).transpose()?;

        let sequencer = match settings.broker {
            BrokerChoice::At(_) => Sequencer::default(),
            BrokerChoice::Embedded => Sequencer::skipping_amqp(),
        };
        let journal = Journal::open(&settings.data, settings.keep(), Some(sequencer)).map_err(data)?;
        let (strangers, bound) = (Strangers::default(), Bound::default());
        let stock = SqliteStock::open(&settings.data).await?;
        let loyalty = Loyalty::new(SqlitePoints::open(&settings.data).await?, journal.clone()).await?;
        let list = loyalty.clone();
        let announce = Announce::new(move |system, dispatch, known| {
            let drafts =
                styles::announce(system.style, dispatch, list.membership(system).is_applied(), known);
            drafts.into_iter().map(|draft| draft.over(system)).collect()
        });
        let inventory = Inventory::new(stock, journal.clone(), announce).await?;
        let catalog = Catalog::new(SqliteProducts::open(&settings.data).await?, journal.clone());
        let seen_at = settings.public_url.as_ref().map(|public| public.origin().to_owned());
        let base_url = seen_at.unwrap_or_else(|| format!("http://{}", reachable(addr)));
        let neighbours = Neighbours::new(&base_url, journal.clone());
        let post = Post { base_url: base_url.into(), has_smtp: settings.smtp.is_some() };
        let wishlist = Wishlist::new(SqliteWishes::open(&settings.data).await?, journal.clone(), post);
        let control = Control::new(journal.clone(), control::HOLD_MAX);
        let availability = AvailabilityClient::new(reachable(addr), control.scopes());
        let services = Services { inventory, catalog, wishlist, loyalty, availability };
        let marker = ResetMarker::of(&settings.data);
        marker.finish(&services).await.map_err(other)?;
        recount::server_started(&journal, &services).await?;
        for system in System::ALL {
            control.set_loyalty(system, services.loyalty.membership(system).has_joined());
        }

        let broker = BrokerHandle::start(settings, &journal, &strangers).await?;
        Ok(Self {
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
        })
    }
}

fn bind_zeromq(at: ListenAt) -> Result<[(System, Doors); 2], ServeError> {
    let addr = at.0;
    Doors::bind(at).map_err(|source| ServeError::Listen { addr, flag: "zeromq-listen", source })
}

/// The broker, ours or another.
pub(super) struct BrokerHandle {
    pub uri: BrokerUri,
    /// What pages call it.
    pub label: String,
    pub embedded: Option<EmbeddedBroker>,
}

impl BrokerHandle {
    pub async fn start(
        settings: &Serve,
        journal: &Journal,
        strangers: &Strangers,
    ) -> Result<Self, ServeError> {
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
                    product: product(),
                    ..broker::Config::default()
                };
                let embedded = EmbeddedBroker::start(config).await?;
                let place = reachable(embedded.local_addr());
                let uri = format!("amqp://guest:guest@{place}/%2f").parse().map_err(ServeError::Other)?;
                Ok(Self { uri, label: "embedded broker".to_owned(), embedded: Some(embedded) })
            }
        }
    }
}

/// What the embedded broker tells clients about itself.
fn product() -> broker::Product {
    let own_name = concat!("Skuflow ", env!("CARGO_PKG_VERSION"));
    let compatible = broker::Product::default();
    let information = format!("{own_name}, {}", compatible.information);
    broker::Product { platform: own_name.to_owned(), information, ..compatible }
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
