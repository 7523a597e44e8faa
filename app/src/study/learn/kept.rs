//! What the browser keeps of how far its reader is.

use lessons::{Progress, Taken};

#[cfg(feature = "hydrate")]
const KEY: &str = "skuflow-lessons";

/// How far the reader is in all lessons. The server does not know it.
pub fn progress() -> Progress {
    #[cfg(feature = "hydrate")]
    return storage()
        .and_then(|storage| storage.get_item(KEY).ok()?)
        .map_or_else(Progress::default, |text| Progress::read(&text));
    #[cfg(not(feature = "hydrate"))]
    Progress::default()
}

/// Keeps how far the reader is in a lesson. A browser that keeps nothing forgets it with the page.
pub fn keep(lesson: &str, taken: Taken) {
    // Another tab may have kept something of another lesson.
    let mut progress = progress();
    progress.keep(lesson, taken);
    #[cfg(feature = "hydrate")]
    if let Some(storage) = storage() {
        let _ = storage.set_item(KEY, &progress.write());
    }
}

/// Forgets all of it.
pub fn forget() {
    #[cfg(feature = "hydrate")]
    if let Some(storage) = storage() {
        let _ = storage.remove_item(KEY);
    }
}

#[cfg(feature = "hydrate")]
fn storage() -> Option<web_sys::Storage> {
    leptos::prelude::window().local_storage().ok().flatten()
}
