//! From names to numbers: one kind of table for all models, since each further kind makes the page larger.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// Finds a pair of numbers by names. The names themselves are not kept, only a hash of 64 bits: among some ten
/// thousand names two have the same one with a chance of one in 10^11.
#[derive(Debug, Clone, Default)]
pub struct Index(HashMap<u64, (usize, usize)>);

/// What stands for the names.
#[derive(Debug, Clone, Copy)]
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
