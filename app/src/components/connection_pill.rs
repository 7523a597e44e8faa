//! How the page stands with the server and its broker, in a word and a colour.

use crate::live::{Connection, use_live};
use leptos::prelude::*;

/// The pill in the header.
#[island]
pub fn ConnectionPill() -> impl IntoView {
    let live = use_live();
    let class = move || match live.connection.get() {
        Connection::Connecting => "pill pill-wait",
        Connection::Live => "pill pill-done",
        Connection::Reconnecting => "pill pill-warn",
        Connection::BrokerDown => "pill pill-failed",
    };
    let word = move || match live.connection.get() {
        Connection::Connecting => "Connecting",
        Connection::Live => "Live",
        Connection::Reconnecting => "Reconnecting",
        Connection::BrokerDown => "Broker down",
    };
    view! {
        <span class=class role="status" title=move || live.broker.get()>
            <span>{word} <span class="pill-more">" · " {move || live.broker.get()}</span></span>
        </span>
    }
}
