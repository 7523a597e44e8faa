//! The timeline's lines: the heading of an arrival, and the bars of a message.

use super::super::rows::Row;
use super::super::shapes::Shape;
use super::{Axis, LEFT, Share};
use crate::lab::selection::Selection;
use crate::lab::state::Focus;
use crate::lab::words::{duration, short_id};
use flow::timeline::{self, Bar, End, Group, Phase};
use flow::topology;

/// The narrowest bar that can be seen, in hundredths of a percent of the width.
const NARROWEST: u64 = 25;

/// The heading above an arrival's messages. One of the last three has its colour, and the number of that.
pub(super) fn heading(group: &Group, y: u32, focus: &Focus, hue: Option<u32>) -> Row {
    let what = group.sku.map_or_else(|| "An external message".to_owned(), |sku| sku.to_string());
    let id = short_id(&group.id);
    let is_selected = focus.arrival.as_deref() == Some(&*group.id);
    let what = hue.map_or_else(|| what.clone(), |hue| format!("{hue} · {what}"));
    let line = hue.map_or_else(String::new, |hue| format!(" hue-{hue}"));
    Row {
        key: format!("group {}", group.id),
        class: class(&format!("timeline-line timeline-group{line}"), is_selected),
        pick: Selection::Arrival(group.id.clone()),
        label: format!("{what} {id}, an arrival"),
        is_stop: false,
        shapes: vec![
            hit(y),
            words("", "8".to_owned(), y, "start", what),
            words("soft", "99%".to_owned(), y, "end", id),
        ],
    }
}

/// A message in a queue.
pub(super) fn bars(row: &timeline::Row, y: u32, axis: &Axis<'_>, focus: &Focus) -> Row {
    let queue = row.queue.as_deref();
    let who = queue.and_then(topology::queue_named).map(|queue| queue.service.as_str());
    let who = who.or(queue).unwrap_or("publishing");
    let now_us = axis.scale.ended_us();
    let end_x = row.bars.last().map_or(LEFT, |bar| axis.x(bar.to_us.unwrap_or(now_us)));
    // Where there is no room on the right, the words stand on the left.
    let first_x = row.bars.first().map_or(LEFT, |bar| axis.x(bar.from_us));
    let is_left = end_x > 7_500 && first_x > 4_500;
    let took_x = if is_left { first_x - 60 } else { end_x + 60 };
    let took = took(row, now_us);
    // The line's name has all words that are seen on it, in their order (WCAG 2.5.3).
    let said: Vec<_> = row.bars.iter().map(|bar| says(bar, now_us)).collect();
    let label = format!("{who}, {took}, {}", said.join(", "));
    let is_trouble = matches!(row.end, Some(End::Dead | End::Expired | End::Lost));
    let took_class = if is_trouble { "timeline-took is-trouble" } else { "timeline-took" };
    let took_anchor = if is_left { "end" } else { "start" };
    let mut shapes = vec![
        hit(y),
        words("timeline-who", "16".to_owned(), y, "start", who.to_owned()),
        words(took_class, Share(took_x).to_string(), y, took_anchor, took),
    ];
    shapes.extend(row.bars.iter().zip(said).map(|(bar, title)| drawn(bar, y, axis, now_us, title)));
    Row {
        key: format!("row {} {}", row.message_id, queue.unwrap_or_default()),
        class: class("timeline-line", focus.is_message(&row.message_id, queue)),
        pick: Selection::Message { id: row.message_id.clone(), queue: row.queue.clone() },
        label,
        is_stop: false,
        shapes,
    }
}

fn class(class: &str, is_selected: bool) -> String {
    if is_selected { format!("{class} is-selected") } else { class.to_owned() }
}

/// What can be clicked: all of the line.
fn hit(y: u32) -> Shape {
    Shape::Rect {
        class: "timeline-hit",
        x: "0".to_owned(),
        y: y.to_string(),
        width: "100%".to_owned(),
        height: super::LINE_PX.to_string(),
        rx: "0",
        title: String::new(),
    }
}

fn words(class: &'static str, x: String, y: u32, anchor: &'static str, words: String) -> Shape {
    Shape::Text { class, x, y: (y + 16).to_string(), anchor, words, title: String::new() }
}

/// How long a message took, or takes, and how it ended or what it goes through.
fn took(row: &timeline::Row, now_us: u64) -> String {
    let took = duration(row.latency_us(now_us));
    let how = match (row.end, row.phase()) {
        (Some(End::Acked), _) | (None, None) => "",
        (Some(End::Dead), _) => " · parked",
        (Some(End::Rejected), _) => " · rejected",
        (Some(End::Expired), _) => " · expired",
        (Some(End::Lost), _) => " · ✗ lost",
        (Some(End::Published), _) => " · published",
        (None, Some(phase)) => name(phase),
    };
    match row.attempt {
        0 | 1 => format!("{took}{how}"),
        attempt => format!("{attempt}. attempt · {took}{how}"),
    }
}

fn drawn(bar: &Bar, y: u32, axis: &Axis<'_>, now_us: u64, title: String) -> Shape {
    let x = axis.x(bar.from_us);
    let width = axis.x(bar.to_us.unwrap_or(now_us)).saturating_sub(x).max(NARROWEST);
    // A wait is a thin line, work is thick: shape and colour say the same.
    let (class, top, height) = match bar.phase {
        Phase::Queued => ("bar bar-queued", 9, "6"),
        Phase::Retrying => ("bar bar-retrying", 9, "6"),
        Phase::Handling => ("bar bar-handling", 5, "14"),
        Phase::Calling => ("bar bar-calling", 5, "14"),
        Phase::Held => ("bar bar-held", 5, "14"),
    };
    Shape::Rect {
        class,
        x: Share(x).to_string(),
        y: (y + top).to_string(),
        width: Share(width).to_string(),
        height: height.to_owned(),
        rx: "0",
        title,
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
