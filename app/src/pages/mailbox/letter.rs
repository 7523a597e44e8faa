//! An e-mail, and the system that it comes from.

use flow::{Style, api::Email};

/// An e-mail and the system it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub style: Style,
    pub email: Email,
}

impl Letter {
    /// Its name in the address bar; each system counts its own.
    pub fn key(&self) -> String {
        format!("{}-{}", self.style, self.email.id)
    }

    /// Whether it is that one.
    pub fn is(&self, style: Style, id: i64) -> bool {
        (self.style, self.email.id) == (style, id)
    }
}

/// All e-mails of both systems, the newest first.
pub fn letters([choreography, orchestration]: &[Vec<Email>; 2]) -> Vec<Letter> {
    let of = |style| move |email: &Email| Letter { style, email: email.clone() };
    let mut letters: Vec<_> = choreography
        .iter()
        .map(of(Style::Choreography))
        .chain(orchestration.iter().map(of(Style::Orchestration)))
        .collect();
    letters.sort_by(|a, b| (&b.email.sent_at, b.email.id).cmp(&(&a.email.sent_at, a.email.id)));
    letters
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An e-mail that was kept.
    pub fn email(id: i64, sent_at: &str) -> Email {
        Email {
            id,
            to: "ada@example.com".to_owned(),
            sku: "MUG-RED".parse().unwrap(),
            subject: String::new(),
            body: String::new(),
            sent_at: sent_at.to_owned(),
            correlation_id: None,
            delivery: flow::api::Delivery::None,
            delivery_reason: None,
            tries: 0,
            next_try_at: None,
        }
    }

    #[test]
    fn both_systems_are_listed_together_the_newest_first() {
        let both = [
            vec![email(2, "2026-01-03T00:00:00Z"), email(1, "2026-01-01T00:00:00Z")],
            vec![email(1, "2026-01-02T00:00:00Z")],
        ];
        let keys: Vec<_> = letters(&both).iter().map(Letter::key).collect();
        assert_eq!(keys, ["choreography-2", "orchestration-1", "choreography-1"]);
    }
}
