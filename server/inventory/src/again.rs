//! Announcing once more what is recorded: the way to mend what a lost message left undone.
//!
//! The version stays, so that a service that has these numbers already has nothing to do. Only where a service has other
//! numbers under this version or a later one, it rises above that: an older version never overwrites a newer one.

use super::{Inventory, intake::Announce, outbox, stock};
use flow::{Dispatch, Event, Id, Kind, Provenance, Service, Sku, System, api::Announced};
use journal::By;
use messaging::envelope;
use rusqlite::Transaction;
use store::StoreError;

/// Which SKUs are to be announced again.
#[derive(Debug, Clone)]
pub struct AnnounceAgain {
    pub system: System,
    /// Each with the version that its own has to be beyond, 0 without.
    pub skus: Vec<(Sku, u64)>,
}

/// What is announced again.
#[derive(Debug)]
pub struct Again {
    pub announced: Vec<Announced>,
    /// How many messages there are about each.
    pub messages: Vec<usize>,
    /// The last row of the outbox with them.
    pub last_row: i64,
}

impl Inventory {
    /// Puts the messages about these SKUs into the outbox once more, all or none; what inventory does not know is left out.
    /// With each SKU stands the version that its own has to be beyond, 0 without.
    ///
    /// # Errors
    /// When the store fails; nothing is announced then.
    pub async fn announce_again(
        &self,
        system: System,
        skus: Vec<(Sku, u64)>,
        by: By<'_>,
    ) -> Result<Vec<Announced>, StoreError> {
        let (journal, released, by) = (self.journal.clone(), self.released.clone(), by.cloned());
        let tell = move |again: &Again| {
            for (one, messages) in again.announced.iter().zip(&again.messages) {
                let messages = u32::try_from(*messages).unwrap_or(u32::MAX);
                let kind = Kind::AnnouncedAgain { version: one.version, messages };
                let mut event = Event::new(0, Provenance::Service, kind);
                (event.system, event.node) = (Some(system), Some(Service::Inventory.into()));
                (event.sku, event.correlation_id) = (Some(one.sku), Some(Id::clone(&one.id)));
                event.actor.clone_from(&by);
                journal.report(event);
            }
            outbox::release(&released, again.last_row);
        };
        let wanted = AnnounceAgain { system, skus };
        Ok(self.store.announce_again(wanted, self.announce.clone(), Box::new(tell)).await?.announced)
    }
}

/// Puts the messages into the outbox.
pub(crate) fn announce(
    tx: &Transaction<'_>,
    wanted: AnnounceAgain,
    announce: &Announce,
) -> Result<Again, StoreError> {
    let AnnounceAgain { system, skus } = wanted;
    let mut again = Again { announced: Vec::new(), messages: Vec::new(), last_row: 0 };
    for (sku, beyond) in skus {
        let Some(mut row) = stock::find(tx, system, sku)? else { continue };
        if beyond >= row.version {
            row.version = beyond + 1;
            stock::record(tx, system, sku, &row)?;
        }
        let id = envelope::new_id();
        let drafts = announce.drafts(system, Dispatch::default(), &row.availability(sku));
        again.last_row = outbox::add(tx, system, sku, &id, &drafts)?;
        again.announced.push(Announced { id, sku, version: row.version });
        again.messages.push(drafts.len());
    }
    Ok(again)
}
