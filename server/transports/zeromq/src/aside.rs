//! Where messages are put that failed: the service's own memory, or a file.

use crate::{Hub, letters};
use flow::topology::Queue;
use messaging::{
    Envelope,
    lossy::Memory,
    publisher::PublishError,
    transport::{Aside, Lost, Place},
};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct ZmqAside {
    pub(crate) hub: Hub,
    pub(crate) memory: Memory,
}

impl Aside for ZmqAside {
    type Tag = u64;

    async fn put(
        &self,
        tag: &u64,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> Result<(), PublishError> {
        match place {
            Place::Retry { delay_ms } => {
                self.memory.put_off(*tag, envelope.clone(), Duration::from_millis(delay_ms));
                Ok(())
            }
            Place::Dead => {
                let (folder, envelope) = (self.hub.parked_folder(), envelope.clone());
                let parked = spawn_blocking(move || letters::park(&folder, queue, &envelope)).await;
                let parked = parked.map_err(|error| Lost(error.to_string()))?;
                Ok(parked.map_err(|error| Lost(format!("it could not be parked: {error}")))?)
            }
        }
    }
}
