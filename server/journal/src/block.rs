//! Events as they are written, kept and sent: serialised once.

use bytes::Bytes;
use memchr::memmem;

/// What stands between two events. Within a text JSON puts a backslash before each quote, and nothing else in an event
/// begins with its place.
const BETWEEN: &[u8] = b",{\"seq\":";

/// Events that follow on each other, as JSON with commas between them: what stands between the brackets of an array.
#[derive(Debug, Clone)]
pub struct Block {
    first: u64,
    last: u64,
    text: Bytes,
}

impl Block {
    /// The events from `first` to `last`.
    pub(super) const fn new(first: u64, last: u64, text: Bytes) -> Self {
        Self { first, last, text }
    }

    /// The first event's place.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The last event's place.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    #[must_use]
    pub const fn text(&self) -> &Bytes {
        &self.text
    }

    /// Its events after `after`, up to `upto`; none when there are none.
    pub(super) fn between(&self, after: u64, upto: u64) -> Option<Self> {
        let (first, last) = (self.first.max(after.saturating_add(1)), self.last.min(upto));
        if first > last {
            return None;
        }
        if (first, last) == (self.first, self.last) {
            return Some(self.clone());
        }
        let (mut begin, mut end) = (0, self.text.len());
        for (seq, comma) in (self.first + 1..).zip(memmem::find_iter(&self.text, BETWEEN)) {
            if seq == first {
                begin = comma + 1;
            }
            if seq == last + 1 {
                end = comma;
                break;
            }
        }
        Some(Self { first, last, text: self.text.slice(begin..end) })
    }
}

/// The blocks as one JSON array.
#[must_use]
pub fn array(blocks: &[Block]) -> Vec<u8> {
    let mut text = Vec::with_capacity(2 + blocks.iter().map(|block| block.text.len() + 1).sum::<usize>());
    text.push(b'[');
    for (n, block) in blocks.iter().enumerate() {
        if n > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&block.text);
    }
    text.push(b']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Event, Kind, Provenance};

    #[test]
    fn a_block_is_cut_between_its_events_whatever_they_say() {
        let events: Vec<Event> = (5..12)
            .map(|seq| {
                let reason = format!("{seq},{{\"seq\":{seq}\n");
                let mut event = Event::new(1, Provenance::Service, Kind::DeadLettered { reason });
                (event.seq, event.node) = (seq, Some(flow::Node::Foreign(",{\"seq\":".into())));
                event
            })
            .collect();
        let texts: Vec<_> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let block = Block::new(5, 11, texts.join(",").into());
        for after in 3..13 {
            for upto in 3..14 {
                let expected: Vec<_> =
                    events.iter().filter(|event| event.seq > after && event.seq <= upto).cloned().collect();
                let cut: Vec<Block> = block.between(after, upto).into_iter().collect();
                assert_eq!(serde_json::from_slice::<Vec<Event>>(&array(&cut)).unwrap(), expected);
                if let Some(cut) = cut.first() {
                    assert_eq!(
                        (cut.first(), cut.last()),
                        (expected[0].seq, expected[expected.len() - 1].seq)
                    );
                }
            }
        }
    }
}
