//! What was clicked, or chosen by Enter or Space, anywhere in the lab: the drawn parts have no listeners of their
//! own, they bear a mark that says what they stand for.

use super::{inspector, stage::Stage};
use crate::paint::Act;
use leptos::ev;
use wasm_bindgen::JsCast as _;

/// Does what the clicked thing stands for.
pub fn choose(stage: Stage, event: &ev::Event) {
    let Some(marked) = Act::marked(event, "[data-pick], [data-act]") else { return };
    if let Some(selection) = marked.read("pick") {
        stage.select(selection);
    } else if marked.name() == "close-inspector" {
        inspector::close(stage);
    }
}

/// Drawn things work like buttons by Enter and Space, too; of a real button the browser makes a click itself.
pub fn choose_by_key(stage: Stage, event: &ev::KeyboardEvent) {
    let is_drawn = event.target().is_some_and(|target| target.has_type::<web_sys::SvgElement>());
    if is_drawn && matches!(event.key().as_str(), "Enter" | " ") {
        event.prevent_default();
        choose(stage, event);
    }
}
