//! How the page stands with the server and its broker, in a word and a colour.

use crate::live::{Connection, Live, use_live};
use crate::paint::{follow, region};
use leptos::prelude::*;
use maud::{Markup, html};

/// The pill in the header.
#[island]
pub fn ConnectionPill() -> impl IntoView {
    let live = use_live();
    region(move || draw(live), move |host| follow(host, Box::new(move || draw(live))))
}

fn draw(live: Live) -> String {
    pill(live.connection.get(), &live.broker.get()).into_string()
}

fn pill(connection: Connection, broker: &str) -> Markup {
    let (class, word) = match connection {
        Connection::Connecting => ("pill pill-wait", "Connecting"),
        Connection::Live => ("pill pill-done", "Live"),
        Connection::Reconnecting => ("pill pill-warn", "Reconnecting"),
        Connection::Replay => ("pill pill-wait", "Saved run"),
        Connection::BrokerFull => ("pill pill-full", "Broker full"),
        Connection::BrokerDown => ("pill pill-failed", "Broker down"),
    };
    html! {
        span class=(class) role="status" title=(broker) {
            span { (word) span.pill-more { " · " (broker) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_broker_is_told_in_words_and_by_a_mark_of_its_own() {
        let drawn = pill(Connection::BrokerFull, "embedded").into_string();
        assert!(drawn.contains("Broker full") && drawn.contains("pill-full"), "{drawn}");
        assert!(!drawn.contains("Live"), "{drawn}");
        assert_eq!(Connection::BrokerFull.as_str(), "live", "the events still arrive");
    }
}
