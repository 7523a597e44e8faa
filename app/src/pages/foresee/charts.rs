//! What is drawn: times over the load, and what waits over time.

use super::told::{per_s, time};
use crate::components::title;
use flow::Style;
use foresee::{Outcome, curve::Point};
use leptos::prelude::*;
use std::fmt::Write as _;

/// The size of a chart, in its own units.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 160.0;

/// One style under several loads.
#[derive(Debug, Clone)]
pub struct Curve {
    pub style: Style,
    pub points: Vec<Point>,
}

/// A line through points that are given as shares of the chart.
fn line(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.enumerate() {
        let command = if at == 0 { 'M' } else { 'L' };
        // Writing into a string cannot fail.
        let _ = write!(path, "{command}{:.1} {:.1}", x * WIDTH, (1.0 - y.min(1.05)) * HEIGHT);
    }
    path
}

const fn class(style: Style) -> &'static str {
    match style {
        Style::Choreography => "curve curve-event",
        Style::Orchestration => "curve curve-command",
    }
}

/// The names of the curves, with their lines.
#[component]
pub fn Legend() -> impl IntoView {
    let names = Style::ALL.iter().map(|&style| {
        view! {
            <li>
                <svg class="foresee-key" viewBox="0 0 24 8" aria-hidden="true">
                    <path class=class(style) d="M0 4h24"></path>
                </svg>
                {title(style)}
            </li>
        }
    });
    view! { <ul class="foresee-legend">{names.collect_view()}</ul> }
}

/// p99 over the load: flat for long, then steep.
#[component]
pub fn Hockey(curves: Vec<Curve>, rate_per_s: f64) -> impl IntoView {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let widest = all().map(|point| point.rate_per_s).fold(1.0, f64::max);
    let highest = all().filter(|point| point.is_stable).map(|point| point.p99_ns).max().unwrap_or(1).max(1);
    let now = rate_per_s / widest;
    let place = |point: &Point| {
        // Beyond what it can take there is no percentile: the line leaves the chart.
        let height = if point.is_stable { point.p99_ns as f64 / highest as f64 } else { 2.0 };
        (point.rate_per_s / widest, height)
    };
    let paths = curves.iter().map(|Curve { style, points }| {
        view! { <path class=class(*style) d=line(points.iter().map(place))></path> }
    });
    let paths = paths.collect_view();
    let words = format!("p99 over the load, up to {} at {}", time(highest), per_s(widest));
    view! {
        <svg class="foresee-chart" viewBox="0 0 480 160" role="img" aria-label=words>
            <path class="foresee-axis" d="M0 0V160H480"></path>
            {(now <= 1.0).then(|| view! { <path class="foresee-now" d=format!("M{:.1} 0V160", now * WIDTH)></path> })}
            {paths}
        </svg>
        <p class="foresee-ends">
            <span>"0"</span>
            <span>{format!("p99 up to {}", time(highest))}</span>
            <span>{per_s(widest)}</span>
        </p>
        <p class="hint">"The dotted line is the load that is set. A curve ends where its style cannot keep up."</p>
    }
}

/// What waits in all queues, over time.
#[component]
pub fn Depth(outcomes: Vec<Outcome>) -> impl IntoView {
    let highest = outcomes.iter().flat_map(|outcome| &outcome.depths.most).copied().max().unwrap_or_default();
    let lasts = |outcome: &Outcome| outcome.depths.width_ns * outcome.depths.most.len() as u64;
    let longest = outcomes.iter().map(lasts).max().unwrap_or(1).max(1);
    let paths = outcomes.iter().map(|outcome| {
        let x = |at: usize| (at as u64 * outcome.depths.width_ns) as f64 / longest as f64;
        let y = |most: u64| most as f64 / highest.max(1) as f64;
        let points = outcome.depths.most.iter().enumerate().map(|(at, most)| (x(at), y(*most)));
        view! { <path class=class(outcome.style) d=line(points)></path> }
    });
    let words = format!("Messages that wait, over time: at most {highest}");
    view! {
        <svg class="foresee-chart" viewBox="0 0 480 160" role="img" aria-label=words>
            <path class="foresee-axis" d="M0 0V160H480"></path>
            {paths.collect_view()}
        </svg>
        <p class="foresee-ends">
            <span>"0 s"</span>
            <span>{format!("at most {highest} wait")}</span>
            <span>{format!("{:.1} s", longest as f64 / 1e9)}</span>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_its_points_and_leaves_the_chart_where_they_do() {
        assert_eq!(line([(0.0, 0.0), (0.5, 1.0), (1.0, 9.0)].into_iter()), "M0.0 160.0L240.0 0.0L480.0 -8.0");
        assert_eq!(line(std::iter::empty()), "");
    }
}
