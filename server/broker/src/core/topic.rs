//! Topic matching (spec 3.1.3.3): words separated by dots, `*` is one word, `#` any number of them.

/// Whether a routing key matches a binding pattern.
pub(crate) fn matches(pattern: &str, routing_key: &str) -> bool {
    // An empty key has no words, not one empty word: `#` matches it and `*` does not.
    let pattern: Vec<&str> = words(pattern);
    let key: Vec<&str> = words(routing_key);

    // Greedy with one step back to the latest `#`: linear in practice, never exponential, so a pattern
    // full of `#` cannot be used to keep the broker busy.
    let (mut p, mut k) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while k < key.len() {
        match pattern.get(p) {
            Some(&"#") => {
                retry = Some((p, k));
                p += 1;
            }
            Some(&word) if word == "*" || word == key[k] => {
                p += 1;
                k += 1;
            }
            _ => match retry {
                Some((hash, from)) => {
                    retry = Some((hash, from + 1));
                    p = hash + 1;
                    k = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&word| word == "#")
}

fn words(text: &str) -> Vec<&str> {
    if text.is_empty() { Vec::new() } else { text.split('.').collect() }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_exactly_one_word() {
        assert!(matches("*.orange.*", "quick.orange.rabbit"));
        assert!(!matches("*.orange.*", "orange.rabbit"));
        assert!(!matches("*", ""));
        assert!(matches("*", "a"));
    }

    #[test]
    fn a_hash_is_any_number_of_words() {
        assert!(matches("#", ""));
        assert!(matches("#", "a.b.c"));
        assert!(matches("lazy.#", "lazy"));
        assert!(matches("lazy.#", "lazy.orange.male"));
        assert!(matches("#.b.#.d", "a.b.b.c.d"));
        assert!(!matches("#.b.#.d", "a.c.d"));
    }

    #[test]
    fn words_match_as_a_whole() {
        assert!(matches("a.b", "a.b"));
        assert!(!matches("a.b", "a.bc"));
        assert!(!matches("a.b", "a.b.c"));
        assert!(!matches("a.b.c", "a.b"));
        assert!(matches("a..b", "a..b"));
        assert!(matches("a.*.b", "a..b"));
    }
}
