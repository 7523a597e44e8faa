//! What is written faster than it is read, kept in order: a little of it in memory, the rest in a file.
//!
//! The file has no name, so nothing is left of it however the program ends.

use axum::body::Bytes;
use futures::{Stream, stream};
use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How much is kept in memory.
const MEMORY_MAX_BYTES: usize = 256 * 1024;
/// How much may wait in the file.
const FILE_MAX_BYTES: u64 = 1 << 30;
/// How much is read from the file at once.
const READ_BYTES: u64 = 64 * 1024;

/// Why nothing more can be kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// So much waits already.
    #[error("{} MiB of answers wait to be read; read them while you send, or send less at a time", FILE_MAX_BYTES >> 20)]
    Full,
    #[error("the answers cannot be kept until they are read: {0}")]
    Disk(#[from] io::Error),
    /// Nobody reads any more.
    #[error("nobody reads the answers")]
    Left,
}

#[derive(Debug, Default)]
struct Kept {
    memory: VecDeque<Bytes>,
    memory_bytes: usize,
    file: Option<Arc<File>>,
    read_to: u64,
    written_to: u64,
    /// What came when the file took no more.
    last: VecDeque<Bytes>,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Broken,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    kept: Mutex<Kept>,
    more: Notify,
    left: CancellationToken,
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        self.kept().end.get_or_insert(end);
        self.more.notify_one();
    }
}

/// The writing end. Dropped before [`Writer::finish`], it breaks what is read.
#[derive(Debug)]
pub struct Writer(Arc<Shared>);

/// Makes a spool that has its file in `folder`, if it needs one; what is written can be read from the stream.
pub fn spool(folder: PathBuf) -> (Writer, impl Stream<Item = io::Result<Bytes>> + Send + 'static) {
    let left = CancellationToken::new();
    let shared = Arc::new(Shared { folder, kept: Mutex::default(), more: Notify::new(), left: left.clone() });
    let reader = Reader { shared: shared.clone(), _left: left.drop_guard() };
    let read =
        stream::try_unfold(
            reader,
            |reader| async move { Ok(reader.next().await?.map(|bytes| (bytes, reader))) },
        );
    (Writer(shared), read)
}

impl Writer {
    /// Adds something behind all that was written. What cannot be kept in the file is kept in memory all the same, so
    /// that it is read before the end.
    ///
    /// # Errors
    /// When this is the last that can be kept, or nobody reads any more.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), SpoolError> {
        if self.0.left.is_cancelled() {
            return Err(SpoolError::Left);
        }
        let written = self.keep(&bytes).await;
        if written.is_err() {
            self.write_last(bytes);
        }
        self.0.more.notify_one();
        written
    }

    async fn keep(&self, bytes: &Bytes) -> Result<(), SpoolError> {
        let (file, at) = {
            let mut kept = self.0.kept();
            let is_read = kept.read_to == kept.written_to;
            if is_read && kept.memory_bytes + bytes.len() <= MEMORY_MAX_BYTES {
                kept.memory_bytes += bytes.len();
                kept.memory.push_back(bytes.clone());
                return Ok(());
            }
            if is_read && let Some(file) = &kept.file {
                // The room goes back to the disk.
                file.set_len(0)?;
                (kept.read_to, kept.written_to) = (0, 0);
            }
            if kept.written_to + bytes.len() as u64 > FILE_MAX_BYTES {
                return Err(SpoolError::Full);
            }
            (kept.file.clone(), kept.written_to)
        };
        let (folder, copy) = (self.0.folder.clone(), bytes.clone());
        let file = blocking(move || {
            let file = file.map_or_else(|| tempfile::tempfile_in(folder).map(Arc::new), Ok)?;
            file.write_all_at(&copy, at)?;
            Ok(file)
        })
        .await?;
        let mut kept = self.0.kept();
        kept.file = Some(file);
        kept.written_to = at + bytes.len() as u64;
        Ok(())
    }

    /// Adds something that is small, whether there is room for it or not.
    pub fn write_last(&mut self, bytes: Bytes) {
        self.0.kept().last.push_back(bytes);
        self.0.more.notify_one();
    }

    pub fn finish(self) {
        self.0.end(End::Whole);
    }

    /// Waits until nobody reads any more.
    pub async fn left(&self) {
        self.0.left.cancelled().await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.end(End::Broken);
    }
}

struct Reader {
    shared: Arc<Shared>,
    _left: DropGuard,
}

/// Where the next piece is.
enum Next {
    Here(Bytes),
    InFile(Arc<File>, u64, u64),
    Over(End),
    NotYet,
}

impl Reader {
    async fn next(&self) -> io::Result<Option<Bytes>> {
        loop {
            match self.look() {
                Next::Here(bytes) => return Ok(Some(bytes)),
                Next::InFile(file, at, length) => {
                    let bytes = blocking(move || {
                        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
                        file.read_exact_at(&mut bytes, at)?;
                        Ok(bytes)
                    })
                    .await?;
                    self.shared.kept().read_to = at + length;
                    return Ok(Some(bytes.into()));
                }
                Next::Over(End::Whole) => return Ok(None),
                Next::Over(End::Broken) => return Err(io::Error::other("the answers end before their end")),
                Next::NotYet => self.shared.more.notified().await,
            }
        }
    }

    fn look(&self) -> Next {
        let mut kept = self.shared.kept();
        if let Some(bytes) = kept.memory.pop_front() {
            kept.memory_bytes -= bytes.len();
            return Next::Here(bytes);
        }
        if let Some(file) = kept.file.clone()
            && kept.read_to < kept.written_to
        {
            return Next::InFile(file, kept.read_to, READ_BYTES.min(kept.written_to - kept.read_to));
        }
        match (kept.last.pop_front(), kept.end) {
            (Some(bytes), _) => Next::Here(bytes),
            (None, Some(end)) => Next::Over(end),
            (None, None) => Next::NotYet,
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use std::fs;

    async fn all(read: impl Stream<Item = io::Result<Bytes>>) -> (Vec<u8>, bool) {
        let mut read = std::pin::pin!(read);
        let mut all = Vec::new();
        while let Some(bytes) = read.next().await {
            match bytes {
                Ok(bytes) => all.extend_from_slice(&bytes),
                Err(_) => return (all, false),
            }
        }
        (all, true)
    }

    #[tokio::test]
    async fn what_is_written_is_read_in_order_whoever_is_faster_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, read) = spool(folder.path().to_owned());
        let mut read = Box::pin(read);
        let (mut written, mut came) = (Vec::new(), Vec::new());
        let mut n = 0_u32;
        for (writes, reads) in [(3, 3), (400, 20), (1, 380), (2_000, 5), (30, 200), (10, 0)] {
            for _ in 0..writes {
                n += 1;
                let bytes = format!("{n}{}\n", "x".repeat(2_000)).into_bytes();
                written.extend_from_slice(&bytes);
                writer.write(bytes.into()).await.unwrap();
            }
            for _ in 0..reads {
                if came.len() < written.len() {
                    came.extend_from_slice(&read.next().await.unwrap().unwrap());
                }
            }
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
        }
        writer.finish();
        came.extend(all(read).await.0);
        assert!(came == written, "{} bytes came of {}", came.len(), written.len());
    }

    #[tokio::test]
    async fn where_no_file_can_be_all_that_was_written_is_read_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, read) = spool(folder.path().join("not there"));
        let piece = Bytes::from(vec![b'x'; 100 * 1024]);
        for _ in 0..2 {
            writer.write(piece.clone()).await.unwrap();
        }
        let refused = writer.write(piece.clone()).await.unwrap_err();
        assert!(matches!(refused, SpoolError::Disk(_)), "{refused}");
        writer.write_last(Bytes::from_static(b"that is why"));
        writer.finish();
        let (came, is_whole) = all(read).await;
        assert_eq!((came.len(), is_whole), (3 * piece.len() + 11, true));
    }

    #[tokio::test]
    async fn a_writer_that_gives_up_breaks_the_reading_and_one_whom_nobody_reads_hears_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, read) = spool(folder.path().to_owned());
        writer.write(Bytes::from_static(b"some")).await.unwrap();
        drop(writer);
        assert_eq!(all(read).await, (b"some".to_vec(), false));
        let (mut writer, read) = spool(folder.path().to_owned());
        drop(read);
        writer.left().await;
        assert!(matches!(writer.write(Bytes::from_static(b"more")).await, Err(SpoolError::Left)));
    }
}
