//! Saying in the journal what is stored, where that is not what was told: a run that was killed did not tell its last
//! steps, and a data folder may have been changed while no server used it.

use crate::styles::Services;
use flow::{
    Event, Id, Kind, Provenance, Service, Style,
    topology::{QUEUES, Queue},
};
use inventory::Inventory;
use journal::Journal;
use messaging::House;
use store::StoreError;

/// Says that the server runs again, and what its stores hold.
///
/// # Errors
/// When a store cannot be read.
pub async fn server_started(journal: &Journal, services: &Services) -> Result<(), StoreError> {
    if journal.picture_now().seq > 0 {
        journal.report(Event::new(0, Provenance::Service, Kind::ServerStarted));
    }
    outbox(journal, &services.inventory).await?;
    mailbox(journal, services).await
}

async fn outbox(journal: &Journal, inventory: &Inventory) -> Result<(), StoreError> {
    let picture = journal.picture().await;
    for &style in Style::ALL {
        let messages = inventory.unsent_of(style).await?;
        if picture.system(style).outbox() != u64::from(messages) {
            let counted = counted(Some(messages), None, None);
            tell(journal, style, Service::Inventory, None, counted);
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
    for &style in Style::ALL {
        let emails = services.wishlist.mailed(style).await?;
        if picture.system(style).service(Service::Wishlist).emails != emails {
            let counted = counted(None, Some(emails), None);
            tell(journal, style, Service::Wishlist, None, counted);
        }
    }
    Ok(())
}

/// Says how many messages are parked in the embedded broker.
pub async fn parked_in(journal: &Journal, house: &House) {
    let names = QUEUES.iter().map(|queue| queue.dead);
    let Some(counts) = house.queue_counts(names) else { return };
    let depths = counts.into_iter().map(|dead| (dead.ready + dead.unacked) as u64);
    parked(journal, QUEUES.iter().zip(depths)).await;
}

/// Says how many messages are parked, as their broker tells it.
pub async fn parked<'a>(journal: &Journal, depths: impl IntoIterator<Item = (&'a Queue, u64)>) {
    let picture = journal.picture().await;
    for (queue, dead) in depths {
        if picture.system(queue.style).queue(queue.name).is_some_and(|known| known.dead != dead) {
            let counted = counted(None, None, Some(dead));
            tell(journal, queue.style, queue.service, Some(queue.name.into()), counted);
        }
    }
}

const fn counted(messages: Option<u32>, emails: Option<u64>, dead: Option<u64>) -> Kind {
    Kind::Counted { messages, emails, dead, ready: None, unacked: None }
}

fn tell(journal: &Journal, style: Style, service: Service, queue: Option<Id>, counted: Kind) {
    let mut event = Event::new(0, Provenance::Service, counted);
    (event.style, event.node, event.queue) = (Some(style), Some(service.into()), queue);
    journal.report(event);
}
