//! The pages other than the lab.

mod class;
mod compare;
mod foresee;
pub mod home;
mod learn;
pub mod listing;
pub mod mailbox;
mod not_found;
pub mod parts;
mod place;
mod sketch;
pub mod store;
mod transports;
mod when;

use leptos::prelude::document;

/// The style of the pages that are not the first to be opened; `pages.css` in `style/`.
pub const PAGES_STYLE: &str = "/pkg/pages.css";

/// Brings it to a page that has it only once it is needed, such as the lab.
pub fn bring_style() {
    let Some(head) = document().head() else { return };
    let is_there = head.query_selector(&format!("link[href='{PAGES_STYLE}']"));
    if matches!(is_there, Ok(Some(_))) {
        return;
    }
    if let Ok(link) = document().create_element("link") {
        // The names are plain ASCII, and the element is new.
        let _ = link.set_attribute("rel", "stylesheet");
        let _ = link.set_attribute("href", PAGES_STYLE);
        let _ = head.append_child(&link);
    }
}

pub use class::Class;
pub use compare::Compare;
pub use foresee::Foresee;
pub use home::Home;
pub use learn::{Learn, LearnLesson};
pub use mailbox::Mailbox;
pub use not_found::NotFound;
pub use store::Store;
pub use transports::Transports;
