//! How the page stands with the server and its broker, in a word and a colour.

use crate::live::{Connection, Live, use_live};
use crate::paint::{follow, region};
use leptos::prelude::*;
use maud::html;

/// The pill in the header.
#[island]
pub fn ConnectionPill() -> impl IntoView {
    let live = use_live();
    region(move || draw(live), move |host| follow(host, Box::new(move || draw(live))))
}

fn draw(live: Live) -> String {
    let (class, word) = match live.connection.get() {
        Connection::Connecting => ("pill pill-wait", "Connecting"),
        Connection::Live => ("pill pill-done", "Live"),
        Connection::Reconnecting => ("pill pill-warn", "Reconnecting"),
        Connection::Replay => ("pill pill-wait", "Saved run"),
        Connection::BrokerDown => ("pill pill-failed", "Broker down"),
    };
    let broker = live.broker.get();
    let pill = html! {
        span class=(class) role="status" title=(broker) {
            span { (word) span.pill-more { " · " (broker) } }
        }
    };
    pill.into_string()
}
