//! Numbers over time: how long arrivals take, how much is said, and how deep the queues are.

mod charts;

use super::kept;
use crate::lab::handle::{Lab, Pace};
use crate::lab::state::Look;
use crate::lab::words::duration;
use charts::{Chart, charts};
use flow::tally::{Latency, Summary};
use leptos::prelude::*;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Numbers {
    latencies: Table,
    counts: Table,
    charts: Vec<Chart>,
}

/// A table: what it tells, and its rows, each with its name and its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Table {
    caption: String,
    heads: &'static [&'static str],
    rows: Vec<(&'static str, Vec<String>)>,
}

/// The numbers of what is shown; none without an arrival.
fn numbers(look: &Look<'_>) -> Option<Numbers> {
    kept::with(look, |kept| {
        let sum = kept.metrics.summary();
        (sum.arrivals > 0).then(|| Numbers {
            latencies: latencies(&sum),
            counts: counts(&sum),
            charts: charts(&kept.metrics),
        })
    })
}

fn latencies(sum: &Summary) -> Table {
    let values = |latency: &Latency| {
        let shown = |us| if latency.n > 0 { duration(us) } else { "–".to_owned() };
        let times = [latency.p50_us, latency.p95_us, latency.p99_us].map(shown);
        times.into_iter().chain([latency.n.to_string()]).collect()
    };
    Table {
        caption: "From the arrival to its effects; held time is left out".to_owned(),
        heads: &["p50", "p95", "p99", "n"],
        rows: vec![("First effect", values(&sum.first_effect)), ("All effects", values(&sum.all_effects))],
    }
}

fn counts(sum: &Summary) -> Table {
    let counts = [
        ("Messages published", sum.messages),
        ("Deliveries", sum.deliveries),
        ("HTTP calls", sum.calls),
        ("Bytes of messages", sum.message_bytes),
        ("E-mails", sum.emails),
        ("Retries", sum.retries),
        ("Parked", sum.parked),
    ];
    let row = |(name, count)| {
        let each = hundredths(sum.per_arrival_100(count).unwrap_or_default());
        (name, vec![each, count.to_string()])
    };
    Table {
        caption: format!("{} arrivals and sales, {} done in all three services", sum.arrivals, sum.complete),
        heads: &["each", "in all"],
        rows: counts.map(row).to_vec(),
    }
}

/// A number of hundredths, with no more figures than it has.
pub(super) fn hundredths(number: u64) -> String {
    match number % 100 {
        0 => (number / 100).to_string(),
        rest if rest % 10 == 0 => format!("{}.{}", number / 100, rest / 10),
        rest => format!("{}.{rest:02}", number / 100),
    }
}

pub(super) fn metrics(lab: Lab) -> AnyView {
    view! { <Metrics lab /> }.into_any()
}

#[component]
fn Metrics(lab: Lab) -> impl IntoView {
    let numbers = Memo::new(move |_| lab.look(Pace::Calm, numbers));
    let is_empty = Memo::new(move |_| numbers.with(Option::is_none));
    move || {
        if is_empty.get() {
            let words = "No arrivals among the loaded steps, so there is nothing to measure.";
            return view! { <p class="view-empty">{words}</p> }.into_any();
        }
        let part = |see: fn(&Numbers) -> AnyView| move || numbers.with(|numbers| numbers.as_ref().map(see));
        view! {
            <div class="metrics">
                <div class="metrics-tables">
                    {part(|numbers| numbers.latencies.view().into_any())}
                    {part(|numbers| numbers.counts.view().into_any())}
                </div>
                <div class="charts">
                    {part(|numbers| numbers.charts.iter().map(Chart::view).collect_view().into_any())}
                </div>
            </div>
        }
        .into_any()
    }
}

impl Table {
    fn view(&self) -> impl IntoView + use<> {
        let heads = self.heads.iter().map(|&head| view! { <th scope="col">{head}</th> });
        let rows = self.rows.iter().map(|(name, values)| {
            let values = values.iter().map(|value| view! { <td>{value.clone()}</td> });
            view! {
                <tr>
                    <th scope="row">{*name}</th>
                    {values.collect_view()}
                </tr>
            }
        });
        view! {
            <table class="numbers">
                <caption>{self.caption.clone()}</caption>
                <thead>
                    <tr>
                        <td></td>
                        {heads.collect_view()}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::example;

    #[test]
    fn without_an_arrival_there_is_nothing_to_measure() {
        let (lab, history) = example::lab(0, "sku_processed");
        assert_eq!(numbers(&Look::of(&lab, &history)), None);
    }

    #[test]
    fn the_tables_count_what_happened_in_all_and_for_each_arrival() {
        let (lab, history) = example::lab(4, "sku_processed");
        let numbers = numbers(&Look::of(&lab, &history)).unwrap();
        assert_eq!(numbers.counts.caption, "4 arrivals and sales, 0 done in all three services");
        let row = |name: &str| numbers.counts.rows.iter().find(|row| row.0 == name).unwrap().1.clone();
        assert_eq!(
            (row("Messages published"), row("HTTP calls")),
            (vec!["1".into(), "4".into()], vec!["0".into(); 2])
        );
        // Catalog has done its part, the others have not.
        assert_eq!(numbers.latencies.rows[0].1, ["5.0 ms", "5.0 ms", "5.0 ms", "4"]);
        assert_eq!(numbers.latencies.rows[1].1, ["–", "–", "–", "0"]);
    }

    #[test]
    fn numbers_have_no_more_figures_than_they_need() {
        assert_eq!([0, 100, 150, 333, 1_205].map(hundredths), ["0", "1", "1.5", "3.33", "12.05"]);
    }
}
