//! The pages other than the lab.

mod home;
mod mailbox;
mod not_found;
mod refetch;
mod sketch;
mod store;
mod when;

pub use home::Home;
pub use mailbox::Mailbox;
pub use not_found::NotFound;
pub use store::Store;
