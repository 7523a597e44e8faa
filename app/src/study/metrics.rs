//! Numbers over time: how long arrivals take, how much is said, and how deep the queues are.

use super::kept;
use crate::lab::state::Look;
use crate::lab::words::{duration, service_name, time_of_day};
use flow::Service;
use flow::metrics::{Metrics, Series};
use flow::tally::{Latency, Summary};
use maud::{Markup, html};
use std::fmt::Write as _;

/// The size of a chart, in its own units.
const WIDTH: u64 = 240;
const HEIGHT: u64 = 64;
/// How far below its upper edge the highest value is drawn.
const TOP: u64 = 4;
/// How many of the last arrivals are drawn one by one.
const ARRIVALS: usize = 120;

/// One line of a chart: its name, its class, and its value at each point.
type Curve = (&'static str, &'static str, Vec<(u64, u64)>);

/// The view.
pub fn metrics(look: &Look<'_>) -> Markup {
    kept::with(look, |kept| {
        let summary = kept.metrics.summary();
        if summary.arrivals == 0 {
            return html! { p.view-empty { "No arrivals among the loaded steps, so there is nothing to measure." } };
        }
        html! {
            div.metrics {
                (table(&summary))
                div.charts {
                    (effects(&kept.metrics))
                    @for chart in charts(kept.metrics.series()) { (chart) }
                }
            }
        }
    })
}

fn table(sum: &Summary) -> Markup {
    let latency = |name: &str, latency: &Latency| {
        html! {
            tr {
                th scope="row" { (name) }
                @for us in [latency.p50_us, latency.p95_us, latency.p99_us] {
                    td { @if latency.n > 0 { (duration(us)) } @else { "–" } }
                }
                td { (latency.n) }
            }
        }
    };
    let counts = [
        ("Messages published", sum.messages),
        ("Deliveries", sum.deliveries),
        ("HTTP calls", sum.calls),
        ("Bytes of messages", sum.message_bytes),
        ("E-mails", sum.emails),
        ("Retries", sum.retries),
        ("Parked", sum.parked),
    ];
    html! {
        div.metrics-tables {
            table.numbers {
                caption { "From the arrival to its effects; held time is left out" }
                thead { tr { td {} th scope="col" { "p50" } th scope="col" { "p95" } th scope="col" { "p99" } th scope="col" { "n" } } }
                tbody { (latency("First effect", &sum.first_effect)) (latency("All effects", &sum.all_effects)) }
            }
            table.numbers {
                caption { (sum.arrivals) " arrivals and sales, " (sum.complete) " done in all three services" }
                thead { tr { td {} th scope="col" { "each" } th scope="col" { "in all" } } }
                tbody {
                    @for (name, count) in counts {
                        tr {
                            th scope="row" { (name) }
                            td { (hundredths(sum.per_arrival_100(count).unwrap_or_default())) }
                            td { (count) }
                        }
                    }
                }
            }
        }
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

/// The last arrivals one by one, each with the time until all its effects.
fn effects(metrics: &Metrics) -> Markup {
    let mut last: Vec<u64> =
        metrics.tallies().iter().rev().filter_map(|one| one.all_effects_us()).take(ARRIVALS).collect();
    last.reverse();
    let Some(&most) = last.iter().max() else { return html! {} };
    let n = last.len();
    let wide = (WIDTH / (n.max(12) as u64)).max(1);
    let mut path = String::new();
    for (at, us) in (0..).zip(&last) {
        let height = (us * (HEIGHT - TOP) / most.max(1)).max(1);
        let _ = write!(path, "M{} {HEIGHT}v-{height}h{}v{height}", at * wide, (wide * 3 / 4).max(1));
    }
    let words = format!("Time to all effects of the last {n} arrivals and sales, up to {}", duration(most));
    html! {
        figure.chart {
            figcaption { b { "Time to all effects" } span { "each bar one of the last " (n) " arrivals and sales" } }
            (frame(&words, [&duration(most), "0"], ["older", "newer"], &html! { path.curve.curve-done d=(path) {} }))
        }
    }
}

/// A chart between its axes: the highest and the lowest value, and where it begins and ends.
fn frame(words: &str, values: [&str; 2], ends: [&str; 2], inner: &Markup) -> Markup {
    html! {
        div.chart-frame {
            div.chart-values aria-hidden="true" { @for value in values { span { (value) } } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(words) {
                @for y in [TOP, HEIGHT] { line.chart-line x1="0" x2=(WIDTH) y1=(y) y2=(y) {} }
                (inner)
            }
            div.chart-ends aria-hidden="true" { @for end in ends { span { (end) } } }
        }
    }
}

fn charts(series: &Series) -> [Markup; 3] {
    let points = series.points();
    let values = |value: &dyn Fn(usize) -> u64| -> Vec<(u64, u64)> {
        points.iter().enumerate().map(|(at, point)| (point.from_us, value(at))).collect()
    };
    let rate = |count: u32| series.per_1000_s(count);
    let depth = |service: Service| values(&|at| u64::from(points[at].ready[service as usize]));
    let each = format!("each step {}", duration(series.width_us()));
    let arrivals = [("arrivals", "plain", values(&|at| rate(points[at].arrivals)))];
    let said = [
        ("messages", "message", values(&|at| rate(points[at].messages))),
        ("HTTP calls", "http", values(&|at| rate(points[at].calls))),
    ];
    let waiting = [
        (service_name(Service::Inventory), "plain", depth(Service::Inventory)),
        (service_name(Service::Catalog), "message", depth(Service::Catalog)),
        (service_name(Service::Wishlist), "http", depth(Service::Wishlist)),
    ];
    [
        chart("Arrivals and sales per second", &each, &arrivals, series.width_us(), true),
        chart("Messages and calls per second", &each, &said, series.width_us(), true),
        chart("Most messages waiting in each queue", &each, &waiting, series.width_us(), false),
    ]
}

fn chart(title: &str, note: &str, curves: &[Curve], width_us: u64, is_rate: bool) -> Markup {
    let most = curves.iter().flat_map(|curve| curve.2.iter().map(|point| point.1)).max().unwrap_or_default();
    let highest = if is_rate { format!("{}/s", hundredths(most.div_ceil(10))) } else { most.to_string() };
    let points = || curves.iter().flat_map(|curve| &curve.2).map(|point| point.0);
    let at = |at_us: Option<u64>| at_us.map(time_of_day).unwrap_or_default();
    let (from, to) = (at(points().min()), at(points().max().map(|last_us| last_us + width_us)));
    html! {
        figure.chart {
            figcaption {
                b { (title) }
                @if curves.len() > 1 {
                    @for (name, class, _) in curves { span { i class={ "swatch swatch-" (class) } aria-hidden="true" {} (name) } }
                }
                span { (note) }
            }
            (frame(&format!("{title}: highest {highest}, {note}"), [&highest, "0"], [&from, &to], &html! {
                @for (_, class, points) in curves {
                    path class={ "curve curve-" (class) } d=(steps(points, width_us, most)) {}
                }
            }))
        }
    }
}

/// A line of steps; between stretches with events it lies on the ground.
fn steps(points: &[(u64, u64)], width_us: u64, most: u64) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let whole_us = (last.0 - first.0 + width_us).max(1);
    // Hundredths of a unit, so that narrow stretches are seen.
    let x = |at_us: u64| (at_us - first.0) * WIDTH * 100 / whole_us;
    let mut path = format!("M0 {HEIGHT}");
    let mut reached_us = first.0;
    for (from_us, value) in points {
        if *from_us > reached_us {
            let _ = write!(path, "V{HEIGHT}");
        }
        let y = HEIGHT - value * (HEIGHT - TOP) / most.max(1);
        let (from, to) = (x(*from_us), x(from_us + width_us));
        let _ = write!(path, "H{}.{:02}V{y}H{}.{:02}", from / 100, from % 100, to / 100, to % 100);
        reached_us = from_us + width_us;
    }
    path.push_str(&format!("V{HEIGHT}"));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_more_figures_than_they_need() {
        assert_eq!([0, 100, 150, 333, 1_205].map(hundredths), ["0", "1", "1.5", "3.33", "12.05"]);
    }

    #[test]
    fn a_curve_falls_to_the_ground_where_nothing_happened() {
        let path = steps(&[(0, 4), (100, 2), (900, 4)], 100, 4);
        assert_eq!(path, "M0 64H0.00V4H24.00H24.00V34H48.00V64H216.00V4H240.00V64");
    }
}
