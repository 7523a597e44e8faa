//! What the reader does on the page.

use super::{Handle, play, send};
use crate::api::{asks::Ask, fetch};
use crate::components::keys_switch::{USES_SPACE, is_plain, keys_are_on, presses};
use crate::lab::room::hold;
use crate::paint::Act;
use leptos::{ev, prelude::window, task::spawn_local};
use wasm_bindgen::JsCast as _;

/// What uses a key by itself, so that it means nothing else there.
const USES_ARROWS: &str = "input, select, textarea";

/// Something was clicked.
pub fn clicked(handle: Handle, event: &web_sys::Event) {
    if let Some(act) = Act::of(event) {
        moved(handle, &act.name(), &act);
    } else if let Some(picked) = Act::marked(event, "[data-pick]") {
        look_closer(&picked);
    }
}

/// A key was pressed on something that is drawn, which is no button to the browser.
pub fn key_on_drawing(handle: Handle, event: &web_sys::Event) {
    let Some(pressed) = event.dyn_ref::<ev::KeyboardEvent>() else { return };
    let is_drawn = event.target().is_some_and(|target| target.has_type::<web_sys::SvgElement>());
    if is_drawn && presses(&pressed.key()) && Act::marked(event, "[data-act], [data-pick]").is_some() {
        event.prevent_default();
        clicked(handle, event);
    }
}

/// What is drawn here can be inspected in its style's lab.
fn look_closer(picked: &Act) {
    if let (Some(style), Some(pick)) = (style_of(picked), picked.get("pick")) {
        // The page is left.
        let _ = window().location().set_href(&format!("/lab/{style}?select={pick}"));
    }
}

/// In which style's diagram it is.
fn style_of(act: &Act) -> Option<String> {
    act.element().closest("[data-style]").ok()??.get_attribute("data-style")
}

fn moved(handle: Handle, name: &str, act: &Act) {
    match name {
        "speed" => {
            let speed = act.read("at").unwrap_or_default();
            handle.change(|page| page.play.set_speed(speed));
        }
        "mend" => send::clear(handle),
        "release" => release(handle, act),
        name => by_name(handle, name),
    }
}

/// Lets a step go that is held in one of the diagrams.
fn release(handle: Handle, held: &Act) {
    let (Some(style), Some(hold_id)) =
        (style_of(held).and_then(|style| style.parse().ok()), held.read("hold"))
    else {
        return;
    };
    let Ask { method, path, .. } = hold::release(style, hold_id);
    spawn_local(async move {
        if let Err(problem) = fetch::send(method, &path, None).await {
            handle.change(|page| page.form.refuse(&problem.detail));
        }
    });
}

fn by_name(handle: Handle, name: &str) {
    let known = handle.see(|page, history| {
        let (at, total) = (page.shown(), page.total());
        let (next, is_playing) = match name {
            "back" => (at.saturating_sub(1), false),
            "step" => ((at + 1).min(total), false),
            "next-message" => {
                let next = page.score.as_ref().and_then(|score| play::next_message(score, history, at));
                (next.unwrap_or(total), false)
            }
            "again" => (0, total > 0),
            // From the end one begins again.
            "toggle" if !page.is_playing && at == total && page.is_over() => (0, total > 0),
            "toggle" => (at, !page.is_playing && total > 0),
            "faster" => {
                page.play.set_speed(page.play.speed + 1);
                return false;
            }
            "slower" => {
                page.play.set_speed(page.play.speed.saturating_sub(1));
                return false;
            }
            _ => return false,
        };
        page.play.halt(next);
        (page.count, page.is_playing) = (next, is_playing);
        if matches!(name, "step" | "next-message")
            && next > at
            && let Some(moment) = page.score.as_ref().and_then(|score| score.moments().get(next - 1))
        {
            play::set_out(*moment, history, handle.sides);
        }
        true
    });
    if known {
        handle.lead();
    } else {
        handle.tell(false);
    }
}

/// A key was pressed anywhere on the page.
pub fn pressed(handle: Handle, event: &ev::KeyboardEvent) {
    if event.default_prevented() || !is_plain(event) || !keys_are_on() {
        return;
    }
    let (name, uses) = match (event.key().as_str(), event.shift_key()) {
        (" ", _) => ("toggle", USES_SPACE),
        ("ArrowRight", true) => ("next-message", USES_ARROWS),
        ("ArrowRight", false) => ("step", USES_ARROWS),
        ("ArrowLeft", _) => ("back", USES_ARROWS),
        ("Home", _) => ("again", USES_ARROWS),
        ("+", _) => ("faster", USES_ARROWS),
        ("-" | "−", _) => ("slower", USES_ARROWS),
        _ => return,
    };
    if Act::marked(event, uses).is_some() {
        return;
    }
    event.prevent_default();
    by_name(handle, name);
}

/// Something was typed or chosen.
pub fn typed(handle: Handle, event: &web_sys::Event) {
    let Some(field) = Act::marked(event, "[data-field]") else { return };
    let (name, value) = (field.get("field").unwrap_or_default(), field.value());
    if name == "playhead" {
        handle.see(|page, _| {
            let count = value.parse().unwrap_or_default();
            page.play.halt(count);
            (page.count, page.is_playing) = (count, false);
        });
        handle.lead();
    } else {
        handle.see(|page, _| page.form.typed(&name, value));
        handle.tell(false);
    }
}
