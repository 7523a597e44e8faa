//! Fetching a file from the server, and knowing it by its content.

use super::client::{Client, ClientError};
use crate::services::inventory::files::Content;
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, path::Path};
use tokio::io::AsyncWriteExt;

/// What came when a file was fetched.
pub struct Fetched {
    /// What it holds.
    pub content: Content,
    /// The hash of as many of its first bytes as were asked for, if it has more.
    pub begins_with: Option<String>,
    /// The line in which it ends, when it has no end.
    pub last_line: Option<LastLine>,
}

/// A line that has no end.
pub struct LastLine {
    /// At which byte it begins.
    pub begins_at: u64,
    /// Its number, from 1.
    pub number: u64,
}

/// Fetches a file, and says what it is; with the hash of its `first` bytes.
///
/// # Errors
/// When the server does not send all of it, or it cannot be written here.
pub async fn fetch(
    client: &mut Client,
    name: &str,
    path: &Path,
    first: Option<u64>,
) -> Result<Fetched, ClientError> {
    let mut file = tokio::fs::File::create(path).await?;
    let mut transfer = client.fetch(name).await?;
    let (mut hash, mut begins_with) = (Sha256::new(), None);
    let (mut size, mut last, mut last_line) = (0_u64, None, LastLine { begins_at: 0, number: 1 });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = transfer.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        let bytes = &buffer[..read];
        match first.and_then(|first| usize::try_from(first.checked_sub(size)?).ok()) {
            Some(rest) if rest < read => {
                hash.update(&bytes[..rest]);
                begins_with = Some(hex(hash.clone()));
                hash.update(&bytes[rest..]);
            }
            _ => hash.update(bytes),
        }
        file.write_all(bytes).await?;
        for (at, byte) in bytes.iter().enumerate() {
            // The other half of a line's end in UTF-16 belongs to it.
            let is_end = matches!(byte, b'\n' | b'\r') || (*byte == 0 && last == Some(b'\n'));
            last_line.number += u64::from(*byte == b'\n');
            if is_end {
                last_line.begins_at = size + at as u64 + 1;
            }
            last = Some(*byte);
        }
        size += read as u64;
    }
    transfer.finish().await?;
    file.flush().await?;
    // What closes something cannot be cut in the middle.
    let is_open = last_line.begins_at < size && !matches!(last, Some(b'}' | b']' | b'"'));
    Ok(Fetched {
        content: Content { hash: hex(hash), size_bytes: size },
        begins_with,
        last_line: is_open.then_some(last_line),
    })
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
