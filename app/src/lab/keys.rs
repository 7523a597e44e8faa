//! The keyboard's short ways. They are ignored while somebody types, and can be turned off.

use super::act::{self, Targets};
use super::controls;
use super::form::Deed;
use super::handle::Lab;
use super::panels::load_panels;
use super::playhead::{self, Move};
use super::{inspector, views};
use crate::components::keys_switch::{USES_SPACE, is_plain, is_within, keep_space, keys_are_on};
use leptos::{ev, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast as _;

/// What each key does, for the help.
pub const KEYS: [(&str, &str); 15] = [
    ("Space", "pause or play"),
    ("→", "one step forward"),
    ("←", "one step back"),
    ("Shift →", "next message of the same arrival"),
    ("Shift ←", "previous message of the same arrival"),
    ("L", "jump to live"),
    ("+ −", "faster, slower"),
    ("N", "send an arrival"),
    ("H", "hold the system, or let it go"),
    ("M", "what can be done with what has the focus"),
    ("1 – 4", "log, timeline, sequence, metrics"),
    ("C", "compare the two styles"),
    ("F", "the stage on the full screen"),
    ("Esc", "close"),
    ("?", "this help"),
];

/// Listens for as long as the page is open.
pub fn listen_for(lab: Lab, targets: Targets) {
    keep_space();
    Effect::new(move || {
        let listener = window_event_listener(ev::keydown, move |event| {
            if !event.default_prevented() && pressed(lab, targets, &event) {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    });
}

/// Does what the key stands for; says whether it stands for anything.
fn pressed(lab: Lab, targets: Targets, event: &ev::KeyboardEvent) -> bool {
    if !is_plain(event) {
        return false;
    }
    if event.key() == "Escape" {
        // What lies on top is closed first, and by the browser. The menu that a click opened goes with the inspector.
        let on_top = ":popover-open:not(#act), #act:popover-open:focus-within";
        let is_covered = document().query_selector(on_top).is_ok_and(|open| open.is_some());
        if is_covered {
            return false;
        }
        act::close();
        return inspector::close(lab);
    }
    if is_used_by_target(event) || !keys_are_on() {
        return false;
    }
    match (event.key().as_str(), event.shift_key()) {
        (" ", _) => moved(lab, Move::Toggle),
        ("ArrowRight", true) => moved(lab, Move::NextMessage),
        ("ArrowRight", false) => moved(lab, Move::Step),
        ("ArrowLeft", true) => moved(lab, Move::PreviousMessage),
        ("ArrowLeft", false) => moved(lab, Move::StepBack),
        ("l" | "L", _) => moved(lab, Move::Live),
        ("+", _) => moved(lab, Move::Faster),
        ("-" | "−", _) => moved(lab, Move::Slower),
        ("n" | "N", _) => {
            controls::act(lab, Deed::Send);
            true
        }
        // Closes every gate, or opens them all: what the button says.
        ("h" | "H", _) => {
            hold_or_open();
            true
        }
        ("m" | "M", _) => act::open_at_focus(targets),
        ("?", _) => press("[popovertarget]"),
        ("c" | "C", _) => {
            // The page is left; nothing here can fail after that.
            let _ = window().location().set_href("/compare");
            true
        }
        (digit @ ("1" | "2" | "3" | "4" | "5"), _) => views::by_digit(lab, digit),
        ("f" | "F", _) => {
            full_screen(lab);
            true
        }
        _ => false,
    }
}

fn moved(lab: Lab, to: Move) -> bool {
    playhead::go(lab, to);
    true
}

/// Fields use all keys, and lists the arrows.
fn is_used_by_target(event: &ev::KeyboardEvent) -> bool {
    let uses = match event.key().as_str() {
        " " => USES_SPACE,
        "ArrowLeft" | "ArrowRight" => "input, select, textarea, [role=tab], pre",
        _ => "input:not([type=range], [type=radio], [type=checkbox], [type=file]), select, textarea",
    };
    is_within(event, uses)
}

/// Does what the button does, which is the only one of its kind.
fn press(selector: &str) -> bool {
    let button = document().query_selector(selector).ok().flatten();
    if let Some(button) = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
        button.click();
    }
    true
}

/// Does what the control room's button does that closes every gate, or opens them all.
pub fn hold_or_open() {
    spawn_local(async {
        load_panels().await;
        press("[data-hold-all]");
    });
}

/// The whole screen for the stage, or the page as it was.
fn full_screen(lab: Lab) {
    let document = document();
    if document.fullscreen_element().is_some() {
        document.exit_fullscreen();
    } else if let Some(html) = document.document_element() {
        inspector::close(lab);
        // A browser that does not want to stays as it is.
        let _ = html.request_fullscreen();
    }
}
