//! In which mode each system works, kept over a restart: a file of the data folder, `transport-modes.json`.

use flow::{
    Actor, Event, Kind, Provenance, System,
    api::TransportWanted,
    mode::{Fetch, Mode},
};
use journal::Journal;
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
    /// Those that were set, by the system's short name: the mode's name, and behind a plus how messages are taken, where that
    /// is not as usual.
    set: Mutex<BTreeMap<String, String>>,
}

/// As it stands in the file.
fn written(system: System, mode: Mode) -> String {
    match system.fetches_of(mode.name).first() {
        Some(usual) if *usual == mode.fetch => mode.name.to_owned(),
        _ => format!("{}+{}", mode.name, mode.fetch),
    }
}

fn read(system: System, text: &str) -> Option<Mode> {
    let (name, fetch) = text.split_once('+').map_or((text, None), |(name, fetch)| (name, Some(fetch)));
    let fetch = fetch.map(str::parse).transpose().ok()?;
    system.mode_named(name, fetch)
}

/// Which of a system's modes a request means, that now has this one.
///
/// # Errors
/// Why there is no such mode, and which there are.
pub fn wanted(system: System, now: Mode, wanted: &TransportWanted) -> Result<Mode, String> {
    let TransportWanted { mode, fetch } = wanted;
    if mode.is_none() && fetch.is_none() {
        let known = system.mode_names().join(" or ");
        return Err(format!("mode: it is missing; use {known}, and fetch to say how messages are taken"));
    }
    let name = mode.as_deref().unwrap_or(now.name);
    if !system.mode_names().contains(&name) {
        let known = system.mode_names().join(" or ");
        return Err(format!("mode: {system} has no mode {name:?}; use {known}"));
    }
    let fetch = match fetch.as_deref() {
        Some(fetch) => Some(fetch.parse::<Fetch>().map_err(|error| format!("fetch: {error}"))?),
        // As it is, where that is possible.
        None => Some(now.fetch).filter(|fetch| system.mode_named(name, Some(*fetch)).is_some()),
    };
    system.mode_named(name, fetch).ok_or_else(|| {
        let known: Vec<_> = system.fetches_of(name).iter().map(|fetch| fetch.as_str()).collect();
        let why = match (name, fetch) {
            ("pubsub" | "pushpull", _) => "nothing keeps what was sent",
            ("acked", _) => "inventory keeps what is not acknowledged",
            (_, _) => "what a consumer has in hand stays where it was until it is acknowledged",
        };
        format!("fetch: in the mode {name} messages are taken {} only, since {why}", known.join(" or "))
    })
}

/// What is told of a system's mode.
#[must_use]
pub fn told(system: System, mode: Mode) -> ModeTold {
    ModeTold {
        mode: mode.name.to_owned(),
        modes: system.mode_names().into_iter().map(str::to_owned).collect(),
        fetch: mode.fetch.to_string(),
        fetches: system.fetches_of(mode.name).iter().map(ToString::to_string).collect(),
        promise: mode.promise.to_owned(),
    }
}

/// See [`told`].
#[derive(Debug, Clone)]
pub struct ModeTold {
    pub mode: String,
    pub modes: Vec<String>,
    pub fetch: String,
    pub fetches: Vec<String>,
    pub promise: String,
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
        let set = self.lock().get(system.as_str()).and_then(|text| read(system, text));
        set.unwrap_or_else(|| system.first_mode())
    }

    /// Sets it. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk does not take it; nothing has changed then.
    pub fn set(&self, system: System, mode: Mode) -> io::Result<()> {
        let mut set = self.lock();
        let mut wanted = set.clone();
        wanted.insert(system.as_str().to_owned(), written(system, mode));
        let unfinished = self.0.path.with_extension("tmp");
        fs::write(&unfinished, serde_json::to_vec_pretty(&wanted)?)?;
        fs::File::open(&unfinished)?.sync_all()?;
        fs::rename(unfinished, &self.0.path)?;
        *set = wanted;
        Ok(())
    }
}

impl Modes {
    /// Tells the journal in which mode a system works: when it begins to, and when somebody has set another one.
    pub fn tell(&self, journal: &Journal, system: System, by: Option<&Arc<Actor>>) {
        let mut event = Event::new(0, Provenance::Service, Kind::ModeChanged { mode: self.of(system) });
        (event.system, event.actor) = (Some(system), by.cloned());
        journal.report(event);
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
        modes.set(first, first.mode_named("acked", None).unwrap()).unwrap();
        let again = Modes::open(folder.path());
        assert_eq!((again.of(first).name, again.of(second).name), ("acked", "pushpull"));
        let jobs = Transport::Redis.systems().nth(1).unwrap();
        for mode in jobs.modes() {
            again.set(jobs, *mode).unwrap();
            assert_eq!(Modes::open(folder.path()).of(jobs), *mode);
        }
        fs::write(folder.path().join(FILE), r#"{"choreography.zeromq":"fax"}"#).unwrap();
        assert_eq!(Modes::open(folder.path()).of(first), first.first_mode());
        fs::write(folder.path().join(FILE), "what").unwrap();
        assert_eq!(Modes::open(folder.path()).of(first), first.first_mode());
    }

    #[test]
    fn a_request_means_a_mode_that_there_is_or_says_which_there_are() {
        let [streams, jobs] = Transport::Redis.systems().collect::<Vec<_>>()[..] else { panic!() };
        let ask = |system: System, now: Mode, mode: Option<&str>, fetch: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let mode = wanted(system, now, &TransportWanted { mode: own(mode), fetch: own(fetch) })?;
            Ok::<_, String>((mode.name, mode.fetch))
        };
        let first = jobs.first_mode();
        assert_eq!(ask(jobs, first, None, Some("basic")), Ok(("sidekiq", Fetch::Basic)));
        let basic = jobs.mode_named("sidekiq", Some(Fetch::Basic)).unwrap();
        assert_eq!(ask(jobs, basic, Some("resque"), None), Ok(("resque", Fetch::Basic)), "it stays");
        assert_eq!(ask(streams, streams.first_mode(), Some("pubsub"), None), Ok(("pubsub", Fetch::Basic)));
        for (mode, fetch, part) in [
            (Some("fax"), None, "use streams or pubsub"),
            (None, Some("lazy"), "use reliable or basic"),
            (Some("pubsub"), Some("reliable"), "basic only, since nothing keeps"),
            (Some("streams"), Some("basic"), "reliable only, since what a consumer has in hand"),
            (None, None, "mode: it is missing"),
        ] {
            let why = ask(streams, streams.first_mode(), mode, fetch).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }
}
