//! What goes on, in one line: for everybody to see, and for screen readers at most every two seconds.

use super::handle::{Lab, Pace};
use super::state::Look;
use super::words;
use super::zone;
use crate::api::asks::Ask;
use crate::live::Connection;
use flow::Style;
use flow::api::AnnounceWanted;
use flow::event::StockReason;
use flow::picture::{Arrival, System};
use leptos::prelude::*;
use maud::{Markup, html};

/// The line below the diagram.
#[must_use]
pub fn shown(look: &Look<'_>) -> Markup {
    let is_waiting = look.lab.picture().broker_blocked(look.lab.style).is_some();
    html! {
        p.status-line.status-warning[is_waiting] aria-hidden="true" { (line(look)) }
        (meter(look.lab.system(), look.lab.picture().at_us, look.connection == Connection::Replay))
    }
}

/// Whether the services agree on what is for sale: on how many SKUs they do not, for how long, and the longest ever.
fn meter(system: &System, now_us: u64, is_over: bool) -> Markup {
    let agreement = &system.agreement;
    let (disagreeing, longest_us) = (agreement.disagreeing(), agreement.longest_us(now_us));
    let longest = (longest_us > 0).then(|| words::duration(longest_us));
    html! {
        p.meter data-disagreeing=(disagreeing) {
            @if disagreeing == 0 {
                span.pill.pill-done { "All agree" }
            } @else {
                span.pill.pill-warn { (disagreeing) (if disagreeing == 1 { " SKU disagrees" } else { " SKUs disagree" }) }
                @if let Some(since_us) = agreement.since_us() {
                    span title={ "Since when, in " (zone::name()) } { "since " (words::time_of_day(since_us)) }
                }
            }
            @if let Some(longest) = longest { span { "longest " (longest) } }
        }
        @if system.is_stuck() && !is_over { (heal(system, disagreeing)) }
    }
}

/// How many SKUs are listed that can be announced again one by one.
const LISTED: usize = 20;

/// A message was lost, and nothing will come by itself: the way to mend that.
fn heal(system: &System, disagreeing: usize) -> Markup {
    html! {
        details.heal data-key="heal" {
            summary { "No message on its way will fix it" }
            ul.heal-skus {
                @for (sku, since_us) in system.agreement.pending().take(LISTED) {
                    li data-key={ "heal-" (sku) } {
                        span { (sku) } span.soft { "since " (words::time_of_day(since_us)) }
                        button.button.button-small type="button" data-act="announce"
                            data-sku=(sku) aria-label={ "Announce again: " (sku) } { "Announce again" }
                    }
                }
            }
            @if disagreeing > LISTED { p.hint { "… and " (disagreeing - LISTED) " more" } }
            @if disagreeing > 1 {
                button.button.button-small type="button" data-key="heal-all" data-act="announce" { "Announce all again" }
            }
        }
    }
}

/// Has inventory tell once more what it has recorded: of one SKU, or of all on which the services disagree.
#[must_use]
pub fn announce(style: Style, sku: Option<String>) -> Ask {
    let body = serde_json::to_string(&AnnounceWanted { sku }).expect("a SKU is plain data");
    Ask::new("POST", format!("/api/{style}/inventory/announce")).with(body)
}

/// Something that does not go as it should, though nothing is lost: a mark, a word, and what it is.
#[must_use]
pub fn warning(what: &str) -> Markup {
    html! {
        p.notice.notice-warning {
            svg.icon viewBox="0 0 20 20" aria-hidden="true" { path d="M10 3 18.5 17h-17zM10 8v4.5M10 14.75v.01" {} }
            span { strong { "Warning: " } (what) }
        }
    }
}

fn line(look: &Look<'_>) -> String {
    match look.connection {
        Connection::Reconnecting => match look.retry_in {
            Some(seconds) => format!("No connection to the server. Next try in {seconds} s."),
            None => "Connecting to the server…".to_owned(),
        },
        Connection::BrokerDown => {
            let reason = look.lab.picture().broker_down().unwrap_or("no reason given");
            format!("The broker is down: {reason}")
        }
        Connection::Connecting | Connection::Live | Connection::BrokerFull | Connection::Replay => {
            match look.lab.picture().broker_blocked(look.lab.style) {
                Some(reason) => format!("The broker takes no messages now: {reason}"),
                None => summary(look.lab.system()),
            }
        }
    }
}

/// How things stand, in one sentence.
fn summary(system: &System) -> String {
    let under_way = system.recent.iter().filter(|arrival| !is_over(arrival, system)).count();
    match (system.recent.iter().next(), under_way) {
        (None, _) if system.is_settled() => "Nothing has happened yet.".to_owned(),
        (None, _) => "Work is under way.".to_owned(),
        (Some(_), 2..) => format!("{under_way} arrivals and sales are under way."),
        (Some(last), _) if system.is_quiet() => {
            let mails = match last.emails {
                0 => "no e-mails".to_owned(),
                1 => "1 e-mail".to_owned(),
                more => format!("{more} e-mails"),
            };
            match last.dead {
                0 if last.handled() == 3 => format!("{}: settled. 3 services, {mails}.", name(last)),
                0 => format!("{}: {} of 3 services handled it; {mails}.", name(last), last.handled()),
                dead => format!(
                    "{}: {} of 3 services handled it, {dead} parked; {mails}.",
                    name(last),
                    last.handled()
                ),
            }
        }
        (Some(last), _) => {
            let parked = if last.dead > 0 { format!(", {} parked", last.dead) } else { String::new() };
            format!("{}: {} of 3 services handled it{parked}.", name(last), last.handled())
        }
    }
}

fn is_over(arrival: &Arrival, system: &System) -> bool {
    arrival.is_over() || system.is_quiet()
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
pub fn speak_now_and_then(lab: Lab) {
    const EVERY: std::time::Duration = std::time::Duration::from_secs(2);
    let is_waiting = StoredValue::new(false);
    Effect::new(move || {
        lab.follow(Pace::Calm);
        lab.live.connection.track();
        if is_waiting.try_get_value().unwrap_or(true) {
            return;
        }
        is_waiting.set_value(true);
        let speak = move || {
            is_waiting.try_set_value(false);
            let words = untrack(|| lab.look(Pace::Calm, line));
            let place = document().get_element_by_id("spoken");
            if let Some(place) = place.filter(|place| place.text_content().as_deref() != Some(&words)) {
                place.set_text_content(Some(&words));
            }
        };
        set_timeout(speak, EVERY);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_disagrees_for_good_can_be_announced_again_and_what_is_on_its_way_cannot() {
        use flow::event::State;
        use flow::{Event, Kind, Picture, Provenance, Service, Sku, Style};

        let after = State { on_hand: Some(3), available: true, quantity: 3, version: 2 };
        let mut picture = Picture::default();
        let mut tell = |service: Service, sku: &str, kind: Kind| {
            let mut event = Event::new(1, Provenance::Service, kind);
            (event.style, event.node) = (Some(Style::Orchestration), Some(service.into()));
            event.sku = Sku::parse(sku).ok();
            picture.apply(&event);
            meter(&picture.orchestration, 1, false).into_string()
        };
        let recorded =
            |messages| Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages };
        let lost = tell(Service::Inventory, "MUG-RED", recorded(0));
        assert!(lost.contains("data-act=\"announce\" data-sku=\"MUG-RED\""), "{lost}");
        assert!(lost.contains("Announce again: MUG-RED") && !lost.contains("Announce all"), "{lost}");
        let two = tell(Service::Inventory, "PEN-BLUE", recorded(0));
        assert!(two.contains("Announce all again") && two.contains("2 SKUs disagree"), "{two}");
        let on_its_way = tell(Service::Inventory, "MUG-RED", recorded(1));
        assert!(on_its_way.contains("2 SKUs disagree") && !on_its_way.contains("nnounce"), "{on_its_way}");
    }

    #[test]
    fn one_sku_is_announced_again_or_all() {
        let one = announce(Style::Orchestration, Some("MUG-RED".to_owned()));
        assert_eq!((one.method, &*one.path), ("POST", "/api/orchestration/inventory/announce"));
        assert_eq!(one.body, r#"{"sku":"MUG-RED"}"#);
        let all: AnnounceWanted = serde_json::from_str(&announce(Style::Choreography, None).body).unwrap();
        assert_eq!(all, AnnounceWanted::default());
    }

    #[test]
    fn a_warning_is_told_by_a_mark_and_a_word_and_not_by_colour_alone() {
        let drawn = warning("the outbox waits").into_string();
        assert!(drawn.contains("<svg") && drawn.contains("Warning: ") && drawn.contains("the outbox waits"));
    }
}
