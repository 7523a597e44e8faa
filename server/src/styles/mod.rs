//! The two styles, side by side: open `choreography.rs` and `orchestration.rs` next to each other.

pub mod choreography;
pub mod orchestration;

use availability::AvailabilityClient;
use catalog::Catalog;
use flow::{Availability, Dispatch, Style};
use inventory::{Inventory, outbox::Draft};
use messaging::{Delivered, Failure, Handled, Handler};
use std::sync::Arc;
use wishlist::Wishlist;

/// The services as the styles see them.
#[derive(Debug, Clone)]
pub struct Services {
    /// Knows the stock.
    pub inventory: Inventory,
    /// Shows the products.
    pub catalog: Catalog,
    /// Mails those who wait.
    pub wishlist: Wishlist,
    /// How a service asks inventory.
    pub availability: AvailabilityClient,
}

/// What inventory sends when it knows something new about a SKU.
#[must_use]
pub fn announce(style: Style, dispatch: Dispatch, known: &Availability) -> Vec<Draft> {
    match style {
        Style::Choreography => choreography::announce(dispatch, known),
        Style::Orchestration => orchestration::announce(known),
    }
}

/// What a consumer of `style` does with each message.
#[must_use]
pub fn handler(style: Style, services: Services) -> Handler {
    let services = Arc::new(services);
    match style {
        Style::Choreography => Arc::new(move |message| {
            let services = Arc::clone(&services);
            Box::pin(async move { choreography::handle(&message, &services).await })
        }),
        Style::Orchestration => Arc::new(move |message| {
            let services = Arc::clone(&services);
            Box::pin(async move { orchestration::handle(&message, &services).await })
        }),
    }
}

/// Reads a message's body; a body that makes no sense will make none the next time.
fn parse<'a, T: serde::Deserialize<'a>>(message: &'a Delivered) -> Result<T, Failure> {
    let (body, of) = (&message.envelope.body, &message.envelope.message_type);
    // An array of the fields' values would do for serde, and is not what the design says.
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|first| matches!(first, b'[' | b'"' | b'0'..=b'9' | b'-')) {
        return Err(Failure::Permanent(format!("the body is not a valid {of}: it is not a JSON object")));
    }
    serde_json::from_slice(body)
        .map_err(|error| Failure::Permanent(format!("the body is not a valid {of}: {error}")))
}

/// How handlers end.
type Outcome = Result<Handled, Failure>;
