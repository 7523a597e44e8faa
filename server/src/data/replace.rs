//! Back to the seed while everything runs.
//!
//! First what is on its way is given time to arrive. Then each service takes the seed in one transaction, inventory
//! first. Versions go on from where they were, so whatever is still on its way is old news to everybody.
//!
//! Three stores cannot commit as one. So a note on disk says that a reset has begun, and a server that finds it when it
//! starts does the rest before anybody is served.

use super::Data;
use crate::{members::Members, recount, styles::Services};
use control::{Desk, DeskError};
use flow::{
    Event, Kind, Provenance, Service, System, Transport,
    api::{SimulatorState, SimulatorWanted},
};
use journal::{By, Journal};
use lapin::{Connection, ConnectionProperties, options::QueuePurgeOptions};
use messaging::{Bindings as _, BrokerUri, Depths, connection::OUR_NAME};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::StoreError;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};
use warehouse::{Backpressure, simulator::Simulation};

/// How long what is on its way may take before it is thrown away.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
const BROKER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why nothing, or not all, was reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The broker has to throw away what waits, and cannot be reached.
    #[error(
        "messages wait in the queues and the broker does not take them away: {0}; try again when it is there"
    )]
    Broker(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The note that a reset has begun cannot be written.
    #[error("the data folder cannot be written: {0}")]
    Note(#[from] io::Error),
}

/// The note that a reset has begun.
#[derive(Debug, Clone)]
pub struct ResetMarker(PathBuf);

impl ResetMarker {
    /// The one of a data folder.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self(folder.join("reset-begun"))
    }

    /// Does the rest of a reset that was cut short, if one was.
    ///
    /// # Errors
    /// When a store fails, or the note cannot be taken away.
    pub async fn finish(&self, services: &Services) -> Result<(), ResetError> {
        if self.0.exists() {
            tracing::warn!("a reset was cut short; doing the rest");
            self.start_over(services).await?;
        }
        Ok(())
    }

    async fn start_over(&self, services: &Services) -> Result<(), ResetError> {
        File::create(&self.0)?.sync_all()?;
        let seed = Data::seed();
        let told = services.catalog.highest().await?.max(services.wishlist.highest().await?);
        let told = told.max(services.loyalty.highest().await?);
        let floors = services.inventory.replace(seed.stock.clone(), told).await?;
        services.catalog.replace(seed.products.clone(), seed.for_sale(floors), floors).await?;
        services.wishlist.replace(seed.wishes.clone(), seed.for_sale(floors), floors).await?;
        services.loyalty.reset(floors).await?;
        Ok(fs::remove_file(&self.0)?)
    }
}

/// What a reset needs.
#[derive(Clone)]
pub struct Reset {
    pub services: Services,
    /// The note that it has begun.
    pub marker: ResetMarker,
    /// Where parked messages are thrown away.
    pub desk: Desk,
    /// What would go on bringing arrivals.
    pub simulation: Simulation,
    /// Who takes part, and so which queues there are.
    pub members: Members,
    /// How full the queues are.
    pub depths: Depths,
    /// Where it is told.
    pub journal: Journal,
    pub broker: BrokerUri,
    /// One at a time.
    pub alone: Arc<Mutex<()>>,
}

impl Reset {
    /// Takes both systems back to the seed.
    ///
    /// # Errors
    /// When the queues cannot be emptied, or a store fails. Doing it again then does the rest.
    pub async fn run(&self, by: By<'_>) -> Result<(), ResetError> {
        let _alone = self.alone.lock().await;
        let _members = self.members.nobody_moves().await;
        let stop = SimulatorWanted { state: Some(SimulatorState::Stopped), ..SimulatorWanted::default() };
        // To stop is always possible.
        let _ = self.simulation.want(stop);
        if !self.has_drained().await {
            timeout(BROKER_TIMEOUT, self.purge())
                .await
                .map_err(|_| ResetError::Broker("it does not answer".into()))?
                .map_err(|error| ResetError::Broker(error.to_string()))?;
        }
        self.discard_parked(by).await?;
        let mut reset = Event::new(0, Provenance::Service, Kind::SystemReset);
        (reset.node, reset.actor) = (Some(Service::Inventory.into()), by.cloned());
        self.journal.report(reset);
        self.marker.start_over(&self.services).await?;
        Ok(recount::mailbox(&self.journal, &self.services).await?)
    }

    /// What is parked tells of a life that is over. While there is no broker nobody can see it either; replayed one
    /// day, it is old news to everybody.
    async fn discard_parked(&self, by: By<'_>) -> Result<(), ResetError> {
        for system in System::ALL {
            match self.desk.discard_all(system, by).await {
                Ok(_) => {}
                Err(DeskError::NoConnection(error)) => {
                    tracing::warn!(%error, "parked messages stay where they are");
                }
                Err(error) => return Err(ResetError::Broker(error.to_string())),
            }
        }
        Ok(())
    }

    /// Whether everything has arrived in time.
    async fn has_drained(&self) -> bool {
        let backpressure = Backpressure::new(self.services.inventory.clone(), self.depths.clone());
        let started = Instant::now();
        while backpressure.on_their_way().await > 0 {
            if started.elapsed() > DRAIN_TIMEOUT {
                return false;
            }
            sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Throws away what waits in the queues, and tells how deep they are now.
    async fn purge(&self) -> Result<(), lapin::Error> {
        let named =
            ConnectionProperties::default().with_connection_name(format!("{OUR_NAME}reset").as_str().into());
        let connection = Connection::connect_uri(self.broker.uri(), named).await?;
        let channel = connection.create_channel().await?;
        for queue in self.members.control.queues() {
            channel.queue_purge(queue.name.into(), QueuePurgeOptions::default()).await?;
        }
        connection.close(200, "done".into()).await?;
        let picture = self.journal.picture().await;
        let members = |system: System| {
            self.members.control.members(system).into_iter().map(move |service| (system, service))
        };
        for (system, service) in Transport::Amqp.systems().flat_map(members) {
            let Some(queue) = picture.system(system).queue_of(service) else { continue };
            for consumer in &queue.consumers {
                let kind = Kind::ConsumerStarted { consumer_tag: Arc::clone(&consumer.tag), ready: Some(0) };
                let mut event = Event::new(0, Provenance::Service, kind);
                event.system = Some(system);
                event.node = Some(service.into());
                event.queue = Some(Arc::clone(&queue.name));
                self.journal.report(event);
            }
        }
        Ok(())
    }
}
