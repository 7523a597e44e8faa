//! How what changes gets onto the page: drawn as markup by pure functions of the state.
//!
//! What changes many times a second, and in many places at once, costs a signal, a closure and its own machine
//! code per place when it is written as reactive views. Here a panel is one function from state to markup: the
//! server puts its result into the page, and the browser patches the page with it whenever a signal that it read
//! has changed. Such functions need no browser, so that they can be tested without one.

use leptos::{html, prelude::*};
use std::str::FromStr;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Element, Event};

/// Draws a part of the page. What it reads of signals is what it follows.
pub type Draw = Box<dyn Fn() -> String>;

#[wasm_bindgen::prelude::wasm_bindgen(module = "/src/paint.js")]
extern "C" {
    fn patch(host: &Element, html: &str);
    /// Puts the focus on the first thing that fits the selector and, unless it is empty, has that in `data-pick`; says
    /// whether there is one.
    pub fn focus(selector: &str, pick: &str) -> bool;
    /// Keeps the focus inside of an element that is about to change: where it was, else on what stands there at the next
    /// frame.
    pub fn keep_focus(host: &Element);
}

/// Does something with an element as soon as it is there; outside of a browser that is never.
pub fn when_there(host: NodeRef<html::Div>, wake: Box<dyn FnOnce(Element)>) {
    let wake = StoredValue::new_local(Some(wake));
    Effect::new(move || {
        let Some(host) = host.get() else { return };
        if let Some(wake) = wake.try_update_value(Option::take).flatten() {
            wake(host.into());
        }
    });
}

/// Keeps what is inside of an element as `draw` draws it.
pub fn follow(host: Element, draw: Draw) {
    Effect::new(move |before: Option<String>| {
        let now = draw();
        if before.as_ref() != Some(&now) {
            patch(&host, &now);
        }
        now
    });
}

/// Calls `then` at every such event inside of the element, for as long as the page is open.
pub fn listen(host: &Element, event: &str, then: impl Fn(Event) + 'static) {
    listen_boxed(host, event, Box::new(then));
}

fn listen_boxed(host: &Element, event: &str, then: Box<dyn Fn(Event)>) {
    let then = Closure::<dyn Fn(Event)>::wrap(then);
    // Listening to an event of the browser's cannot fail.
    let _ = host.add_event_listener_with_callback(event, then.as_ref().unchecked_ref());
    then.forget();
}

/// A drawn thing that stands for something, by its `data-` marks. Drawn parts have no listeners of their own: whoever
/// shows them listens for them all.
#[derive(Debug, Clone)]
pub struct Act(Element);

impl Act {
    /// The nearest thing around the event's target that fits the selector.
    #[must_use]
    pub fn marked(event: &Event, selector: &str) -> Option<Self> {
        let target = event.target()?.dyn_into::<Element>().ok()?;
        target.closest(selector).ok().flatten().map(Self)
    }

    /// The thing itself.
    #[must_use]
    pub const fn element(&self) -> &Element {
        &self.0
    }

    /// What stands in `data-` and this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get_attribute(&format!("data-{name}"))
    }

    /// The same, read as what it is.
    #[must_use]
    pub fn read<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }
}
