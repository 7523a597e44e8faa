//! Emptying a queue that is not a dead-letter queue: nobody handles what waits in it.

use super::{Desk, DeskError, NODE, visit::Visit};
use flow::{Event, Kind, Node, Provenance, Service, System};
use journal::By;

impl Desk {
    /// Throws away what waits in a service's queue (`queue.purge`, AMQP 0-9-1, section 1.7.2.7), and says how many
    /// messages that were. What a worker has in hand stays with it.
    ///
    /// # Errors
    /// When the broker does not answer, or somebody deleted the queue.
    pub async fn purge(&self, system: System, service: Service, by: By<'_>) -> Result<usize, DeskError> {
        let queue = system.queue_of(service);
        let visit = Visit::begin(&self.connector, &self.turn).await?;
        let messages = visit.purge(queue).await?;
        visit.leave().await;
        // The embedded broker tells it itself.
        if messages > 0 && !self.connector.is_ours {
            let mut event = Event::new(0, Provenance::Service, Kind::QueuePurged { messages });
            (event.system, event.node) = (Some(system), Some(Node::Foreign(NODE.into())));
            (event.queue, event.actor) = (Some(queue.name.into()), by.cloned());
            self.journal.report(event);
        }
        Ok(messages as usize)
    }
}
