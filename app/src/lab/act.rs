//! Acting on the picture: what can be done with a thing stands in a menu beside it.
//!
//! A click on a service, a queue, a line or the exchange opens it beside the inspector; so does the menu key on what has
//! the focus, or `M`. What the menu offers is in `deeds`, as data; the browser fetches what shows it right after the page.

mod deeds;
mod drag;
mod menu;
mod source;

use super::handle::Lab;
#[cfg(feature = "hydrate")]
use super::panels::load_panels;
use super::pick::is_press;
use super::selection::Selection;
use crate::later;
use leptos::{ev, prelude::*};
use menu::Menu;
use wasm_bindgen::JsCast as _;
use web_sys::{DomRect, Element, HtmlElement};

/// What in a diagram can be acted on.
const THINGS: &str = "svg :is([data-node], [data-queue], [data-edge], [data-tray])";

/// Something that is to be acted on.
#[derive(Debug, Clone)]
pub struct Target {
    pub selection: Selection,
    /// Where it is, in the window.
    pub place: DomRect,
    /// Whether it was chosen by keyboard: then the focus goes into the menu.
    pub is_by_key: bool,
}

/// What somebody wants to act on, since when the page was opened.
pub type Targets = RwSignal<Option<Target>, LocalStorage>;

impl Target {
    fn of(thing: &Element, is_by_key: bool) -> Option<Self> {
        let selection = thing.get_attribute("data-pick")?.parse().ok()?;
        Some(Self { selection, place: thing.get_bounding_client_rect(), is_by_key })
    }
}

/// The thing of a diagram at which something happened.
fn thing_at(event: &ev::Event) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(THINGS).ok().flatten()
}

/// Opens the menu of what was clicked. A message in a slot is looked at, and nothing else.
pub fn on_click(targets: Targets) -> impl Fn(ev::MouseEvent) + Copy {
    move |event| {
        let is_slot = |element: &Element| element.has_attribute("data-slot");
        let of_slot = event.target().and_then(|target| target.dyn_into::<Element>().ok()).filter(is_slot);
        let is_message = of_slot.is_some_and(|slot| slot.has_attribute("data-pick"));
        if let Some(target) =
            thing_at(&event).filter(|_| !is_message).and_then(|thing| Target::of(&thing, false))
        {
            targets.set(Some(target));
        }
    }
}

/// Opens the menu of the letters that a key presses: there is nothing else to them.
pub fn on_press(targets: Targets) -> impl Fn(ev::KeyboardEvent) + Copy {
    move |event| {
        let is_tray = thing_at(&event).is_some_and(|thing| thing.has_attribute("data-tray"));
        if is_tray && is_press(&event) {
            open_at_focus(targets);
        }
    }
}

/// Opens the menu in place of the browser's own: by the right button, a long press, or the menu key.
pub fn on_context_menu(targets: Targets) -> impl Fn(ev::MouseEvent) + Copy {
    const RIGHT: i16 = 2;
    move |event| {
        if let Some(target) = thing_at(&event)
            .and_then(|thing| Target::of(&thing, event.button() != RIGHT && event.detail() == 0))
        {
            event.prevent_default();
            targets.set(Some(target));
        }
    }
}

/// Opens the menu of the thing that has the focus; says whether there is one.
pub fn open_at_focus(targets: Targets) -> bool {
    let focused = document().active_element().and_then(|focused| focused.closest(THINGS).ok().flatten());
    let Some(target) = focused.and_then(|thing| Target::of(&thing, true)) else { return false };
    targets.set(Some(target));
    true
}

/// Closes the menu, if it is open.
pub fn close() {
    let menu = document().query_selector("#act:popover-open").ok().flatten();
    if let Some(menu) = menu.and_then(|menu| menu.dyn_into::<HtmlElement>().ok()) {
        let _ = menu.hide_popover();
    }
}

/// Brings the menu to life.
pub type Wake = fn(HtmlElement, Lab, Targets);

/// Brings the menu to life.
pub fn wake(place: HtmlElement, lab: Lab, targets: Targets) {
    let Some(system) = lab.peek(|state| state.shows()) else { return };
    later::fill(place, move || view! { <Menu lab system targets /> });
}

/// The place of the menu. Without a script there is none, since there is nothing to open it.
#[component]
pub fn ActPlace(
    lab: Lab,
    /// What somebody wants to act on.
    targets: Targets,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    return later::place(move |place| async move { (load_panels().await.act)(place, lab, targets) });
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (lab, targets);
        view! { <div class="place"></div> }
    }
}
