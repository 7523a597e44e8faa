//! What both took, in numbers. Nothing here says which is better.

use super::pair::Pair;
use crate::lab::words::{duration, service_name};
use crate::study::metrics::hundredths;
use flow::Service;
use flow::compare::Side;
use flow::tally::{Latency, Summary};
use leptos::prelude::*;

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

/// With fewer arrivals than this, times say little.
const ENOUGH: usize = 30;

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

/// The numbers, of `n` arrivals on each side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    n: usize,
    /// What is counted, left and right.
    lines: Vec<(&'static str, [String; 2])>,
}

impl Numbers {
    /// The numbers of what is compared.
    pub fn of(sides: [&Side; 2], n: usize) -> Self {
        let sides = sides.map(|side| (side, side.summary()));
        let times: &[Line] = if n == 1 { &TIMES_OF_ONE } else { &TIMES };
        let lines = COUNTS.iter().chain(times).chain(&TROUBLES);
        let said = |says: fn(&Side, &Summary) -> String| {
            [says(sides[0].0, &sides[0].1), says(sides[1].0, &sides[1].1)]
        };
        Self { n, lines: lines.map(|(name, says)| (*name, said(*says))).collect() }
    }

    /// How a line reads for both.
    pub fn says(&self, name: &str) -> Option<&[String; 2]> {
        Some(&self.lines.iter().find(|line| line.0 == name)?.1)
    }

    /// From where they are.
    fn source(&self) -> String {
        let n = self.n;
        let few = match n < ENOUGH {
            true => " So few arrivals show how each style works, but say little about how fast it is.",
            false => "",
        };
        format!(
            "Counted from the journal, up to the playhead, of n = {n} on each side. Held time is left out.{few}"
        )
    }
}

/// The numbers of both, line by line.
#[component]
pub fn NumbersCard(pair: Pair, numbers: Memo<Numbers>) -> impl IntoView {
    let names = move || numbers.with(|numbers| numbers.lines.iter().map(|line| line.0).collect::<Vec<_>>());
    let source = Memo::new(move |_| numbers.with(Numbers::source));
    view! {
        <section class="card duel-table" aria-labelledby="duel-numbers">
            <h2 id="duel-numbers">"In numbers"</h2>
            <div class="duel-wide" role="group" aria-label="In numbers, table" tabindex="0">
                <table class="numbers">
                    <thead>
                        <tr>
                            <td></td>
                            <th scope="col">{pair.name(0)}</th>
                            <th scope="col">{pair.name(1)}</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=names key=Clone::clone let(name)>
                            <NumberLine numbers name />
                        </For>
                    </tbody>
                </table>
            </div>
            <p class="soft">{source}</p>
        </section>
    }
}

#[component]
fn NumberLine(numbers: Memo<Numbers>, name: &'static str) -> impl IntoView {
    let cell = move |at: usize| {
        Memo::new(move |_| {
            numbers.with(|numbers| numbers.says(name).map(|both| both[at].clone()).unwrap_or_default())
        })
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td>{cell(0)}</td>
            <td>{cell(1)}</td>
        </tr>
    }
}
