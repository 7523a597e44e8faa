//! The two styles, side by side: open `choreography.rs` and `orchestration.rs` next to each other.
//!
//! To change inventory's code while it runs, as a fourth receiver asks for, each has both versions of its list: as it is, and
//! as it is once the change is applied.

pub mod choreography;
pub mod orchestration;

use availability::AvailabilityClient;
use catalog::Catalog;
use flow::{Availability, Dispatch, Style};
use inventory::{Inventory, outbox::Draft};
use loyalty::Loyalty;
use messaging::{Delivered, Failure, Handled, Handler};
use std::sync::Arc;
use wishlist::Wishlist;

/// The services as the styles see them.
#[derive(Debug, Clone)]
pub struct Services {
    pub inventory: Inventory,
    pub catalog: Catalog,
    /// Mails those who wait.
    pub wishlist: Wishlist,
    /// Counts points, where it has joined.
    pub loyalty: Loyalty,
    /// How a service asks inventory.
    pub availability: AvailabilityClient,
}

/// What inventory sends when it knows something new about a SKU; `is_changed` says whether its list names loyalty.
#[must_use]
pub fn announce(style: Style, dispatch: Dispatch, is_changed: bool, known: &Availability) -> Vec<Draft> {
    use choreography::{RECEIVERS, RECEIVERS_CHANGED};
    use orchestration::{COMMANDS, COMMANDS_CHANGED};
    match (style, is_changed) {
        (Style::Choreography, false) => choreography::announce(dispatch, RECEIVERS, known),
        (Style::Choreography, true) => choreography::announce(dispatch, RECEIVERS_CHANGED, known),
        (Style::Orchestration, false) => orchestration::announce(COMMANDS, known),
        (Style::Orchestration, true) => orchestration::announce(COMMANDS_CHANGED, known),
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

type Outcome = Result<Handled, Failure>;

#[cfg(test)]
mod tests {
    use super::*;
    use flow::loyalty::{Line, Sign, UNCHANGED, diff};

    const CHOREOGRAPHY: &str = include_str!("choreography.rs");
    const ORCHESTRATION: &str = include_str!("orchestration.rs");

    #[test]
    fn the_change_that_is_shown_is_the_one_between_the_two_lists_in_the_source() {
        for (style, dispatch, source, list) in [
            (Style::Choreography, Dispatch::Queues, CHOREOGRAPHY, "RECEIVERS"),
            (Style::Orchestration, Dispatch::Fanout, ORCHESTRATION, "COMMANDS"),
        ] {
            let lines = diff(style, dispatch);
            let text = |leaves_out: Sign| -> String {
                let kept = lines.iter().filter(|line| line.sign != leaves_out);
                kept.map(|line| format!("{}\n", line.text)).collect()
            };
            let (before, after) = (text(Sign::Added), text(Sign::Removed));
            assert!(source.contains(&before), "{before}");
            let after = after.replacen(list, &format!("{list}_CHANGED"), 1);
            assert!(source.contains(&after), "{after}");
            assert_ne!(text(Sign::Added), text(Sign::Removed));
        }
        for line in UNCHANGED {
            assert!(CHOREOGRAPHY.contains(line.text), "{}", line.text);
        }
        let nothing: &[Line] = &[];
        assert_eq!(
            diff(Style::Choreography, Dispatch::Fanout),
            nothing,
            "the producer's code does not change"
        );
    }
}
