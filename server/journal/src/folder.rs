//! The journal's files: opened, written one after the other, and given up when they are old or too many.
//!
//! The folder `journal` has one file for every two megabytes or so. What cannot be read is never thrown away: it is
//! moved into a folder beside it, together with all that is older, since what is kept has no gaps.

use super::segment::{Draft, ReadError, Rest, Segment};
use flow::Picture;
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How large a file becomes: so much is read at most to start, or to see how things stood.
const SEGMENT_BYTES: u64 = 2 << 20;
/// After how many more bytes it is tried again when no new file could be begun.
const LATER_BYTES: u64 = 256 << 10;
/// No event takes fewer bytes: how many a part that cannot be read may have had at most.
const SMALLEST_EVENT_BYTES: u64 = 48;

/// How much of the journal is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// How many bytes at most, give or take a file.
    pub bytes: u64,
    pub age: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self { bytes: 256 << 20, age: Duration::from_secs(7 * 24 * 60 * 60) }
    }
}

/// Where the journal is written.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    keep: Keep,
    file: Arc<File>,
    segment: Arc<Segment>,
    rotates_at: u64,
}

/// What was found there.
#[derive(Debug)]
pub(super) struct Opened {
    /// Where to go on.
    pub folder: Folder,
    /// All files that are kept, oldest first.
    pub segments: VecDeque<Arc<Segment>>,
    /// The picture after all that is kept.
    pub picture: Picture,
    /// How many events cannot be read any more, at most.
    pub lost: u64,
}

impl Folder {
    /// Opens the folder `journal` in `data`, and makes it when it is missing.
    pub fn open(data: &Path, keep: Keep) -> io::Result<Opened> {
        let dir = data.join("journal");
        if dir.exists() && !dir.is_dir() {
            let aside = put_aside(&dir, std::slice::from_ref(&dir))?;
            tracing::error!(path = %dir.display(), aside = %aside.display(), "this is not a folder; it was moved aside");
        }
        fs::create_dir_all(&dir)?;
        let (mut segments, mut picture, lost) = recover(&dir)?;
        // Numbers of before the journal was kept on disk are not given a second time.
        let numbering = data.join("journal.seq");
        if segments.is_empty() {
            let told = fs::read_to_string(&numbering).ok().and_then(|text| text.trim().parse().ok());
            picture.seq = picture.seq.max(told.unwrap_or_default());
        }
        let folder = match segments.back() {
            Some(newest) => Self::go_on(dir, keep, Arc::clone(newest))?,
            None => {
                let (segment, file) = begin(&dir, &picture)?;
                segments.push_back(Arc::clone(&segment));
                Self { dir, keep, file: Arc::new(file), segment, rotates_at: segment_bytes(keep) }
            }
        };
        drop_damaged(&folder.dir, &mut segments)?;
        folder.forget(&mut segments);
        if numbering.exists() {
            fs::remove_file(numbering)?;
        }
        Ok(Opened { folder, segments, picture, lost })
    }

    fn go_on(dir: PathBuf, keep: Keep, segment: Arc<Segment>) -> io::Result<Self> {
        let file = Arc::new(OpenOptions::new().append(true).open(segment.path())?);
        Ok(Self { dir, keep, file, segment, rotates_at: segment_bytes(keep) })
    }

    /// Writes at the end; when that fails, nothing of it stays there.
    pub fn append(&self, frame: &[u8]) -> io::Result<()> {
        let before = self.segment.bytes();
        match (&*self.file).write_all(frame) {
            Ok(()) => {
                self.segment.set_bytes(before + frame.len() as u64);
                Ok(())
            }
            Err(error) => {
                self.file.set_len(before)?;
                Err(error)
            }
        }
    }

    /// Whether the file is large enough for a new one to begin.
    pub fn is_full(&self) -> bool {
        self.segment.bytes() >= self.rotates_at
    }

    /// Begins a new file behind that picture.
    pub fn rotate(&mut self, picture: &Picture) -> io::Result<Arc<Segment>> {
        match begin(&self.dir, picture) {
            Ok((segment, file)) => {
                (self.segment, self.file) = (Arc::clone(&segment), Arc::new(file));
                self.rotates_at = segment_bytes(self.keep);
                Ok(segment)
            }
            Err(error) => {
                self.rotates_at = self.segment.bytes() + LATER_BYTES;
                Err(error)
            }
        }
    }

    /// Gives up what is too old or too much, but for the newest file.
    pub fn forget(&self, segments: &mut VecDeque<Arc<Segment>>) {
        let now = SystemTime::now();
        let mut bytes: u64 = segments.iter().map(|segment| segment.bytes()).sum();
        while segments.len() > 1
            && let Some(oldest) = segments.front()
        {
            let age = oldest.written_at().and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            if bytes <= self.keep.bytes && age <= self.keep.age {
                return;
            }
            bytes -= oldest.bytes();
            oldest.end();
            segments.pop_front();
        }
    }

    /// Writes somewhere else from now on.
    #[cfg(test)]
    pub fn write_to(&mut self, file: File) {
        self.file = Arc::new(file);
    }

    /// The file that is being written.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// The folder, to bring new names in it to the disk.
    pub fn itself(&self) -> io::Result<Arc<File>> {
        File::open(&self.dir).map(Arc::new)
    }
}

/// Reads the newest file, and cuts off what was not written to its end. What cannot be read is moved aside: then the
/// numbers go on behind all that it may have had. Answers what is left, the picture after it, and how many events are
/// lost at most.
fn recover(dir: &Path) -> io::Result<(VecDeque<Arc<Segment>>, Picture, u64)> {
    let mut segments = list(dir)?;
    let mut picture = Picture::default();
    let mut lost = 0;
    let mut damage = None;
    while let Some(newest) = segments.back() {
        let scan = newest.scan(u64::MAX).map_err(io::Error::other)?;
        match (scan.picture, scan.rest) {
            (Some(found), Rest::Nothing | Rest::Torn) => {
                picture = found;
                if newest.bytes() > scan.good as u64 {
                    let torn = newest.bytes() - scan.good as u64;
                    tracing::info!(path = %newest.path().display(), torn, "cut off what was not written to its end");
                    OpenOptions::new().write(true).open(newest.path())?.set_len(scan.good as u64)?;
                    newest.set_bytes(scan.good as u64);
                }
                break;
            }
            // It was just being begun.
            (None, Rest::Nothing | Rest::Torn) => {
                fs::remove_file(newest.path())?;
                picture.seq = newest.first() - 1;
                segments.pop_back();
            }
            (found, Rest::Damaged(wrong)) => {
                // Where its own picture cannot be read, the one before has the way to it.
                let before = segments.len().checked_sub(2).and_then(|at| segments.get(at));
                let found = found.or_else(|| before?.scan(u64::MAX).ok()?.picture);
                let unread = newest.bytes().saturating_sub(scan.good as u64) / SMALLEST_EVENT_BYTES;
                let reached = found.as_ref().map_or(0, |found| found.seq).max(newest.first() - 1);
                picture = found.unwrap_or_default();
                lost = reached + unread + 1 - picture.seq;
                picture.seq += lost;
                damage = Some(format!("{}: {wrong}", newest.path().display()));
                break;
            }
        }
    }
    if let Some(damage) = damage {
        let paths: Vec<_> = segments.drain(..).map(|segment| segment.path().to_owned()).collect();
        let aside = put_aside(dir, &paths)?;
        tracing::error!(
            %damage, aside = %aside.display(),
            "the journal cannot be read to its end; it was moved aside, and begins anew at step {}", picture.seq + 1
        );
    }
    Ok((segments, picture, lost))
}

/// Small limits have small files, so that they are kept to.
fn segment_bytes(keep: Keep) -> u64 {
    SEGMENT_BYTES.min(keep.bytes / 4)
}

/// The journal's files, oldest first.
fn list(dir: &Path) -> io::Result<VecDeque<Arc<Segment>>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir)? {
        segments.extend(Segment::named(&entry?.path()).map(Arc::new));
    }
    segments.sort_by_key(|segment| segment.first());
    Ok(segments.into())
}

/// Begins a file with the picture before its first event.
fn begin(dir: &Path, picture: &Picture) -> io::Result<(Arc<Segment>, File)> {
    let segment = Segment::new(dir, picture.seq + 1);
    let mut file = OpenOptions::new().append(true).create_new(true).open(segment.path())?;
    let frame = Draft::picture(picture);
    if let Err(error) = file.write_all(&frame) {
        fs::remove_file(segment.path())?;
        return Err(error);
    }
    segment.set_bytes(frame.len() as u64);
    Ok((Arc::new(segment), file))
}

/// Moves what does not begin as it should aside, with all that is older.
fn drop_damaged(dir: &Path, segments: &mut VecDeque<Arc<Segment>>) -> io::Result<()> {
    let checked = segments.iter().enumerate().rev();
    let wrong = checked.filter_map(|(at, segment)| Some((at, segment.check_beginning().err()?))).next();
    let Some((at, error)) = wrong else { return Ok(()) };
    let paths: Vec<_> = segments.drain(..=at).map(|segment| segment.path().to_owned()).collect();
    let aside = put_aside(dir, &paths)?;
    say_aside(&error, &aside, segments);
    Ok(())
}

/// The same for a file that turns out to be damaged when it is read.
pub(super) fn drop_unreadable(path: &Path, error: &ReadError, segments: &mut VecDeque<Arc<Segment>>) {
    let place = segments.iter().position(|segment| segment.path() == path);
    // The newest is being written.
    let Some(at) = place.filter(|at| at + 1 < segments.len()) else { return };
    let paths: Vec<_> = segments.drain(..=at).map(|segment| segment.path().to_owned()).collect();
    match path.parent().map(|dir| put_aside(dir, &paths)) {
        Some(Ok(aside)) => say_aside(error, &aside, segments),
        Some(Err(failed)) => {
            tracing::error!(%error, %failed, "a part of the journal cannot be read, nor be moved aside")
        }
        None => {}
    }
}

fn say_aside(error: &ReadError, aside: &Path, segments: &VecDeque<Arc<Segment>>) {
    let first = segments.front().map(|segment| segment.first());
    tracing::error!(
        %error, aside = %aside.display(), ?first,
        "a part of the journal cannot be read; it was moved aside with all that is older"
    );
}

/// Moves these into a new folder beside `dir`; answers which.
fn put_aside(dir: &Path, paths: &[PathBuf]) -> io::Result<PathBuf> {
    for number in 1.. {
        let aside = dir.with_extension(format!("damaged-{number}"));
        match fs::create_dir(&aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => {
                for path in paths {
                    fs::rename(path, aside.join(path.file_name().unwrap_or_default()))?;
                }
                return Ok(aside);
            }
        }
    }
    Err(io::Error::other("there are too many damaged journals"))
}
