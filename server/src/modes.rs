//! In which mode each system works, kept over a restart: a file of the data folder, `transport-modes.json`.

use flow::{System, mode::Mode};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

const FILE: &str = "transport-modes.json";

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct Modes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// Those that were set, by the system's short name.
    set: Mutex<BTreeMap<String, String>>,
}

/// The names of a system's modes, the first one first.
#[must_use]
pub fn names(system: System) -> Vec<String> {
    system.modes().iter().map(|mode| mode.name.to_owned()).collect()
}

impl Modes {
    /// Reads the file of that folder. One that cannot be read counts as none, and is told.
    #[must_use]
    pub fn open(data: &Path) -> Self {
        let path = data.join(FILE);
        let read = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error.to_string()),
            Ok(content) => serde_json::from_slice(&content).map_err(|error| error.to_string()),
        };
        let set = read.unwrap_or_else(|error| {
            let path = path.display();
            tracing::warn!(%path, error, "the modes cannot be read; each system starts in its first one");
            BTreeMap::new()
        });
        Self(Arc::new(Shared { path, set: Mutex::new(set) }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.set.lock().expect("nothing panics while it holds this lock")
    }

    /// The mode of a system.
    #[must_use]
    pub fn of(&self, system: System) -> Mode {
        let set = self.lock().get(system.as_str()).and_then(|name| system.mode_named(name));
        set.unwrap_or_else(|| system.first_mode())
    }

    /// Sets it. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk does not take it; nothing has changed then.
    pub fn set(&self, system: System, mode: Mode) -> io::Result<()> {
        let mut set = self.lock();
        let mut wanted = set.clone();
        wanted.insert(system.as_str().to_owned(), mode.name.to_owned());
        let unfinished = self.0.path.with_extension("tmp");
        fs::write(&unfinished, serde_json::to_vec_pretty(&wanted)?)?;
        fs::File::open(&unfinished)?.sync_all()?;
        fs::rename(unfinished, &self.0.path)?;
        *set = wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Transport;

    #[test]
    fn a_mode_that_was_set_is_kept_and_what_cannot_be_read_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = Transport::Zeromq.systems().collect::<Vec<_>>()[..] else { panic!() };
        let modes = Modes::open(folder.path());
        assert_eq!(modes.of(first), first.first_mode());
        modes.set(first, first.mode_named("acked").unwrap()).unwrap();
        let again = Modes::open(folder.path());
        assert_eq!((again.of(first).name, again.of(second).name), ("acked", "pushpull"));
        fs::write(folder.path().join(FILE), r#"{"choreography.zeromq":"fax"}"#).unwrap();
        assert_eq!(Modes::open(folder.path()).of(first), first.first_mode());
        fs::write(folder.path().join(FILE), "what").unwrap();
        assert_eq!(Modes::open(folder.path()).of(first), first.first_mode());
    }
}
