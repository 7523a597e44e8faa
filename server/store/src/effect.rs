//! What a message led to in a service's store: something new, or a decision to leave it as it is.

use flow::Kind;

#[derive(Debug)]
pub enum Effect<T> {
    /// Something new is stored.
    Stored(T),
    /// What is stored is as new already, or newer.
    NothingNewer {
        /// The version that is stored.
        known_version: u64,
    },
    /// The inbox has the message: it was handled before.
    Duplicate {
        /// The version that is stored, if any.
        known_version: Option<u64>,
    },
}

impl<T> Effect<T> {
    /// The decision, if it was one, about a message that led to `offered_version`: for the journal. That something is known
    /// already is the rule where messages overtake each other, and no news.
    #[must_use]
    pub fn decision(&self, offered_version: Option<u64>) -> Option<Kind> {
        match (self, offered_version) {
            (&Self::Duplicate { known_version }, _) => {
                Some(Kind::DuplicateIgnored { known_version, offered_version })
            }
            (&Self::NothingNewer { known_version }, Some(offered_version))
                if offered_version < known_version =>
            {
                Some(Kind::OlderVersionIgnored { known_version, offered_version })
            }
            _ => None,
        }
    }
}
