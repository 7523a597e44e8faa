//! The same arrival through both styles: what was sent, and how far it is shown.

use flow::{Id, Picture, Style};

/// What is compared. Plain data, from which the page is drawn.
#[derive(Debug, Default)]
pub struct Duel {
    /// The pair that was sent last: choreography's arrival and orchestration's.
    pub pair: Vec<Id>,
    /// Every arrival that was sent from this page.
    pub all: Vec<Id>,
    /// The place in the journal before the last pair.
    pub since: u64,
    /// How many steps of both together are shown: the playhead.
    pub count: usize,
    /// Whether the playhead moves by itself.
    pub is_playing: bool,
}

/// What the playhead's place means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// How many steps there are so far.
    pub total: usize,
    /// Each style's place in the journal; none when nothing of it is compared.
    pub places: [Option<u64>; 2],
    /// The last shown step.
    pub last: Option<(Style, u64)>,
}

impl Shown {
    /// The latest of both places, or else the picture's own.
    #[must_use]
    pub fn seq(&self, now: &Picture) -> u64 {
        self.places.iter().flatten().max().copied().unwrap_or(now.seq)
    }
}
