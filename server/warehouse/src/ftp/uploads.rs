//! What is on its way into the drop box, and what has come in whole.
//!
//! FTP says neither how long a file is nor that it was cut: a sender who dies closes his connections like one who is
//! done. Our own server knows more: an upload has come in whole when its sender still listens after the last byte. Until
//! then it lies in a folder of its own, and goes to its name in one step.

use super::names::is_takeable;
use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Where uploads lie until they are whole, below the drop box's folder.
pub const FOLDER: &str = ".uploading";
/// How long an upload waits for its name while an earlier file has it.
const NAME_POLL: Duration = Duration::from_millis(100);

/// The uploads; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Uploads(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Uploads that are not whole, and how each stands.
    parts: Mutex<HashMap<PathBuf, Part>>,
    /// Names of files that are known to be whole.
    complete: Mutex<HashSet<String>>,
    wake: Notify,
}

/// How an upload stands that is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Open,
    /// All of it has come; whether the sender knows is not sure yet, or an earlier file still has its name.
    Ended,
    /// Its sender went away.
    BrokeOff,
}

impl Uploads {
    /// Takes up what broke off before the program started.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn recover(&self, root: &Path) -> io::Result<()> {
        let parts = root.join(FOLDER);
        let mut folders = vec![parts.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(path) = entry.path().strip_prefix(&parts) {
                    self.parts().entry(path.to_owned()).or_insert(Part::BrokeOff);
                }
            }
        }
        Ok(())
    }

    /// How an upload stands, if there is one to that path.
    #[must_use]
    pub fn part(&self, path: &Path) -> Option<Part> {
        self.parts().get(path).copied()
    }

    /// The names of the uploads into a folder.
    pub(super) fn names_in(&self, folder: &Path) -> Vec<PathBuf> {
        self.parts().keys().filter(|path| path.parent() == Some(folder)).cloned().collect()
    }

    /// Begins an upload; `None` when another one to that path is not over.
    pub(super) fn begin(&self, path: &Path) -> Option<Open> {
        let mut parts = self.parts();
        if matches!(parts.get(path), Some(Part::Open | Part::Ended)) {
            return None;
        }
        parts.insert(path.to_owned(), Part::Open);
        Some(Open { uploads: self.clone(), path: path.to_owned() })
    }

    pub(super) fn set(&self, path: &Path, part: Part) {
        self.parts().insert(path.to_owned(), part);
    }

    pub(super) fn forget(&self, path: &Path) {
        self.parts().remove(path);
    }

    pub(super) fn moved(&self, from: &Path, to: &Path) {
        let mut parts = self.parts();
        if let Some(part) = parts.remove(from) {
            parts.insert(to.to_owned(), part);
        }
    }

    /// Gives an upload that is whole its name. An earlier file of that name that is not taken in yet goes first.
    pub(super) fn publish(&self, root: &Path, path: PathBuf) {
        if self.try_publish(root, &path) {
            return;
        }
        let (uploads, root) = (self.clone(), root.to_owned());
        tokio::spawn(async move {
            while !uploads.try_publish(&root, &path) {
                tokio::time::sleep(NAME_POLL).await;
            }
        });
    }

    /// `false` when the name is in use.
    fn try_publish(&self, root: &Path, path: &Path) -> bool {
        let (from, to) = (root.join(FOLDER).join(path), root.join(path));
        let name = path.to_str().filter(|_| path.components().count() == 1);
        if name.is_some_and(is_takeable) && to.exists() {
            return false;
        }
        match fs::rename(from, to) {
            Ok(()) => {
                self.forget(path);
                if let Some(name) = name {
                    self.completed(name);
                }
            }
            // Whoever removed its folder, or it, does not want it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.forget(path),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "an upload cannot have its name");
                self.set(path, Part::BrokeOff);
            }
        }
        true
    }

    /// Tells that a file is whole.
    pub(super) fn completed(&self, name: &str) {
        lock(&self.0.complete).insert(name.to_owned());
        self.0.wake.notify_one();
    }

    /// Whether a file of that name came in whole since the last time somebody asked.
    pub(super) fn take_complete(&self, name: &str) -> bool {
        lock(&self.0.complete).remove(name)
    }

    /// Waits until a file has come in whole.
    pub(super) async fn filled(&self) {
        self.0.wake.notified().await;
    }

    fn parts(&self) -> MutexGuard<'_, HashMap<PathBuf, Part>> {
        lock(&self.0.parts)
    }
}

/// An upload that goes on; it broke off when this is dropped.
#[derive(Debug)]
pub(super) struct Open {
    uploads: Uploads,
    path: PathBuf,
}

impl Open {
    /// All bytes have come.
    pub(super) fn end(self) {
        self.uploads.set(&self.path, Part::Ended);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut parts = self.uploads.parts();
        if parts.get(&self.path) == Some(&Part::Open) {
            parts.insert(self.path.clone(), Part::BrokeOff);
        }
    }
}

/// One client of the embedded server: which upload of his has ended, and whether he is still there.
#[derive(Debug)]
pub struct Session {
    uploads: Uploads,
    root: PathBuf,
    state: Mutex<State>,
    has_ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    ended: Option<PathBuf>,
    has_left: bool,
}

impl Session {
    /// A client who just came.
    #[must_use]
    pub fn new(uploads: Uploads, root: PathBuf) -> Self {
        Self { uploads, root, state: Mutex::default(), has_ended: Notify::new() }
    }

    /// Notes that all bytes of an upload have come; `false` when the client had left before.
    pub(super) fn end(&self, open: Open) -> bool {
        let mut state = lock(&self.state);
        if state.has_left {
            return false;
        }
        state.ended = Some(open.path.clone());
        open.end();
        self.has_ended.notify_one();
        true
    }

    /// The client is there after the end of his upload: it is whole.
    pub fn confirm(&self) {
        let ended = lock(&self.state).ended.take();
        if let Some(path) = ended {
            self.uploads.publish(&self.root, path);
        }
    }

    /// The client went away and never heard that his upload has ended: it may be cut anywhere.
    pub fn break_off(&self) {
        let mut state = lock(&self.state);
        state.has_left = true;
        if let Some(path) = state.ended.take() {
            self.uploads.set(&path, Part::BrokeOff);
        }
    }

    /// Notes that the client says no more; `true` when an upload of his has ended and is not confirmed.
    pub fn leave(&self) -> bool {
        let mut state = lock(&self.state);
        state.has_left = true;
        state.ended.is_some()
    }

    /// Waits until an upload has ended.
    pub async fn upload_ended(&self) {
        self.has_ended.notified().await;
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
