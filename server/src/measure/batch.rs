//! Arrivals of a measurement: sending them, and asking the stores what became of them.

use super::{Interrupted, Means};
use crate::holdings::{self, Holding};
use flow::{Dispatch, Id, Quantity, Service, Sku, System, event::Origin};
use inventory::intake::{Movement, Reason};
use std::collections::HashMap;
use store::StoreError;

/// How many pieces come with each. They are of SKUs of their own, so that nobody waits for one and gets an e-mail, and each
/// effect is of one arrival.
const PIECES: i64 = 1;

/// The SKUs of a measurement.
pub fn skus(n: usize) -> impl Iterator<Item = Sku> + Clone {
    (1..=n).map(|n| Sku::parse(&format!("MEASURE-{n:03}")).expect("a word and a number are a SKU"))
}

/// An arrival that was accepted.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its id, which all that follows carries.
    pub id: Id,
    pub sku: Sku,
}

/// Arrivals that were sent, of a SKU each.
#[derive(Debug)]
pub struct Batch<'a> {
    means: &'a Means,
    system: System,
    /// What inventory had of each SKU before.
    on_hand_before: HashMap<Sku, u32>,
    pub sent: Vec<Sent>,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Means")
    }
}

impl<'a> Batch<'a> {
    /// Nothing is sent yet.
    pub async fn new(means: &'a Means, system: System) -> Result<Self, StoreError> {
        let held = holdings::read(&means.services, system).await?;
        let on_hand = |held: &Holding| (held.sku, held.recorded.on_hand.unwrap_or_default());
        let on_hand_before = held.iter().map(on_hand).collect();
        Ok(Self { means, system, on_hand_before, sent: Vec::new() })
    }

    /// Sends an arrival of each of these SKUs, all at once.
    pub async fn send(&mut self, skus: impl IntoIterator<Item = Sku>) -> Result<(), Interrupted> {
        self.sent.extend(arrive(self.means, self.system, skus).await?);
        Ok(())
    }

    /// What the stores say of each arrival, in the order in which they were sent.
    pub async fn stored(&self) -> Result<Vec<Stored>, StoreError> {
        let held = holdings::read(&self.means.services, self.system).await?;
        let held: HashMap<Sku, Holding> = held.into_iter().map(|held| (held.sku, held)).collect();
        Ok(self.sent.iter().map(|sent| self.stored_of(sent, held.get(&sent.sku))).collect())
    }

    fn stored_of(&self, sent: &Sent, held: Option<&Holding>) -> Stored {
        let Some(held) = held else { return Stored::default() };
        let before = self.on_hand_before.get(&sent.sku).copied().unwrap_or_default();
        let knows = |service: Service| {
            held.stored.of(service).is_some_and(|stored| stored.version >= held.recorded.version)
        };
        Stored {
            is_learned: Service::ALWAYS.into_iter().all(knows),
            is_counted_twice: i64::from(held.recorded.on_hand.unwrap_or_default())
                > i64::from(before) + PIECES,
        }
    }

    /// Whether every service's store has learned of every arrival.
    pub async fn is_learned(&self) -> Result<bool, StoreError> {
        Ok(self.stored().await?.iter().all(|stored| stored.is_learned))
    }
}

/// What the stores say of an arrival.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stored {
    /// Whether each service's store knows of it.
    pub is_learned: bool,
    /// Whether inventory's stock grew by more than came.
    pub is_counted_twice: bool,
}

/// Records arrivals, as a request does.
pub async fn arrive(
    means: &Means,
    system: System,
    skus: impl IntoIterator<Item = Sku>,
) -> Result<Vec<Sent>, Interrupted> {
    let quantity = Quantity::parse(PIECES).expect("some pieces are a quantity");
    let movement = |sku| Movement { sku, quantity, system, dispatch: Dispatch::default() };
    let movements: Vec<_> = skus.into_iter().map(movement).collect();
    let reason = Reason::Arrival(Origin::Request);
    let accepted = means.services.inventory.record(movements, reason, None).await?;
    Ok(accepted.into_iter().map(|accepted| Sent { id: accepted.id, sku: accepted.sku }).collect())
}

/// Whether nothing of a system is on its way: its outbox and its queues are empty, as far as these can be counted.
pub async fn is_idle(means: &Means, system: System) -> Result<bool, StoreError> {
    if means.services.inventory.unsent_of(system).await? > 0 {
        return Ok(false);
    }
    // A broker that does not answer may hold anything.
    let Ok(depths) = means.depths.sample().await else { return Ok(false) };
    let mut own =
        depths.iter().filter(|depth| depth.style == system.style && depth.transport == system.transport);
    Ok(own.all(|depth| depth.ready == 0 && depth.unacked == 0))
}
