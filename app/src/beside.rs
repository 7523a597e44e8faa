//! Puts what opens over the page beside what it belongs to.

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::{DomRect, HtmlElement};

/// How far it stays from that and from the window's edges, in CSS pixels.
const GAP_PX: f64 = 8.0;

/// Puts an element of fixed position where it covers least: below the place if there is room, else above it, else beside
/// it. It is in the window as a whole wherever the place is.
pub fn put_beside(element: &HtmlElement, place: &DomRect) {
    let length = |value: Result<JsValue, JsValue>| value.ok().and_then(|px| px.as_f64()).unwrap_or_default();
    let (window_w, window_h) = (length(window().inner_width()), length(window().inner_height()));
    let (w, h) = (f64::from(element.offset_width()), f64::from(element.offset_height()));
    let (below, above) = (place.bottom() + GAP_PX, place.top() - GAP_PX - h);
    let (left, top) = if below + h + GAP_PX <= window_h {
        (place.left(), below)
    } else if above >= GAP_PX {
        (place.left(), above)
    } else if place.left() - GAP_PX - w >= GAP_PX {
        (place.left() - GAP_PX - w, place.top())
    } else {
        (place.right() + GAP_PX, place.top())
    };
    let within = |at: f64, length: f64, room: f64| at.min(room - length - GAP_PX).max(GAP_PX);
    let style = element.style();
    let _ = style.set_property("left", &format!("{}px", within(left, w, window_w)));
    let _ = style.set_property("top", &format!("{}px", within(top, h, window_h)));
}
