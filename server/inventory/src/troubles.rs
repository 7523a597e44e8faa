//! What keeps a style's outbox from being sent, for `/readyz`.

use flow::Style;
use std::sync::{Arc, Mutex, MutexGuard};

/// Why each style's relay gets no further, if so; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<[Mutex<Option<String>>; 2]>);

impl Troubles {
    /// Its messages cannot be sent, and why.
    pub fn stuck(&self, style: Style, why: String) {
        *self.of(style) = Some(why);
    }

    /// A message of it is with the broker.
    pub fn over(&self, style: Style) {
        *self.of(style) = None;
    }

    /// Every style whose messages cannot be sent, and why.
    #[must_use]
    pub fn all(&self) -> Vec<(Style, String)> {
        Style::ALL.iter().filter_map(|&style| Some((style, self.of(style).clone()?))).collect()
    }

    fn of(&self, style: Style) -> MutexGuard<'_, Option<String>> {
        self.0[style as usize].lock().expect("nothing panics while it holds this lock")
    }
}
