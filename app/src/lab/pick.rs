//! Whatever stands for something that can be inspected bears it in `data-pick`. Such things are all over the page, in
//! parts that are fetched later too: the page listens for all of them at once.

use super::handle::Lab;
use super::{inspector, views};
use crate::components::keys_switch::presses;
use crate::paint::Act;
use leptos::ev;
use wasm_bindgen::JsCast as _;

/// A click, or a key on something that is drawn like a button.
pub fn clicked(lab: Lab, event: &ev::Event) {
    let Some(marked) = Act::marked(event, "[data-pick]") else { return };
    let Some(selection) = marked.read("pick") else { return };
    inspector::open(lab, selection, marked.element(), is_by_key(event));
    views::selected(lab);
}

/// A key was pressed.
pub fn pressed(lab: Lab, event: &ev::Event) {
    if let Some(event) = event.dyn_ref::<ev::KeyboardEvent>().filter(|event| is_press(event)) {
        event.prevent_default();
        clicked(lab, event);
    }
}

/// Whether that key presses what is drawn like a button. Of a real button the browser makes a click itself.
#[must_use]
pub fn is_press(event: &ev::KeyboardEvent) -> bool {
    let is_drawn = event.target().is_some_and(|target| target.has_type::<web_sys::SvgElement>());
    is_drawn && presses(&event.key())
}

/// Whether somebody pressed a key; of that too the browser makes a click.
fn is_by_key(event: &ev::Event) -> bool {
    event.dyn_ref::<ev::MouseEvent>().is_none_or(|mouse| mouse.detail() == 0)
}
