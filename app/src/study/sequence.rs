//! The sequence diagram of one arrival, or of the last steps: drawn, and as a file.

use crate::lab::selection::Selection;
use crate::lab::state::Look;
use crate::lab::words::cut;
use flow::layout::Px;
use flow::sequence::{Arrow, Mark, Options, Row, Sequence};
use maud::{Markup, PreEscaped, html};

/// How many of the last steps are shown when no arrival is selected.
const LAST: usize = 80;
/// From one lifeline to the next, from one row to the next, and the height of the heads: pixels.
const COLUMN: f32 = 168.0;
const ROW: f32 = 32.0;
const HEAD: f32 = 40.0;

/// What a file needs that the page's style sheet cannot give it.
const FILE_STYLE: &str = "svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#16202c}.seq-life{stroke:#848a92;\
stroke-dasharray:3 4}.seq-head rect{fill:#fff;stroke:#848a92}.seq-active{fill:#e1eef7;stroke:#0069a8}.seq-line{fill:none;\
stroke:#16202c;stroke-width:1.25}.seq-return .seq-line{stroke-dasharray:5 4}.seq-open{fill:none;stroke:#16202c}\
.seq-filled{fill:#16202c}.seq-note{fill:#f7f6f3;stroke:#dcd9d2}.is-trouble text{fill:#b5123f}.is-trouble .seq-line\
{stroke:#b5123f}.seq-hit{fill:none}";

/// The diagram of what is shown.
fn of(look: &Look<'_>) -> (Sequence, bool) {
    let views = &look.lab.views;
    let options = Options { queues: views.has_queues, settlements: views.has_settlements };
    let arrival = look.focus().arrival;
    let events = match &arrival {
        Some(arrival) => look.steps(arrival),
        None => {
            let mut last: Vec<_> = look.shown().take(LAST).cloned().collect();
            last.reverse();
            last
        }
    };
    (Sequence::of(events.iter().map(|event| &**event), options), arrival.is_some())
}

/// The view.
pub fn sequence(look: &Look<'_>) -> Markup {
    let (sequence, is_one) = of(look);
    if sequence.rows.is_empty() {
        return html! { p.view-empty { "Nothing has been said yet." } };
    }
    let what =
        if is_one { "the selected arrival" } else { "the last steps; select an arrival to see it alone" };
    html! {
        p.view-note { "Sequence of " (what) }
        div.sequence-scroll data-follow=[(!is_one).then_some("sequence")] tabindex="0" role="group"
            aria-label={ "Sequence diagram of " (what) } {
            div.sequence-sticky { (heads(&sequence, true)) }
            (drawing(&sequence, &look.focus().seq, None))
        }
    }
}

/// The diagram as a file.
pub fn export(look: &Look<'_>, format: &str) -> String {
    let (sequence, _) = of(look);
    if format == "svg" {
        well_formed(&drawing(&sequence, &None, Some(FILE_STYLE)).into_string())
    } else {
        sequence.mermaid()
    }
}

/// The text with a replacement for each character that no XML document can have (XML 1.0, section 2.2): others may have put
/// one into a name.
fn well_formed(xml: &str) -> String {
    let is_allowed = |character: char| match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    };
    xml.chars().map(|character| if is_allowed(character) { character } else { '\u{fffd}' }).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a diagram has some hundred rows")]
fn x(column: usize) -> f32 {
    COLUMN * (column as f32 + 0.5)
}

#[expect(clippy::cast_precision_loss, reason = "a diagram has some hundred rows")]
fn y(row: usize) -> f32 {
    ROW * (row as f32 + 0.75)
}

fn width(sequence: &Sequence) -> f32 {
    x(sequence.lifelines.len()) - COLUMN / 2.0
}

fn heads(sequence: &Sequence, is_alone: bool) -> Markup {
    let inner = html! {
        @for (column, lifeline) in sequence.lifelines.iter().enumerate() {
            @let middle = x(column);
            g.seq-head {
                rect x=(Px(middle - 72.0)) y="6" width="144" height="26" rx="6" {}
                text x=(Px(middle)) y="23" text-anchor="middle" { (cut(lifeline.place.name(), 136.0)) }
            }
        }
    };
    html! {
        @if is_alone {
            svg width=(Px(width(sequence))) height=(Px(HEAD)) aria-hidden="true" { (inner) }
        } @else { (inner) }
    }
}

/// The rows; in a file with the heads above them.
fn drawing(sequence: &Sequence, selected: &Option<u64>, file: Option<&str>) -> Markup {
    let top = if file.is_some() { HEAD } else { 0.0 };
    let height = y(sequence.rows.len()) + top;
    let last = sequence.rows.len().saturating_sub(1);
    html! {
        svg.sequence xmlns=[file.map(|_| "http://www.w3.org/2000/svg")] width=(Px(width(sequence)))
            height=(Px(height)) role=[file.is_none().then_some("group")] aria-label="Steps" {
            @if let Some(style) = file { style { (PreEscaped(style)) } (heads(sequence, false)) }
            g transform={ "translate(0 " (Px(top)) ")" } {
                @for column in 0..sequence.lifelines.len() {
                    line.seq-life x1=(Px(x(column))) x2=(Px(x(column))) y1="0" y2=(Px(height - top)) {}
                }
                @for active in &sequence.activations {
                    @let from = y(active.from_row);
                    @let to = active.to_row.map_or(height - top, y);
                    rect.seq-active x=(Px(x(active.column) - 5.0 + 5.0 * depth(active.depth))) y=(Px(from)) width="10"
                        height=(Px((to - from).max(4.0))) rx="2" {}
                }
                @for (number, row) in sequence.rows.iter().enumerate() {
                    g.seq-row .is-trouble[row.is_trouble] .is-selected[*selected == Some(row.seq)]
                        .seq-return[matches!(row.mark, Mark::Arrow { arrow: Arrow::Return, .. })]
                        data-pick=(Selection::Event(row.seq)) role="button"
                        tabindex=(if number == last { "0" } else { "-1" }) aria-label=(spoken(sequence, row)) {
                        (drawn(sequence, row, y(number)))
                    }
                }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a service does few things at once")]
fn depth(depth: usize) -> f32 {
    depth as f32
}

fn drawn(sequence: &Sequence, row: &Row, y: f32) -> Markup {
    let hit = html! {
        rect.seq-hit y=(Px(y - 20.0)) width=(Px(width(sequence))) height=(Px(ROW - 2.0)) {}
    };
    match row.mark {
        Mark::Note { over } => html! {
            (hit)
            rect.seq-note x=(Px(x(over) - 78.0)) y=(Px(y - 15.0)) width="156" height="22" rx="4" {}
            text x=(Px(x(over))) y=(Px(y)) text-anchor="middle" { (cut(&row.text, 148.0)) title { (row.text) } }
        },
        Mark::Arrow { arrow, from, to } => {
            let (from, to) = (x(from), x(to));
            let is_loop = (from - to).abs() < 1.0;
            let side = if to >= from { 1.0 } else { -1.0 };
            let tip = to - 1.0 * side;
            let back = if is_loop { tip + 8.0 } else { tip - 8.0 * side };
            let line = if is_loop {
                format!("M{} {}h28v8h-27", Px(from), Px(y - 8.0))
            } else {
                format!("M{} {}H{}", Px(from), Px(y), Px(tip))
            };
            let head =
                format!("M{} {}L{} {}L{} {}", Px(back), Px(y - 4.5), Px(tip), Px(y), Px(back), Px(y + 4.5));
            let is_open = arrow == Arrow::Message;
            let middle = if is_loop { from + 34.0 } else { f32::midpoint(from, to) };
            let room = if is_loop { 110.0 } else { (from - to).abs() - 18.0 };
            html! {
                (hit)
                path.seq-line d=(line) {}
                path.seq-open[is_open].seq-filled[!is_open] d={ (head) @if !is_open { "Z" } } {}
                text x=(Px(middle)) y=(Px(y - 5.0)) text-anchor=(if is_loop { "start" } else { "middle" }) {
                    (cut(&row.text, room)) title { (row.text) }
                }
            }
        }
    }
}

fn spoken(sequence: &Sequence, row: &Row) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_well_formed_xml_whatever_others_call_themselves() {
        assert_eq!(well_formed("<a>b\u{1}\u{0}\tc\u{ffff}é</a>"), "<a>b\u{fffd}\u{fffd}\tc\u{fffd}é</a>");
    }
}
