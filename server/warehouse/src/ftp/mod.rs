//! The warehouse's files: a folder on an FTP server, watched and taken in.
//!
//! A file is taken when it is complete, row by row, and then moved away on the server. What is counted and what is
//! only moved is kept apart: the book in inventory's store says which lines count, and the server's folders are
//! tidied up afterwards, as often as it takes.

mod client;
mod drop_box;
mod exact;
mod fetch;
mod free;
mod guard;
pub mod http;
mod listing;
mod many;
mod monitor;
mod moved;
mod names;
mod report;
mod server;
mod storage;
mod take;
mod uploads;
mod url;

pub use drop_box::{DropBox, UploadError};
pub use monitor::Monitor;
pub use server::Embedded;
pub use uploads::Uploads;
pub use url::{FtpUrl, FtpUrlError};

/// Where files go that are done.
const PROCESSED: &str = "processed";
/// Where files go that are none, and the reports about bad rows.
const REJECTED: &str = "rejected";
/// How a file is called while it is being written.
const PART: &str = ".part";
