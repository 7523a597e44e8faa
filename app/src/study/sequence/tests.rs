//! The sequence on the page and in a file, without a browser.

use super::*;
use crate::lab::example;
use crate::lab::selection::Selection;
use crate::lab::state::LabState;
use flow::History;

fn drawn(lab: &LabState, history: &History) -> Drawing {
    let look = Look::of(lab, history);
    let (sequence, is_one) = of(&look);
    drawing(&sequence, is_one, look.focus().seq, |_| None)
}

#[test]
fn the_selected_arrival_is_drawn_alone_and_else_the_last_steps() {
    let (mut lab, history) = example::lab(30, "sku_processed");
    let last = drawn(&lab, &history);
    assert!(!last.is_one && last.rows.len() > 20);
    lab.selected = Some(Selection::Event(8));
    let one = drawn(&lab, &history);
    let keys: Vec<_> = one.rows.iter().map(|row| &*row.key).collect();
    assert_eq!((one.is_one, keys), (true, vec!["7", "8", "9", "11"]));
    let marked: Vec<_> = one.rows.iter().filter(|row| row.class.contains("is-selected")).collect();
    assert!(marked.len() == 1 && marked[0].pick == Selection::Event(8), "{marked:?}");
}

#[test]
fn the_last_row_is_the_stop_for_the_tab_key() {
    let (lab, history) = example::lab(2, "sku_processed");
    let rows = drawn(&lab, &history).rows;
    let stops: Vec<_> = rows.iter().filter(|row| row.is_stop).map(|row| &row.key).collect();
    assert_eq!(stops, [&rows[rows.len() - 1].key]);
}

#[test]
fn a_step_is_called_by_who_does_what_to_whom() {
    let (lab, history) = example::lab(1, "sku_processed");
    let rows = drawn(&lab, &history).rows;
    assert_eq!(
        rows.iter().map(|row| &*row.label).collect::<Vec<_>>(),
        [
            "warehouse calls inventory: 12 × MUG-RED",
            "inventory records 0 → 12",
            "inventory sends to sku_processed: sku_processed",
            "sku_processed sends to catalog: sku_processed",
        ]
    );
}

#[test]
fn the_file_has_every_shape_of_the_page_and_marks_no_selection() {
    let (mut lab, history) = example::lab(1, "sku_processed");
    (lab.views.has_settlements, lab.selected) = (true, Some(Selection::Event(2)));
    let page = drawn(&lab, &history);
    let file = export(&Look::of(&lab, &history), "svg");
    assert!(file.starts_with("<svg ") && file.ends_with("</svg>"), "{file}");
    assert_eq!(file.matches(r#"class="seq-row"#).count(), page.rows.len());
    assert_eq!(file.matches(r#"class="seq-head""#).count(), page.heads.len());
    let shapes =
        page.rows.iter().flat_map(|row| &row.shapes).chain(&page.ground).chain(page.heads.iter().flatten());
    for shape in shapes {
        let mut written = String::new();
        shape.write(&mut written);
        assert!(file.contains(&written), "{written} in {file}");
    }
    assert!(page.rows.iter().any(|row| row.class.contains("is-selected")) && !file.contains("is-selected"));
}

#[test]
fn a_name_with_marks_of_xml_in_it_leaves_the_file_well_formed() {
    let (lab, history) = example::lab(1, "a<b>&\u{1}");
    let file = export(&Look::of(&lab, &history), "svg");
    assert!(file.contains("a&lt;b&gt;&amp;\u{fffd}") && !file.contains("a<b>"), "{file}");
    assert!(export(&Look::of(&lab, &history), "mermaid").starts_with("sequenceDiagram"));
}
