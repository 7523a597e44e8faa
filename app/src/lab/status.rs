//! What goes on, in one line: for everybody to see, and for screen readers at most every two seconds.

use super::handle::{Lab, Pace};
use super::state::Look;
use super::steady::kept;
use super::words;
use super::zone;
use crate::api::asks::{Ask, Asks};
use crate::live::Connection;
use flow::System;
use flow::api::AnnounceWanted;
use flow::event::StockReason;
use flow::picture::{Arrival, SystemPicture};
use leptos::prelude::*;

/// What there is to see below the diagram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    line: String,
    /// Whether the broker takes no messages now.
    is_waiting: bool,
    meter: Meter,
}

fn seen(look: &Look<'_>) -> Seen {
    Seen {
        line: line(look),
        is_waiting: look.lab.picture().broker_blocked(look.lab.shows()).is_some(),
        meter: meter(look.lab.system(), look.lab.picture().at_us, look.connection == Connection::Replay),
    }
}

/// Whether the services agree on what is for sale.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Meter {
    /// On how many SKUs they do not.
    disagreeing: usize,
    /// Whether that is more than a message's ordinary way.
    is_alarming: bool,
    /// Since when: the time of day.
    since: Option<String>,
    /// In which zone that time is.
    zone: String,
    /// How long they disagreed at the longest, if ever.
    longest: Option<String>,
    /// The SKUs that no message on its way will mend, with the time since when, as many as are listed. None while
    /// something may still come.
    lost: Option<Vec<(String, String)>>,
}

impl Meter {
    fn agrees(&self) -> String {
        match (self.disagreeing, self.is_alarming) {
            (0, _) => "All agree".to_owned(),
            (1, false) => "Catching up: 1 product".to_owned(),
            (more, false) => format!("Catching up: {more} products"),
            (1, true) => "1 SKU disagrees".to_owned(),
            (more, true) => format!("{more} SKUs disagree"),
        }
    }

    const fn class(&self) -> &'static str {
        match (self.disagreeing, self.is_alarming) {
            (0, _) => "pill pill-done",
            (_, false) => "pill pill-plain",
            (_, true) => "pill pill-warn",
        }
    }
}

/// How long the services may disagree before that is worth an alarm: for less, messages are simply on their way.
const PATIENCE_US: u64 = 3_000_000;

/// How many SKUs are listed that can be announced again one by one.
const LISTED: usize = 20;

fn meter(system: &SystemPicture, now_us: u64, is_over: bool) -> Meter {
    let agreement = &system.agreement;
    let longest_us = agreement.longest_us(now_us);
    let disagreeing = agreement.disagreeing();
    let since_us = agreement.since_us().filter(|_| disagreeing > 0);
    let lost = || {
        let row = |(sku, since_us): (_, _)| (format!("{sku}"), words::time_of_day(since_us));
        agreement.pending().take(LISTED).map(row).collect()
    };
    let is_lost = system.is_stuck() && !is_over;
    let lasts_us = since_us.map_or(0, |since_us| now_us.saturating_sub(since_us));
    Meter {
        disagreeing,
        is_alarming: disagreeing > 0 && (is_lost || lasts_us >= PATIENCE_US),
        since: since_us.map(words::time_of_day),
        zone: zone::name(),
        longest: (longest_us > 0).then(|| words::duration(longest_us)),
        lost: is_lost.then(lost),
    }
}

/// The line below the diagram, and whether the services agree.
#[component]
pub fn Status(
    /// The lab whose system it tells of.
    lab: Lab,
    system: System,
    /// Where the services are told to agree.
    asks: Asks,
) -> impl IntoView {
    let place = NodeRef::new();
    let seen = kept(place, move || lab.look(Pace::Calm, seen));
    let line = Memo::new(move |_| seen.with(|seen| seen.line.clone()));
    let meter = Memo::new(move |_| seen.with(|seen| seen.meter.clone()));
    let is_stuck = Memo::new(move |_| meter.with(|meter| meter.lost.is_some()));
    let class = move || meter.with(Meter::class);
    let since = move || {
        meter.with(|meter| {
            let title = format!("Since when, in {}", meter.zone);
            meter.since.as_ref().map(|since| view! { <span title=title>{format!("since {since}")}</span> })
        })
    };
    let longest = move || {
        meter.with(|meter| {
            meter.longest.as_ref().map(|longest| view! { <span>{format!("longest {longest}")}</span> })
        })
    };
    view! {
        <div class="place" id="stage-status" node_ref=place>
            <p
                class="status-line"
                class:status-warning=move || seen.with(|seen| seen.is_waiting)
                aria-hidden="true"
            >
                {line}
            </p>
            <p class="meter" data-disagreeing=move || meter.with(|meter| meter.disagreeing)>
                <span class=class>{move || meter.with(Meter::agrees)}</span>
                {since}
                {longest}
            </p>
            <Show when=move || is_stuck.get()>
                <Heal system meter asks />
            </Show>
        </div>
    }
}

/// A message was lost, and nothing will come by itself: the way to mend that.
#[component]
fn Heal(system: System, meter: Memo<Meter>, asks: Asks) -> impl IntoView {
    let lost = move || meter.with(|meter| meter.lost.clone().unwrap_or_default());
    let disagreeing = Memo::new(move |_| meter.with(|meter| meter.disagreeing));
    let row = move |(sku, since): (String, String)| {
        let label = format!("Announce again: {sku}");
        let named = sku.clone();
        view! {
            <li>
                <span>{sku}</span>
                <span class="soft">{format!("since {since}")}</span>
                <button
                    class="button button-small"
                    type="button"
                    aria-label=label
                    on:click=move |_| asks.ask(announce(system, Some(named.clone())))
                >
                    "Announce again"
                </button>
            </li>
        }
    };
    let more = move || {
        let more = disagreeing.get().saturating_sub(LISTED);
        (more > 0).then(|| view! { <p class="hint">{format!("… and {more} more")}</p> })
    };
    view! {
        <details class="heal">
            <summary>"No message on its way will fix it"</summary>
            <ul class="heal-skus">
                <For each=lost key=Clone::clone children=row />
            </ul>
            {more}
            <Show when=move || { disagreeing.get() > 1 }>
                <button
                    class="button button-small"
                    type="button"
                    on:click=move |_| asks.ask(announce(system, None))
                >
                    "Announce all again"
                </button>
            </Show>
        </details>
    }
}

/// Has inventory tell once more what it has recorded: of one SKU, or of all on which the services disagree.
fn announce(system: System, sku: Option<String>) -> Ask {
    let body = serde_json::to_string(&AnnounceWanted { sku }).expect("a SKU is plain data");
    Ask::new("POST", system.api("inventory/announce")).with(body)
}

fn line(look: &Look<'_>) -> String {
    match look.connection {
        Connection::Reconnecting => match look.retry_in {
            Some(seconds) => format!("No connection to the server. Next try in {seconds} s."),
            None => "Connecting to the server…".to_owned(),
        },
        Connection::BrokerDown if look.lab.transport.is_default() => {
            let reason = look.lab.picture().transport_down(look.lab.transport).unwrap_or("no reason given");
            format!("The broker is down: {reason}")
        }
        Connection::Connecting
        | Connection::Live
        | Connection::BrokerFull
        | Connection::BrokerDown
        | Connection::Replay => {
            let picture = look.lab.picture();
            // What is said of the connection is AMQP's.
            let down =
                picture.transport_down(look.lab.transport).filter(|_| !look.lab.transport.is_default());
            match (down, picture.broker_blocked(look.lab.shows())) {
                (Some(reason), _) => format!("{} is down: {reason}", look.lab.transport),
                (None, Some(reason)) => format!("The broker takes no messages now: {reason}"),
                (None, None) => summary(look.lab.system()),
            }
        }
    }
}

/// How things stand, in one sentence.
fn summary(system: &SystemPicture) -> String {
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
            let (handled, of) = (last.handled(), last.receivers());
            match last.dead {
                0 if handled == of => format!("{}: settled. {of} services, {mails}.", name(last)),
                0 => format!("{}: {handled} of {of} services handled it; {mails}.", name(last)),
                dead => {
                    format!("{}: {handled} of {of} services handled it, {dead} parked; {mails}.", name(last))
                }
            }
        }
        (Some(last), _) => {
            let parked = if last.dead > 0 { format!(", {} parked", last.dead) } else { String::new() };
            format!("{}: {} of {} services handled it{parked}.", name(last), last.handled(), last.receivers())
        }
    }
}

fn is_over(arrival: &Arrival, system: &SystemPicture) -> bool {
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

/// Screen readers hear the story, or else the newest line, at most one every two seconds.
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
            let (line, is_busy) =
                untrack(|| lab.look(Pace::Calm, |look| (line(look), !look.lab.system().is_quiet())));
            // While something goes on, the story is told; in between, how things stand.
            let words = Some(()).filter(|()| is_busy).and_then(|()| told()).unwrap_or(line);
            let place = document().get_element_by_id("spoken");
            if let Some(place) = place.filter(|place| place.text_content().as_deref() != Some(&words)) {
                place.set_text_content(Some(&words));
            }
        };
        set_timeout(speak, EVERY);
    });
}

/// The sentence of the caption, once that has been fetched.
fn told() -> Option<String> {
    let caption = document().query_selector(".caption").ok()??;
    caption.get_attribute("data-caption").filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Style;

    #[test]
    fn what_disagrees_for_good_can_be_announced_again_and_what_is_on_its_way_cannot() {
        use flow::event::State;
        use flow::{Event, Kind, Picture, Provenance, Service, Sku};

        let after = State { on_hand: Some(3), available: true, quantity: 3, version: 2, points: None };
        let mut picture = Picture::default();
        let mut tell = |service: Service, sku: &str, kind: Kind| {
            let mut event = Event::new(1, Provenance::Service, kind);
            (event.system, event.node) = (Some(Style::Orchestration.into()), Some(service.into()));
            event.sku = Sku::parse(sku).ok();
            picture.apply(&event);
            meter(picture.system(Style::Orchestration), 1, false)
        };
        let recorded =
            |messages| Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages };
        let skus = |meter: &Meter| {
            let lost = meter.lost.as_ref()?;
            Some(lost.iter().map(|(sku, _)| sku.clone()).collect::<Vec<_>>())
        };
        let one = tell(Service::Inventory, "MUG-RED", recorded(0));
        assert_eq!((skus(&one), &*one.agrees()), (Some(vec!["MUG-RED".to_owned()]), "1 SKU disagrees"));
        let two = tell(Service::Inventory, "PEN-BLUE", recorded(0));
        assert_eq!((two.disagreeing, &*two.agrees()), (2, "2 SKUs disagree"));
        assert_eq!(skus(&two).map(|skus| skus.len()), Some(2));
        let on_its_way = tell(Service::Inventory, "MUG-RED", recorded(1));
        assert_eq!((&*on_its_way.agrees(), on_its_way.lost), ("Catching up: 2 products", None));
    }

    #[test]
    fn services_that_are_behind_for_a_moment_are_catching_up_and_it_is_an_alarm_only_after_it_lasts() {
        use flow::event::State;
        use flow::{Event, Kind, Picture, Provenance, Service, Sku};

        let after = State { on_hand: Some(3), available: true, quantity: 3, version: 2, points: None };
        let reason = StockReason::Arrival;
        let kind = Kind::StockRecorded { reason, before: None, after, messages: 3 };
        let mut event = Event::new(1, Provenance::Service, kind);
        (event.system, event.node) = (Some(Style::Orchestration.into()), Some(Service::Inventory.into()));
        (event.sku, event.at_us) = (Sku::parse("MUG-RED").ok(), 1_000_000);
        let mut picture = Picture::default();
        picture.apply(&event);
        let at = |now_us| meter(picture.system(Style::Orchestration), now_us, false);
        let calm = at(1_000_000 + PATIENCE_US - 1);
        assert_eq!((&*calm.agrees(), calm.class()), ("Catching up: 1 product", "pill pill-plain"));
        let alarm = at(1_000_000 + PATIENCE_US);
        assert_eq!((&*alarm.agrees(), alarm.class()), ("1 SKU disagrees", "pill pill-warn"));
    }

    #[test]
    fn each_lost_sku_has_a_button_of_its_own_and_several_have_one_for_all() {
        let html = |skus: &[&str]| {
            let lost = skus.iter().map(|&sku| (sku.to_owned(), "00:00:01.000".to_owned())).collect();
            let meter = Meter { disagreeing: skus.len(), lost: Some(lost), ..Meter::default() };
            Owner::new().with(|| {
                let asks = Asks::new(crate::live::provide_live());
                view! { <Heal system=Style::Orchestration.into() meter=Memo::new(move |_| meter.clone()) asks /> }
                    .to_html()
            })
        };
        let one = html(&["MUG-RED"]);
        assert!(one.contains("Announce again: MUG-RED") && !one.contains("Announce all"), "{one}");
        let two = html(&["MUG-RED", "PEN-BLUE"]);
        assert!(two.contains("Announce all again"), "{two}");
    }

    #[test]
    fn one_sku_is_announced_again_or_all() {
        let one = announce(Style::Orchestration.into(), Some("MUG-RED".to_owned()));
        assert_eq!((one.method, &*one.path), ("POST", "/api/orchestration/inventory/announce"));
        assert_eq!(one.body, r#"{"sku":"MUG-RED"}"#);
        let all: AnnounceWanted =
            serde_json::from_str(&announce(Style::Choreography.into(), None).body).unwrap();
        assert_eq!(all, AnnounceWanted::default());
    }
}
