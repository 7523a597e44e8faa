//! Parts of the page that are drawn as markup by a pure function of the state.
//!
//! What changes many times a second, and in many places at once, costs a signal, a closure and its own machine
//! code per place when it is written as reactive views. Here it is one function from state to markup: the server
//! puts its result into the page, and the browser patches the page with it whenever something that it read has
//! changed. Such functions need no browser, so that they can be tested without one.

use leptos::{html, prelude::*};
use std::str::FromStr;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, HtmlInputElement, HtmlSelectElement};

/// Draws a part of the page. What it reads of signals is what it follows.
pub type Draw = Box<dyn Fn() -> String + Send + Sync>;

/// A drawn thing that does something: it bears `data-act`, and whatever the act needs in further `data-` marks.
#[derive(Debug, Clone)]
pub struct Act(Element);

impl Act {
    /// The marked thing that the event happened in, if any. Drawn parts have no listeners of their own: whoever
    /// shows them listens for them all.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        Self::marked(event, "[data-act]")
    }

    /// The nearest thing around the event's target that fits the selector.
    #[must_use]
    pub fn marked(event: &Event, selector: &str) -> Option<Self> {
        let target = event.target()?.dyn_into::<Element>().ok()?;
        target.closest(selector).ok().flatten().map(Self)
    }

    /// What it does.
    #[must_use]
    pub fn name(&self) -> String {
        self.get("act").unwrap_or_default()
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

    /// What stands in the field, if it is one.
    #[must_use]
    pub fn value(&self) -> String {
        let input = self.0.dyn_ref::<HtmlInputElement>().map(HtmlInputElement::value);
        input.or_else(|| Some(self.0.dyn_ref::<HtmlSelectElement>()?.value())).unwrap_or_default()
    }
}

#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen(module = "/src/paint.js")]
extern "C" {
    fn patch(host: &Element, html: &str);
}

/// A `div` that always shows what `draw` draws.
pub fn painted(class: &'static str, draw: Draw) -> AnyView {
    painted_in(class, NodeRef::new(), draw)
}

/// The same, for somebody who needs the element.
pub fn painted_in(class: &'static str, host: NodeRef<html::Div>, draw: Draw) -> AnyView {
    let first = untrack(&draw);
    #[cfg(feature = "hydrate")]
    Effect::new(move |before: Option<String>| {
        let now = draw();
        if before.as_ref() != Some(&now)
            && let Some(host) = host.get()
        {
            patch(&host, &now);
        }
        now
    });
    view! { <div class=class node_ref=host inner_html=first></div> }.into_any()
}
