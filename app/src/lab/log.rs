//! The log: what the picture shows, as an ordered list in words, the most recent last.

use super::handle::{Lab, Pace};
use super::journey::mark_of;
use super::selection::Selection;
use super::state::Look;
use super::words::{provenance, sentence, time_of_day};
use flow::{Event, Style};
use leptos::{ev, prelude::*};
use maud::Markup;
use std::sync::Arc;

/// How many rows are shown. The journal keeps more; a list that nobody can read to its end helps nobody.
const ROWS: usize = 200;

/// The log of this page's style.
#[must_use]
pub fn log_panel(look: &Look<'_>) -> Markup {
    let mut events: Vec<_> = look.shown().take(ROWS).cloned().collect();
    events.reverse();
    log(&events, look.lab.style, look.lab.selected.as_ref())
}

/// The log of these events. Only the last row is a stop for the Tab key; the arrows lead to the others.
#[must_use]
pub fn log(events: &[Arc<Event>], style: Style, selected: Option<&Selection>) -> Markup {
    let count = match events.len() {
        0 => "Nothing has happened yet.".to_owned(),
        1 => "1 step".to_owned(),
        ROWS => format!("the last {ROWS} steps"),
        more => format!("{more} steps"),
    };
    let last = events.last().map(|event| event.seq);
    maud::html! {
        header.panel-head {
            h2 #log-title { "Log" }
            p.soft { (count) }
        }
        ol.log-rows {
            @for event in events {
                @let pick = Selection::Event(event.seq);
                li data-key=(event.seq) {
                    button.log-row .is-selected[selected == Some(&pick)] type="button" data-pick=(pick)
                        tabindex=(if last == Some(event.seq) { "0" } else { "-1" }) {
                        span.log-time { (time_of_day(event.at_us)) }
                        span class={ "mark mark-" (mark_of(event, style)) } aria-hidden="true" {}
                        span.log-words { (sentence(event)) }
                        span.log-sku { @if let Some(sku) = event.sku { (sku) } }
                        span.log-by title="Who tells it" { (provenance(event.provenance)) }
                    }
                }
            }
        }
    }
}

/// The arrow keys, Home and End walk through the rows.
pub fn walk(event: &ev::KeyboardEvent) {
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

/// A log that is read at its end stays at its end; one that was scrolled up is left alone.
pub fn keep_the_end_in_view(lab: Lab) {
    Effect::new(move |known: Option<i32>| {
        lab.follow(Pace::Calm);
        let Ok(Some(list)) = document().query_selector(".log-rows") else { return 0 };
        let height_before = known.unwrap_or_default();
        let was_at_end = list.scroll_top() + list.client_height() >= height_before - 40;
        if was_at_end {
            let list = list.clone();
            request_animation_frame(move || list.set_scroll_top(list.scroll_height()));
        }
        list.scroll_height()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Kind, Provenance};

    #[test]
    fn the_last_row_is_the_only_stop_and_the_selected_one_is_marked() {
        let events: Vec<_> = (1..=3)
            .map(|seq| {
                let mut event = Event::new(seq, Provenance::Service, Kind::HandlerStarted);
                event.seq = seq;
                Arc::new(event)
            })
            .collect();
        let drawn = log(&events, Style::Choreography, Some(&Selection::Event(2))).into_string();
        assert_eq!(drawn.matches("tabindex=\"0\"").count(), 1);
        assert_eq!(drawn.matches("is-selected").count(), 1);
        assert!(drawn.contains("3 steps"));
    }
}
