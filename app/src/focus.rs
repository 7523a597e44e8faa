//! Where the keyboard's focus goes when what had it changes or goes away.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, FocusOptions, HtmlElement, NodeList, SvgElement};

/// What can have the focus.
const FOCUSABLE: &str =
    "a[href], button:enabled, input:enabled, select:enabled, textarea, summary, [tabindex]";

/// Puts the focus on the first element that fits the selector; says whether there is one.
pub fn focus(selector: &str) -> bool {
    let found = document().query_selector(selector).ok().flatten();
    found.inspect(put_focus).is_some()
}

/// Puts the focus on the first element that fits the selector and has that value in an attribute; says whether there is
/// one.
pub fn focus_by_attribute(selector: &str, attribute: &str, value: &str) -> bool {
    let all = document().query_selector_all(selector).ok();
    let found = all.and_then(|all| {
        elements(&all).find(|element| element.get_attribute(attribute).is_some_and(|has| has == value))
    });
    found.inspect(put_focus).is_some()
}

/// Puts the focus on an element, if it can have that, and scrolls there.
pub fn put_focus(element: &Element) {
    put_focus_with(element, &FocusOptions::new());
}

/// Puts the focus on an element, if it can have that.
pub fn put_focus_with(element: &Element, options: &FocusOptions) {
    // What is just being removed takes no focus, which is all right.
    if let Some(html) = element.dyn_ref::<HtmlElement>() {
        let _ = html.focus_with_options(options);
    } else if let Some(svg) = element.dyn_ref::<SvgElement>() {
        let _ = svg.focus_with_options(options);
    }
}

/// Keeps the focus inside of an element that is about to change: where it was, else on what stands there at the next
/// frame. What is inserted before something may move it, and what moves loses the focus.
pub fn keep_focus(host: &Element) {
    let Some(focused) = document().active_element().filter(|focused| host.contains(Some(focused))) else {
        return;
    };
    let Some(number) = stops(host, FOCUSABLE).iter().position(|stop| *stop == focused) else { return };
    let host = host.clone();
    request_animation_frame(move || {
        if document().active_element().is_some_and(|now| now.tag_name() != "BODY") {
            return;
        }
        let next = if focused.is_connected() {
            Some(focused)
        } else {
            stops(&host, FOCUSABLE).into_iter().take(number + 1).next_back()
        };
        next.as_ref().into_iter().for_each(put_focus);
    });
}

/// What fits the selector inside of an element, in the page's order.
pub fn stops(host: &Element, selector: &str) -> Vec<Element> {
    host.query_selector_all(selector).ok().iter().flat_map(elements).collect()
}

fn elements(list: &NodeList) -> impl Iterator<Item = Element> + use<'_> {
    (0..list.length()).filter_map(|at| list.get(at)?.dyn_into().ok())
}
