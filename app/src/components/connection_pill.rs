//! How the page stands with the server and its broker, in a word and a colour.

use crate::live::{Connection, use_live};
use leptos::prelude::*;

/// The pill in the header.
#[island]
pub fn ConnectionPill() -> impl IntoView {
    let live = use_live();
    let pill = Memo::new(move |_| pill(live.connection.get()));
    view! {
        <span class=move || pill.get().0 role="status" title=live.broker>
            <span>
                {move || pill.get().1}
                <span class="pill-more">{move || format!(" · {}", live.broker.get())}</span>
            </span>
        </span>
    }
}

/// Its class, and its word.
const fn pill(connection: Connection) -> (&'static str, &'static str) {
    match connection {
        Connection::Connecting => ("pill pill-wait", "Connecting"),
        Connection::Live => ("pill pill-done", "Live"),
        Connection::Reconnecting => ("pill pill-warn", "Reconnecting"),
        Connection::Replay => ("pill pill-wait", "Saved run"),
        Connection::BrokerFull => ("pill pill-full", "Broker full"),
        Connection::BrokerDown => ("pill pill-failed", "Broker down"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_broker_is_told_in_words_and_by_a_mark_of_its_own() {
        assert_eq!(pill(Connection::BrokerFull), ("pill pill-full", "Broker full"));
        assert_eq!(Connection::BrokerFull.as_str(), "live", "the events still arrive");
    }
}
