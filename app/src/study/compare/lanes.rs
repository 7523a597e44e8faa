//! Both styles on one time: what happened, and faint, what is still to come.

use super::BOTH;
use super::score::Score;
use crate::lab::words::duration;
use flow::Style;
use flow::compare::{Ghost, Moment};
use maud::{Markup, html};

/// With more steps than this they are counted by the column instead of drawn one by one.
const FEW: usize = 160;
/// How many columns there are then.
const COLUMNS: usize = 120;
/// The height of a column with the most steps.
const HIGHEST: usize = 22;

/// The figure.
pub fn lanes(score: &Score) -> Markup {
    let ghosts = BOTH.map(|style| score.ahead(style).steps());
    let last_us = score.moments().last().map_or(0, |moment| moment.after_us);
    let foreseen = ghosts.iter().flatten().filter_map(|(ghost, _)| ghost.after_us).max().unwrap_or(0);
    let whole_us = last_us.max(foreseen).max(1);
    let now_us = score.shown().last().map(|moment| moment.after_us);
    let is_few = score.total() <= FEW;
    // A lane has its name above it, and room for its columns in between.
    let pitch = if is_few { 42 } else { 62 };
    let bottom = 2 * pitch + 4;
    html! {
        figure.duel-lanes {
            svg width="100%" height=(bottom + 24) role="img"
                aria-label={ "Both styles on one time, beginning with the arrival; " (duration(whole_us)) " in all" } {
                @for (lane, style) in BOTH.into_iter().enumerate() {
                    @let y = (lane + 1) * pitch - 12;
                    text x="0" y=(lane * pitch + 16) { (style) }
                    line.duel-lane x1="0" x2="100%" y1=(y) y2=(y) {}
                    @if is_few {
                        (faint(&ghosts[lane], style, y, whole_us))
                        @for moment in score.shown().iter().filter(|moment| moment.style == style) {
                            rect class={ "duel-mark duel-" (style) } x=(x(moment.after_us, whole_us)) y=(y - 5) width="10"
                                height="10" rx=(corner(style)) {}
                        }
                    } @else {
                        @let most = most(score.moments(), whole_us);
                        @for (at, count) in columns(score.moments(), style, whole_us).into_iter().enumerate() {
                            @if count > 0 { (column("duel-faint", at, y, count * HIGHEST / most)) }
                        }
                        @for (at, count) in columns(score.shown(), style, whole_us).into_iter().enumerate() {
                            @if count > 0 { (column(&format!("duel-{style}"), at, y, count * HIGHEST / most)) }
                        }
                    }
                }
                @if let Some(us) = now_us {
                    line.duel-now x1=(x(us, whole_us)) x2=(x(us, whole_us)) y1="20" y2=(bottom - 6) {}
                    text.soft x=(x(us, whole_us)) y=(bottom + 10) text-anchor=(if us * 2 > whole_us { "end" } else { "start" }) {
                        "+" (duration(us))
                    }
                }
            }
        }
    }
}

fn faint(ghosts: &[(&Ghost, usize)], style: Style, y: usize, whole_us: u64) -> Markup {
    html! {
        @for after_us in ghosts.iter().filter_map(|(ghost, _)| ghost.after_us) {
            rect.duel-ghost x=(x(after_us, whole_us)) y=(y - 5) width="10" height="10" rx=(corner(style)) {}
        }
    }
}

/// An event is round and a command square here, too.
const fn corner(style: Style) -> &'static str {
    match style {
        Style::Choreography => "5",
        Style::Orchestration => "1.5",
    }
}

fn x(us: u64, whole_us: u64) -> String {
    percent(50 + us.min(whole_us) * 9_600 / whole_us)
}

fn percent(share: u64) -> String {
    format!("{}.{:02}%", share / 100, share % 100)
}

fn column(class: &str, at: usize, y: usize, height: usize) -> Markup {
    let height = height.max(2);
    html! {
        rect class=(class) x=(percent(50 + (at * 9_600 / COLUMNS) as u64)) y=(y - height) width="0.6%" height=(height) {}
    }
}

/// How many steps of a style fall into each column.
fn columns(moments: &[Moment], style: Style, whole_us: u64) -> [usize; COLUMNS] {
    let mut columns = [0; COLUMNS];
    for moment in moments.iter().filter(|moment| moment.style == style) {
        let at = moment.after_us.min(whole_us) * (COLUMNS as u64 - 1) / whole_us;
        columns[usize::try_from(at).unwrap_or(0)] += 1;
    }
    columns
}

/// How many steps the highest column of both has.
fn most(moments: &[Moment], whole_us: u64) -> usize {
    let both = BOTH.map(|style| columns(moments, style, whole_us));
    both.iter().flatten().copied().max().unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_a_burst_is_counted_in_the_column_of_its_time() {
        let moment = |style, after_us| Moment { style, seq: 1, after_us };
        let moments = [
            moment(Style::Choreography, 0),
            moment(Style::Choreography, 1),
            moment(Style::Orchestration, 500),
            moment(Style::Choreography, 1_000),
        ];
        let columns = columns(&moments, Style::Choreography, 1_000);
        assert_eq!((columns[0], columns[COLUMNS - 1], columns.iter().sum::<usize>()), (2, 1, 3));
        assert_eq!(most(&moments, 1_000), 2);
    }
}
