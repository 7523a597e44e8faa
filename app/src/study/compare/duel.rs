//! What is compared, and how an address names it.

use super::BOTH;
use flow::{Event, History, Id, Kind, Style};
use std::sync::Arc;

/// What stands between the first and the last of a burst in an address.
const TO: &str = "..";

/// The arrivals that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duel {
    /// Choreography's and orchestration's, in the order in which they were sent.
    pub arrivals: [Vec<Id>; 2],
    /// The place in the journal before the first of them.
    pub since: u64,
}

impl Duel {
    /// How many are compared in each style.
    pub fn n(&self) -> usize {
        self.arrivals[0].len()
    }

    /// Every arrival of both styles.
    pub fn all(&self) -> Vec<Id> {
        self.arrivals.iter().flatten().cloned().collect()
    }

    /// How the address names it: by the place in the journal, and by each style's first and last arrival. Those of
    /// one request follow one another, since their ids are made in order while nothing else can be recorded.
    pub fn query(&self) -> String {
        let mut query = format!("at={}", self.since);
        for (style, arrivals) in BOTH.iter().zip(&self.arrivals) {
            if let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) {
                query += &format!("&{style}={first}");
                if last != first {
                    query += &format!("{TO}{last}");
                }
            }
        }
        query
    }
}

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The place in the journal before it.
    pub since: u64,
    /// Each style's first and last arrival.
    ends: [(String, String); 2],
}

impl Named {
    /// What is named by the fields of an address, if anything is.
    pub fn of(query: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let ends = |style: Style| {
            let range = query(style.as_str())?;
            Some(match range.split_once(TO) {
                Some((first, last)) => (first.to_owned(), last.to_owned()),
                None => (range.clone(), range),
            })
        };
        let since = query("at")?.parse().ok()?;
        Some(Self { since, ends: [ends(Style::Choreography)?, ends(Style::Orchestration)?] })
    }

    /// The arrivals themselves, as the journal tells of them; none unless there are as many in both styles.
    pub fn find(&self, history: &History) -> Option<Duel> {
        let mut arrivals: [Vec<Id>; 2] = Default::default();
        for event in history.since(self.since) {
            if let Some((style, id)) = self.begins(event) {
                arrivals[style as usize].push(id);
            }
        }
        let is_whole = !arrivals[0].is_empty() && arrivals[0].len() == arrivals[1].len();
        is_whole.then_some(Duel { arrivals, since: self.since })
    }

    fn begins(&self, event: &Arc<Event>) -> Option<(Style, Id)> {
        let (style, id) = (event.style()?, event.correlation_id.as_ref()?);
        let (first, last) = &self.ends[style as usize];
        let is_named = (first.as_str()..=last.as_str()).contains(&&**id);
        (is_named && matches!(event.kind, Kind::ArrivalReceived { .. })).then(|| (style, Arc::clone(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::event::Origin;
    use flow::{Provenance, Quantity};

    fn journal(arrivals: &[(Style, &str)]) -> History {
        let mut history = History::default();
        for (at, (style, id)) in (1..).zip(arrivals) {
            let quantity = Quantity::parse(1).unwrap();
            let kind = Kind::ArrivalReceived { quantity, origin: Origin::Request };
            let mut event = Event::new(at, Provenance::Service, kind);
            (event.seq, event.system, event.correlation_id) = (at, Some((*style).into()), Some((*id).into()));
            history.push(event);
        }
        history
    }

    fn named(query: &str) -> Option<Named> {
        let fields: Vec<_> = query.split('&').filter_map(|field| field.split_once('=')).collect();
        Named::of(|name| fields.iter().find(|field| field.0 == name).map(|field| field.1.to_owned()))
    }

    #[test]
    fn an_address_names_one_arrival_or_a_burst_and_brings_it_back() {
        use Style::{Choreography as C, Orchestration as O};
        let history = journal(&[
            (C, "00"),
            (C, "10"),
            (O, "11"),
            (C, "12"),
            (O, "13"),
            (C, "14"),
            (O, "15"),
            // Somebody else's.
            (C, "20"),
            (O, "21"),
        ]);
        let burst = Duel {
            arrivals: [
                vec!["10".into(), "12".into(), "14".into()],
                vec!["11".into(), "13".into(), "15".into()],
            ],
            since: 1,
        };
        assert_eq!(burst.query(), "at=1&choreography=10..14&orchestration=11..15");
        assert_eq!(named(&burst.query()).unwrap().find(&history), Some(burst));
        let one = Duel { arrivals: [vec!["12".into()], vec!["13".into()]], since: 3 };
        assert_eq!(one.query(), "at=3&choreography=12&orchestration=13");
        assert_eq!(named(&one.query()).unwrap().find(&history), Some(one));
    }

    #[test]
    fn what_the_journal_does_not_know_or_knows_by_halves_is_not_compared() {
        let history = journal(&[(Style::Choreography, "10"), (Style::Choreography, "11")]);
        let find = |query: &str| named(query).unwrap().find(&history);
        assert_eq!(find("at=0&choreography=30&orchestration=31"), None);
        assert_eq!(find("at=0&choreography=10..11&orchestration=10..11"), None);
        assert_eq!(named("at=0&choreography=10"), None);
        assert_eq!(named("choreography=10&orchestration=11"), None);
    }
}
