//! What a server lists, by `MLSD` (RFC 3659) or, where it is older, by `LIST`, which shows lines for people.

use super::client::Entry;
use suppaftp::list::{File, ListParser};

/// The file of a line of `MLSD`, if it is one.
pub fn machine_readable(line: &str) -> Option<Entry> {
    entry(&ListParser::parse_mlsd(line).ok()?)
}

/// A file out of `LIST`, with the line that shows it.
pub struct Shown {
    line: String,
    entry: Entry,
}

impl Shown {
    /// The file of a line, if it is one.
    pub fn new(line: String) -> Option<Self> {
        let entry = entry(&line.parse().ok()?)?;
        Some(Self { line, entry })
    }

    /// Whether its name may begin with blanks: the line does not show where the name begins.
    pub fn is_doubtful(&self) -> bool {
        let before = self.line.strip_suffix(&self.entry.name);
        before.is_none_or(|before| before.chars().rev().take_while(|c| c.is_whitespace()).count() > 1)
    }

    /// The file under its exact name; `names` are all there are, as `NLST` tells them.
    pub fn exact(mut self, names: &[String]) -> Entry {
        let bare = self.entry.name.trim_start();
        let fitting = names.iter().filter(|name| {
            let before = self.line.strip_suffix(name.as_str());
            name.trim_start() == bare && before.is_some_and(|before| before.ends_with(' '))
        });
        if let Some(name) = fitting.max_by_key(|name| name.len()) {
            self.entry.name.clone_from(name);
        }
        self.entry
    }
}

fn entry(file: &File) -> Option<Entry> {
    file.is_file().then(|| Entry {
        name: file.name().to_owned(),
        size: file.size() as u64,
        modified: file.modified(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_only_in_blanks_are_told_apart() {
        let names = ["  a.csv", "a.csv", " a.csv", " b c.csv ", "12:30 a.csv"].map(str::to_owned);
        for name in &names {
            let line = format!("-rw-r--r--    1 0   0      4 Nov 29 20:24 {name}");
            let shown = Shown::new(line).unwrap();
            assert_eq!(shown.is_doubtful(), name.starts_with(' '), "{name:?}");
            assert_eq!(&shown.exact(&names).name, name);
        }
    }

    #[test]
    fn a_name_that_nlst_does_not_tell_stays_as_it_is_shown() {
        let line = "-rw-r--r--    1 0   0      4 Nov 29 20:24   a.csv";
        assert_eq!(Shown::new(line.to_owned()).unwrap().exact(&["./  a.csv".to_owned()]).name, "a.csv");
        assert!(Shown::new("drwxr-xr-x    2 0   0   4096 Nov 29 20:24 processed".to_owned()).is_none());
    }
}
