//! The few drawn signs in the diagram. They grow with its text.

use flow::layout::{Point, Rect};
use leptos::prelude::*;

/// A truck, in the middle of its square.
pub(super) fn truck(within: Rect, scale: f32) -> impl IntoView {
    let Point { x, y } = within.middle();
    view! {
        <g class="sign" transform=format!("translate({x} {y}) scale({scale})") aria-hidden="true">
            <path d="M-17 -9h18v16h-18zM1 -3h8l5 5v5h-13" />
            <circle cx="-11" cy="8" r="3" />
            <circle cx="7" cy="8" r="3" />
        </g>
    }
}

/// One line that becomes three: copies for everybody.
pub(super) fn fanout(at: Point, scale: f32) -> impl IntoView {
    view! {
        <path
            class="icon-message"
            transform=format!("translate({} {}) scale({scale})", at.x, at.y)
            d="M-9 0h15M-3 0c3 0 3 -7 9 -7M-3 0c3 0 3 7 9 7"
        />
    }
}

/// One line that goes one of several ways: by its key.
pub(super) fn direct(at: Point, scale: f32) -> impl IntoView {
    view! {
        <path
            class="icon-message"
            transform=format!("translate({} {}) scale({scale})", at.x, at.y)
            d="M-9 0h5M-1 -3h3v-4h5M-1 0h8M-1 3h3v4h5"
        />
    }
}

/// A small drum: what a service has stored.
pub(super) fn store(at: Point, scale: f32) -> impl IntoView {
    view! {
        <path
            class="icon-store"
            transform=format!("translate({} {}) scale({scale})", at.x, at.y)
            d="M0 -7v6c0 2.6 8 2.6 8 0v-6M0 -7c0 2.6 8 2.6 8 0c0 -2.6 -8 -2.6 -8 0"
        />
    }
}
