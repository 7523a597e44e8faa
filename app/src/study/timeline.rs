//! The timeline: a bar for each stretch of each message's life, and only those lines that can be seen.

use super::kept;
use crate::lab::selection::Selection;
use crate::lab::state::{Focus, Look};
use crate::lab::words::{duration, short_id};
use flow::timeline::{Bar, End, Group, IDLE_US, Line, Phase, Row, Scale};
use flow::topology;
use maud::{Markup, html};
use std::fmt;

/// How high a line is, in pixels.
pub const LINE: u32 = 24;
/// How many lines are drawn above and below what can be seen, so that scrolling shows no gap.
const SPARE: u32 = 12;
/// Where the bars begin, and how much room they have: hundredths of a percent of the width.
const LEFT: u64 = 2_600;
const ROOM: u64 = 6_400;
/// The narrowest bar that can be seen.
const NARROWEST: u64 = 25;

/// A share of the width, in hundredths of a percent.
struct Share(u64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}%", self.0 / 100, self.0 % 100)
    }
}

/// From moments to places, for what is in the window.
struct Axis<'a> {
    scale: &'a Scale,
    is_folded: bool,
    from: u64,
    width: u64,
}

impl<'a> Axis<'a> {
    /// As wide as what these lines show.
    fn of(lines: &[Line<'_>], scale: &'a Scale, is_folded: bool) -> Self {
        let (mut from, mut to) = (u64::MAX, 0);
        for line in lines {
            let bars = match line {
                Line::Group(group) => {
                    from = from.min(group.began_us);
                    &[][..]
                }
                Line::Row(_, row) => &row.bars,
            };
            for bar in bars {
                from = from.min(bar.from_us);
                to = to.max(bar.to_us.unwrap_or(scale.ended_us()));
            }
        }
        let from = scale.place(from.min(to), is_folded);
        let width = scale.place(to, is_folded).saturating_sub(from).max(1);
        Self { scale, is_folded, from, width }
    }

    fn x(&self, at_us: u64) -> u64 {
        self.x_of(self.scale.place(at_us, self.is_folded).saturating_sub(self.from))
    }

    fn x_of(&self, passed: u64) -> u64 {
        LEFT + passed.min(self.width) * ROOM / self.width
    }

    /// Round distances, so that there are four or five of them.
    fn step(&self) -> u64 {
        let mut step = 1;
        loop {
            for factor in [1, 2, 5] {
                if self.width <= step * factor * 5 {
                    return step * factor;
                }
            }
            step *= 10;
        }
    }

    /// Where idle time was left out, and how much.
    fn breaks(&self) -> Vec<(u64, u64)> {
        if !self.is_folded {
            return Vec::new();
        }
        let place = |at_us: u64| self.scale.place(at_us, true);
        let inside = |at: u64| at > self.from && at < self.from + self.width;
        let breaks = self.scale.breaks().iter();
        let middles = breaks.map(|one| (place(one.from_us + IDLE_US / 2), one.to_us - one.from_us));
        middles
            .filter(|(at, _)| inside(*at))
            .map(|(at, idle_us)| (self.x_of(at - self.from), idle_us))
            .collect()
    }
}

/// The view.
pub fn timeline(look: &Look<'_>) -> Markup {
    kept::with(look, |kept| {
        let (timeline, views) = (&kept.timeline, &look.lab.views);
        let total = u32::try_from(timeline.lines()).unwrap_or(u32::MAX / LINE);
        if total == 0 {
            return html! { p.view-empty { "No messages yet." } };
        }
        let shown = views.height_px / LINE + 2 * SPARE;
        let from = (views.top_px / LINE).saturating_sub(SPARE).min(total.saturating_sub(shown));
        let lines = timeline.window(from as usize, shown as usize);
        // The time of what is far above or below shall not squeeze what can be seen.
        let seen = lines.len().min((views.height_px / LINE + 1) as usize);
        let first = (views.top_px / LINE).saturating_sub(from) as usize;
        let first = first.min(lines.len() - seen);
        let axis = Axis::of(&lines[first..first + seen], timeline.scale(), !views.is_unfolded);
        let breaks = axis.breaks();
        let focus = look.focus();
        let last = lines.len() - 1;
        html! {
            (scale_bar(&axis, &breaks))
            div.timeline-rows data-scroll="timeline" data-follow="timeline" {
                svg.timeline width="100%" height=(total * LINE) role="group"
                    aria-label={ "Timeline, lines " (from + 1) " to " (from as usize + lines.len()) " of " (total) } {
                    defs {
                        pattern #timeline-held width="5" height="5" patternUnits="userSpaceOnUse"
                            patternTransform="rotate(45)" {
                            rect.bar-held-ground width="5" height="5" {}
                            rect.bar-held-stripe width="2" height="5" {}
                        }
                    }
                    @for (x, _) in &breaks {
                        line.timeline-break x1=(Share(*x)) x2=(Share(*x)) y1=(from * LINE)
                            y2={ ((from + shown).min(total) * LINE) } {}
                    }
                    @for (number, line) in (from..).zip(&lines) {
                        @let stop = if (number - from) as usize == last { "0" } else { "-1" };
                        @match line {
                            Line::Group(group) => { (heading(group, number * LINE, &focus, stop)) }
                            Line::Row(_, row) => { (bars(row, number * LINE, &axis, &focus, stop)) }
                        }
                    }
                }
            }
        }
    })
}

/// What the distances mean, above the lines. It stays where it is while they are scrolled.
fn scale_bar(axis: &Axis<'_>, breaks: &[(u64, u64)]) -> Markup {
    let step = axis.step();
    let mut free_from = 0;
    let labelled = breaks.iter().filter(|(x, _)| {
        let is_free = *x >= free_from;
        if is_free {
            free_from = x + 2_000;
        }
        is_free
    });
    html! {
        svg.timeline-axis width="100%" height="36" aria-hidden="true" {
            @for tick in 0..=axis.width / step {
                @let x = Share(axis.x_of(tick * step));
                line.timeline-tick x1=(x) x2=(x) y1="16" y2="20" {}
                text x=(x) y="12" text-anchor="middle" { (duration(tick * step)) }
            }
            @for (x, idle_us) in labelled {
                text.timeline-idle x=(Share(*x)) y="32" text-anchor="middle" { "⁄⁄ " (duration(*idle_us)) }
            }
        }
    }
}

fn heading(group: &Group, y: u32, focus: &Focus, stop: &str) -> Markup {
    let what = group.sku.map_or_else(|| "An external message".to_owned(), |sku| sku.to_string());
    let is_selected = focus.arrival.as_deref() == Some(&*group.id);
    html! {
        g.timeline-line.timeline-group .is-selected[is_selected] data-key={ "g" (group.id) }
            data-pick=(Selection::Arrival(group.id.clone())) role="button" tabindex=(stop)
            aria-label={ (what) " " (short_id(&group.id)) ", an arrival" } {
            rect.timeline-hit y=(y) width="100%" height=(LINE) {}
            text x="8" y=(y + 16) { (what) } " "
            text.soft x="99%" y=(y + 16) text-anchor="end" { (short_id(&group.id)) }
        }
    }
}

fn bars(row: &Row, y: u32, axis: &Axis<'_>, focus: &Focus, stop: &str) -> Markup {
    let queue = row.queue.as_deref();
    let who = queue.and_then(topology::queue_named).map(|queue| queue.service.as_str());
    let who = who.or(queue).unwrap_or("publishing");
    let now_us = axis.scale.ended_us();
    let took = duration(row.latency_us(now_us));
    let end_x = row.bars.last().map_or(LEFT, |bar| axis.x(bar.to_us.unwrap_or(now_us)));
    // Where there is no room on the right, the words stand on the left.
    let first_x = row.bars.first().map_or(LEFT, |bar| axis.x(bar.from_us));
    let is_left = end_x > 7_500 && first_x > 4_500;
    let took_x = if is_left { first_x - 60 } else { end_x + 60 };
    let pick = Selection::Message { id: row.message_id.clone(), queue: row.queue.clone() };
    let is_selected = focus.is_message(&row.message_id, queue);
    let how = match (row.end, row.phase()) {
        (Some(End::Acked), _) => "",
        (Some(End::Dead), _) => " · parked",
        (Some(End::Rejected), _) => " · rejected",
        (Some(End::Expired), _) => " · expired",
        (Some(End::Published), _) => " · published",
        (None, Some(phase)) => name(phase),
        (None, None) => "",
    };
    let took = match row.attempt {
        0 | 1 => format!("{took}{how}"),
        attempt => format!("{attempt}. attempt · {took}{how}"),
    };
    // The line's name has all words that are seen on it, in their order (WCAG 2.5.3).
    let bars: Vec<_> = row.bars.iter().map(|bar| says(bar, now_us)).collect();
    let spoken = format!("{who}, {took}, {}", bars.join(", "));
    html! {
        g.timeline-line .is-selected[is_selected] data-key={ "r" (row.message_id) (who) } data-pick=(pick)
            role="button" tabindex=(stop) aria-label=(spoken) {
            rect.timeline-hit y=(y) width="100%" height=(LINE) {}
            text.timeline-who x="16" y=(y + 16) { (who) } " "
            text.timeline-took .is-trouble[matches!(row.end, Some(End::Dead | End::Expired))] x=(Share(took_x)) y=(y + 16)
                text-anchor=(if is_left { "end" } else { "start" }) { (took) } " "
            @for bar in &row.bars { (self::bar(bar, y, axis, now_us)) " " }
        }
    }
}

fn bar(bar: &Bar, y: u32, axis: &Axis<'_>, now_us: u64) -> Markup {
    let to_us = bar.to_us.unwrap_or(now_us);
    let x = axis.x(bar.from_us);
    let width = axis.x(to_us).saturating_sub(x).max(NARROWEST);
    // A wait is a thin line, work is thick: shape and colour say the same.
    let (top, height) = match bar.phase {
        Phase::Queued | Phase::Retrying => (y + 9, 6),
        _ => (y + 5, 14),
    };
    html! {
        rect class={ "bar bar-" (bar.phase.as_str()) } x=(Share(x)) y=(top)
            width=(Share(width)) height=(height) {
            title { (says(bar, now_us)) }
        }
    }
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Queued => " · in its queue",
        Phase::Handling => " · in its handler",
        Phase::Calling => " · asking over HTTP",
        Phase::Held => " · held",
        Phase::Retrying => " · waits for its next attempt",
    }
}

/// What a bar stands for, and for how long.
fn says(bar: &Bar, now_us: u64) -> String {
    let us = bar.to_us.unwrap_or(now_us).saturating_sub(bar.from_us);
    format!("{} {}", name(bar.phase).trim_start_matches(" · "), duration(us))
}
