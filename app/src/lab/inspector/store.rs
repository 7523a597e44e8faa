//! What a service's store holds at the playhead: its rows, its inbox and its outbox, the newest first.

use super::super::selection::Selection;
use super::super::words::short_id;
use super::told::{Block, Way, ways};
use flow::picture::{Change, Rows, SystemPicture};
use flow::{Id, Service};

/// How many messages of the outbox are listed.
const LISTED: usize = 8;

/// The store of a consumer: the rows that changed last, and the messages that it has handled.
pub fn of(system: &SystemPicture, service: Service) -> Vec<Block> {
    let own = system.service(service);
    let queue = system.queue_of(service).map(|queue| queue.name.clone());
    let handled = own.inbox.iter().map(|entry| {
        let pick = Selection::Message { id: entry.message_id.clone(), queue: queue.clone() };
        let sku = entry.sku.map_or_else(|| "a message".to_owned(), |sku| sku.to_string());
        Way::to(pick, sku, short_id(&entry.message_id))
    });
    let handled: Vec<_> = handled.collect();
    let note = if handled.is_empty() {
        "No message so far."
    } else {
        "A message that stands here changes nothing when it comes again."
    };
    let says = |row: &Change| match row.after.points {
        Some(points) => format!("{points} points · version {}", row.after.version),
        None => format!("{} · version {}", row.after.quantity, row.after.version),
    };
    let mut told = rows("Rows that changed last", &own.rows, says);
    told.extend([Block::Heading("Inbox".to_owned()), Block::Note(note.to_owned()), Block::Ways(handled)]);
    told
}

/// The store of inventory as the producer: the stock that was recorded last, and what its relay has not got rid of.
pub fn of_producer(system: &SystemPicture) -> Vec<Block> {
    let says = |row: &Change| {
        let on_hand = row.after.on_hand.unwrap_or(row.after.quantity);
        format!("{on_hand} on hand · version {}", row.after.version)
    };
    let unsent = system.outbox().saturating_sub(system.without_confirm().count() as u64);
    let on_its_way = system.without_confirm().take(LISTED).map(|(id, key): (&Id, &Id)| {
        let key = if key.is_empty() { "without a confirm" } else { &**key };
        Way::to(Selection::Message { id: id.clone(), queue: None }, short_id(id), key)
    });
    let mut told = rows("Stock that changed last", &system.stock, says);
    told.push(Block::Heading("Outbox".to_owned()));
    if system.outbox() == 0 {
        told.push(Block::Note("Empty: the broker has confirmed everything.".to_owned()));
    }
    if unsent > 0 {
        told.push(Block::Note(format!("{unsent} to be sent.")));
    }
    told.push(Block::Ways(on_its_way.collect()));
    told
}

fn rows(heading: &str, rows: &Rows, says: impl Fn(&Change) -> String) -> Vec<Block> {
    let changed = rows.iter().map(|row| {
        let sku = row.sku.map(|sku| sku.to_string()).unwrap_or_default();
        Way::to(Selection::Event(row.seq), sku, says(row))
    });
    ways(heading, changed.collect(), "None so far.")
}
