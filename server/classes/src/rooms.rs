//! All classes: kept over a restart in a file of the data folder, `classes.json`, and watched by whoever takes part.

use super::{
    attempts::Attempts,
    code::Code,
    key::{Digest, Key},
    room::{Role, Room, RoomError},
};
use base::clock;
use flow::api::ClassView;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const FILE: &str = "classes.json";
/// So many classes go on at the same time.
const CLASSES_MAX: usize = 100;
/// How often it is seen to it that what only time changes is told.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a class cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Enough go on.
    #[error("{CLASSES_MAX} classes go on already; end one of them")]
    Many,
    /// It would not survive a restart.
    #[error("the class cannot be kept: {0}")]
    Disk(#[from] io::Error),
}

/// Milliseconds since the Unix epoch.
fn now_ms() -> i64 {
    i64::try_from(clock::now_us() / 1_000).unwrap_or(i64::MAX)
}

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct Rooms(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    all: Mutex<BTreeMap<Code, Entry>>,
    /// Who guesses codes.
    attempts: Attempts,
}

#[derive(Debug)]
struct Entry {
    room: Room,
    /// Tells that something has changed.
    changed: watch::Sender<()>,
    /// The streams of each follower that are open now.
    following: BTreeMap<Digest, usize>,
    /// The presenters' streams that are open now.
    presenting: usize,
    was_left: bool,
}

impl Entry {
    fn new(room: Room) -> Self {
        Self {
            room,
            changed: watch::Sender::new(()),
            following: BTreeMap::new(),
            presenting: 0,
            was_left: false,
        }
    }
}

impl Rooms {
    /// Reads the file of that folder. One that cannot be read counts as none, and is told.
    #[must_use]
    pub fn open(data: &Path) -> Self {
        let path = data.join(FILE);
        let read = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error.to_string()),
            Ok(content) => {
                serde_json::from_slice::<BTreeMap<String, Room>>(&content).map_err(|error| error.to_string())
            }
        };
        let kept = read.unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), error, "the classes cannot be read; none goes on");
            BTreeMap::new()
        });
        let all = kept
            .into_iter()
            .filter_map(|(code, room)| Some((code.parse().ok()?, Entry::new(room))))
            .collect();
        Self(Arc::new(Shared { path, all: Mutex::new(all), attempts: Attempts::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Code, Entry>> {
        self.0.all.lock().expect("nothing panics while it holds this lock")
    }

    /// Who guesses codes.
    #[must_use]
    pub fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    /// Whatever was answered survives a kill of the process: it is in the file before the answer.
    fn keep(&self, all: &BTreeMap<Code, Entry>) -> io::Result<()> {
        let kept: BTreeMap<&str, &Room> =
            all.iter().map(|(code, entry)| (code.as_str(), &entry.room)).collect();
        let unfinished = self.0.path.with_extension("tmp");
        fs::write(&unfinished, serde_json::to_vec(&kept)?)?;
        fs::rename(unfinished, &self.0.path)
    }

    /// Begins a class, whose address for followers is made of its code.
    ///
    /// # Errors
    /// When there are too many, or the disk does not take it.
    pub fn start(&self, presenter: &Key, url: impl Fn(&Code) -> String) -> Result<Code, StartError> {
        let mut all = self.lock();
        let now_ms = now_ms();
        all.retain(|_, entry| !entry.room.is_expired(now_ms));
        if all.len() >= CLASSES_MAX {
            return Err(StartError::Many);
        }
        let mut code = Code::random();
        while all.contains_key(&code) {
            code = Code::random();
        }
        all.insert(code.clone(), Entry::new(Room::new(url(&code), presenter, now_ms)));
        if let Err(error) = self.keep(&all) {
            all.remove(&code);
            return Err(error.into());
        }
        Ok(code)
    }

    /// Ends a class.
    pub fn end(&self, code: &Code) {
        let mut all = self.lock();
        all.remove(code);
        if let Err(error) = self.keep(&all) {
            tracing::warn!(%error, "a class that has ended stays in its file");
        }
    }

    /// Whether there is such a class now.
    #[must_use]
    pub fn is_on(&self, code: &Code) -> bool {
        let now_ms = now_ms();
        self.lock().get(code).is_some_and(|entry| !entry.room.is_expired(now_ms))
    }

    /// In what role somebody with this key comes to that class.
    #[must_use]
    pub fn role(&self, code: &Code, key: &Digest) -> Option<Role> {
        self.lock().get(code)?.room.role(key)
    }

    /// In what role somebody with this key comes to any class, and whether that one lets followers send arrivals.
    #[must_use]
    pub fn role_anywhere(&self, key: &Digest) -> Option<(Role, bool)> {
        let now_ms = now_ms();
        let all = self.lock();
        let mut on = all.values().filter(|entry| !entry.room.is_expired(now_ms));
        on.find_map(|entry| Some((entry.room.role(key)?, entry.room.may_send)))
    }

    /// Changes a class, keeps that, and tells whoever watches.
    ///
    /// # Errors
    /// None when there is no such class; what the change says, and then nothing has changed.
    pub fn change(
        &self,
        code: &Code,
        is_presenter: bool,
        change: impl FnOnce(&mut Room) -> Result<(), RoomError>,
    ) -> Option<Result<ClassView, RoomError>> {
        let mut all = self.lock();
        let now_ms = now_ms();
        let entry = all.get_mut(code)?;
        if let Err(error) = change(&mut entry.room) {
            return Some(Err(error));
        }
        if is_presenter {
            entry.room.seen(now_ms);
        }
        entry.changed.send_replace(());
        let view = entry.room.view(code, entry.following.len(), now_ms);
        if let Err(error) = self.keep(&all) {
            tracing::warn!(%error, "what has changed in a class would not survive a restart");
        }
        Some(Ok(view))
    }

    /// What is shown of a class.
    #[must_use]
    pub fn view(&self, code: &Code) -> Option<ClassView> {
        let now_ms = now_ms();
        let all = self.lock();
        let entry = all.get(code).filter(|entry| !entry.room.is_expired(now_ms))?;
        Some(entry.room.view(code, entry.following.len(), now_ms))
    }

    /// Watches a class until what this returns is dropped; whoever comes as a follower or presenter counts meanwhile.
    #[must_use]
    pub fn watch(&self, code: &Code, key: Option<&Digest>) -> Option<Watch> {
        let mut all = self.lock();
        let entry = all.get_mut(code)?;
        let part = key.and_then(|key| Some((entry.room.role(key)?, key.clone())));
        match &part {
            Some((Role::Presenter, _)) => entry.presenting += 1,
            Some((Role::Follower, key)) => *entry.following.entry(key.clone()).or_default() += 1,
            None => {}
        }
        let changed = entry.changed.subscribe();
        entry.changed.send_replace(());
        Some(Watch { rooms: self.clone(), code: code.clone(), part, changed })
    }

    /// Sees to it that what only time changes is told, until told to stop: that a presenter is here, or has left.
    pub async fn look(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let now_ms = now_ms();
            for entry in self.lock().values_mut() {
                if entry.presenting > 0 {
                    entry.room.seen(now_ms);
                }
                let is_left = entry.room.is_left(now_ms);
                if is_left != entry.was_left || entry.room.is_expired(now_ms) {
                    entry.was_left = is_left;
                    entry.changed.send_replace(());
                }
            }
        }
    }
}

/// Somebody who watches a class.
#[derive(Debug)]
pub struct Watch {
    rooms: Rooms,
    code: Code,
    part: Option<(Role, Digest)>,
    changed: watch::Receiver<()>,
}

impl Watch {
    /// What is shown once something has changed; none when the class is over.
    pub async fn next(&mut self) -> Option<ClassView> {
        self.changed.changed().await.ok()?;
        self.rooms.view(&self.code)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut all = self.rooms.lock();
        let Some(entry) = all.get_mut(&self.code) else { return };
        match &self.part {
            Some((Role::Presenter, _)) => entry.presenting = entry.presenting.saturating_sub(1),
            Some((Role::Follower, key)) => {
                if let Some(streams) = entry.following.get_mut(key) {
                    *streams -= 1;
                    if *streams == 0 {
                        entry.following.remove(key);
                    }
                }
            }
            None => return,
        }
        entry.changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::api::ClassWanted;

    fn rooms(folder: &tempfile::TempDir) -> Rooms {
        Rooms::open(folder.path())
    }

    #[test]
    fn a_class_its_keys_and_its_votes_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (presenter, follower) = (Key::random(), Key::random());
        let code = rooms(&folder).start(&presenter, |code| format!("/class/{code}")).unwrap();
        rooms(&folder).change(&code, false, |room| room.join(&follower)).unwrap().unwrap();
        let locked = ClassWanted { locked: Some(true), ..Default::default() };
        rooms(&folder).change(&code, true, |room| room.want(locked)).unwrap().unwrap();
        let again = rooms(&folder);
        assert_eq!(again.role(&code, &presenter.digest()), Some(Role::Presenter));
        assert_eq!(again.role_anywhere(&follower.digest()), Some((Role::Follower, false)));
        assert!(again.view(&code).unwrap().locked);
        let file = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(
            !file.contains(presenter.reveal()) && !file.contains(follower.reveal()),
            "secrets stay secrets"
        );
        again.end(&code);
        assert!(!rooms(&folder).is_on(&code));
    }

    #[tokio::test]
    async fn whoever_watches_is_told_of_each_change_and_counts_while_they_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let rooms = rooms(&folder);
        let follower = Key::random();
        let code = rooms.start(&Key::random(), |code| format!("/class/{code}")).unwrap();
        rooms.change(&code, false, |room| room.join(&follower)).unwrap().unwrap();
        let mut watch = rooms.watch(&code, Some(&follower.digest())).unwrap();
        assert_eq!(watch.next().await.unwrap().followers, 1);
        // Another tab of the same follower is nobody else.
        let other = rooms.watch(&code, Some(&follower.digest())).unwrap();
        assert_eq!(watch.next().await.unwrap().followers, 1);
        drop(other);
        assert_eq!(watch.next().await.unwrap().followers, 1);
        drop(watch);
        assert_eq!(rooms.view(&code).unwrap().followers, 0);
        let mut watch = rooms.watch(&code, None).unwrap();
        watch.next().await.unwrap();
        rooms.end(&code);
        assert_eq!(watch.next().await, None, "the class is over");
    }

    #[test]
    fn a_file_that_cannot_be_read_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "what").unwrap();
        assert!(rooms(&folder).lock().is_empty());
    }
}
