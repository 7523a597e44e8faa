//! The warehouse's files.

use crate::words::words;
use serde::{Deserialize, Serialize};

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It is there; whether it is complete is not known yet.
    Seen,
    /// It is being sent, or its sender went away in the middle: nothing of it counts so far.
    Uploading,
    /// Its rows are being taken in.
    Reading,
    /// It is done, and moved to `processed/`.
    Processed,
    /// It was no such file, and was moved to `rejected/`.
    Rejected,
    /// It cannot be read for now; the reason says why, and it is tried again.
    Waiting,
}

words!(
    FileState {
        Seen = "seen",
        Uploading = "uploading",
        Reading = "reading",
        Processed = "processed",
        Rejected = "rejected",
        Waiting = "waiting",
    },
    UnknownFileState,
    "{0:?} is not a state of a file"
);

/// The answer to `POST /api/files/{name}`: the file is on the server, complete, under that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The file's name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
}

/// One file, as `GET /api/files` tells it: `{"files":[…],"server":…}`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseFile {
    /// Its name at this server: names and contents can come again, this does not.
    pub id: i64,
    /// The file's name.
    pub name: String,
    /// Where it stands.
    pub state: FileState,
    /// Rows that count.
    pub rows_good: u64,
    /// Rows that do not; `GET /api/files/{id}/errors.csv` says why, each.
    pub rows_bad: u64,
    /// The file's size.
    pub size_bytes: u64,
    /// When it was seen first; RFC 3339.
    pub seen_at: String,
    /// When it was done; RFC 3339.
    pub done_at: Option<String>,
    /// What is wrong with the whole of it, if anything.
    pub reason: Option<String>,
    /// How it is written, once that is known: `semicolon, Windows-1252, CRLF`.
    pub format: Option<String>,
}

/// The answer to `GET /api/files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseFiles {
    /// The files, newest first.
    pub files: Vec<WarehouseFile>,
    /// The FTP server that is watched, without its password.
    pub server: String,
    /// Why it cannot be watched for now, if so.
    pub trouble: Option<String>,
}
