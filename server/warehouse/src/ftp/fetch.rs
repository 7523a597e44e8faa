//! Fetching a file from the server, and knowing it by its content.

use super::client::{Client, ClientError};
use inventory::files::Content;
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, path::Path};
use tokio::io::AsyncWriteExt;

/// What came when a file was fetched.
pub struct Fetched {
    pub content: Content,
    /// The hash of as many of its first bytes as were asked for, if it has more.
    pub begins_with: Option<String>,
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
    let mut size = 0_u64;
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
        size += read as u64;
    }
    transfer.finish().await?;
    file.flush().await?;
    Ok(Fetched { content: Content { hash: hex(hash), size_bytes: size }, begins_with })
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
