//! The way in: one arrival for both systems, and how many messages there have been.

use crate::api::asks::{Ask, Asks};
use crate::live::{Connection, Live};
use flow::Style;
use leptos::prelude::*;

/// What arrives, one after the other.
const SKUS: [&str; 3] = ["MUG-RED", "LAMP-ARC", "BAG-CANVAS"];

/// Whether the button works: where somebody listens.
const IS_ALIVE: bool = cfg!(feature = "hydrate");

/// The button, and what is said beside it.
#[component]
pub fn SendArrival(
    /// How the page stands with the server, and what has happened.
    live: Live,
) -> impl IntoView {
    let asks = Asks::new(live);
    let sent = RwSignal::new(0_usize);
    let send = move |_| {
        let sku = SKUS[sent.get_untracked() % SKUS.len()];
        sent.update(|sent| *sent += 1);
        let body = format!(r#"{{"sku":"{sku}","quantity":1,"style":"both"}}"#);
        asks.ask(Ask::new("POST", "/api/arrivals".to_owned()).with(body));
    };
    let messages = Memo::new(move |_| {
        live.changed.track();
        live.with_history(|history| {
            Style::ALL.iter().map(|style| history.now().system(*style).published).sum::<u64>()
        })
    });
    let words = Memo::new(move |_| words(live, &asks.said.get().words));
    view! {
        <div class="hero-send">
            <button class="button button-primary button-large" type="button" disabled=!IS_ALIVE on:click=send>
                "Send an arrival"
            </button>
            <p class="hero-count">
                <strong>{move || grouped(messages.get())}</strong>
                {move || if messages.get() == 1 { " message since the start" } else { " messages since the start" }}
            </p>
            <p class="hero-words" role="status">
                {move || words.get()}
            </p>
        </div>
    }
}

/// What is wrong, or else what came of the last arrival that was sent.
fn words(live: Live, said: &str) -> String {
    match live.connection.get() {
        Connection::Reconnecting => match live.retry_in.get() {
            Some(seconds @ 2..) => format!("The server does not answer. Next try in {seconds} seconds."),
            _ => "The server does not answer.".to_owned(),
        },
        Connection::BrokerDown => {
            "The broker is down. What arrives waits in inventory's outbox until it is back.".to_owned()
        }
        Connection::BrokerFull => "The broker is full. What arrives waits in inventory's outbox.".to_owned(),
        _ => said.to_owned(),
    }
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn large_numbers_are_written_in_groups_of_three_digits() {
        let written = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
