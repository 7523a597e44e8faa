//! Both styles next to each other: on one time, in numbers, and who must know whom.

use super::metrics::hundredths;
use crate::duel::{Duel, Shown};
use crate::lab::words::{duration, node_name, sentence, service_name};
use flow::compare::{Aligned, Compare, Coupling, Ghost, Moment, Pattern, Side, Way};
use flow::tally::{Latency, Summary};
use flow::{Event, History, Id, Kind, KindName, Node, Service, Style};
use maud::{Markup, html};
use std::sync::Arc;

/// How far back an earlier arrival is looked for, from which the steps to come are learned.
const LOOK_BACK: usize = 5_000;

/// The place before the first step of what is compared.
fn begin(duel: &Duel, history: &History) -> Option<u64> {
    let is_compared =
        |event: &&Arc<Event>| event.correlation_id.as_ref().is_some_and(|id| duel.all.contains(id));
    history.events().iter().find(is_compared).map(|event| event.seq - 1)
}

fn aligned(duel: &Duel, history: &History) -> Aligned {
    let events = history.since(duel.since).map(|event| &**event);
    Aligned::of(events, &duel.pair)
}

/// How many steps there are, and which picture each style shows.
pub fn align(duel: &Duel, history: &History) -> Shown {
    let aligned = aligned(duel, history);
    let total = aligned.moments().len();
    let count = duel.count.min(total);
    let places = Style::ALL.iter().map(|&style| aligned.place(style, count));
    let mut shown = Shown { total, ..Shown::default() };
    for (at, place) in places.enumerate() {
        shown.places[at] = place;
    }
    shown.last = aligned.moments()[..count].last().map(|moment| (moment.style, moment.seq));
    shown
}

/// The steps of both on one time, and the table.
pub fn panel(duel: &Duel, history: &History) -> Markup {
    if duel.pair.is_empty() {
        return html! {
            p.view-empty { "Send one arrival through both, and see step by step what it takes in each." }
        };
    }
    let aligned = aligned(duel, history);
    let count = duel.count.min(aligned.moments().len());
    let patterns = [Style::Choreography, Style::Orchestration].map(|style| pattern(style, duel, history));
    let steps = |style: Style| -> Vec<(Moment, &Arc<Event>)> {
        let shown = aligned.moments()[..count].iter().filter(|moment| moment.style == style);
        shown.filter_map(|moment| Some((*moment, history.event(moment.seq)?))).collect()
    };
    let both = [steps(Style::Choreography), steps(Style::Orchestration)];
    let ghosts = |style: Style| {
        let so_far = both[style as usize].iter().map(|(_, event)| &***event);
        let remaining = patterns[style as usize].remaining(so_far);
        if duel.pair.is_empty() { Vec::new() } else { remaining }
    };
    let all_ghosts = [ghosts(Style::Choreography), ghosts(Style::Orchestration)];
    let compare = compared(duel, history, &aligned, count);
    html! {
        (lanes(&aligned, count, &all_ghosts))
        div.duel-lists {
            @for &style in Style::ALL {
                section.card aria-labelledby={ "steps-" (style) } {
                    h2 id={ "steps-" (style) } { "Steps in " (style) }
                    (list(&both[style as usize], &all_ghosts[style as usize], patterns[style as usize].is_learned()))
                }
            }
        }
        (table(&compare))
        div.duel-lists {
            @for &style in Style::ALL { (matrix(style, &compare.side(style).coupling)) }
        }
    }
}

/// What an earlier smooth arrival did, or what the style is known to do.
fn pattern(style: Style, duel: &Duel, history: &History) -> Pattern {
    let earlier = history.events().iter().rev().take(LOOK_BACK).find(|event| {
        event.style == Some(style)
            && event.seq <= duel.since
            && matches!(event.kind, Kind::ArrivalReceived { .. })
            && event.correlation_id.as_ref().is_some_and(|id| !duel.pair.contains(id))
    });
    let learned = earlier.and_then(|first| {
        let events = history.since(first.seq - 1);
        let own: Vec<_> =
            events.filter(|event| event.correlation_id == first.correlation_id).cloned().collect();
        Pattern::learn(&own)
    });
    learned.unwrap_or_else(|| Pattern::known(style))
}

/// Everything that was sent from this page, up to the playhead.
fn compared(duel: &Duel, history: &History, aligned: &Aligned, count: usize) -> Compare {
    let mut compare = Compare::of_arrivals(duel.all.iter().cloned());
    let Some(begin) = begin(duel, history) else { return compare };
    let Some(mut picture) = history.picture_at(begin) else { return compare };
    let places = [Style::Choreography, Style::Orchestration].map(|style| aligned.place(style, count));
    for event in history.since(begin) {
        picture.apply(event);
        let place = event.style.and_then(|style| places[style as usize]);
        if place.is_none_or(|place| event.seq <= place) {
            compare.apply(event, &picture);
        }
    }
    compare
}

/// Both styles on one time: what happened, and faint, what is still to come.
fn lanes(aligned: &Aligned, count: usize, ghosts: &[Vec<&Ghost>; 2]) -> Markup {
    let last_us = aligned.moments().last().map_or(0, |moment| moment.after_us);
    let foreseen = ghosts.iter().flatten().filter_map(|ghost| ghost.after_us).max().unwrap_or(0);
    let whole_us = last_us.max(foreseen).max(1);
    let x = |us: u64| {
        let share = 50 + us.min(whole_us) * 9_600 / whole_us;
        format!("{}.{:02}%", share / 100, share % 100)
    };
    let now_us = aligned.moments()[..count].last().map(|moment| moment.after_us);
    let (mut shown, shape) = (aligned.moments()[..count].iter(), |style: Style| match style {
        Style::Choreography => "5",
        Style::Orchestration => "1.5",
    });
    html! {
        figure.duel-lanes {
            svg width="100%" height="112" role="img"
                aria-label={ "Both styles on one time, beginning with the arrival; " (duration(whole_us)) " in all" } {
                @for (lane, style) in Style::ALL.iter().enumerate() {
                    @let y = 30 + lane * 42;
                    text x="0" y=(y - 12) { (style) }
                    line.duel-lane x1="0" x2="100%" y1=(y) y2=(y) {}
                    @for ghost in ghosts[lane].iter().filter(|ghost| ghost.after_us.is_some()) {
                        rect.duel-ghost x=(x(ghost.after_us.unwrap_or_default())) y=(y - 5) width="10" height="10"
                            rx=(shape(*style)) {}
                    }
                }
                @while let Some(moment) = shown.next() {
                    @let y = 30 + moment.style as usize * 42;
                    rect class={ "duel-mark duel-" (moment.style) } x=(x(moment.after_us)) y=(y - 5) width="10"
                        height="10" rx=(shape(moment.style)) {}
                }
                @if let Some(us) = now_us {
                    line.duel-now x1=(x(us)) x2=(x(us)) y1="20" y2="86" {}
                    text.soft x=(x(us)) y="104" text-anchor=(if us * 2 > whole_us { "end" } else { "start" }) { "+" (duration(us)) }
                }
            }
        }
    }
}

fn list(steps: &[(Moment, &Arc<Event>)], ghosts: &[&Ghost], is_learned: bool) -> Markup {
    html! {
        @if steps.is_empty() && ghosts.is_empty() { p.soft { "Nothing has been sent yet." } }
        ol.duel-steps {
            @for (moment, event) in steps {
                li data-step=(event.kind.name()) {
                    span { (sentence(event)) } span.soft { "+" (duration(moment.after_us)) }
                }
            }
            @for ghost in ghosts {
                li.is-ghost { span { span.sr-only { "Still to come: " } (foreseen(ghost)) } }
            }
        }
        @if !ghosts.is_empty() {
            p.soft.duel-source {
                @if is_learned { "Faint: still to come, as an earlier arrival went." }
                @else { "Faint: still to come, as this style is known to go." }
            }
        }
    }
}

fn foreseen(ghost: &Ghost) -> String {
    let who = node_name(Some(&ghost.node));
    let queue = ghost.queue.as_deref().unwrap_or("its queue");
    match ghost.kind {
        KindName::ArrivalReceived => "The arrival is received".to_owned(),
        KindName::StockRecorded => "The stock is recorded".to_owned(),
        KindName::Published => format!("{who} publishes"),
        KindName::Routed => format!("Into {queue}"),
        KindName::Delivered => format!("Delivered to {who}"),
        KindName::HttpRequest => format!("{who} asks over HTTP"),
        KindName::HttpResponse => format!("{who} gets its answer"),
        KindName::StateChanged => format!("{who} stores what is for sale"),
        _ => format!("{who} acks"),
    }
}

/// One line of the table: what is counted, and how that reads for one side.
type Line = (&'static str, fn(&Side, &Summary) -> String);

const LINES: [Line; 12] = [
    ("Arrivals compared (n)", |_, sum| sum.arrivals.to_string()),
    ("Done in all three services", |_, sum| format!("{} of {}", sum.complete, sum.arrivals)),
    ("Messages published, each arrival", |_, sum| each(sum, sum.messages)),
    ("Messages delivered, each arrival", |_, sum| each(sum, sum.deliveries)),
    ("HTTP calls, each arrival", |_, sum| each(sum, sum.calls)),
    ("Bytes of message bodies, each arrival", |_, sum| each(sum, sum.message_bytes)),
    ("Time to the first effect, p50", |_, sum| latency(&sum.first_effect)),
    ("Time to all effects, p50", |_, sum| latency(&sum.all_effects)),
    ("HTTP calls that failed", |_, sum| sum.failed_calls.to_string()),
    ("Retries", |_, sum| sum.retries.to_string()),
    ("Messages parked", |_, sum| sum.parked.to_string()),
    ("Messages for a consumer that was down", |side, _| outages(side)),
];

fn each(sum: &Summary, count: u64) -> String {
    sum.per_arrival_100(count).map_or_else(|| "–".to_owned(), hundredths)
}

fn latency(latency: &Latency) -> String {
    if latency.n == 0 {
        "–".to_owned()
    } else {
        format!("{} (n = {})", duration(latency.p50_us), latency.n)
    }
}

fn outages(side: &Side) -> String {
    let mut words = Vec::new();
    for &service in Service::ALL {
        let outage = side.outage(service);
        if outage.came > 0 {
            words.push(format!(
                "{}: {} came, {} delivered once it was back (longest wait {}), {} wait",
                service_name(service),
                outage.came,
                outage.delivered,
                duration(outage.longest_wait_us),
                outage.waiting(),
            ));
        }
    }
    if words.is_empty() { "none came".to_owned() } else { words.join("; ") }
}

fn table(compare: &Compare) -> Markup {
    let sides = [Style::Choreography, Style::Orchestration].map(|style| compare.side(style));
    let sums = [sides[0].summary(), sides[1].summary()];
    html! {
        section.card.duel-table aria-labelledby="duel-numbers" {
            h2 #duel-numbers { "In numbers" }
            table.numbers {
                thead { tr { td {} th scope="col" { "Choreography" } th scope="col" { "Orchestration" } } }
                tbody {
                    @for (name, says) in LINES {
                        tr {
                            th scope="row" { (name) }
                            @for (side, sum) in sides.iter().zip(&sums) { td { (says(side, sum)) } }
                        }
                    }
                }
            }
            p.soft { "Counted from the journal, for what was sent from this page, up to the playhead. Held time is left out." }
        }
    }
}

/// Who was seen to know whom.
fn matrix(style: Style, coupling: &Coupling) -> Markup {
    let mut nodes: Vec<Node> = Service::ALL.iter().map(|&service| service.into()).collect();
    for known in coupling.all() {
        for node in [&known.who, &known.whom] {
            if !nodes.contains(node) {
                nodes.push(node.clone());
            }
        }
    }
    html! {
        section.card.duel-table aria-labelledby={ "knows-" (style) } {
            h2 id={ "knows-" (style) } { "Who must know whom in " (style) }
            div.duel-wide {
                table.numbers.coupling {
                    thead {
                        tr {
                            td {}
                            @for whom in &nodes { th scope="col" { (node_name(Some(whom))) } }
                            th scope="col" { "knows others" }
                        }
                    }
                    tbody {
                        @for who in &nodes {
                            tr {
                                th scope="row" { (node_name(Some(who))) }
                                @for whom in &nodes { (cell(coupling, who, whom)) }
                                td { (coupling.others_known_by(who)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(coupling: &Coupling, who: &Node, whom: &Node) -> Markup {
    let says = |way: Way| match way {
        Way::Addresses => "sends it",
        Way::Hears => "hears its",
        Way::Calls => "calls",
    };
    let known: Vec<(&str, &Id)> =
        coupling.between(who, whom).map(|known| (says(known.way), &known.name)).collect();
    html! {
        td .is-known[!known.is_empty()] {
            @if known.is_empty() { "·" }
            @for (says, name) in known { div { (says) " " code { (short(name)) } } }
        }
    }
}

/// A path is told by its end.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
