//! The timeline: a bar for each stretch of each message's life, and only those lines that can be seen.

mod lines;
#[cfg(test)]
mod tests;

use super::kept;
use super::rows::{Row, Rows};
use super::shapes::{Shape, shown};
use crate::lab::handle::{Lab, Pace};
use crate::lab::inspector::on_pick;
use crate::lab::pick::OnPick;
use crate::lab::state::Look;
use crate::lab::steady::steady;
use crate::lab::words::duration;
use flow::timeline::{IDLE_US, Line, Scale};
use leptos::{ev, prelude::*};
use std::fmt;
use web_sys::Element;

/// How high a line is, in pixels.
const LINE_PX: u32 = 24;
/// How many lines are drawn above and below what can be seen, so that scrolling shows no gap.
const SPARE: u32 = 12;
/// Where the bars begin, and how much room they have: hundredths of a percent of the width.
const LEFT: u64 = 2_600;
const ROOM: u64 = 6_400;
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

/// Which part of the timeline can be seen, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    /// How far it is scrolled.
    top_px: u32,
    /// How high it is; 0 until that is known.
    height_px: u32,
}

impl Window {
    /// The end, where the timeline begins to be looked at.
    const END: Self = Self { top_px: u32::MAX, height_px: 0 };

    fn of(list: &Element) -> Self {
        Self { top_px: list.scroll_top().unsigned_abs(), height_px: list.client_height().unsigned_abs() }
    }

    /// Whether other lines can be seen than before.
    fn differs(self, before: Self) -> bool {
        self.top_px.abs_diff(before.top_px) >= LINE_PX || self.height_px != before.height_px
    }
}

/// What of the timeline is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Drawing {
    /// How high all its lines are, drawn or not.
    height_px: u32,
    /// Which lines are drawn, in words.
    label: String,
    /// What the distances mean. It stays where it is while the lines are scrolled.
    axis: Vec<Shape>,
    /// Where idle time was left out.
    breaks: Vec<Shape>,
    rows: Vec<Row>,
}

/// What can be seen in the window, and a little more; nothing while there is no message.
fn drawing(look: &Look<'_>, window: Window) -> Drawing {
    kept::with(look, |kept| {
        let timeline = &kept.timeline;
        let total = u32::try_from(timeline.lines()).unwrap_or(u32::MAX / LINE_PX);
        if total == 0 {
            return Drawing::default();
        }
        let drawn = window.height_px / LINE_PX + 2 * SPARE;
        let from = (window.top_px / LINE_PX).saturating_sub(SPARE).min(total.saturating_sub(drawn));
        let lines = timeline.window(from as usize, drawn as usize);
        // The time of what is far above or below shall not squeeze what can be seen.
        let seen = lines.len().min((window.height_px / LINE_PX + 1) as usize);
        let first = (window.top_px / LINE_PX).saturating_sub(from) as usize;
        let first = first.min(lines.len() - seen);
        let axis = Axis::of(&lines[first..first + seen], timeline.scale(), !look.lab.views.is_unfolded);
        let breaks = axis.breaks();
        let focus = look.focus();
        let mut rows: Vec<_> = (from..)
            .zip(&lines)
            .map(|(number, line)| match line {
                Line::Group(group) => {
                    let hue = look.lab.system().recent.hue_of(&group.id);
                    lines::heading(group, number * LINE_PX, &focus, hue)
                }
                Line::Row(_, row) => lines::bars(row, number * LINE_PX, &axis, &focus),
            })
            .collect();
        if let Some(last) = rows.last_mut() {
            last.is_stop = true;
        }
        let (from_y, to_y) = (from * LINE_PX, (from + drawn).min(total) * LINE_PX);
        Drawing {
            height_px: total * LINE_PX,
            label: format!("Timeline, lines {} to {} of {total}", from + 1, from as usize + lines.len()),
            axis: scale_bar(&axis, &breaks),
            breaks: breaks.iter().map(|(x, _)| fall("timeline-break", *x, from_y, to_y)).collect(),
            rows,
        }
    })
}

fn fall(class: &'static str, x: u64, from_y: u32, to_y: u32) -> Shape {
    Shape::Fall { class, x: Share(x).to_string(), from_y: from_y.to_string(), to_y: to_y.to_string() }
}

/// What the distances mean: ticks, and how much idle time was left out where.
fn scale_bar(axis: &Axis<'_>, breaks: &[(u64, u64)]) -> Vec<Shape> {
    let words = |class, x: u64, y: &str, words| Shape::Text {
        class,
        x: Share(x).to_string(),
        y: y.to_owned(),
        anchor: "middle",
        words,
        title: String::new(),
    };
    let step = axis.step();
    let mut shapes = Vec::new();
    for tick in 0..=axis.width / step {
        let x = axis.x_of(tick * step);
        shapes.push(fall("timeline-tick", x, 16, 20));
        shapes.push(words("", x, "12", duration(tick * step)));
    }
    let mut free_from = 0;
    for (x, idle_us) in breaks {
        // Where there is room for it.
        if *x >= free_from {
            free_from = x + 2_000;
            shapes.push(words("timeline-idle", *x, "32", format!("⁄⁄ {}", duration(*idle_us))));
        }
    }
    shapes
}

pub(super) fn timeline(lab: Lab) -> AnyView {
    view! { <Timeline lab /> }.into_any()
}

const LIST: &str = ".timeline-rows";

#[component]
fn Timeline(lab: Lab) -> impl IntoView {
    let window = RwSignal::new(Window::END);
    let read = move || {
        let window = window.get();
        lab.look(Pace::Calm, |look| drawing(look, window))
    };
    let drawing = steady(LIST, read);
    // Only once it is drawn is it known how high it is.
    Effect::new(move || {
        lab.follow(Pace::Calm);
        request_animation_frame(move || {
            if let Ok(Some(list)) = document().query_selector(LIST) {
                measure(window, &list);
            }
        });
    });
    let is_empty = Memo::new(move |_| drawing.with(|drawing| drawing.height_px == 0));
    move || {
        if is_empty.get() {
            return view! { <p class="view-empty">"No messages yet."</p> }.into_any();
        }
        view! { <Lines drawing window on_pick=on_pick(lab) /> }.into_any()
    }
}

/// Draws other lines when others can be seen.
fn measure(window: RwSignal<Window>, list: &Element) {
    let now = Window::of(list);
    if window.try_with_untracked(|before| now.differs(*before)) == Some(true) {
        window.set(now);
    }
}

/// The lines, below what their distances mean.
#[component]
fn Lines(drawing: RwSignal<Drawing>, window: RwSignal<Window>, on_pick: OnPick) -> impl IntoView {
    let axis = Memo::new(move |_| drawing.with(|drawing| drawing.axis.clone()));
    let breaks = Memo::new(move |_| drawing.with(|drawing| drawing.breaks.clone()));
    let rows = Memo::new(move |_| drawing.with(|drawing| drawing.rows.clone()));
    let scrolled = move |event: ev::Event| measure(window, &event_target(&event));
    view! {
        <svg class="timeline-axis" width="100%" height="36" aria-hidden="true">
            {move || axis.with(|axis| shown(axis))}
        </svg>
        <div class="timeline-rows" data-follow="timeline" on:scroll=scrolled>
            <svg
                class="timeline"
                width="100%"
                height=move || drawing.with(|drawing| drawing.height_px)
                role="group"
                aria-label=move || drawing.with(|drawing| drawing.label.clone())
            >
                <defs>
                    <pattern
                        id="timeline-held"
                        width="5"
                        height="5"
                        patternUnits="userSpaceOnUse"
                        patternTransform="rotate(45)"
                    >
                        <rect class="bar-held-ground" width="5" height="5"></rect>
                        <rect class="bar-held-stripe" width="2" height="5"></rect>
                    </pattern>
                </defs>
                {move || breaks.with(|breaks| shown(breaks))}
                <Rows rows on_pick />
            </svg>
        </div>
    }
}
