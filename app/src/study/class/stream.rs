//! What the server tells of a class, as it happens.

use super::{Class, Standing};
use crate::api::fetch;
use leptos::{prelude::*, task::spawn_local};
use std::{mem::forget, time::Duration};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// How long to wait before a stream that the browser has given up is opened again.
const AGAIN: Duration = Duration::from_secs(2);
const NOT_FOUND: u16 = 404;

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
        class.standing.try_set(Standing::Lost);
        // Else the browser tries again by itself. It gives up when it was answered anything but a stream, and when the page
        // is left.
        if failed.ready_state() == EventSource::CLOSED {
            spawn_local(look(class));
        }
    });
    // The names are ours and the target is new: listening cannot fail.
    let _ = source.add_event_listener_with_callback("class", on_class.as_ref().unchecked_ref());
    let _ = source.add_event_listener_with_callback("over", on_over.as_ref().unchecked_ref());
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    forget((source, on_class, on_over, on_error));
}

/// Looks whether there still is such a class, and follows it again in a while if nobody says that there is none.
async fn look(class: Class) {
    let answer = fetch::send("GET", &class.call(""), None).await;
    if answer.is_err_and(|problem| problem.status == NOT_FOUND) {
        class.standing.try_set(Standing::Over);
        return;
    }
    set_timeout(move || open(class), AGAIN);
}
