//! The parts of pages that are fetched right after the page, in one part of the WASM. With a part for each of them, what any
//! two have in common would be a part too.

use super::{home, mailbox, store};
use leptos::prelude::*;

/// What brings each part to life.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// What follows on the start page.
    pub home: home::Wake,
    pub mailbox: mailbox::Wake,
    pub shop: store::Wake,
}

#[lazy]
pub fn load_parts() -> Parts {
    Parts { home: home::wake, mailbox: mailbox::wake, shop: store::wake }
}
