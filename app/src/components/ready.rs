//! The mark that says that everything works now.

use leptos::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many islands still fetch what brings them to life.
static FETCHING: AtomicU32 = AtomicU32::new(0);

/// Holds the mark back until [`fetched`] is called: an island fetches what brings it to life.
pub fn fetching() {
    FETCHING.fetch_add(1, Ordering::Relaxed);
}

/// An island has come to life after all.
pub fn fetched() {
    if FETCHING.fetch_sub(1, Ordering::Relaxed) == 1 {
        mark();
    }
}

/// The last island: once it has come to life, all have that need not be fetched.
#[island]
pub fn Ready() -> impl IntoView {
    Effect::new(|| {
        if FETCHING.load(Ordering::Relaxed) == 0 {
            mark();
        }
    });
}

fn mark() {
    if let Some(html) = document().document_element() {
        // Cannot fail: the name is plain ASCII.
        let _ = html.set_attribute("data-hydrated", "");
    }
}
