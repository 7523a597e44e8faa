//! What goes on, in one line: for everybody to see, and for screen readers at most every two seconds.

use super::stage::{Stage, use_stage};
use crate::live::Connection;
use flow::event::StockReason;
use flow::picture::{Arrival, System};
use leptos::prelude::*;

/// The line below the diagram.
#[component]
pub fn Status() -> impl IntoView {
    let stage = use_stage();
    let now = Memo::new(move |_| line(stage));
    let (spoken, speak) = signal(now.get_untracked());
    speak_now_and_then(now, speak);
    view! {
        <p class="status-line" aria-hidden="true">
            {move || now.get()}
        </p>
        <p class="sr-only" role="status">
            {move || spoken.get()}
        </p>
    }
    .into_any()
}

fn line(stage: Stage) -> String {
    match stage.live.connection.get() {
        Connection::Reconnecting => match stage.live.retry_in.get() {
            Some(seconds) => format!("No connection to the server. Next try in {seconds} s."),
            None => "Connecting to the server…".to_owned(),
        },
        Connection::BrokerDown => {
            let reason = stage.picture(|picture| picture.broker_down().map(str::to_owned));
            format!("The broker is down: {}", reason.unwrap_or_else(|| "no reason given".to_owned()))
        }
        Connection::Connecting | Connection::Live => stage.system_calmly(summary),
    }
}

/// How things stand, in one sentence.
fn summary(system: &System) -> String {
    let under_way = system.recent.iter().filter(|arrival| !is_over(arrival, system)).count();
    match (system.recent.iter().next(), under_way) {
        (None, _) if system.is_settled() => "Nothing has happened so far.".to_owned(),
        (None, _) => "Work is under way.".to_owned(),
        (Some(_), 2..) => format!("{under_way} arrivals and sales are under way."),
        (Some(last), _) if system.is_settled() => {
            let mails = match last.emails {
                0 => "no e-mails".to_owned(),
                1 => "1 e-mail".to_owned(),
                more => format!("{more} e-mails"),
            };
            format!("{}: settled. 3 services, {mails}.", name(last))
        }
        (Some(last), _) => format!("{}: handled by {} of 3 services.", name(last), last.settled.min(3)),
    }
}

fn is_over(arrival: &Arrival, system: &System) -> bool {
    arrival.settled + arrival.dead >= 3 || system.is_settled()
}

fn name(arrival: &Arrival) -> String {
    let sku = arrival.sku.map(|sku| sku.to_string()).unwrap_or_default();
    match (arrival.reason, arrival.quantity) {
        (Some(StockReason::Sale), _) => format!("Sale of {sku}"),
        (_, Some(quantity)) => format!("{sku} × {quantity}"),
        (_, None) => sku,
    }
}

/// Screen readers hear the newest line, at most one every two seconds.
fn speak_now_and_then(now: Memo<String>, speak: WriteSignal<String>) {
    const EVERY: std::time::Duration = std::time::Duration::from_secs(2);
    let is_waiting = StoredValue::new(false);
    Effect::new(move || {
        now.track();
        if is_waiting.try_get_value().unwrap_or(true) {
            return;
        }
        is_waiting.set_value(true);
        set_timeout(
            move || {
                if let Some(line) = now.try_get_untracked() {
                    is_waiting.try_set_value(false);
                    speak.try_set(line);
                }
            },
            EVERY,
        );
    });
}
