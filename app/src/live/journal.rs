//! The part of the journal that is at hand in this tab, and the picture after its last event.

use flow::{Event, Kind, Picture};
use std::{collections::VecDeque, sync::Arc};

/// How many events are kept for the log and the inspector.
pub const KEPT: usize = 5_000;

/// The picture and the events that led to it.
#[derive(Debug, Default)]
pub struct Journal {
    picture: Picture,
    events: VecDeque<Arc<Event>>,
}

/// What a batch of events means for pages that ask the server for lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The place of the last event that changed what is for sale.
    pub stock: Option<u64>,
    /// The place of the last e-mail.
    pub mail: Option<u64>,
}

impl Journal {
    /// Starts from a picture.
    #[must_use]
    pub const fn new(picture: Picture) -> Self {
        Self { picture, events: VecDeque::new() }
    }

    /// How things stand.
    #[must_use]
    pub const fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The events at hand, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Arc<Event>> + ExactSizeIterator {
        self.events.iter()
    }

    /// The event with that place, if it is at hand.
    #[must_use]
    pub fn event(&self, seq: u64) -> Option<&Arc<Event>> {
        let place = self.events.partition_point(|event| event.seq < seq);
        self.events.get(place).filter(|event| event.seq == seq)
    }

    /// Takes in what came over the stream. What is known already is passed over.
    pub fn take(&mut self, batch: impl IntoIterator<Item = Event>) -> News {
        let mut news = News::default();
        for event in batch {
            if event.seq <= self.picture.seq {
                continue;
            }
            self.picture.apply(&event);
            match event.kind {
                Kind::StateChanged { .. } | Kind::StockRecorded { .. } => news.stock = Some(event.seq),
                Kind::EmailSent { .. } => news.mail = Some(event.seq),
                _ => {}
            }
            if self.events.len() == KEPT {
                self.events.pop_front();
            }
            self.events.push_back(Arc::new(event));
        }
        news
    }

    /// Puts older events in front, for the log of a page that has just been opened.
    pub fn prepend(&mut self, older: Vec<Event>) {
        let first = self.events.front().map_or(self.picture.seq + 1, |event| event.seq);
        for event in older.into_iter().rev().filter(|event| event.seq < first) {
            if self.events.len() < KEPT {
                self.events.push_front(Arc::new(event));
            }
        }
    }

    /// Everything after `seq`, unless some of it is no longer at hand.
    #[must_use]
    pub fn after(&self, seq: u64) -> Option<Vec<Arc<Event>>> {
        if seq >= self.picture.seq {
            return Some(Vec::new());
        }
        let place = self.events.partition_point(|event| event.seq <= seq);
        let next = self.events.get(place)?;
        (next.seq == seq + 1).then(|| self.events.range(place..).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Provenance;

    fn events(seqs: impl IntoIterator<Item = u64>) -> Vec<Event> {
        seqs.into_iter()
            .map(|seq| {
                let mut event = Event::new(seq, Provenance::Service, Kind::HandlerStarted);
                event.seq = seq;
                event
            })
            .collect()
    }

    #[test]
    fn what_comes_twice_counts_once() {
        let mut journal = Journal::default();
        journal.take(events(1..=5));
        journal.take(events(3..=7));
        let seqs: Vec<_> = journal.events().map(|event| event.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(journal.picture().seq, 7);
    }

    #[test]
    fn what_is_no_longer_at_hand_is_a_gap_and_not_a_short_answer() {
        let mut journal = Journal::default();
        journal.take(events(1..=KEPT as u64 + 10));
        assert_eq!(journal.events().len(), KEPT);
        assert!(journal.after(9).is_none());
        assert_eq!(journal.after(10).map(|events| events.len()), Some(KEPT));
        assert_eq!(journal.after(KEPT as u64 + 10), Some(Vec::new()));
    }

    #[test]
    fn older_events_go_in_front_without_doubles() {
        let mut journal = Journal::new(Picture { seq: 10, ..Picture::default() });
        journal.take(events(11..=12));
        journal.prepend(events(8..=11));
        let seqs: Vec<_> = journal.events().map(|event| event.seq).collect();
        assert_eq!(seqs, [8, 9, 10, 11, 12]);
        assert_eq!(journal.event(9).map(|event| event.seq), Some(9));
    }
}
