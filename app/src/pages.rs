//! The pages other than the lab.

mod class;
mod compare;
pub mod home;
mod learn;
pub mod listing;
pub mod mailbox;
mod not_found;
pub mod parts;
mod sketch;
pub mod store;
mod transports;
mod when;

/// The style of the pages that are not the first to be opened; `pages.css` in `style/`.
pub const PAGES_STYLE: &str = "/pkg/pages.css";

pub use class::Class;
pub use compare::Compare;
pub use home::Home;
pub use learn::{Learn, LearnLesson};
pub use mailbox::Mailbox;
pub use not_found::NotFound;
pub use store::Store;
pub use transports::Transports;
