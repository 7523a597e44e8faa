//! The rows of a drawing: each can be picked, stays the same element for as long as it is there, and is drawn anew only
//! when it has changed.

use super::shapes::{Shape, shown};
use crate::lab::pick::{OnPick, picks, picks_by_key};
use crate::lab::selection::Selection;
use leptos::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// What tells it apart from all others.
    pub(super) key: String,
    pub(super) class: String,
    /// What a click on it selects.
    pub(super) pick: Selection,
    /// What it says to those who do not see it.
    pub(super) label: String,
    /// Whether it is a stop for the Tab key. One row is; the arrows lead to the others.
    pub(super) is_stop: bool,
    pub(super) shapes: Vec<Shape>,
}

impl Row {
    fn view(&self, on_pick: OnPick) -> impl IntoView + use<> {
        view! {
            <g
                class=self.class.clone()
                data-pick=self.pick.to_string()
                role="button"
                tabindex=if self.is_stop { "0" } else { "-1" }
                aria-label=self.label.clone()
                on:click=picks(on_pick, self.pick.clone())
                on:keydown=picks_by_key(on_pick, self.pick.clone())
            >
                {shown(&self.shapes)}
            </g>
        }
    }
}

/// The rows, inside of an SVG.
#[component]
pub(super) fn Rows(
    /// As they are now.
    rows: Memo<Vec<Row>>,
    /// What becomes of the one that is picked.
    on_pick: OnPick,
) -> impl IntoView {
    let keys = move || rows.with(|rows| rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>());
    let drawn = move |key: String| {
        let row = Memo::new(move |_| rows.with(|rows| rows.iter().find(|row| row.key == key).cloned()));
        move || row.with(|row| row.as_ref().map(|row| row.view(on_pick)))
    };
    view! { <For each=keys key=Clone::clone children=drawn /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_button_with_a_name_and_what_it_selects() {
        let shape = Shape::Text {
            class: "soft",
            x: "1".to_owned(),
            y: "2".to_owned(),
            anchor: "start",
            words: "short".to_owned(),
            title: "short & long".to_owned(),
        };
        let row = move |seq: u64, is_stop: bool| Row {
            key: seq.to_string(),
            class: "seq-row".to_owned(),
            pick: Selection::Event(seq),
            label: format!("step {seq}"),
            is_stop,
            shapes: vec![shape.clone()],
        };
        let html = Owner::new().with(|| {
            let rows = Memo::new(move |_| vec![row(7, false), row(8, true)]);
            view! { <svg><Rows rows on_pick=Callback::new(|_| ()) /></svg> }.to_html()
        });
        let first =
            r#"<g data-pick="event:7" role="button" tabindex="-1" aria-label="step 7" class="seq-row">"#;
        assert!(html.contains(first), "{html}");
        assert!(html.contains(r#"data-pick="event:8" role="button" tabindex="0""#), "{html}");
        assert!(html.contains(">short<title>short &amp; long<"), "{html}");
    }
}
