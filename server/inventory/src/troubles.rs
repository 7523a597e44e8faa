//! What keeps a system's outbox from being sent, for `/readyz`.

use flow::System;
use std::sync::{Arc, Mutex, MutexGuard};

/// Why each system's relay gets no further, if so; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<[Mutex<Option<String>>; System::COUNT]>);

impl Troubles {
    /// Its messages cannot be sent, and why.
    pub fn stuck(&self, system: System, why: String) {
        *self.of(system) = Some(why);
    }

    /// A message of it is with the broker.
    pub fn over(&self, system: System) {
        *self.of(system) = None;
    }

    /// Every system whose messages cannot be sent, and why.
    #[must_use]
    pub fn all(&self) -> Vec<(System, String)> {
        System::ALL.into_iter().filter_map(|system| Some((system, self.of(system).clone()?))).collect()
    }

    fn of(&self, system: System) -> MutexGuard<'_, Option<String>> {
        self.0[system.index()].lock().expect("nothing panics while it holds this lock")
    }
}
