//! What the server tells of a class, as it happens.

use super::{Class, Standing};
use leptos::prelude::*;
use std::mem::forget;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// Follows the class for as long as the page is open.
pub fn open(class: Class) {
    let Ok(source) = EventSource::new(&class.call("/stream")) else {
        class.standing.set(Standing::Lost);
        return;
    };
    let on_class = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
        let view = message.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
        if view.is_some() {
            class.standing.try_set(Standing::On);
            class.view.try_set(view);
        }
    });
    let over = source.clone();
    let on_over = Closure::<dyn FnMut(MessageEvent)>::new(move |_: MessageEvent| {
        over.close();
        class.standing.try_set(Standing::Over);
    });
    let failed = source.clone();
    let on_error = Closure::<dyn FnMut()>::new(move || {
        // The browser tries again by itself, unless it was answered that there is no such class.
        let is_over = failed.ready_state() == EventSource::CLOSED;
        class.standing.try_set(if is_over { Standing::Over } else { Standing::Lost });
    });
    // The names are ours and the target is new: listening cannot fail.
    let _ = source.add_event_listener_with_callback("class", on_class.as_ref().unchecked_ref());
    let _ = source.add_event_listener_with_callback("over", on_over.as_ref().unchecked_ref());
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    forget((source, on_class, on_over, on_error));
}
