//! A sequence as shapes: what the page shows and what a file has.

use super::super::rows::Row;
use super::super::shapes::Shape;
use crate::lab::selection::Selection;
use crate::lab::words::cut;
use flow::layout::Px;
use flow::sequence::{self, Arrow, Mark, Sequence};

/// From one lifeline to the next, from one row to the next, and the height of the heads.
const COLUMN_PX: f32 = 168.0;
const ROW_PX: f32 = 32.0;
pub(super) const HEAD_PX: f32 = 40.0;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Drawing {
    /// Whether it is of one arrival, and not of the last steps.
    pub(super) is_one: bool,
    pub(super) width_px: f32,
    pub(super) height_px: f32,
    /// The name of each lifeline, in its box.
    pub(super) heads: Vec<Vec<Shape>>,
    /// What lies below the rows: the lifelines, and who works when.
    pub(super) ground: Vec<Shape>,
    pub(super) rows: Vec<Row>,
}

/// The drawing of a sequence, in which one step may be selected, and the latest arrivals have a colour by their `hue`.
pub(super) fn drawing(
    sequence: &Sequence,
    is_one: bool,
    selected: Option<u64>,
    hue: impl Fn(&str) -> Option<u32>,
) -> Drawing {
    let width_px = x(sequence.lifelines.len()) - COLUMN_PX / 2.0;
    let height_px = y(sequence.rows.len());
    let mut rows: Vec<_> = (0..)
        .zip(&sequence.rows)
        .map(|(number, row)| Row {
            key: row.seq.to_string(),
            class: class(row, selected == Some(row.seq), row.arrival.as_deref().and_then(&hue)),
            pick: Selection::Event(row.seq),
            label: spoken(sequence, row),
            is_stop: false,
            shapes: shapes(row, y(number), width_px),
        })
        .collect();
    if let Some(last) = rows.last_mut() {
        last.is_stop = true;
    }
    Drawing { is_one, width_px, height_px, heads: heads(sequence), ground: ground(sequence, height_px), rows }
}

#[expect(clippy::cast_precision_loss, reason = "a diagram has some hundred rows")]
fn x(column: usize) -> f32 {
    COLUMN_PX * (column as f32 + 0.5)
}

#[expect(clippy::cast_precision_loss, reason = "a diagram has some hundred rows")]
fn y(row: usize) -> f32 {
    ROW_PX * (row as f32 + 0.75)
}

#[expect(clippy::cast_precision_loss, reason = "a service does few things at once")]
fn depth(depth: usize) -> f32 {
    depth as f32
}

/// A box by its middle, its upper edge, and its size.
fn plate(class: &'static str, middle: f32, top: f32, size: (f32, f32), rx: &'static str) -> Shape {
    Shape::Rect {
        class,
        x: Px(middle - size.0 / 2.0).to_string(),
        y: Px(top).to_string(),
        width: Px(size.0).to_string(),
        height: Px(size.1).to_string(),
        rx,
        title: String::new(),
    }
}

fn words(at: (f32, f32), anchor: &'static str, words: String, title: String) -> Shape {
    Shape::Text { class: "", x: Px(at.0).to_string(), y: Px(at.1).to_string(), anchor, words, title }
}

fn heads(sequence: &Sequence) -> Vec<Vec<Shape>> {
    let named = sequence.lifelines.iter().enumerate().map(|(column, lifeline)| {
        let name = cut(lifeline.place.name(), 136.0);
        vec![
            plate("", x(column), 6.0, (144.0, 26.0), "6"),
            words((x(column), 23.0), "middle", name, String::new()),
        ]
    });
    named.collect()
}

fn ground(sequence: &Sequence, height_px: f32) -> Vec<Shape> {
    let lives = (0..sequence.lifelines.len()).map(|column| Shape::Fall {
        class: "seq-life",
        x: Px(x(column)).to_string(),
        from_y: "0".to_owned(),
        to_y: Px(height_px).to_string(),
    });
    let works = sequence.activations.iter().map(|active| {
        let from = y(active.from_row);
        let to = active.to_row.map_or(height_px, y);
        let middle = x(active.column) + 5.0 * depth(active.depth);
        plate("seq-active", middle, from, (10.0, (to - from).max(4.0)), "2")
    });
    lives.chain(works).collect()
}

fn class(row: &sequence::Row, is_selected: bool, hue: Option<u32>) -> String {
    let is_return = matches!(row.mark, Mark::Arrow { arrow: Arrow::Return, .. });
    let marks = [(row.is_trouble, " is-trouble"), (is_selected, " is-selected"), (is_return, " seq-return")];
    let marks = marks.into_iter().filter_map(|(is_so, mark)| is_so.then_some(mark));
    let hue = hue.map(|hue| format!(" hue-{hue}"));
    std::iter::once("seq-row").chain(marks).chain(hue.as_deref()).collect()
}

fn shapes(row: &sequence::Row, y: f32, width_px: f32) -> Vec<Shape> {
    let hit = plate("seq-hit", width_px / 2.0, y - 20.0, (width_px, ROW_PX - 2.0), "0");
    match row.mark {
        Mark::Note { over } => vec![
            hit,
            plate("seq-note", x(over), y - 15.0, (156.0, 22.0), "4"),
            words((x(over), y), "middle", cut(&row.text, 148.0), row.text.clone()),
        ],
        Mark::Arrow { arrow, from, to } => {
            let mut shapes = vec![hit];
            shapes.extend(an_arrow(arrow, x(from), x(to), y, &row.text));
            shapes
        }
    }
}

/// An arrow from place to place, or from a lifeline back to itself, with its words.
fn an_arrow(arrow: Arrow, from: f32, to: f32, y: f32, text: &str) -> [Shape; 3] {
    let is_loop = (from - to).abs() < 1.0;
    let side = if to >= from { 1.0 } else { -1.0 };
    let tip = to - side;
    let back = if is_loop { tip + 8.0 } else { tip - 8.0 * side };
    let line = if is_loop {
        format!("M{} {}h28v8h-27", Px(from), Px(y - 8.0))
    } else {
        format!("M{} {}H{}", Px(from), Px(y), Px(tip))
    };
    let (class, end) = if arrow == Arrow::Message { ("seq-open", "") } else { ("seq-filled", "Z") };
    let head =
        format!("M{} {}L{} {}L{} {}{end}", Px(back), Px(y - 4.5), Px(tip), Px(y), Px(back), Px(y + 4.5));
    let (at, room, anchor) = if is_loop {
        (from + 34.0, 110.0, "start")
    } else {
        (f32::midpoint(from, to), (from - to).abs() - 18.0, "middle")
    };
    [
        Shape::Path { class: "seq-line", d: line },
        Shape::Path { class, d: head },
        words((at, y - 5.0), anchor, cut(text, room), text.to_owned()),
    ]
}

fn spoken(sequence: &Sequence, row: &sequence::Row) -> String {
    let name = |column: usize| sequence.lifelines.get(column).map_or("", |lifeline| lifeline.place.name());
    match row.mark {
        Mark::Note { over } => format!("{} {}", name(over), row.text),
        Mark::Arrow { arrow, from, to } => {
            let how = match arrow {
                Arrow::Call => "calls",
                Arrow::Message => "sends to",
                Arrow::Return => "answers",
            };
            format!("{} {how} {}: {}", name(from), name(to), row.text)
        }
    }
}
