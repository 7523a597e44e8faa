//! The few drawn signs in the diagram. They grow with its text.

use flow::layout::Px;
use flow::layout::{Point, Rect};
use maud::{Markup, html};

fn placed(at: Point, scale: f32) -> String {
    // A scale needs more than a tenth; one hundredth is more than the eye sees.
    #[expect(clippy::cast_possible_truncation, reason = "between one and two")]
    let hundredths = (scale * 100.0).round() as i32;
    format!("translate({} {}) scale({}.{:02})", Px(at.x), Px(at.y), hundredths / 100, hundredths % 100)
}

/// A truck, in the middle of its square.
pub(super) fn truck(within: Rect, scale: f32) -> Markup {
    html! {
        g.sign transform=(placed(within.middle(), scale)) aria-hidden="true" {
            path d="M-17 -9h18v16h-18zM1 -3h8l5 5v5h-13" {}
            circle cx="-11" cy="8" r="3" {}
            circle cx="7" cy="8" r="3" {}
        }
    }
}

/// One line that becomes three: copies for everybody.
pub(super) fn fanout(at: Point, scale: f32) -> Markup {
    html! { path.icon-message transform=(placed(at, scale)) d="M-9 0h15M-3 0c3 0 3 -7 9 -7M-3 0c3 0 3 7 9 7" {} }
}

/// One line that goes one of several ways: by its key.
pub(super) fn direct(at: Point, scale: f32) -> Markup {
    html! { path.icon-message transform=(placed(at, scale)) d="M-9 0h5M-1 -3h3v-4h5M-1 0h8M-1 3h3v4h5" {} }
}

/// A small drum: what a service has stored.
pub(super) fn store(at: Point, scale: f32) -> Markup {
    html! {
        path.icon-store transform=(placed(at, scale))
            d="M0 -7v6c0 2.6 8 2.6 8 0v-6M0 -7c0 2.6 8 2.6 8 0c0 -2.6 -8 -2.6 -8 0" {}
    }
}
