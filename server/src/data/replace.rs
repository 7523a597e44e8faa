//! Back to the seed while everything runs.
//!
//! First what is on its way is given time to arrive. Then each service takes the seed in one transaction, inventory
//! first. Versions go on from where they were, so whatever is still on its way is old news to everybody.

use super::Data;
use crate::{
    bridge::{Depths, Journal},
    messaging::{BrokerUri, connection::OUR_NAME},
    services::{catalog::Catalog, inventory::Inventory, wishlist::Wishlist},
    store::StoreError,
    warehouse::{Brake, simulator::Simulation},
};
use flow::{
    Event, Kind, Provenance, Service, Style,
    api::{SimulatorState, SimulatorWanted},
};
use lapin::{Connection, ConnectionProperties, options::QueuePurgeOptions};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

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
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a reset needs.
#[derive(Clone)]
pub struct Reset {
    /// The services.
    pub inventory: Inventory,
    /// The services.
    pub catalog: Catalog,
    /// The services.
    pub wishlist: Wishlist,
    /// What would go on bringing arrivals.
    pub simulation: Simulation,
    /// How full the queues are.
    pub depths: Depths,
    /// Where it is told.
    pub journal: Journal,
    /// The broker.
    pub broker: BrokerUri,
    /// One at a time.
    pub alone: Arc<Mutex<()>>,
}

impl Reset {
    /// Takes both systems back to the seed.
    ///
    /// # Errors
    /// When the queues cannot be emptied, or a store fails. Doing it again then does the rest.
    pub async fn run(&self) -> Result<(), ResetError> {
        let _alone = self.alone.lock().await;
        let stop = SimulatorWanted { state: Some(SimulatorState::Stopped), ..SimulatorWanted::default() };
        // To stop is always possible.
        let _ = self.simulation.want(stop);
        if !self.has_drained().await {
            timeout(BROKER_TIMEOUT, self.purge())
                .await
                .map_err(|_| ResetError::Broker("it does not answer".into()))?
                .map_err(|error| ResetError::Broker(error.to_string()))?;
        }
        let seed = Arc::new(Data::seed());
        let floors = self.inventory.replace(Arc::clone(&seed)).await?;
        self.catalog.replace(Arc::clone(&seed), floors).await?;
        self.wishlist.replace(seed, floors).await?;
        Ok(())
    }

    /// Whether everything has arrived in time.
    async fn has_drained(&self) -> bool {
        let brake = Brake::new(self.inventory.clone(), self.depths.clone());
        let started = Instant::now();
        while brake.on_their_way().await > 0 {
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
        for queue in &flow::topology::QUEUES {
            channel.queue_purge(queue.name.into(), QueuePurgeOptions::default()).await?;
        }
        connection.close(200, "done".into()).await?;
        let picture = self.journal.picture();
        for (style, service) in
            Style::ALL.iter().flat_map(|style| Service::ALL.iter().map(move |of| (*style, *of)))
        {
            let Some(queue) = picture.system(style).queue_of(service) else { continue };
            for consumer in &queue.consumers {
                let kind = Kind::ConsumerStarted { consumer_tag: Arc::clone(&consumer.tag), ready: Some(0) };
                let mut event = Event::new(0, Provenance::Service, kind);
                event.style = Some(style);
                event.node = Some(service.into());
                event.queue = Some(Arc::clone(&queue.name));
                self.journal.report(event);
            }
        }
        Ok(())
    }
}
