//! Which class this browser takes part in. The keys themselves are cookies that no script reads.

use crate::study::CLASS;
use leptos::prelude::window;
use serde::{Deserialize, Serialize};

/// What a browser remembers of the class that it takes part in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub code: String,
    /// Whether it presents; else it follows.
    pub leads: bool,
    /// Whether a follower explores on their own.
    #[serde(default)]
    pub is_away: bool,
}

pub fn read() -> Option<Kept> {
    let storage = window().local_storage().ok()??;
    serde_json::from_str(&storage.get_item(CLASS).ok()??).ok()
}

/// The code of the class that this browser presents.
pub fn presented() -> Option<String> {
    read().filter(|kept| kept.leads).map(|kept| kept.code)
}

/// Whether this browser follows a class: then it changes nothing.
pub fn follows() -> bool {
    read().is_some_and(|kept| !kept.leads)
}

/// A browser that remembers nothing takes part until the next page.
pub fn keep(kept: &Kept) {
    if let (Ok(Some(storage)), Ok(text)) = (window().local_storage(), serde_json::to_string(kept)) {
        let _ = storage.set_item(CLASS, &text);
    }
}

pub fn forget() {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.remove_item(CLASS);
    }
}
