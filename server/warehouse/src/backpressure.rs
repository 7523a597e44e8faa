//! Backpressure: whoever brings arrivals by the thousand waits while the services are behind.
//!
//! Files and the simulator could write faster than three services can follow. What is on its way would then grow
//! without end, in the outbox or in the broker. A single request is never slowed down.

use inventory::Inventory;
use messaging::Depths;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How many messages may be on their way before it holds.
const ON_THEIR_WAY_MAX: u64 = 20_000;
/// How often whoever is held looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub struct Backpressure {
    inventory: Inventory,
    depths: Depths,
}

impl Backpressure {
    /// Looks at inventory's outbox and at the queues.
    #[must_use]
    pub const fn new(inventory: Inventory, depths: Depths) -> Self {
        Self { inventory, depths }
    }

    /// Waits while the services are behind; `false` when told to stop. Calls `held` once if it has to wait, with
    /// how many messages are on their way.
    pub async fn clear(&self, stop: &CancellationToken, held: impl FnOnce(u64)) -> bool {
        let mut held = Some(held);
        while !stop.is_cancelled() {
            let waiting = self.on_their_way().await;
            if waiting < ON_THEIR_WAY_MAX {
                return true;
            }
            if let Some(held) = held.take() {
                held(waiting);
            }
            tokio::select! {
                () = sleep(LOOK_AGAIN) => {}
                () = stop.cancelled() => {}
            }
        }
        false
    }

    /// How many messages are on their way.
    ///
    /// What cannot be measured does not hold anybody up: while the broker is away all of it is in the outbox.
    pub async fn on_their_way(&self) -> u64 {
        let unsent = self.inventory.unsent().await.unwrap_or(0);
        let queued =
            self.depths.sample().await.map_or(0, |queues| {
                queues.iter().map(|queue| queue.ready.saturating_add(queue.unacked)).sum()
            });
        unsent + queued
    }
}
