//! The lessons, and who is in one: what a lesson sets in a system is mended when it is over, or when its page is gone.

mod before;
pub mod http;
mod lease;

pub use before::Settable;
pub use lease::{LeaseError, Leases};

use ::lessons::{Brief, Lesson};
use std::sync::LazyLock;

/// The texts, as `build.rs` read them.
static ALL: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/lessons.json")))
        .expect("the build wrote what it had read")
});

/// Every lesson, as it stands in the list.
#[must_use]
pub fn list() -> Vec<Brief> {
    ALL.iter().map(Lesson::brief).collect()
}

/// The lesson of that name.
#[must_use]
pub fn find(id: &str) -> Option<&'static Lesson> {
    ALL.iter().find(|lesson| lesson.id == id)
}
