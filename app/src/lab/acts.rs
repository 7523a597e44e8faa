//! What happens in the lab when something is clicked, typed or pressed. The drawn parts have no listeners of their
//! own: they bear marks that say what they stand for, and the page listens for all of them.

use super::controls;
use super::form::Deed;
use super::handle::{Lab, Pace};
use super::inspector;
use super::playhead;
use super::room::hold;
use super::{runs, status, views};
use crate::api::asks::Asks;
use crate::components::keys_switch::presses;
use crate::paint::Act;
use leptos::ev;
use wasm_bindgen::JsCast as _;

/// Where the page says what came of what the server was asked to do.
#[derive(Clone, Copy)]
pub struct Places {
    /// In the control room, below what is held.
    pub gates: Asks,
    /// Below the diagram, where the services are told to agree.
    pub agreement: Asks,
}

/// A click, or Enter on something that is drawn like a button.
pub fn clicked(lab: Lab, asks: Places, event: &ev::Event) {
    if is_picker(event) {
        return lab.change(|state| state.form.sku.open());
    }
    let Some(marked) = Act::marked(event, "[data-pick], [data-act]") else { return };
    if let Some(selection) = marked.read("pick") {
        inspector::open(lab, selection, marked.element(), is_by_key(event));
        return views::selected(lab);
    }
    match marked.name().as_str() {
        "send-many" => controls::act(lab, Deed::SendMany),
        "sell" => controls::act(lab, Deed::Sell),
        "suggestion" => {
            if let Some(at) = marked.read("at") {
                lab.change(|state| state.form.sku.choose(at));
            }
        }
        "release" => {
            if let (Some(hold_id), Some(style)) = (marked.read("hold"), lab.peek(|state| state.style)) {
                asks.gates.ask(hold::release(style, hold_id));
            }
        }
        "start-broker" => {
            if let Some(style) = marked.read("stopped-in") {
                asks.gates.ask(controls::start_broker(style));
            }
        }
        "announce" => {
            if let Some(style) = lab.peek(|state| state.style) {
                asks.agreement.ask(status::announce(style, marked.get("sku")));
            }
        }
        "save-run" => runs::save(lab),
        act => _ = playhead::act(lab, act, &marked),
    }
}

/// A form was sent.
pub fn submitted(lab: Lab, event: &ev::Event) {
    event.prevent_default();
    if Act::of(event).is_some_and(|act| act.name() == "send") {
        controls::act(lab, Deed::Send);
    }
}

/// Something was typed or chosen in a field.
pub fn typed(lab: Lab, event: &ev::Event) {
    let Some(field) = Act::marked(event, "[data-field]") else { return };
    let value = field.value();
    let Some(name) = field.get("field") else { return };
    match name.as_str() {
        "sku" => {
            lab.change(|state| state.form.sku.typed(value));
            controls::suggest(lab, false);
        }
        "quantity" => lab.change(|state| state.form.quantity = value),
        "dispatch" => {
            if let Ok(dispatch) = value.parse() {
                lab.change(|state| state.form.dispatch = dispatch);
            }
        }
        "playhead" => playhead::scrubbed(lab, &value),
        "open-run" => runs::open(lab, &field),
        _ => {}
    }
}

/// A key was pressed somewhere in the lab.
pub fn pressed(lab: Lab, asks: Places, event: &ev::Event) {
    let Some(event) = event.dyn_ref::<ev::KeyboardEvent>() else { return };
    let key = event.key();
    let is_drawn = event.target().is_some_and(|target| target.has_type::<web_sys::SvgElement>());
    if is_drawn && presses(&key) {
        // Of a real button the browser makes a click itself.
        event.prevent_default();
        clicked(lab, asks, event);
    } else if is_picker(event) && lab.quietly(|state| state.form.sku.key(&key)) == Some(true) {
        event.prevent_default();
        lab.tell(Pace::Calm);
    }
}

/// The mouse goes down: the picker's field keeps the focus while something is taken from its list.
pub fn mouse_down(event: &ev::Event) {
    if Act::marked(event, ".picker-list").is_some() {
        event.prevent_default();
    }
}

/// The focus comes to something: the picker's field shows all of its text as selected.
pub fn focused(event: &ev::Event) {
    let input = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(input) = input.filter(|input| input.id() == "sku") {
        input.select();
    }
}

/// The focus leaves something.
pub fn blurred(lab: Lab, event: &ev::Event) {
    if is_picker(event) {
        lab.change(|state| state.form.sku.close());
    }
}

/// Whether somebody pressed a key; of that too the browser makes a click.
fn is_by_key(event: &ev::Event) -> bool {
    event.dyn_ref::<ev::MouseEvent>().is_none_or(|mouse| mouse.detail() == 0)
}

fn is_picker(event: &ev::Event) -> bool {
    Act::marked(event, "#sku").is_some()
}
