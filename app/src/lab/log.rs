//! The log: what the picture shows, as an ordered list in words, the most recent last.

use super::stage::{Selection, Stage, use_stage};
use super::words::{mark, sentence, time_of_day};
use leptos::{ev, html, prelude::*};

/// How many rows are shown. The journal keeps more; a list that nobody can read to its end helps nobody.
const ROWS: usize = 200;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    seq: u64,
    time: String,
    mark: &'static str,
    words: String,
    sku: String,
    provenance: &'static str,
}

/// The log of this page's style.
#[component]
pub fn Log() -> impl IntoView {
    let stage = use_stage();
    let rows = Memo::new(move |_| rows(stage));
    let list: NodeRef<html::Ol> = NodeRef::new();
    keep_the_end_in_view(rows, list);
    view! {
        <section class="panel log" aria-labelledby="log-title">
            <header class="panel-head">
                <h2 id="log-title">"Log"</h2>
                <p class="soft">
                    {move || match rows.with(Vec::len) {
                        0 => "Nothing has happened yet.".to_owned(),
                        1 => "1 step".to_owned(),
                        ROWS => format!("the last {ROWS} steps"),
                        more => format!("{more} steps"),
                    }}
                </p>
            </header>
            <ol class="log-rows" node_ref=list on:keydown=walk>
                <For each=move || rows.get() key=|row| row.seq let(row)>
                    {row_view(stage, rows, row)}
                </For>
            </ol>
        </section>
    }
    .into_any()
}

fn rows(stage: Stage) -> Vec<Row> {
    stage.calm_version.track();
    let shown = stage.director.with_value(|director| director.picture.seq);
    let style = stage.style;
    stage.live.with_journal(|journal| {
        let ours = journal
            .events()
            .rev()
            .filter(|event| event.seq <= shown && event.style.is_none_or(|of_event| of_event == style));
        let mut rows: Vec<_> = ours
            .take(ROWS)
            .map(|event| Row {
                seq: event.seq,
                time: time_of_day(event.at_us),
                mark: match mark(event) {
                    "message" => super::diagram::message_class(style),
                    other => other,
                },
                words: sentence(event),
                sku: event.sku.map(|sku| sku.to_string()).unwrap_or_default(),
                provenance: match event.provenance {
                    flow::Provenance::Service => "service",
                    flow::Provenance::Broker => "broker",
                    flow::Provenance::Inferred => "inferred",
                },
            })
            .collect();
        rows.reverse();
        rows
    })
}

/// Only the last row is a stop for the Tab key; the arrows lead to the others.
fn row_view(stage: Stage, rows: Memo<Vec<Row>>, row: Row) -> impl IntoView {
    let seq = row.seq;
    let is_last = move || rows.with(|rows| rows.last().is_some_and(|last| last.seq == seq));
    let is_selected = move || stage.selected.with(|selected| *selected == Some(Selection::Event(seq)));
    view! {
        <li>
            <button
                type="button"
                class="log-row"
                class:is-selected=is_selected
                tabindex=move || if is_last() { "0" } else { "-1" }
                on:click=move |_| stage.select(Selection::Event(seq))
            >
                <span class="log-time">{row.time}</span>
                <span class=format!("mark mark-{}", row.mark) aria-hidden="true"></span>
                <span class="log-words">{row.words}</span>
                <span class="log-sku">{row.sku}</span>
                <span class="log-by" title="Who tells it">{row.provenance}</span>
            </button>
        </li>
    }
    .into_any()
}

/// The arrow keys, Home and End walk through the rows.
fn walk(event: ev::KeyboardEvent) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast as _;
        let row = document().active_element().and_then(|button| button.parent_element());
        let list = row.as_ref().and_then(|row| row.parent_element());
        let (Some(row), Some(list)) = (row, list) else { return };
        let next = match event.key().as_str() {
            "ArrowUp" => row.previous_element_sibling(),
            "ArrowDown" => row.next_element_sibling(),
            "Home" => list.first_element_child(),
            "End" => list.last_element_child(),
            _ => return,
        };
        event.prevent_default();
        let button = next.and_then(|row| row.first_element_child());
        if let Some(button) = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
            // A row that is just being removed takes no focus, which is all right.
            let _ = button.focus();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = event;
}

/// A log that is read at its end stays at its end; one that was scrolled up is left alone.
fn keep_the_end_in_view(rows: Memo<Vec<Row>>, list: NodeRef<html::Ol>) {
    Effect::new(move |known: Option<i32>| {
        rows.track();
        let Some(list) = list.get() else { return 0 };
        let height_before = known.unwrap_or_default();
        let was_at_end = list.scroll_top() + list.client_height() >= height_before - 40;
        request_animation_frame({
            let list = list.clone();
            move || {
                if was_at_end {
                    list.set_scroll_top(list.scroll_height());
                }
            }
        });
        list.scroll_height()
    });
}
