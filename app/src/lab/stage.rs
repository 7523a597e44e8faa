//! What stands around the diagram: its heading, the invitation to begin, and the notes below it.

use super::controls;
use super::form::Deed;
use super::handle::{Lab, Pace};
use super::inspector;
use super::keys;
use super::pick::{OnPick, picks};
use super::state::{Look, OnTheWay};
use super::steady::kept;
use super::title;
use super::words::begun;
use crate::api::asks::{Ask, Asks};
use crate::live::Connection;
use flow::mode::Mode;
use flow::picture::QueuePicture;
use flow::{Dispatch, Style, System, Transport};
use leptos::prelude::*;

/// The heading, with the way to the other style.
#[component]
pub fn StageHead(
    /// The lab whose stage it is.
    lab: Lab,
    /// The system that it shows.
    system: System,
    /// What is asked at the gates.
    asks: Asks,
) -> impl IntoView {
    let System { style, transport } = system;
    let says = Memo::new(move |_| {
        lab.look(Pace::Calm, |look| says(system, look.lab.system().mode(), look.lab.form.dispatch))
    });
    let promises = Memo::new(move |_| lab.look(Pace::Calm, |look| begun(look.lab.system().mode().promise)));
    let is_frozen =
        Memo::new(move |_| lab.look(Pace::Calm, |look| look.connection == Connection::Reconnecting));
    let styles = transport.systems().map(|one| {
        view! {
            <a class="segment" href=one.page("/lab") aria-current=(one == system).then_some("page")>
                {title(one.style)}
            </a>
        }
    });
    let transports = Transport::ALL.iter().map(|&transport| {
        let one = System { style, transport };
        view! {
            <a class="segment" href=one.page("/lab") aria-current=(one == system).then_some("page")>
                {transport_name(transport)}
            </a>
        }
    });
    view! {
        <div class="place" id="stage-head">
            <header class="stage-head" data-frozen=is_frozen>
                <h1 id="stage-title">{title(style)}</h1>
                <div class="stage-ways">
                    <nav class="segments" aria-label="Style">
                        {styles.collect_view()}
                    </nav>
                    <nav class="segments" aria-label="Transport">
                        {transports.collect_view()}
                    </nav>
                </div>
                <HoldHere lab system asks />
                <p class="soft">{says} " " {promises} "."</p>
            </header>
        </div>
    }
}

/// Holds the system and steps it, beside the picture: for screens on which the control room stands below.
#[component]
fn HoldHere(lab: Lab, system: System, asks: Asks) -> impl IntoView {
    let is_off = Memo::new(move |_| {
        lab.look(Pace::Calm, |look| !look.lab.hydrated || look.connection == Connection::Replay)
    });
    // How it is now, wherever the playhead is.
    let now = move |look: &Look<'_>| {
        let picture = look.history.now();
        (picture.system(system).hold.is_some(), picture.system(system).held.is_empty())
    };
    let now = Memo::new(move |_| lab.look(Pace::Calm, now));
    let path = system.api("gates/step");
    view! {
        <div class="hold-here" role="group" aria-label="Hold">
            <button
                class="button button-small"
                type="button"
                disabled=is_off
                on:click=move |_| keys::hold_or_open()
            >
                {move || if now.get().0 { "Open" } else { "Hold" }}
            </button>
            <button
                class="button button-small"
                type="button"
                disabled=move || is_off.get() || now.get().1
                on:click=move |_| asks.ask(Ask::new("POST", path.clone()))
            >
                "Step"
            </button>
        </div>
    }
}

/// A transport's name, as it stands on the way to it.
pub const fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Amqp => "AMQP",
        Transport::Redis => "Redis",
        Transport::Zeromq => "ZeroMQ",
    }
}

/// How it travels, in one line.
fn says(system: System, mode: Mode, dispatch: Dispatch) -> &'static str {
    match (system.style, dispatch, mode.name) {
        (Style::Choreography, Dispatch::Queues, _) => {
            "Inventory keeps a list, and publishes its event to each queue itself."
        }
        (Style::Choreography, _, "streams") => {
            "Inventory adds one event to a stream, whichever groups read it."
        }
        (Style::Choreography, _, "pubsub") => "Inventory publishes one event to whoever is subscribed.",
        (Style::Choreography, _, "acked") => {
            "Inventory sends its event to whoever is connected, until they acknowledge it."
        }
        (Style::Choreography, _, _) => "Inventory announces one event. It does not know who listens.",
        (Style::Orchestration, _, "sidekiq") => {
            "Inventory pushes a job in Sidekiq's format into each service's list."
        }
        (Style::Orchestration, _, "resque") => {
            "Inventory pushes a job in Resque's format into each service's list."
        }
        (Style::Orchestration, _, "pushpull") => "Inventory pushes each command, and a worker pulls it.",
        (Style::Orchestration, _, "acked") => {
            "Inventory sends each command until its service acknowledges it."
        }
        (Style::Orchestration, _, _) => {
            "Inventory knows what must happen, and tells each service what to do."
        }
    }
}

/// An untouched system invites; but nobody is invited to send while nothing can travel.
#[component]
pub fn Invitation(
    /// The lab whose system is looked at.
    lab: Lab,
) -> impl IntoView {
    let is_shown = Memo::new(move |_| lab.look(Pace::Calm, invites));
    let is_off = Memo::new(move |_| {
        let cannot_send = |look: &Look<'_>| !look.lab.hydrated || look.connection == Connection::Reconnecting;
        lab.look(Pace::Calm, cannot_send)
    });
    view! {
        <div class="place" id="stage-empty">
            <Show when=move || is_shown.get()>
                <button
                    class="button button-primary stage-empty"
                    type="button"
                    disabled=is_off
                    on:click=move |_| controls::act(lab, Deed::Send)
                >
                    "Send your first arrival"
                </button>
            </Show>
        </div>
    }
}

fn invites(look: &Look<'_>) -> bool {
    let is_down = look.lab.picture().transport_down(look.lab.transport).is_some();
    let is_off = look.connection == Connection::Replay || is_down;
    !is_off && look.lab.system().is_untouched()
}

/// What the reader has to know about the drawn times, and what is on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    /// How much slower than it was things are drawn, in words.
    pace: Option<String>,
    on_the_way: Vec<(usize, OnTheWay)>,
    /// Where messages are while none is on its way.
    waits: String,
}

fn seen(look: &Look<'_>) -> Seen {
    let pace = if look.lab.behind {
        Some("too fast to follow: showing rates".to_owned())
    } else {
        look.lab.slowed.as_ref().map(|slowed| match look.newer() {
            0 => format!("slowed for viewing {slowed}"),
            newer => format!("slowed for viewing {slowed} · {newer} newer"),
        })
    };
    let list = &look.lab.on_the_way;
    // The same may be on its way twice.
    let nth = |at: usize| list[..at].iter().filter(|other| **other == list[at]).count();
    Seen {
        pace,
        on_the_way: (0..list.len()).map(nth).zip(list.iter().cloned()).collect(),
        waits: if list.is_empty() { waits(look) } else { String::new() },
    }
}

/// The notes below the diagram.
#[component]
pub fn Notes(
    /// The lab whose diagram they stand below.
    lab: Lab,
) -> impl IntoView {
    let on_pick = inspector::on_pick(lab);
    let place = NodeRef::new();
    let seen = kept(place, move || lab.look(Pace::Frame, seen));
    let pace = Memo::new(move |_| seen.with(|seen| seen.pace.clone()));
    let list = Memo::new(move |_| seen.with(|seen| seen.on_the_way.clone()));
    let is_still = Memo::new(move |_| list.with(Vec::is_empty));
    let waits = Memo::new(move |_| seen.with(|seen| seen.waits.clone()));
    let on_the_way = move || {
        if is_still.get() {
            return view! { <p class="on-the-way soft">{waits}</p> }.into_any();
        }
        view! {
            <ul class="on-the-way" aria-label="On the way">
                <For each=move || list.get() key=Clone::clone children=move |(_, one)| view! { <Twin one on_pick /> } />
            </ul>
        }
        .into_any()
    };
    view! {
        <div class="place" id="stage-notes" node_ref=place>
            <p class="pill pill-plain stage-pace" class:is-shown=move || pace.with(Option::is_some)>
                {pace}
            </p>
            {on_the_way}
        </div>
    }
}

/// Where messages are while none travels: on lines that show their rates, at gates, in queues; or nowhere.
fn waits(look: &Look<'_>) -> String {
    if look.lab.behind {
        return "More is on its way than can be listed: the lines show rates.".to_owned();
    }
    let system = look.lab.system();
    let sum = |count: fn(&QueuePicture) -> u64| system.own_queues().iter().map(count).sum::<u64>();
    // A held step is of a message that lies in a queue, in a handler's hands, or in the outbox.
    let places = [
        (system.held.len() as u64, "held at a gate"),
        (system.outbox(), "in the outbox"),
        (sum(QueuePicture::ready), "ready in queues"),
        (sum(QueuePicture::unacked), "with handlers"),
        (sum(QueuePicture::retrying), "waiting for another attempt"),
    ];
    let places: Vec<_> = places
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, place)| format!("{count} {place}"))
        .collect();
    if places.is_empty() {
        return "Nothing is on its way.".to_owned();
    }
    format!("Nothing travels now: {}.", places.join(" · "))
}

/// What moves, standing still: a token's twin that can be clicked.
#[component]
fn Twin(one: OnTheWay, on_pick: OnPick) -> impl IntoView {
    view! {
        <li>
            <button
                class="chip"
                type="button"
                data-pick=one.selection.to_string()
                on:click=picks(on_pick, one.selection)
            >
                <span class=format!("mark mark-{}", mark_of(one.shape)) aria-hidden="true"></span>
                <span class="sr-only">{format!("{} ", one.shape)}</span>
                {one.words}
            </button>
        </li>
    }
}

fn mark_of(shape: &str) -> &str {
    match shape {
        "HTTP call" => "http",
        "goods" => "plain",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::super::selection::Selection;
    use super::*;

    #[test]
    fn what_is_on_its_way_is_listed_and_where_messages_wait_is_told_only_while_nothing_moves() {
        let (mut state, history) = example::lab(1, "sku_processed");
        let still = seen(&Look::of(&state, &history));
        assert_eq!((still.on_the_way.len(), still.pace), (0, None));
        assert!(still.waits.starts_with("Nothing "), "{}", still.waits);
        let one =
            OnTheWay { selection: Selection::Event(1), shape: "event", words: "MUG-RED → Catalog".into() };
        (state.on_the_way, state.slowed) = (vec![one.clone(), one], Some("×20".to_owned()));
        let moving = seen(&Look::of(&state, &history));
        assert_eq!(moving.pace.as_deref(), Some("slowed for viewing ×20"));
        assert_eq!(moving.waits, "");
        assert_eq!(
            moving.on_the_way.iter().map(|(nth, _)| *nth).collect::<Vec<_>>(),
            [0, 1],
            "each has its row"
        );
    }

    #[test]
    fn a_system_that_nobody_has_touched_invites_and_one_that_works_does_not() {
        let (fresh, history) = example::lab(0, "sku_processed");
        assert!(invites(&Look::of(&fresh, &history)));
        assert!(!invites(&Look { connection: Connection::Replay, ..Look::of(&fresh, &history) }));
        let (used, history) = example::lab(1, "sku_processed");
        assert!(!invites(&Look::of(&used, &history)));
    }
}
