//! Names that the broker makes up.

use std::hash::{BuildHasher, RandomState};

/// Makes names nobody can guess, for `amq.gen-`, `amq.ctag-` and reply addresses: whoever knows the name of
/// a queue can read it.
pub(crate) struct Names {
    /// Keyed by the operating system's randomness.
    keys: [RandomState; 2],
    made: u64,
}

impl Names {
    pub(crate) fn random() -> Self {
        Self { keys: [RandomState::new(), RandomState::new()], made: 0 }
    }

    /// `prefix-` and 22 characters of base64url, as RabbitMQ does it.
    pub(crate) fn make(&mut self, prefix: &str) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const CHARACTERS: usize = 22;
        self.made += 1;
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(self.made)));
        let mut bits = high << 64 | low;
        let mut name = String::with_capacity(prefix.len() + 1 + CHARACTERS);
        name.push_str(prefix);
        name.push('-');
        for _ in 0..CHARACTERS {
            name.push(char::from(ALPHABET[(bits & 63) as usize]));
            bits >>= 6;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn no_name_is_made_twice() {
        let mut names = Names::random();
        let (one, two) = (names.make("amq.gen"), names.make("amq.gen"));
        assert_ne!(one, two);
        assert!(one.starts_with("amq.gen-") && one.len() == 30);
    }
}
