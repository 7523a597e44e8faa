//! The warehouse's files: a folder on an FTP server, watched and taken in.
//!
//! A file is taken when it is complete, row by row, and then moved away on the server. What is counted and what is
//! only moved is kept apart: the book in inventory's store says which lines count, and the server's folders are
//! tidied up afterwards, as often as it takes.

mod client;
mod drop_box;
mod guard;
pub mod http;
mod monitor;
mod server;
mod take;
mod url;

pub use drop_box::{DropBox, UploadError};
pub use monitor::Monitor;
pub use server::Embedded;
pub use url::{FtpUrl, FtpUrlError};

/// Where files go that are done.
const PROCESSED: &str = "processed";
/// Where files go that are none, and the reports about bad rows.
const REJECTED: &str = "rejected";
/// How a file is called while it is being written.
const PART: &str = ".part";
/// The longest name, in bytes: file systems take 255, and we append to it.
const NAME_MAX: usize = 200;

/// Whether a file of that name can be taken in: none that is still being written, is hidden, or has a name that
/// cannot stand in an FTP command.
fn is_takeable(name: &str) -> bool {
    is_name(name) && !name.ends_with(PART)
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && !name.starts_with('.')
        && name != PROCESSED
        && name != REJECTED
        && !name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_folder_or_break_a_command_are_no_names() {
        for name in ["arrivals.csv", "Lieferung 7, März.csv", "a", &"n".repeat(200)] {
            assert!(is_takeable(name), "{name}");
        }
        for name in
            ["", ".hidden", "..", "a/b", "a\\b", "a\r\nDELE b", "processed", "a.csv.part", &"n".repeat(201)]
        {
            assert!(!is_takeable(name), "{name}");
        }
    }
}
