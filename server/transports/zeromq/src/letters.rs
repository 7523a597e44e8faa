//! What is parked: a file for each letter in a folder of its queue, which nobody loses but the disk. A file is a line of headers
//! ([`crate::frames::Headers`]) and the body.

use crate::frames::Headers;
use flow::topology::Queue;
use messaging::{Envelope, transport::Lost};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// A letter, and the file that is it.
#[derive(Debug, Clone)]
pub struct Letter {
    pub envelope: Envelope,
    path: PathBuf,
}

/// The folder of a queue's letters, below that of all.
fn folder_of(folder: &Path, queue: &Queue) -> PathBuf {
    folder.join(format!("{}-{}", queue.style, queue.service))
}

/// Parks a message. It is on the disk when this returns.
///
/// # Errors
/// When the disk does not take it.
pub fn park(folder: &Path, queue: &Queue, envelope: &Envelope) -> io::Result<()> {
    let folder = folder_of(folder, queue);
    fs::create_dir_all(&folder)?;
    // In the order in which they were parked.
    let name = Uuid::now_v7().to_string();
    let unfinished = folder.join(format!("{name}.tmp"));
    let mut file = File::create(&unfinished)?;
    file.write_all(&Headers::of(envelope).to_json())?;
    file.write_all(b"\n")?;
    file.write_all(&envelope.body)?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(name))?;
    File::open(&folder)?.sync_all()
}

/// What is parked of a queue, oldest first.
///
/// # Errors
/// When the folder cannot be read.
pub fn of(folder: &Path, queue: &Queue) -> Result<Vec<Letter>, Lost> {
    let mut letters = Vec::new();
    for path in paths(&folder_of(folder, queue)).map_err(lost)? {
        let content = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            content => content.map_err(lost)?,
        };
        let line = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
        let body = content.get(line + 1..).unwrap_or_default();
        match serde_json::from_slice::<Headers>(&content[..line]) {
            Ok(headers) => letters.push(Letter { envelope: headers.envelope(body), path }),
            Err(error) => tracing::warn!(path = %path.display(), %error, "this is not a parked message"),
        }
    }
    Ok(letters)
}

/// How many are parked of a queue.
#[must_use]
pub fn count(folder: &Path, queue: &Queue) -> u64 {
    paths(&folder_of(folder, queue)).map_or(0, |paths| paths.len() as u64)
}

fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_none());
    paths.sort_unstable();
    Ok(paths)
}

impl Letter {
    /// Takes it out for good; `false` when it is not there any more.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn discard(&self) -> Result<bool, Lost> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(lost(error)),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn lost(error: io::Error) -> Lost {
    Lost(format!("the folder of parked messages: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Service, Style, System, Transport};
    use messaging::envelope::PastAttempt;

    #[test]
    fn what_is_parked_reads_back_in_order_and_goes_once() {
        let folder = tempfile::tempdir().unwrap();
        let system = System { style: Style::Choreography, transport: Transport::Zeromq };
        let queue = system.queue_of(Service::Catalog);
        let letter = |id: &str, body: &[u8]| {
            let headers = Headers { message_id: id.into(), ..Headers::default() };
            let mut envelope = headers.envelope(body);
            envelope.past = vec![PastAttempt { attempt: 1, reason: "500".into(), at: "now".into() }];
            envelope.reason = Some("gave up".into());
            envelope
        };
        assert_eq!(of(folder.path(), queue).unwrap().len(), 0);
        for (id, body) in [("a", &b"{}\n{}"[..]), ("b", b"\xff\n"), ("c", b"")] {
            park(folder.path(), queue, &letter(id, body)).unwrap();
        }
        let parked = of(folder.path(), queue).unwrap();
        let told: Vec<_> = parked.iter().map(|one| format!("{:?}", one.envelope)).collect();
        let expected =
            [letter("a", b"{}\n{}"), letter("b", b"\xff\n"), letter("c", b"")].map(|one| format!("{one:?}"));
        assert_eq!(told, expected);
        assert_eq!((parked[1].discard(), parked[1].discard()), (Ok(true), Ok(false)));
        assert_eq!(count(folder.path(), queue), 2);
        assert_eq!(count(folder.path(), system.queue_of(Service::Wishlist)), 0);
    }
}
