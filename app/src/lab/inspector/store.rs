//! What a service's store holds at the playhead: its rows, its inbox and its outbox, the newest first.

use super::super::selection::Selection;
use super::super::words::short_id;
use super::part::way;
use flow::picture::{Change, Rows, System};
use flow::{Id, Service};
use maud::{Markup, html};

/// The store of a consumer: the rows that changed last, and the messages that it has handled.
pub(super) fn of(system: &System, service: Service) -> Markup {
    let own = system.service(service);
    let queue = system.queue_of(service).map(|queue| queue.name.clone());
    html! {
        (rows("Rows that changed last", &own.rows, |row| format!("{} · version {}", row.after.quantity, row.after.version)))
        h3 { "Inbox" }
        @if own.inbox.iter().next().is_none() { p.soft { "No message so far." } } @else {
            p.soft { "A message that stands here changes nothing when it comes again." }
        }
        ul.plain-list {
            @for entry in own.inbox.iter() {
                @let pick = Selection::Message { id: entry.message_id.clone(), queue: queue.clone() };
                @let sku = entry.sku.map_or_else(|| "a message".to_owned(), |sku| sku.to_string());
                (way(&pick, &sku, &short_id(&entry.message_id)))
            }
        }
    }
}

/// The store of inventory as the producer: the stock that was recorded last, and what its relay has not got rid of.
pub(super) fn of_producer(system: &System) -> Markup {
    let on_hand = |row: &Change| row.after.on_hand.unwrap_or(row.after.quantity);
    let on_its_way: Vec<(&Id, &Id)> = system.without_confirm().take(LISTED).collect();
    let unsent = system.outbox().saturating_sub(system.without_confirm().count() as u64);
    html! {
        (rows("Stock that changed last", &system.stock, |row| format!("{} on hand · version {}", on_hand(row), row.after.version)))
        h3 { "Outbox" }
        @if system.outbox() == 0 { p.soft { "Empty: the broker has confirmed everything." } }
        @if unsent > 0 { p.soft { (unsent) " to be sent." } }
        ul.plain-list {
            @for (id, key) in on_its_way {
                @let key = if key.is_empty() { "without a confirm" } else { &**key };
                (way(&Selection::Message { id: id.clone(), queue: None }, &short_id(id), key))
            }
        }
    }
}

/// How many messages of the outbox are listed.
const LISTED: usize = 8;

fn rows(title: &str, rows: &Rows, says: impl Fn(&Change) -> String) -> Markup {
    html! {
        h3 { (title) }
        @if rows.iter().next().is_none() { p.soft { "None so far." } }
        ul.plain-list {
            @for row in rows.iter() {
                @let sku = row.sku.map(|sku| sku.to_string()).unwrap_or_default();
                (way(&Selection::Event(row.seq), &sku, &says(row)))
            }
        }
    }
}
