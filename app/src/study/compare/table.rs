//! What both took, in numbers, and who must know whom. Nothing here says which is better.

use crate::lab::words::{duration, node_name, service_name};
use crate::study::metrics::hundredths;
use flow::compare::{Compare, Coupling, Side, Way};
use flow::tally::{Latency, Summary};
use flow::{Id, Node, Service, Style};
use maud::{Markup, html};

/// One line of the table: what is counted, and how that reads for one side.
type Line = (&'static str, fn(&Side, &Summary) -> String);

const COUNTS: [Line; 6] = [
    ("Arrivals compared (n)", |_, sum| sum.arrivals.to_string()),
    ("Done in all three services", |_, sum| format!("{} of {}", sum.complete, sum.arrivals)),
    ("Messages published, each arrival", |_, sum| each(sum, sum.messages)),
    ("Messages delivered, each arrival", |_, sum| each(sum, sum.deliveries)),
    ("HTTP calls, each arrival", |_, sum| each(sum, sum.calls)),
    ("Bytes of message bodies, each arrival", |_, sum| each(sum, sum.message_bytes)),
];

/// One arrival took what it took.
const TIMES_OF_ONE: [Line; 2] = [
    ("Time to the first effect", |_, sum| latency(&sum.first_effect, sum.first_effect.p50_us)),
    ("Time to all effects", |_, sum| latency(&sum.all_effects, sum.all_effects.p50_us)),
];

const TIMES: [Line; 4] = [
    ("Time to the first effect, p50", |_, sum| latency(&sum.first_effect, sum.first_effect.p50_us)),
    ("Time to the first effect, p95", |_, sum| latency(&sum.first_effect, sum.first_effect.p95_us)),
    ("Time to all effects, p50", |_, sum| latency(&sum.all_effects, sum.all_effects.p50_us)),
    ("Time to all effects, p95", |_, sum| latency(&sum.all_effects, sum.all_effects.p95_us)),
];

const TROUBLES: [Line; 5] = [
    ("Steps struck by a fault", |_, sum| sum.struck.to_string()),
    ("HTTP calls that failed", |_, sum| sum.failed_calls.to_string()),
    ("Retries", |_, sum| sum.retries.to_string()),
    ("Messages parked", |_, sum| sum.parked.to_string()),
    ("Messages for a consumer that was down", |side, _| outages(side)),
];

fn each(sum: &Summary, count: u64) -> String {
    sum.per_arrival_100(count).map_or_else(|| "–".to_owned(), hundredths)
}

fn latency(latency: &Latency, us: u64) -> String {
    if latency.n == 0 { "–".to_owned() } else { format!("{} (n = {})", duration(us), latency.n) }
}

fn outages(side: &Side) -> String {
    let mut words = Vec::new();
    for &service in Service::ALL {
        let outage = side.outage(service);
        if outage.came > 0 {
            let mut one = format!("{}: {} came", service_name(service), outage.came);
            if outage.delivered > 0 {
                one += &format!(
                    ", {} delivered once it was back (longest wait {})",
                    outage.delivered,
                    duration(outage.longest_wait_us)
                );
            }
            if outage.waiting() > 0 {
                one += &format!(", {} still waiting", outage.waiting());
            }
            words.push(one);
        }
    }
    if words.is_empty() { "none came".to_owned() } else { words.join("; ") }
}

/// The numbers, of `n` arrivals in each style.
pub fn table(compare: &Compare, n: usize) -> Markup {
    let sides = [Style::Choreography, Style::Orchestration].map(|style| compare.side(style));
    let sums = [sides[0].summary(), sides[1].summary()];
    let times: &[Line] = if n == 1 { &TIMES_OF_ONE } else { &TIMES };
    html! {
        section.card.duel-table aria-labelledby="duel-numbers" {
            h2 #duel-numbers { "In numbers" }
            (wide("In numbers", &html! {
                table.numbers {
                    thead { tr { td {} th scope="col" { "Choreography" } th scope="col" { "Orchestration" } } }
                    tbody {
                        @for (name, says) in COUNTS.iter().chain(times).chain(&TROUBLES) {
                            tr {
                                th scope="row" { (name) }
                                @for (side, sum) in sides.iter().zip(&sums) { td { (says(side, sum)) } }
                            }
                        }
                    }
                }
            }))
            p.soft {
                "Counted from the journal, up to the playhead, of n = " (n) " in each style. Held time is left out."
                @if n < 30 { " So few arrivals show how each style works, but say little about how fast it is." }
            }
        }
    }
}

/// Who was seen to know whom.
pub fn matrix(style: Style, coupling: &Coupling) -> Markup {
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
            (wide("Who must know whom", &html! {
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
            }))
        }
    }
}

/// A table that scrolls by itself where it does not fit; by the keyboard, too.
fn wide(name: &str, table: &Markup) -> Markup {
    html! { div.duel-wide role="group" aria-label={ (name) ", table" } tabindex="0" { (table) } }
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
            @for (says, name) in known { div { (says) " " code { (breakable(short(name))) } } }
        }
    }
}

/// A name that goes on in the next line after an underscore, where there is little room.
fn breakable(name: &str) -> Markup {
    html! {
        @for (at, word) in name.split('_').enumerate() {
            @if at > 0 { "_" wbr; }
            (word)
        }
    }
}

/// A path is told by its end.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
