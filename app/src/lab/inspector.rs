//! The inspector: what is known of the thing that was clicked.

mod part;
mod travel;

use super::stage::{Selection, use_stage};
use leptos::{ev, html, prelude::*};

/// One fact: its name and its value.
type Fact = (&'static str, String);

/// The panel on the right; a sheet on small screens.
#[component]
pub fn Inspector() -> impl IntoView {
    let stage = use_stage();
    let panel: NodeRef<html::Aside> = NodeRef::new();
    let is_open = Memo::new(move |_| stage.selected.with(Option::is_some));
    let close = move || stage.selected.set(None);
    close_on_escape(is_open, close);
    view! {
        <aside
            class="panel inspector"
            class:is-open=is_open
            aria-label="Inspector"
            node_ref=panel
        >
            {move || match stage.selected.get() {
                None => empty().into_any(),
                Some(selection) => {
                    view! {
                        <button type="button" class="button button-icon inspector-close" on:click=move |_| close()>
                            <span class="sr-only">"Close the inspector"</span>
                            <svg viewBox="0 0 16 16" aria-hidden="true">
                                <path d="M4 4l8 8M12 4l-8 8" class="stroke" />
                            </svg>
                        </button>
                        <div class="inspector-body">{inspect(selection)}</div>
                    }
                        .into_any()
                }
            }}
        </aside>
    }
    .into_any()
}

fn empty() -> impl IntoView {
    view! {
        <h2>"Inspector"</h2>
        <p class="soft">
            "Click a service, a queue, a line, a message or a step of the log to see what is known of it."
        </p>
    }
}

fn inspect(selection: Selection) -> AnyView {
    let stage = use_stage();
    match selection {
        Selection::Node(id) => part::node(stage, id),
        Selection::Queue(name) => part::queue(stage, name),
        Selection::Edge(id) => part::edge(stage, &id),
        Selection::Message { id, queue } => travel::message(stage, id, queue),
        Selection::Arrival(id) => travel::arrival(stage, id),
        Selection::Event(seq) => travel::event(stage, seq),
    }
}

/// Escape closes the inspector, wherever the focus is, unless something nearer has used the key.
fn close_on_escape(is_open: Memo<bool>, close: impl Fn() + Copy + 'static) {
    Effect::new(move || {
        let listener = window_event_listener(ev::keydown, move |event| {
            let is_ours = event.key() == "Escape" && !event.default_prevented();
            if is_ours && is_open.try_get_untracked().unwrap_or_default() {
                close();
            }
        });
        on_cleanup(move || listener.remove());
    });
}

/// A list of facts that follows the picture.
fn facts(list: impl Fn() -> Vec<Fact> + Send + Sync + 'static) -> impl IntoView {
    let list = Memo::new(move |_| list());
    view! {
        <dl class="facts">
            {move || {
                list.get()
                    .into_iter()
                    .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
                    .collect::<Vec<_>>()
            }}
        </dl>
    }
    .into_any()
}
