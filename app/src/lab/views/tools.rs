//! What the timeline and the sequence can be set to, and the files that a sequence is saved as.

use super::super::handle::{Lab, Pace};
use super::super::state::Look;
use super::Views;
use crate::files;
use leptos::prelude::*;

/// What the timeline's bars stand for, and whether idle time is folded.
#[component]
pub fn TimelineTools(lab: Lab) -> impl IntoView {
    let swatches = [
        ("bar-queued", "in queue"),
        ("bar-handling", "in handler"),
        ("bar-calling", "HTTP"),
        ("bar-held", "held"),
        ("bar-retrying", "retry"),
    ];
    let legend = swatches.map(|(class, words)| {
        view! {
            <span class="legend-item">
                <i class=format!("swatch {class}") aria-hidden="true"></i>
                {words}
            </span>
        }
    });
    view! {
        {legend.collect_view()}
        <Toggle
            lab
            words="Fold idle time"
            is_on=|views| !views.is_unfolded
            toggle=|views| views.is_unfolded = !views.is_unfolded
        />
    }
}

/// What the sequence shows, and its way into other programs.
#[component]
pub fn SequenceTools(lab: Lab) -> impl IntoView {
    let said = RwSignal::new("");
    let copy = move |_| {
        let Some(text) = exported(lab, "mermaid") else { return };
        files::put_into_clipboard(&text, move |is_done| {
            said.try_set(if is_done { "Copied." } else { "The browser does not let us copy." });
        });
    };
    let save = move |_| {
        if let Some(svg) = exported(lab, "svg") {
            files::hand_out("skuflow-sequence.svg", "image/svg+xml", &svg);
        }
    };
    view! {
        <span class="views-said" role="status">
            {said}
        </span>
        <Toggle
            lab
            words="Queues"
            is_on=|views| views.has_queues
            toggle=|views| views.has_queues = !views.has_queues
        />
        <Toggle
            lab
            words="Acks"
            is_on=|views| views.has_settlements
            toggle=|views| views.has_settlements = !views.has_settlements
        />
        <button class="button button-small" type="button" on:click=copy>
            "Copy as Mermaid"
        </button>
        <button class="button button-small" type="button" on:click=save>
            "Save as SVG"
        </button>
    }
}

/// A button that is pressed or not.
#[component]
fn Toggle(lab: Lab, words: &'static str, is_on: fn(&Views) -> bool, toggle: fn(&mut Views)) -> impl IntoView {
    let is_on = Memo::new(move |_| lab.look(Pace::Calm, |look| is_on(&look.lab.views)));
    view! {
        <button
            class="button button-small"
            type="button"
            aria-pressed=move || is_on.get().to_string()
            on:click=move |_| lab.change(|state| toggle(&mut state.views))
        >
            {words}
        </button>
    }
}

/// The sequence as a file, once what draws it has been fetched.
fn exported(lab: Lab, format: &str) -> Option<String> {
    let export = lab.peek(|state| state.views.study.map(|study| study.export))??;
    lab.peek(|state| lab.live.with_history(|history| export(&Look::of(state, history), format)))
}
