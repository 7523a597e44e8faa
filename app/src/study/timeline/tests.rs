//! What of the timeline is drawn, without a browser.

use super::*;
use crate::lab::example;
use crate::lab::selection::Selection;

const TALL: Window = Window { top_px: 0, height_px: 240 };

fn words(row: &Row) -> Vec<&str> {
    let words = row.shapes.iter().map(|shape| match shape {
        Shape::Text { words, .. } => &**words,
        Shape::Rect { title, .. } => title,
        Shape::Fall { .. } | Shape::Across { .. } | Shape::Path { .. } => "",
    });
    words.filter(|words| !words.is_empty()).collect()
}

#[test]
fn only_the_lines_that_can_be_seen_and_a_few_more_are_drawn() {
    let (lab, history) = example::lab(100, "sku_processed");
    let look = Look::of(&lab, &history);
    let first = drawing(&look, TALL);
    assert_eq!(first.label, "Timeline, lines 1 to 34 of 200");
    assert_eq!((first.rows.len(), first.height_px), (34, 200 * LINE_PX));

    let middle = drawing(&look, Window { top_px: 100 * LINE_PX, ..TALL });
    assert_eq!(middle.label, "Timeline, lines 89 to 122 of 200");
    assert_eq!(drawing(&look, Window::END).label, "Timeline, lines 177 to 200 of 200");
    let stops = |drawing: &Drawing| drawing.rows.iter().filter(|row| row.is_stop).count();
    assert!(stops(&middle) == 1 && middle.rows.last().is_some_and(|row| row.is_stop));
}

#[test]
fn a_row_keeps_its_key_while_others_come_and_it_is_scrolled() {
    let (lab, history) = example::lab(100, "sku_processed");
    let look = Look::of(&lab, &history);
    let keys = |top_px: u32| {
        let drawing = drawing(&look, Window { top_px, ..TALL });
        drawing.rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    let (before, after) = (keys(100 * LINE_PX), keys(101 * LINE_PX));
    assert_eq!(before[1..], after[..33]);
    let mut unique = before.clone();
    unique.dedup();
    assert_eq!(unique.len(), before.len());
}

#[test]
fn a_line_is_called_by_all_words_on_it_in_their_order() {
    let (lab, history) = example::lab(1, "sku_processed");
    let rows = drawing(&Look::of(&lab, &history), TALL).rows;
    assert_eq!(
        rows.iter().map(|row| &*row.label).collect::<Vec<_>>(),
        ["1 · MUG-RED a1, an arrival", "catalog, 2.0 ms, in its queue 1.0 ms, in its handler 1.0 ms",]
    );
    for row in &rows {
        let mut rest = &*row.label;
        for word in words(row) {
            let at = rest.find(word).unwrap_or_else(|| panic!("{word:?} in {:?}", row.label));
            rest = &rest[at + word.len()..];
        }
    }
}

#[test]
fn what_is_selected_is_marked_and_nothing_else() {
    let (mut lab, history) = example::lab(2, "sku_processed");
    let marked = |selected: Selection, lab: &mut _| {
        let lab: &mut crate::lab::state::LabState = lab;
        lab.selected = Some(selected);
        let rows = drawing(&Look::of(lab, &history), TALL).rows;
        rows.into_iter()
            .filter(|row| row.class.contains("is-selected"))
            .map(|row| row.key)
            .collect::<Vec<_>>()
    };
    let message = Selection::Message { id: "m2".into(), queue: Some("catalog.sku_processed".into()) };
    assert_eq!(marked(message, &mut lab), ["group a2", "row m2 catalog.sku_processed"]);
    assert_eq!(marked(Selection::Arrival("a1".into()), &mut lab), ["group a1"]);
}

#[test]
fn nothing_is_drawn_while_there_is_no_message() {
    let (lab, history) = example::lab(0, "sku_processed");
    assert_eq!(drawing(&Look::of(&lab, &history), TALL), Drawing::default());
}

#[test]
fn other_lines_are_drawn_only_once_others_can_be_seen() {
    let scrolled = |px: u32| Window { top_px: px, ..TALL };
    assert!(!scrolled(LINE_PX - 1).differs(TALL) && scrolled(LINE_PX).differs(TALL));
    assert!(Window { height_px: 241, ..TALL }.differs(TALL));
}
