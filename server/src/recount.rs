//! Saying in the journal what is stored, where that is not what was told: a run that was killed did not tell its last
//! steps, and a data folder may have been changed while no server used it.

use crate::holdings::{self, Holding};
use crate::styles::Services;
use flow::{
    Event, Id, Kind, Provenance, Service, System, event::State, picture::SystemPicture, topology::Queue,
};
use inventory::Inventory;
use journal::Journal;
use loyalty::{Loyalty, membership::Membership};
use messaging::EmbeddedBroker;
use store::StoreError;

/// Says that the server runs again, and what its stores hold.
///
/// # Errors
/// When a store cannot be read.
pub async fn server_started(journal: &Journal, services: &Services) -> Result<(), StoreError> {
    if journal.picture_now().seq > 0 {
        journal.report(Event::new(0, Provenance::Service, Kind::ServerStarted));
    }
    stores(journal, services).await?;
    outbox(journal, &services.inventory).await?;
    members(journal, &services.loyalty).await;
    mailbox(journal, services).await
}

/// Says in which systems loyalty takes part.
async fn members(journal: &Journal, loyalty: &Loyalty) {
    let picture = journal.picture().await;
    for system in System::ALL {
        let (told, membership) = (picture.system(system), loyalty.membership(system));
        // One that was about to leave tells so once its queues are gone.
        let is_told = (told.has(Service::Loyalty), told.is_applied())
            == (membership.has_joined(), membership.is_applied());
        if !is_told && membership != Membership::Leaving {
            loyalty.tell(system, membership, None);
        }
    }
}

/// Says what the stores hold of a SKU, where they differ, or where the journal tells something else.
async fn stores(journal: &Journal, services: &Services) -> Result<(), StoreError> {
    let picture = journal.picture().await;
    for system in System::ALL {
        let told = picture.system(system);
        for holding in holdings::read(services, system).await? {
            if holding.differs() || is_told_otherwise(told, &holding) {
                let Holding { sku, recorded, stored } = holding;
                let mut event = Event::new(0, Provenance::Service, Kind::StoresRead { recorded, stored });
                (event.system, event.node, event.sku) =
                    (Some(system), Some(Service::Inventory.into()), Some(sku));
                journal.report(event);
            }
        }
    }
    Ok(())
}

/// Whether the journal tells something else of a SKU, among those that it tells of.
fn is_told_otherwise(system: &SystemPicture, holding: &Holding) -> bool {
    let is_other_than = |told: Option<State>, held: Option<State>| told.is_some() && told != held;
    is_other_than(system.recorded_of(holding.sku), Some(holding.recorded))
        || Service::ALWAYS.into_iter().any(|service| {
            is_other_than(system.service(service).rows.of(holding.sku), holding.stored.of(service))
        })
}

/// Says how many messages wait in the outbox, where the journal tells another number.
///
/// # Errors
/// When the store cannot be read.
pub async fn outbox(journal: &Journal, inventory: &Inventory) -> Result<(), StoreError> {
    let picture = journal.picture().await;
    for system in System::ALL {
        let messages = inventory.unsent_of(system).await?;
        if picture.system(system).outbox() != u64::from(messages) {
            let counted = counted(Some(messages), None, None);
            tell(journal, system, Service::Inventory, None, counted);
        }
    }
    Ok(())
}

/// Says how many e-mails there are.
///
/// # Errors
/// When the store cannot be read.
pub async fn mailbox(journal: &Journal, services: &Services) -> Result<(), StoreError> {
    let picture = journal.picture().await;
    for system in System::ALL {
        let emails = services.wishlist.mailed(system).await?;
        if picture.system(system).service(Service::Wishlist).emails != emails {
            let counted = counted(None, Some(emails), None);
            tell(journal, system, Service::Wishlist, None, counted);
        }
    }
    Ok(())
}

/// Says how many messages are parked in the embedded broker.
pub async fn parked_in(journal: &Journal, broker: &EmbeddedBroker, queues: Vec<&'static Queue>) {
    let Some(counts) = broker.queue_counts(queues.iter().map(|queue| queue.dead)) else { return };
    let depths = counts.into_iter().map(|dead| (dead.ready + dead.unacked) as u64);
    parked(journal, queues.into_iter().zip(depths)).await;
}

/// Says how many messages are parked, as their broker tells it.
pub async fn parked<'a>(journal: &Journal, depths: impl IntoIterator<Item = (&'a Queue, u64)>) {
    let picture = journal.picture().await;
    for (queue, dead) in depths {
        if picture.system(queue.system()).queue(queue.name).is_some_and(|known| known.dead != dead) {
            let counted = counted(None, None, Some(dead));
            tell(journal, queue.system(), queue.service, Some(queue.name.into()), counted);
        }
    }
}

const fn counted(messages: Option<u32>, emails: Option<u64>, dead: Option<u64>) -> Kind {
    Kind::Counted { messages, emails, dead, ready: None, unacked: None }
}

fn tell(journal: &Journal, system: System, service: Service, queue: Option<Id>, counted: Kind) {
    let mut event = Event::new(0, Provenance::Service, counted);
    (event.system, event.node, event.queue) = (Some(system), Some(service.into()), queue);
    journal.report(event);
}
