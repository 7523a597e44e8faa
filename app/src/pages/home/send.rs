//! The way in: one arrival for both systems, and how many messages there have been.

use crate::api::{asks::kindly, fetch};
use crate::later::IS_ALIVE;
use crate::live::{Connection, Live};
use flow::{Style, api::Problem};
use leptos::prelude::*;

/// What arrives, one after the other.
const SKUS: [&str; 3] = ["MUG-RED", "LAMP-ARC", "BAG-CANVAS"];

/// The button, and what is said beside it.
#[component]
pub fn SendArrival(
    /// How the page stands with the server, and what has happened.
    live: Live,
) -> impl IntoView {
    let refused = RwSignal::new(Refused::default());
    // Each click sends one, also while others are on their way.
    let send = Action::new(move |number: &usize| {
        let sku = SKUS[number % SKUS.len()];
        let body = format!(r#"{{"sku":"{sku}","quantity":1,"style":"both"}}"#);
        async move {
            let sent = fetch::send("POST", "/api/arrivals", Some(body)).await;
            refused.try_update(|refused| refused.learn(sent.err()));
        }
    });
    let sent = StoredValue::new(0_usize);
    let clicked = move |_| {
        send.dispatch(sent.get_value());
        sent.update_value(|sent| *sent += 1);
    };
    let messages = Memo::new(move |_| {
        live.changed.track();
        live.with_history(|history| {
            Style::ALL.iter().map(|style| history.now().system(*style).published).sum::<u64>()
        })
    });
    let words = Memo::new(move |_| refused.with(|refused| words(live, refused)));
    view! {
        <div class="hero-send">
            <button class="button button-primary button-large" type="button" disabled=!IS_ALIVE on:click=clicked>
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

/// The arrivals that were not taken since one was.
#[derive(Debug, Clone, Default)]
struct Refused {
    count: u32,
    /// Why the last one was not, unless nobody answered.
    why: String,
}

impl Refused {
    /// Takes in what became of one more.
    fn learn(&mut self, problem: Option<Problem>) {
        *self = problem.map_or_else(Self::default, |problem| {
            // That nobody answers, the connection says, and for as long as it is so.
            let why = if fetch::is_away(&problem) { String::new() } else { kindly(&problem.detail) };
            Self { count: self.count + 1, why }
        });
    }
}

/// What is wrong, and what became of what was sent.
fn words(live: Live, refused: &Refused) -> String {
    let not_sent = match refused.count {
        0 => String::new(),
        1 => "The last arrival was not sent.".to_owned(),
        count => format!("The last {count} arrivals were not sent."),
    };
    let state = match live.connection.get() {
        Connection::Reconnecting => match live.retry_in.get() {
            Some(seconds @ 2..) => format!("The server does not answer. Next try in {seconds} seconds."),
            _ => "The server does not answer.".to_owned(),
        },
        Connection::BrokerDown => {
            "The broker is down. What arrives waits in inventory's outbox until it is back.".to_owned()
        }
        Connection::BrokerFull => "The broker is full. What arrives waits in inventory's outbox.".to_owned(),
        _ => String::new(),
    };
    let all = [state, not_sent, refused.why.clone()];
    all.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
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
