//! The book of the warehouse's files: how far each has been taken in.
//!
//! How far is written in the transaction that records the rows' arrivals, so that a row counts once however often
//! the file is read. A file is known by its name and its content: the same name with other content is a new
//! delivery, the same content again under the same name is the same delivery.

pub(crate) mod rows;
pub mod sqlite;

use async_trait::async_trait;
use flow::api::{FileState, WarehouseFile};
use std::fmt::Debug;
use store::StoreError;

/// Why the row in which a file ends does not count, where nobody knows that the file is whole.
pub const CUT: &str = "the file ends in this row without a line's end, so it may be cut; end it with a line break, or \
                       upload the file as NAME.part and rename it";

/// A file that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    pub id: i64,
    pub name: String,
    pub state: FileState,
    /// Whether it was read before, so that some of its rows may count.
    pub is_known: bool,
    /// Whether all of its rows are taken in, and only the moving is left.
    pub is_counted: bool,
}

/// What a file turns out to be once its content is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// It is to be read from behind line `lines_done` on, under that id.
    Read {
        /// The id under which it goes on: a new one when the content was replaced meanwhile.
        id: i64,
        /// How many lines have been taken in before.
        lines_done: u64,
    },
    /// All of it was taken in before.
    Repeat { of: i64 },
}

/// A file that is there.
#[derive(Debug, Clone)]
pub struct Sighted {
    pub name: String,
    pub size_bytes: u64,
    /// Whether it is being uploaded, or only seen.
    pub state: FileState,
    /// What is to say about it.
    pub reason: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The SHA-256 of it, in hexadecimal digits.
    pub hash: String,
    pub size_bytes: u64,
}

/// A line that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// Why it does not count.
    pub reason: String,
}

/// What a batch of lines adds to a file.
#[derive(Debug, Clone)]
pub struct Advance {
    pub id: i64,
    /// How many lines had been taken in before.
    pub from_line: u64,
    /// How many lines have been taken in with it.
    pub to_line: u64,
    pub good: u64,
    /// Lines that do not.
    pub bad: Vec<BadLine>,
    /// Whether that was all of the file.
    pub is_last: bool,
}

/// The book.
///
/// Every change is on disk when its method returns, and undone as a whole when it fails.
#[async_trait]
pub trait FileBook: Debug + Send + Sync {
    /// Notes that files are there; answers their ids.
    ///
    /// # Errors
    /// When the store fails.
    async fn sight(&self, sighted: Vec<Sighted>) -> Result<Vec<i64>, StoreError>;

    /// What of a file was read before, if anything.
    ///
    /// # Errors
    /// When the store fails.
    async fn known(&self, id: i64) -> Result<Option<Content>, StoreError>;

    /// Says what a file is, now that its content is known; `is_longer` when it begins with all that was known of it. It is
    /// noted how it is written, where that is known.
    ///
    /// # Errors
    /// When the store fails.
    async fn identify(
        &self,
        id: i64,
        content: Content,
        is_longer: bool,
        format: Option<String>,
    ) -> Result<Identity, StoreError>;

    /// Notes where an unfinished file stands, and why.
    ///
    /// # Errors
    /// When the store fails.
    async fn note(&self, id: i64, state: FileState, reason: Option<String>) -> Result<(), StoreError>;

    /// Notes the line for which a whole file is refused.
    ///
    /// # Errors
    /// When the store fails.
    async fn refuse(&self, id: i64, bad: BadLine) -> Result<(), StoreError>;

    /// The name of a file's report, if it has one.
    ///
    /// # Errors
    /// When the store fails.
    async fn report(&self, id: i64) -> Result<Option<String>, StoreError>;

    /// Gives a file's report the first of these names that no other file's report has, and answers it; `None` when they
    /// have them all.
    ///
    /// # Errors
    /// When the store fails.
    async fn name_report(&self, id: i64, names: Vec<String>) -> Result<Option<String>, StoreError>;

    /// Notes that all of a file's rows are taken in.
    ///
    /// # Errors
    /// When the store fails.
    async fn counted(&self, id: i64) -> Result<(), StoreError>;

    /// Notes that a file is done.
    ///
    /// # Errors
    /// When the store fails.
    async fn done(&self, id: i64, state: FileState, reason: Option<String>) -> Result<(), StoreError>;

    /// Forgets a file that was seen and went away before it was read.
    ///
    /// # Errors
    /// When the store fails.
    async fn forget(&self, id: i64) -> Result<(), StoreError>;

    /// The files that are not done, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    async fn open(&self) -> Result<Vec<OpenFile>, StoreError>;

    /// The files, newest first.
    ///
    /// # Errors
    /// When the store fails.
    async fn list(&self) -> Result<Vec<WarehouseFile>, StoreError>;

    /// One file.
    ///
    /// # Errors
    /// When the store fails.
    async fn find(&self, id: i64) -> Result<Option<WarehouseFile>, StoreError>;

    /// Up to `limit` lines of a file that do not count, behind line `after`.
    ///
    /// # Errors
    /// When the store fails.
    async fn errors(&self, id: i64, after: u64, limit: u32) -> Result<Vec<BadLine>, StoreError>;
}

#[cfg(test)]
mod tests;
