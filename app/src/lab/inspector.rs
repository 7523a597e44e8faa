//! The inspector: what is known of the thing that was clicked.

mod part;
mod travel;

use super::stage::{Selection, use_stage};
use leptos::{ev, prelude::*};

/// One fact: its name and its value.
type Fact = (&'static str, String);

/// The panel on the right; a sheet on small screens.
#[component]
pub fn Inspector() -> impl IntoView {
    let stage = use_stage();
    let is_open = Memo::new(move |_| stage.selected.with(Option::is_some));
    let close = move || {
        let closed = stage.selected.get_untracked();
        stage.selected.set(None);
        return_focus(closed.as_ref());
    };
    close_on_escape(is_open, close);
    view! {
        <aside
            class="panel inspector"
            class:is-open=is_open
            aria-label="Inspector"
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

/// Whoever closes the inspector by keyboard goes on where the inspected thing is.
fn return_focus(closed: Option<&Selection>) {
    let selector = match closed {
        Some(Selection::Node(id)) => format!("[data-node=\"{id}\"]"),
        Some(Selection::Queue(name)) => format!("[data-queue=\"{name}\"]"),
        Some(Selection::Edge(id)) => format!("[data-edge=\"{id}\"]"),
        Some(Selection::Event(_)) => ".log-row[tabindex=\"0\"]".to_owned(),
        Some(Selection::Message { .. } | Selection::Arrival(_)) => "#sku".to_owned(),
        None => return,
    };
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast as _;
        let focused = document().active_element();
        let is_inside = focused.is_some_and(|element| element.closest(".inspector").ok().flatten().is_some());
        let target = document().query_selector(&selector).ok().flatten().filter(|_| is_inside);
        // Both kinds of elements can be focused; only their types differ.
        if let Some(html) = target.as_ref().and_then(|element| element.dyn_ref::<web_sys::HtmlElement>()) {
            let _ = html.focus();
        } else if let Some(svg) = target.as_ref().and_then(|element| element.dyn_ref::<web_sys::SvgElement>())
        {
            let _ = svg.focus();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    drop(selector);
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
