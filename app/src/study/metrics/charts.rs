//! The charts below the numbers: what is drawn, and what it says in words.

use super::hundredths;
use crate::lab::words::{duration, service_name, time_of_day};
use flow::Service;
use flow::metrics::{Metrics, Series};
use leptos::prelude::*;
use std::fmt::Write as _;

/// The size of a chart, in its own units.
const WIDTH: u64 = 240;
const HEIGHT: u64 = 64;
/// How far below its upper edge the highest value is drawn.
const TOP: u64 = 4;
/// How many of the last arrivals are drawn one by one.
const ARRIVALS: usize = 120;

/// A chart between its axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    title: &'static str,
    note: String,
    /// What it shows, in words.
    label: String,
    highest: String,
    /// Where it begins and ends.
    ends: [String; 2],
    curves: Vec<Drawn>,
}

/// One line of a chart, drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Drawn {
    name: &'static str,
    class: &'static str,
    path: String,
}

/// One line of a chart: its name, its class, and its value at each point.
type Curve = (&'static str, &'static str, Vec<(u64, u64)>);

pub(super) fn charts(metrics: &Metrics) -> Vec<Chart> {
    effects(metrics).into_iter().chain(over_time(metrics.series())).collect()
}

/// The last arrivals one by one, each with the time until all its effects.
fn effects(metrics: &Metrics) -> Option<Chart> {
    let mut last: Vec<u64> =
        metrics.tallies().iter().rev().filter_map(|one| one.all_effects_us()).take(ARRIVALS).collect();
    last.reverse();
    let most = *last.iter().max()?;
    let n = last.len();
    let wide = (WIDTH / (n.max(12) as u64)).max(1);
    let mut path = String::new();
    for (at, us) in (0..).zip(&last) {
        let height = (us * (HEIGHT - TOP) / most.max(1)).max(1);
        let _ = write!(path, "M{} {HEIGHT}v-{height}h{}v{height}", at * wide, (wide * 3 / 4).max(1));
    }
    Some(Chart {
        title: "Time to all effects",
        note: format!("each bar one of the last {n} arrivals and sales"),
        label: format!("Time to all effects of the last {n} arrivals and sales, up to {}", duration(most)),
        highest: duration(most),
        ends: ["older".to_owned(), "newer".to_owned()],
        curves: vec![Drawn { name: "arrivals", class: "done", path }],
    })
}

fn over_time(series: &Series) -> [Chart; 3] {
    let points = series.points();
    let values = |value: &dyn Fn(usize) -> u64| -> Vec<(u64, u64)> {
        points.iter().enumerate().map(|(at, point)| (point.from_us, value(at))).collect()
    };
    let rate = |count: u32| series.per_1000_s(count);
    let depth = |service: Service| values(&|at| u64::from(points[at].ready[service as usize]));
    let arrivals = [("arrivals", "plain", values(&|at| rate(points[at].arrivals)))];
    let said = [
        ("messages", "message", values(&|at| rate(points[at].messages))),
        ("HTTP calls", "http", values(&|at| rate(points[at].calls))),
    ];
    let mut waiting = vec![
        (service_name(Service::Inventory), "plain", depth(Service::Inventory)),
        (service_name(Service::Catalog), "message", depth(Service::Catalog)),
        (service_name(Service::Wishlist), "http", depth(Service::Wishlist)),
    ];
    if points.iter().any(|point| point.ready[Service::Loyalty as usize] > 0) {
        waiting.push((service_name(Service::Loyalty), "done", depth(Service::Loyalty)));
    }
    let width_us = series.width_us();
    [
        chart("Arrivals and sales per second", &arrivals, width_us, true),
        chart("Messages and calls per second", &said, width_us, true),
        chart("Most messages waiting in each queue", &waiting, width_us, false),
    ]
}

fn chart(title: &'static str, curves: &[Curve], width_us: u64, is_rate: bool) -> Chart {
    let most = curves.iter().flat_map(|curve| curve.2.iter().map(|point| point.1)).max().unwrap_or_default();
    let highest = if is_rate { format!("{}/s", hundredths(most.div_ceil(10))) } else { most.to_string() };
    let points = || curves.iter().flat_map(|curve| &curve.2).map(|point| point.0);
    let at = |at_us: Option<u64>| at_us.map(time_of_day).unwrap_or_default();
    let note = format!("each step {}", duration(width_us));
    let drawn =
        curves.iter().map(|(name, class, points)| Drawn { name, class, path: steps(points, width_us, most) });
    Chart {
        title,
        label: format!("{title}: highest {highest}, {note}"),
        note,
        highest,
        ends: [at(points().min()), at(points().max().map(|last_us| last_us + width_us))],
        curves: drawn.collect(),
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

impl Chart {
    /// The chart on the page.
    pub(super) fn view(&self) -> impl IntoView + use<> {
        let named = self.curves.iter().filter(|_| self.curves.len() > 1).map(|curve| {
            view! {
                <span>
                    <i class=format!("swatch swatch-{}", curve.class) aria-hidden="true"></i>
                    {curve.name}
                </span>
            }
        });
        let lines = [TOP, HEIGHT].map(|y| {
            view! { <line class="chart-line" x1="0" x2=WIDTH.to_string() y1=y.to_string() y2=y.to_string()></line> }
        });
        let curves = self.curves.iter().map(|curve| {
            view! { <path class=format!("curve curve-{}", curve.class) d=curve.path.clone()></path> }
        });
        let [from, to] = self.ends.clone();
        view! {
            <figure class="chart">
                <figcaption>
                    <b>{self.title}</b>
                    {named.collect_view()}
                    <span>{self.note.clone()}</span>
                </figcaption>
                <div class="chart-frame">
                    <div class="chart-values" aria-hidden="true">
                        <span>{self.highest.clone()}</span>
                        <span>"0"</span>
                    </div>
                    <svg
                        viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                        preserveAspectRatio="none"
                        role="img"
                        aria-label=self.label.clone()
                    >
                        {lines.collect_view()}
                        {curves.collect_view()}
                    </svg>
                    <div class="chart-ends" aria-hidden="true">
                        <span>{from}</span>
                        <span>{to}</span>
                    </div>
                </div>
            </figure>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::example;
    use flow::{Picture, Style};

    #[test]
    fn a_chart_says_in_words_what_it_shows_and_names_its_curves_where_there_are_several() {
        let (_, history) = example::lab(4, "sku_processed");
        let mut metrics = Metrics::new(Style::Choreography);
        history.replay(u64::MAX, |event, after: &Picture| metrics.apply(event, after));
        let charts = charts(&metrics);
        let labels: Vec<_> = charts.iter().map(|chart| &*chart.label).collect();
        assert_eq!(
            labels,
            [
                "Arrivals and sales per second: highest 40/s, each step 100 ms",
                "Messages and calls per second: highest 40/s, each step 100 ms",
                "Most messages waiting in each queue: highest 1, each step 100 ms",
            ]
        );
        assert_eq!(charts.iter().map(|chart| chart.curves.len()).collect::<Vec<_>>(), [1, 2, 3]);
        let html = charts[2].view().to_html();
        assert!(html.contains("Inventory") && html.contains("swatch swatch-message"), "{html}");
        assert!(!charts[0].view().to_html().contains("swatch"));
    }

    #[test]
    fn a_curve_falls_to_the_ground_where_nothing_happened() {
        let path = steps(&[(0, 4), (100, 2), (900, 4)], 100, 4);
        assert_eq!(path, "M0 64H0.00V4H24.00H24.00V34H48.00V64H216.00V4H240.00V64");
    }
}
