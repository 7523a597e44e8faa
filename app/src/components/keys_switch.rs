//! Whether the keyboard's short ways are on: a switch in the help, kept in a cookie like the theme.

use crate::cookies;
use flow::cookies::value_of;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

/// The cookie, and what it says when they are off.
const COOKIE: &str = "keys";
const OFF: &str = "off";

/// Whether they are on. On the server this is what the request says.
#[must_use]
pub fn keys_are_on() -> bool {
    value_of(&cookies::all(), COOKIE) != Some(OFF)
}

/// What uses Space by itself while the short ways are on: what is typed or chosen in, and what lies above the page.
/// Everywhere else it pauses, on a button too, which is pressed with Enter: Space means one thing wherever the last
/// click has left the focus.
pub const USES_SPACE: &str = "input:not([type=range], [type=file]), select, textarea, [popover]";

/// Whether the event's target fits the selector, or stands in something that does.
#[must_use]
pub fn is_within(event: &leptos::ev::Event, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| target.closest(selector).is_ok_and(|found| found.is_some()))
}

/// Whether this key presses what is drawn like a button: Enter does, and Space where it means nothing else.
#[must_use]
pub fn presses(key: &str) -> bool {
    key == "Enter" || key == " " && !keys_are_on()
}

/// A browser clicks a button when Space is let go; this keeps it from that where Space pauses.
pub fn keep_space() {
    Effect::new(move || {
        let listener = window_event_listener(leptos::ev::keyup, move |event| {
            let is_ours = !is_within(&event, USES_SPACE);
            if event.key() == " " && is_plain(&event) && keys_are_on() && is_ours {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    });
}

/// Whether the key was pressed by itself: with these others it is the browser's.
#[must_use]
pub fn is_plain(event: &leptos::ev::KeyboardEvent) -> bool {
    !(event.ctrl_key() || event.meta_key() || event.alt_key())
}

#[island]
pub fn KeysSwitch() -> impl IntoView {
    let is_on = RwSignal::new(keys_are_on());
    let toggle = move |_| {
        is_on.update(|is_on| *is_on = !*is_on);
        cookies::keep(COOKIE, if is_on.get_untracked() { "on" } else { OFF });
    };
    view! {
        <button
            class="button button-small"
            type="button"
            role="switch"
            aria-checked=move || is_on.get().to_string()
            on:click=toggle
        >
            {move || if is_on.get() { "Keyboard shortcuts: on" } else { "Keyboard shortcuts: off" }}
        </button>
    }
}
