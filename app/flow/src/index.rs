//! From names to numbers: one kind of table for all models, since each further kind makes the page larger.

use crate::Id;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// Finds a pair of numbers by names. The names themselves are not kept, only a hash of 64 bits: among some ten
/// thousand names two have the same one with a chance of one in 10^11.
#[derive(Debug, Clone, Default)]
pub struct Index(HashMap<u64, (usize, usize)>);

/// What stands for the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The key of something of that sort, by its own name and the name of the place where it is.
    pub fn new(sort: &str, name: &str, place: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (sort, name, place).hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Index {
    /// Finds arrivals by their ids: the place of each in the list.
    pub fn of_arrivals<'a>(ids: impl IntoIterator<Item = &'a Id>) -> Self {
        let mut index = Self::default();
        for (place, id) in ids.into_iter().enumerate() {
            index.insert(Key::new("arrival", id, ""), (place, 0));
        }
        index
    }

    /// The place of an arrival in the list of [`Index::of_arrivals`].
    pub fn arrival(&self, id: &str) -> Option<usize> {
        self.get(Key::new("arrival", id, "")).map(|(place, _)| place)
    }

    pub fn get(&self, key: Key) -> Option<(usize, usize)> {
        self.0.get(&key.0).copied()
    }

    pub fn insert(&mut self, key: Key, numbers: (usize, usize)) {
        self.0.insert(key.0, numbers);
    }

    pub fn remove(&mut self, key: Key) {
        self.0.remove(&key.0);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
