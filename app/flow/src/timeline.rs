//! The timeline: for each message in each queue, when it waited, was worked on, asked over HTTP, or was held.
//!
//! Events go in one by one and each costs the same, so that it can follow the live journal as well as be built
//! anew for a playhead. Rows stand under the arrival to which they belong; a view asks for the lines it can show.

mod row;
mod scale;
#[cfg(test)]
mod tests;

pub use row::{Bar, End, Phase, Row};
pub use scale::{Break, IDLE_US, Scale};

use crate::fault::Gate;
use crate::index::{Index, Key};
use crate::picture::system_of;
use crate::{Event, Id, Kind, Sku, System};
use std::collections::VecDeque;

/// How many arrivals are kept; some 50,000 events.
pub const GROUPS: usize = 2_500;

/// Bars by message and queue.
#[derive(Debug, Clone)]
pub struct Timeline {
    system: Option<System>,
    groups: VecDeque<Group>,
    /// How many groups were forgotten, so that the places in `index` stay true.
    forgotten: usize,
    lines: usize,
    /// From a group's or row's names to its group's and its own number.
    index: Index,
    scale: Scale,
}

/// The messages of one arrival, or one message of a stranger.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The arrival's id; of a stranger's message, its own.
    pub id: Id,
    /// In which system.
    pub system: Option<System>,
    /// What it is about.
    pub sku: Option<Sku>,
    /// Its first event's place in the journal.
    pub first_seq: u64,
    /// When its first event happened: microseconds since the Unix epoch.
    pub began_us: u64,
    /// Its messages, each once for each queue.
    pub rows: Vec<Row>,
}

/// One line of the view.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    /// The heading above an arrival's rows.
    Group(&'a Group),
    /// One message in one queue.
    Row(&'a Group, &'a Row),
}

impl Timeline {
    /// An empty timeline of one system's messages, or of all systems'.
    #[must_use]
    pub fn new(system: Option<System>) -> Self {
        Self {
            system,
            groups: VecDeque::new(),
            forgotten: 0,
            lines: 0,
            index: Index::default(),
            scale: Scale::default(),
        }
    }

    /// Where each moment is drawn.
    #[must_use]
    pub const fn scale(&self) -> &Scale {
        &self.scale
    }

    /// The arrivals, oldest first.
    pub fn groups(&self) -> impl DoubleEndedIterator<Item = &Group> + ExactSizeIterator {
        self.groups.iter()
    }

    /// How many lines there are: headings and rows.
    #[must_use]
    pub const fn lines(&self) -> usize {
        self.lines
    }

    /// The lines from number `from`, at most `count` of them.
    #[must_use]
    pub fn window(&self, from: usize, count: usize) -> Vec<Line<'_>> {
        let mut shown = Vec::with_capacity(count.min(self.lines));
        let mut number = 0;
        for group in &self.groups {
            let height = 1 + group.rows.len();
            if number + height > from {
                let lines = std::iter::once(Line::Group(group))
                    .chain(group.rows.iter().map(|row| Line::Row(group, row)));
                for line in lines.skip(from.saturating_sub(number)) {
                    if shown.len() == count {
                        return shown;
                    }
                    shown.push(line);
                }
            }
            number += height;
        }
        shown
    }

    /// The number of the line of a message in a queue; without a queue, of the first row of the message.
    #[must_use]
    pub fn line_of(&self, message_id: &str, queue: Option<&str>) -> Option<usize> {
        let mut number = 0;
        for group in &self.groups {
            let is_it = |row: &Row| {
                &*row.message_id == message_id && (queue.is_none() || row.queue.as_deref() == queue)
            };
            if let Some(at) = group.rows.iter().position(is_it) {
                return Some(number + 1 + at);
            }
            number += 1 + group.rows.len();
        }
        None
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        if self.system.is_some() && system_of(event).is_some_and(|system| Some(system) != self.system) {
            return;
        }
        let at_us = self.scale.reach(event.at_us);
        match &event.kind {
            Kind::Routed { .. } => self.change(event, true, |row| row.routed(event, at_us)),
            // Of what was routed before the first event, the delivery is the first word.
            Kind::Delivered { .. } => self.change(event, true, |row| row.delivered(event, at_us)),
            Kind::Held { gate: Gate::BeforePublish, .. } => {
                self.change(event, true, |row| row.held(event, at_us));
            }
            Kind::ConnectionLost { .. } => {
                let lost = |row: &Row| event.node.is_none() || row.node == event.node;
                self.give_back(event, at_us, &lost);
            }
            Kind::ConsumerStopped { consumer_tag, .. } => {
                let stopped = |row: &Row| row.queue == event.queue && row.tag.as_ref() == Some(consumer_tag);
                self.give_back(event, at_us, &stopped);
            }
            _ => self.change(event, false, |row| row.apply(event, at_us)),
        }
    }

    fn change(&mut self, event: &Event, begins: bool, change: impl FnOnce(&mut Row)) {
        let Some(message_id) = &event.message_id else { return };
        let queue = event.queue.as_deref().unwrap_or_default();
        let key = Key::new("row", message_id, queue);
        let place = match self.index.get(key) {
            Some(place) => place,
            None if begins && !queue.ends_with(".dead") && !queue.ends_with(".retry") => {
                self.new_row(event, message_id, key)
            }
            None => return,
        };
        let group = place.0.checked_sub(self.forgotten).and_then(|at| self.groups.get_mut(at));
        if let Some(row) = group.and_then(|group| group.rows.get_mut(place.1)) {
            change(row);
        }
    }

    fn new_row(&mut self, event: &Event, message_id: &Id, key: Key) -> (usize, usize) {
        let id = event.correlation_id.as_ref().unwrap_or(message_id);
        let group_key = Key::new("group", id, "");
        let number = match self.index.get(group_key) {
            Some((number, _)) => number,
            None => {
                if self.groups.len() >= GROUPS {
                    self.forget_oldest();
                }
                self.groups.push_back(Group {
                    id: id.clone(),
                    system: system_of(event),
                    sku: event.sku,
                    first_seq: event.seq,
                    began_us: event.at_us,
                    rows: Vec::with_capacity(3),
                });
                self.lines += 1;
                let number = self.forgotten + self.groups.len() - 1;
                self.index.insert(group_key, (number, 0));
                number
            }
        };
        let rows = &mut self.groups[number - self.forgotten].rows;
        rows.push(Row::new(message_id.clone(), event.queue.clone()));
        self.lines += 1;
        let place = (number, rows.len() - 1);
        self.index.insert(key, place);
        place
    }

    fn forget_oldest(&mut self) {
        let Some(group) = self.groups.pop_front() else { return };
        self.forgotten += 1;
        self.lines -= 1 + group.rows.len();
        self.index.remove(Key::new("group", &group.id, ""));
        for row in &group.rows {
            self.index.remove(Key::new("row", &row.message_id, row.queue.as_deref().unwrap_or_default()));
        }
    }

    /// What consumers that are gone had in hand goes back into its queue.
    fn give_back(&mut self, event: &Event, at_us: u64, is_gone: &dyn Fn(&Row) -> bool) {
        let of_system = |group: &&mut Group| event.system.is_none() || group.system == event.system;
        for row in self.groups.iter_mut().filter(of_system).flat_map(|group| &mut group.rows) {
            if is_gone(row) {
                row.given_back(event.seq, at_us);
            }
        }
    }
}
