//! A click, or a key, on something that can be inspected. What stands for it bears it in `data-pick`, where the focus finds
//! it again.

use super::selection::Selection;
use crate::components::keys_switch::presses;
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::Element;

/// Something that was picked.
#[derive(Debug)]
pub struct Picked {
    pub selection: Selection,
    /// Where it was picked.
    pub from: Option<Element>,
    /// Whether by keyboard: then the focus follows.
    pub is_by_key: bool,
}

impl Picked {
    /// Picked by that event.
    #[must_use]
    pub fn by(event: &ev::Event, selection: Selection) -> Self {
        Self {
            selection,
            from: event.current_target().and_then(|target| target.dyn_into().ok()),
            // Of a key on a button the browser makes a click that no mouse has made.
            is_by_key: event.dyn_ref::<ev::MouseEvent>().is_none_or(|mouse| mouse.detail() == 0),
        }
    }
}

/// What becomes of what is picked.
pub type OnPick = Callback<Picked>;

/// Picks that, when it is clicked.
pub fn picks(on_pick: OnPick, selection: Selection) -> impl Fn(ev::MouseEvent) + Clone {
    move |event| on_pick.run(Picked::by(&event, selection.clone()))
}

/// Picks that, when a key presses what is drawn like a button.
pub fn picks_by_key(on_pick: OnPick, selection: Selection) -> impl Fn(ev::KeyboardEvent) + Clone {
    move |event| {
        if is_press(&event) {
            event.prevent_default();
            on_pick.run(Picked::by(&event, selection.clone()));
        }
    }
}

/// Whether that key presses what is drawn like a button. Of a real button the browser makes a click itself.
#[must_use]
pub fn is_press(event: &ev::KeyboardEvent) -> bool {
    let is_drawn = event.target().is_some_and(|target| target.has_type::<web_sys::SvgElement>());
    is_drawn && presses(&event.key())
}
