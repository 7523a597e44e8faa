//! Choreography: inventory says *that* something happened. Who listens decides what to do about it, and asks.

use super::{Outcome, Services, parse};
use flow::{Availability, Dispatch, Service, SkuProcessed, topology::SKU_PROCESSED};
use inventory::outbox::Draft;
use messaging::Delivered;
use store::epoch::Word;

/// The list that inventory keeps where it publishes to each queue itself.
#[rustfmt::skip]
pub const RECEIVERS: &[&str] = &[
    "inventory.sku_processed",
    "catalog.sku_processed",
    "wishlist.sku_processed",
];

/// The same list once somebody has changed it for a fourth service.
#[rustfmt::skip]
pub const RECEIVERS_CHANGED: &[&str] = &[
    "inventory.sku_processed",
    "catalog.sku_processed",
    "wishlist.sku_processed",
    "loyalty.sku_processed",
];

/// One event with nothing but the SKU's identifier.
#[must_use]
pub fn announce(dispatch: Dispatch, list: &'static [&str], known: &Availability) -> Vec<Draft> {
    let event = |exchange, routing_key| Draft {
        exchange,
        routing_key,
        message_type: "sku_processed",
        body: serde_json::to_string(&SkuProcessed { sku: known.sku }).expect("a SKU is text"),
    };
    match dispatch {
        // Inventory knows nobody: the exchange copies the event to every queue that is bound, whoever joins.
        Dispatch::Fanout => vec![event(SKU_PROCESSED.name, "")],
        // Inventory keeps the list itself, and publishes to each queue through the default exchange.
        Dispatch::Queues => list.iter().map(|queue| event("", queue)).collect(),
    }
}

/// Each service hears the event and does its own work; who needs to know more asks inventory.
///
/// # Errors
/// When inventory does not answer or does not know the SKU, the body is no event, or a store fails.
pub async fn handle(message: &Delivered, services: &Services) -> Outcome {
    let SkuProcessed { sku } = parse(message)?;
    let ask = || {
        let Delivered { envelope, reporter, .. } = message;
        services.availability.ask(message.system, sku, &envelope.correlation_id, reporter)
    };
    match message.queue.service {
        Service::Inventory => services.inventory.recalculate(message, sku).await,
        Service::Catalog => Ok(services.catalog.mark(message, ask().await?, Word::Answer).await?),
        Service::Wishlist => Ok(services.wishlist.update(message, ask().await?, Word::Answer).await?),
        Service::Loyalty => Ok(services.loyalty.count(message, ask().await?, Word::Answer).await?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Sku, Style};

    #[test]
    fn the_event_carries_nothing_but_the_sku() {
        let sku = Sku::parse("MUG-RED").unwrap();
        let known = Availability { sku, available: true, quantity: 12, version: 2 };
        let [event] = &announce(Dispatch::Fanout, RECEIVERS_CHANGED, &known)[..] else { panic!("one event") };
        assert_eq!((event.exchange, event.routing_key), ("sku_processed", ""));
        assert_eq!(event.body, r#"{"sku":"MUG-RED"}"#);
        let copies = announce(Dispatch::Queues, RECEIVERS, &known);
        assert!(copies.iter().all(|copy| copy.body == event.body));
        let queues: Vec<_> = Style::Choreography.queues().map(|queue| queue.name).collect();
        assert_eq!(copies.iter().map(|copy| copy.routing_key).collect::<Vec<_>>(), queues);
    }
}
