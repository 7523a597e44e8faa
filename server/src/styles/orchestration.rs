//! Orchestration: inventory says *what to do*. It knows who must act, and each command carries what is needed.

use super::{Outcome, Services, parse};
use flow::{Availability, Service, topology::INVENTORY_COMMANDS};
use inventory::outbox::Draft;
use messaging::{Delivered, Failure};
use store::epoch::{VersionError, Word};

/// The commands that inventory's code knows, each for one receiver.
#[rustfmt::skip]
pub const COMMANDS: &[&str] = &[
    "recalculate_sku",
    "update_sku_availability",
    "update_wishlists",
];

/// The same list once somebody has changed it for a fourth receiver.
#[rustfmt::skip]
pub const COMMANDS_CHANGED: &[&str] = &[
    "recalculate_sku",
    "update_sku_availability",
    "update_wishlists",
    "add_loyalty_points",
];

/// One command for each receiver on the list.
#[must_use]
pub fn announce(commands: &'static [&str], known: &Availability) -> Vec<Draft> {
    let command = |name| Draft {
        exchange: INVENTORY_COMMANDS.name,
        routing_key: name,
        message_type: name,
        body: serde_json::to_string(known).expect("an availability is plain data"),
    };
    // Inventory knows everybody: each command goes to the queue of the one who must obey it.
    commands.iter().map(|name| command(name)).collect()
}

/// Each service obeys its command with what the command says; nobody asks anybody, unless a command is too far ahead of
/// what is known to be believed.
///
/// # Errors
/// When the body is not a command, the SKU is unknown, inventory does not confirm what it is asked, or a store fails.
pub async fn handle(message: &Delivered, services: &Services) -> Outcome {
    let known: Availability = parse(message)?;
    match message.queue.service {
        Service::Inventory => services.inventory.recalculate(message, known.sku).await,
        Service::Catalog => match services.catalog.mark(message, known, Word::Command).await {
            Err(doubt @ VersionError::Implausible { .. }) => {
                let confirmed = confirm(message, services, known, doubt).await?;
                Ok(services.catalog.mark(message, confirmed, Word::Answer).await?)
            }
            done => Ok(done?),
        },
        Service::Wishlist => match services.wishlist.update(message, known, Word::Command).await {
            Err(doubt @ VersionError::Implausible { .. }) => {
                let confirmed = confirm(message, services, known, doubt).await?;
                Ok(services.wishlist.update(message, confirmed, Word::Answer).await?)
            }
            done => Ok(done?),
        },
        Service::Loyalty => match services.loyalty.count(message, known, Word::Command).await {
            Err(doubt @ VersionError::Implausible { .. }) => {
                let confirmed = confirm(message, services, known, doubt).await?;
                Ok(services.loyalty.count(message, confirmed, Word::Answer).await?)
            }
            done => Ok(done?),
        },
    }
}

/// Inventory's own word on a command; the doubt stays when inventory is not as far as the command says.
async fn confirm(
    message: &Delivered,
    services: &Services,
    said: Availability,
    doubt: VersionError,
) -> Result<Availability, Failure> {
    let Delivered { envelope, reporter, .. } = message;
    let asked =
        services.availability.ask(message.system, said.sku, &envelope.correlation_id, reporter).await?;
    if asked.version < said.version { Err(doubt.into()) } else { Ok(asked) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Sku, Style};

    #[test]
    fn each_command_goes_to_one_queue_and_carries_what_its_receiver_needs() {
        let sku = Sku::parse("MUG-RED").unwrap();
        let known = Availability { sku, available: true, quantity: 12, version: 2 };
        let commands = announce(COMMANDS, &known);
        let names: Vec<_> = commands.iter().map(|command| command.routing_key).collect();
        let keys: Vec<_> = Style::Orchestration.queues().map(|queue| queue.routing_key).collect();
        assert_eq!(names, keys);
        let fourth = announce(COMMANDS_CHANGED, &known).pop().unwrap();
        assert_eq!(fourth.routing_key, Style::Orchestration.queue_of(Service::Loyalty).routing_key);
        for command in commands {
            assert_eq!((command.exchange, command.message_type), ("inventory.commands", command.routing_key));
            assert_eq!(command.body, r#"{"sku":"MUG-RED","available":true,"quantity":12,"version":2}"#);
        }
    }
}
