//! Runs in files.

use crate::lab::words::begun;
use flow::{History, Run};

/// All that can be drawn, as a file's text.
pub fn save(history: &History, saved_at: String) -> String {
    Run::of(history, saved_at, String::new()).write()
}

/// A file's text as a history, or what is wrong with it.
pub fn open(text: &str) -> Result<History, String> {
    match Run::read(text) {
        Ok(run) => Ok(run.into_history()),
        Err(error) => Err(begun(&format!("{error}."))),
    }
}
