//! The panels that are fetched right after the page, in one part of the WASM. With a part for each of them, what any two
//! have in common would be a part too, and the page would fetch a hundred.

use super::{act, caption, controls, inspector, playhead, room, views};
use leptos::prelude::*;

/// What brings each panel to life.
#[derive(Debug, Clone, Copy)]
pub struct Panels {
    pub controls: controls::Wake,
    /// The playhead's bar, and saved runs.
    pub playhead: playhead::place::Wake,
    /// The menu of what is acted on.
    pub act: act::Wake,
    /// The caption below the picture.
    pub caption: caption::Wake,
    pub room: room::Wake,
    pub inspector: inspector::Wake,
    /// The views below the diagram.
    pub views: views::Wake,
}

#[lazy]
pub fn load_panels() -> Panels {
    Panels {
        controls: controls::wake,
        playhead: playhead::place::wake,
        act: act::wake,
        caption: caption::wake,
        room: room::wake,
        inspector: inspector::wake,
        views: views::wake_panel,
    }
}
