//! One file of the journal, written from its beginning to its end and never changed.
//!
//! A file is a row of frames. The first is the picture before the file's first event, so that the file can be drawn by
//! itself; each of the others holds the events of one write. A frame is a header and a text in JSON:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `SKJP` for a picture, `SKJE` for events |
//! | 4 | CRC-32 of all that follows; little-endian, as all numbers here |
//! | 4 | the text's length |
//! | 8, 8 | the places of the first and the last event; a picture has its own place twice |

use super::block::{Block, array};
use bytes::Bytes;
use flow::{Event, Picture};
use memchr::memmem;
use std::{
    fs::{self, File},
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::SystemTime,
};

/// The length of a frame's header.
pub const HEADER: usize = 28;
const PICTURE: [u8; 4] = *b"SKJP";
const EVENTS: [u8; 4] = *b"SKJE";
/// What a file is called behind its first event's place.
const EXTENSION: &str = "journal";

/// Why a file is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {why}")]
pub struct Damage {
    pub at: usize,
    /// What is wrong there.
    pub why: String,
}

/// Why something cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is not what was written.
    #[error("{}: {damage}", path.display())]
    Damaged { path: PathBuf, damage: Damage },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A file of the journal.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    first: u64,
    bytes: AtomicU64,
    is_over: AtomicBool,
}

/// What was found in a file, up to its end or to where it is broken.
pub(super) struct Scan {
    /// The picture after the last good event; none when the file has not even its first picture.
    pub picture: Option<Picture>,
    /// How many bytes are good.
    pub good: usize,
    pub rest: Rest,
}

/// What follows the good part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// The beginning of a frame: whoever wrote it was stopped.
    Torn,
    Damaged(Damage),
}

impl Segment {
    /// The file whose first event has that place.
    pub fn new(dir: &Path, first: u64) -> Self {
        let path = dir.join(format!("{first:020}.{EXTENSION}"));
        Self { path, first, bytes: AtomicU64::new(0), is_over: AtomicBool::new(false) }
    }

    /// The file of that name, if it is called as one of the journal's.
    pub fn named(path: &Path) -> Option<Self> {
        let first = path.file_stem()?.to_str()?.parse().ok().filter(|first| *first > 0)?;
        let segment = Self::new(path.parent()?, first);
        let bytes = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
        segment.set_bytes(bytes);
        (segment.path == path).then_some(segment)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place of its first event, which may be still to come.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How large it is.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// When it was last written; none when nobody knows.
    pub fn written_at(&self) -> Option<SystemTime> {
        fs::metadata(&self.path).and_then(|about| about.modified()).ok()
    }

    /// It is no longer kept: it is removed as soon as nobody reads it any more.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Whether it begins as it should. The rest is checked when it is read.
    pub fn check_beginning(&self) -> Result<(), ReadError> {
        let mut begin = Vec::with_capacity(HEADER);
        File::open(&self.path)
            .and_then(|file| file.take(HEADER as u64).read_to_end(&mut begin))
            .map_err(|source| self.io(source))?;
        let is_good = begin.len() == HEADER
            && begin[..4] == PICTURE
            && number(&begin[12..20]).checked_add(1) == Some(self.first);
        if is_good { Ok(()) } else { Err(self.damaged(Damage::no_journal(0))) }
    }

    /// Its events after `after`, up to `upto`, all of which have been written.
    pub fn blocks(&self, after: u64, upto: u64) -> Result<Vec<Block>, ReadError> {
        let bytes = Bytes::from(fs::read(&self.path).map_err(|source| self.io(source))?);
        let mut blocks = Vec::new();
        let mut frames = Frames::of(&bytes, self.first);
        let mut reached = after;
        while reached < upto {
            match frames.next().map_err(|damage| self.damaged(damage))? {
                Some(Frame::Picture { .. }) => {}
                Some(Frame::Events { first, last, text }) => {
                    if let Some(block) = Block::new(first, last, bytes.slice(text)).between(after, upto) {
                        reached = last;
                        blocks.push(block);
                    }
                }
                None => return Err(self.damaged(Damage::missing(frames.at, reached + 1))),
            }
        }
        Ok(blocks)
    }

    /// The picture after the event with that place, which has been written.
    pub fn picture_at(&self, seq: u64) -> Result<Picture, ReadError> {
        let scan = self.scan(seq)?;
        match (scan.picture, scan.rest) {
            (Some(picture), _) if picture.seq == seq => Ok(picture),
            (_, Rest::Damaged(damage)) => Err(self.damaged(damage)),
            _ => Err(self.damaged(Damage::missing(scan.good, seq))),
        }
    }

    /// Folds what is good in it, up to `upto`.
    pub fn scan(&self, upto: u64) -> Result<Scan, ReadError> {
        let bytes = fs::read(&self.path).map_err(|source| self.io(source))?;
        let mut frames = Frames::of(&bytes, self.first);
        let mut picture = None;
        loop {
            let good = frames.at;
            let rest = match frames.next() {
                Ok(Some(frame)) => match fold(&mut picture, &frame, &bytes, upto) {
                    Ok(true) => continue,
                    Ok(false) => Rest::Nothing,
                    Err(error) => {
                        Rest::Damaged(Damage { at: good, why: format!("it cannot be read: {error}") })
                    }
                },
                Ok(None) if good == bytes.len() => Rest::Nothing,
                // What was stopped was the last write.
                Ok(None) if goes_on_behind(&bytes, good) => {
                    Rest::Damaged(Damage { at: good, why: "the length is wrong".into() })
                }
                Ok(None) => Rest::Torn,
                Err(damage) => Rest::Damaged(damage),
            };
            return Ok(Scan { picture, good, rest });
        }
    }

    fn damaged(&self, damage: Damage) -> ReadError {
        ReadError::Damaged { path: self.path.clone(), damage }
    }

    fn io(&self, source: io::Error) -> ReadError {
        ReadError::Io { path: self.path.clone(), source }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.is_over.load(Ordering::Relaxed)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "an old part of the journal cannot be removed");
        }
    }
}

impl Damage {
    fn no_journal(at: usize) -> Self {
        Self { at, why: "this is not part of the journal".into() }
    }

    fn missing(at: usize, seq: u64) -> Self {
        Self { at, why: format!("step {seq} is missing") }
    }
}

/// Takes a frame into the picture; `false` when it has come to `upto`.
fn fold(
    picture: &mut Option<Picture>,
    frame: &Frame,
    bytes: &[u8],
    upto: u64,
) -> Result<bool, serde_json::Error> {
    match frame {
        Frame::Picture { text } => *picture = Some(serde_json::from_slice(&bytes[text.clone()])?),
        Frame::Events { first, last, text } => {
            let block = Block::new(*first, *last, Bytes::copy_from_slice(&bytes[text.clone()]));
            let wanted: Vec<Block> = block.between(0, upto).into_iter().collect();
            let events: Vec<Event> = serde_json::from_slice(&array(&wanted))?;
            if let Some(picture) = picture {
                events.iter().for_each(|event| picture.apply(event));
            }
        }
    }
    Ok(picture.as_ref().is_some_and(|picture| picture.seq < upto))
}

/// A frame; its text is that part of the file.
#[derive(Debug)]
enum Frame {
    Picture { text: Range<usize> },
    Events { first: u64, last: u64, text: Range<usize> },
}

/// Goes from frame to frame, and sees to it that they follow on each other.
struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
    next: u64,
}

impl<'a> Frames<'a> {
    const fn of(bytes: &'a [u8], first: u64) -> Self {
        Self { bytes, at: 0, next: first }
    }

    /// The next frame; none at the end, or where a frame begins that was not written to its end.
    fn next(&mut self) -> Result<Option<Frame>, Damage> {
        let (at, rest) = (self.at, &self.bytes[self.at..]);
        // After a power cut a file may be as long as it was to become, and empty where nothing was written.
        let is_blank = || rest.iter().all(|byte| *byte == 0);
        let Some((magic, _)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        if ![PICTURE, EVENTS].contains(magic) {
            return if is_blank() { Ok(None) } else { Err(Damage::no_journal(at)) };
        }
        let Some((header, text)) = rest.split_at_checked(HEADER) else { return Ok(None) };
        let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        if length > text.len() {
            return Ok(None);
        }
        let checksum = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        if crc32fast::hash(&rest[8..HEADER + length]) != checksum {
            return Err(Damage { at, why: "the checksum is wrong".into() });
        }
        let (first, last) = (number(&header[12..20]), number(&header[20..28]));
        let text = at + HEADER..at + HEADER + length;
        self.at = text.end;
        if *magic == PICTURE {
            let is_due = at == 0 && first + 1 == self.next;
            return if is_due { Ok(Some(Frame::Picture { text })) } else { Err(Damage::no_journal(at)) };
        }
        if at == 0 || first != self.next || last < first {
            return Err(Damage::missing(at, self.next));
        }
        self.next = last + 1;
        Ok(Some(Frame::Events { first, last, text }))
    }
}

/// Whether a whole frame begins somewhere behind that place.
fn goes_on_behind(bytes: &[u8], at: usize) -> bool {
    let mut places = memmem::find_iter(&bytes[at + 1..], &EVENTS);
    places.any(|place| {
        let rest = &bytes[at + 1 + place..];
        let next = rest.get(12..20).map_or(0, number);
        // The sequence begins with whatever this frame says.
        matches!(Frames { bytes, at: at + 1 + place, next }.next(), Ok(Some(_)))
    })
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A frame that is being written: the header's place, and then the text.
#[derive(Debug)]
pub(super) struct Draft(Vec<u8>);

impl Draft {
    /// With room for a text of about that size.
    pub fn new(size: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + size);
        bytes.resize(HEADER, 0);
        Self(bytes)
    }

    /// Where the text goes.
    pub const fn text(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub fn picture(picture: &Picture) -> Bytes {
        let mut draft = Self::new(64 << 10);
        serde_json::to_writer(draft.text(), picture).expect("a picture is plain data with text for keys");
        draft.finish(PICTURE, picture.seq, picture.seq)
    }

    pub fn events(self, first: u64, last: u64) -> Bytes {
        self.finish(EVENTS, first, last)
    }

    fn finish(self, magic: [u8; 4], first: u64, last: u64) -> Bytes {
        let mut bytes = self.0;
        let length = u32::try_from(bytes.len() - HEADER).expect("a write is a few megabytes at most");
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        bytes[12..20].copy_from_slice(&first.to_le_bytes());
        bytes[20..28].copy_from_slice(&last.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[8..]);
        bytes[..4].copy_from_slice(&magic);
        bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        bytes.into()
    }
}
