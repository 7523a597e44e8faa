//! Who does something to the system from outside: a person at a browser, or a program that calls the API.

use crate::Id;

/// The longest name that one may give oneself, in characters.
pub const NAME_MAX: usize = 40;
/// The longest id of a browser, in bytes.
pub const ID_MAX: usize = 40;

/// Who it was, as far as they say so. It is a name tag and no proof: nobody has to log in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The name that they gave themselves.
    pub name: Option<Id>,
    /// Their browser, by an id that tells nothing else; none for a program.
    pub id: Option<Id>,
}

/// A name or id that cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadActor {
    /// It is too long, or has what cannot be seen in it.
    #[error("use 1 to {NAME_MAX} characters, and no control characters")]
    Name,
    /// It is no id.
    #[error("an id is 1 to {ID_MAX} letters, digits and hyphens")]
    Id,
}

/// Controls, and what would turn around the words after a name: embeddings, overrides and isolates (Unicode 16,
/// section 23.2).
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl Actor {
    /// Checks a name; one of nothing but spaces is none.
    ///
    /// # Errors
    /// When it is too long, or has control characters, among them those that change the direction of what follows.
    pub fn parse_name(text: &str) -> Result<Option<Id>, BadActor> {
        let name = text.trim();
        // What joins or separates letters may stand between them, as in emoji, and shows nothing by itself.
        let is_seen = |c: char| {
            !matches!(
                c,
                '\u{AD}' | '\u{115F}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{3164}' | '\u{FEFF}'
            )
        };
        let is_nothing = !name.is_empty() && !name.chars().any(is_seen);
        if name.chars().count() > NAME_MAX || text.chars().any(is_hidden) || is_nothing {
            return Err(BadActor::Name);
        }
        Ok((!name.is_empty()).then(|| name.into()))
    }

    /// A name out of what somebody typed: without what [`Self::parse_name`] refuses, and no longer than it may be.
    #[must_use]
    pub fn clean_name(text: &str) -> String {
        let shown: String = text.chars().filter(|&c| !is_hidden(c)).collect();
        shown.trim().chars().take(NAME_MAX).collect()
    }

    /// Checks a browser's id.
    ///
    /// # Errors
    /// When it is empty, too long or has other characters than letters, digits and hyphens.
    pub fn parse_id(text: &str) -> Result<Id, BadActor> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=ID_MAX).contains(&text.len()) && text.bytes().all(fits) {
            Ok(text.into())
        } else {
            Err(BadActor::Id)
        }
    }

    /// Who is told by a name, which may be empty, and an id; none where nobody is.
    #[must_use]
    pub fn told(name: Option<Id>, id: Option<Id>) -> Option<Self> {
        let is_told = name.is_some() || id.is_some();
        is_told.then(|| Self { name: name.filter(|name| !name.is_empty()), id })
    }

    /// Whether it is the reader at the browser of that id.
    #[must_use]
    pub fn is(&self, reader: Option<&str>) -> bool {
        self.id.is_some() && self.id.as_deref() == reader
    }

    /// Who it is, to the reader at the browser of that id.
    #[must_use]
    pub fn seen_by(&self, reader: Option<&str>) -> &str {
        match (&self.name, &self.id) {
            _ if self.is(reader) => "you",
            (Some(name), _) => name,
            (None, Some(_)) => "somebody at another browser",
            (None, None) => "somebody by the API",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_you_to_oneself_and_a_name_or_somebody_to_others() {
        let of =
            |name: Option<&str>, id: Option<&str>| Actor { name: name.map(Id::from), id: id.map(Id::from) };
        assert_eq!(of(Some("Ada"), Some("b1")).seen_by(Some("b1")), "you");
        assert_eq!(of(Some("Ada"), Some("b1")).seen_by(Some("b2")), "Ada");
        assert_eq!(of(None, Some("b1")).seen_by(None), "somebody at another browser");
        assert_eq!(of(Some("Ada"), None).seen_by(Some("b2")), "Ada");
        assert_eq!(of(None, None).seen_by(None), "somebody by the API");
        assert!(!of(None, None).is(None), "whom nobody knows is not the reader");
    }

    #[test]
    fn a_name_that_would_spoil_the_words_around_it_is_refused() {
        assert_eq!(Actor::parse_name(" Grüße 👋 "), Ok(Some("Grüße 👋".into())));
        assert_eq!(Actor::parse_name("   "), Ok(None));
        assert!(Actor::parse_name(&"é".repeat(NAME_MAX)).is_ok());
        assert_eq!(Actor::clean_name("  Grüße \u{202e}adA  "), "Grüße adA");
        for bad in [&*"é".repeat(NAME_MAX + 1), "a\u{0007}b", "a\nb", "a\u{202E}b"] {
            assert!(Actor::parse_name(&Actor::clean_name(bad)).is_ok(), "{bad:?}");
            assert_eq!(Actor::parse_name(bad), Err(BadActor::Name), "{bad:?}");
        }
        assert!(Actor::parse_id("0a1b-2c").is_ok());
        for bad in ["", "a b", "<i>", &*"a".repeat(ID_MAX + 1)] {
            assert_eq!(Actor::parse_id(bad), Err(BadActor::Id), "{bad:?}");
        }
    }
}
