//! Which names are files to take in, and which are of files that are still being written.

use super::{PROCESSED, REJECTED, exact};

/// The longest name, in bytes: file systems take 255, and we append to it.
const NAME_MAX: usize = 200;
/// What programs append to a name while they upload.
const ENDINGS: [&str; 10] = [
    ".part",
    ".partial",
    ".filepart",
    ".tmp",
    ".temp",
    ".upload",
    ".uploading",
    ".crdownload",
    ".download",
    ".writing",
];

/// Whether a file of that name can be taken in: none that is still being written, or has a name that cannot stand in an
/// FTP command.
pub fn is_takeable(name: &str) -> bool {
    is_name(name) && !is_temporary(name)
}

/// Whether programs use such a name while they upload, and give the file its own at the end.
pub fn is_uploading(name: &str) -> bool {
    is_name(name) && is_temporary(name)
}

/// Whether a file that was written as `temporary` is called `name` when it is whole.
pub fn is_renamed(temporary: &str, name: &str) -> bool {
    let at_ending = |rest: &str| rest.is_empty() || rest.starts_with('.');
    // `.in.NAME.`, `.NAME.x7Fq2A` (rsync), `~NAME` and `NAME.filepart`.
    let bare = temporary.trim_start_matches(['.', '~']);
    let bare = bare.strip_prefix("in.").unwrap_or(bare);
    [temporary, bare].iter().any(|written| written.strip_prefix(name).is_some_and(at_ending))
}

fn is_temporary(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.starts_with(['.', '~'])
        || name.ends_with('~')
        || ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name != "."
        && name != ".."
        && name != PROCESSED
        && name != REJECTED
        && exact::has_no_backslash(name)
        && !name.chars().any(|c| c == '/' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_folder_or_break_a_command_are_no_names() {
        for name in [
            "arrivals.csv",
            "Lieferung 7, März.csv",
            "a",
            "party.csv",
            "temp",
            "caf\\xe9.csv",
            &"n".repeat(200),
        ] {
            assert!(is_takeable(name) && !is_uploading(name), "{name}");
        }
        for name in ["", "..", "a/b", "a\\b", "a\r\nDELE b", "processed", &"n".repeat(201)] {
            assert!(!is_takeable(name) && !is_uploading(name), "{name}");
        }
    }

    #[test]
    fn names_that_programs_use_while_they_upload_are_left_alone() {
        for name in [
            "a.csv.part",
            "a.csv.filepart",
            "a.csv.partial",
            "a.csv.TMP",
            "a.csv.upload",
            "a.csv.crdownload",
            ".a.csv",
            ".a.csv.x7Fq2A",
            "~a.csv",
            ".in.a.csv",
            ".in.a.csv.",
        ] {
            assert!(is_uploading(name) && !is_takeable(name), "{name}");
            assert!(is_renamed(name, "a.csv") && !is_renamed(name, "b.csv"), "{name}");
        }
    }
}
