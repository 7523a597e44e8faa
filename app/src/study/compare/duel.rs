//! What is compared, and how an address names it.

use super::pair::Pair;
use flow::compare::Contender;
use flow::{Event, History, Id, Kind};
use std::sync::Arc;

/// What stands between the first and the last of a burst in an address.
const TO: &str = "..";

/// The arrivals that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duel {
    /// Where they were sent.
    pub pair: Pair,
    /// The left side's and the right side's, in the order in which they were sent.
    pub arrivals: [Vec<Id>; 2],
    /// The place in the journal before the first of them.
    pub since: u64,
}

impl Duel {
    /// How many are compared on each side.
    pub fn n(&self) -> usize {
        self.arrivals[0].len()
    }

    /// Every arrival of both sides.
    pub fn all(&self) -> Vec<Id> {
        self.arrivals.iter().flatten().cloned().collect()
    }

    /// Both sides, with their arrivals.
    pub fn contenders(&self) -> [Contender; 2] {
        let contender = |side: usize| Contender {
            system: self.pair.systems()[side],
            arrivals: self.arrivals[side].clone(),
        };
        [contender(0), contender(1)]
    }

    /// How the address names it: by the place in the journal, and by each side's first and last arrival. Those of
    /// one request follow one another, since their ids are made in order while nothing else can be recorded.
    pub fn query(&self) -> String {
        let mut query = format!("at={}", self.since);
        for (side, arrivals) in self.arrivals.iter().enumerate() {
            if let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) {
                query += &format!("&{}={first}", key(self.pair, side));
                if last != first {
                    query += &format!("{TO}{last}");
                }
            }
        }
        query
    }
}

/// By what name an address has a side's arrivals.
fn key(pair: Pair, side: usize) -> String {
    if pair.has_both_styles() { pair.key(side).to_owned() } else { format!("{}-arrivals", pair.key(side)) }
}

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pair: Pair,
    /// The place in the journal before it.
    pub since: u64,
    /// Each side's first and last arrival.
    ends: [(String, String); 2],
}

impl Named {
    /// What is named by the fields of an address, if anything is.
    pub fn of(pair: Pair, query: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let ends = |side: usize| {
            let range = query(&key(pair, side))?;
            Some(match range.split_once(TO) {
                Some((first, last)) => (first.to_owned(), last.to_owned()),
                None => (range.clone(), range),
            })
        };
        let since = query("at")?.parse().ok()?;
        Some(Self { pair, since, ends: [ends(0)?, ends(1)?] })
    }

    /// The arrivals themselves, as the journal tells of them; none unless there are as many on both sides.
    pub fn find(&self, history: &History) -> Option<Duel> {
        let mut arrivals: [Vec<Id>; 2] = Default::default();
        for event in history.since(self.since) {
            for (side, arrivals) in arrivals.iter_mut().enumerate() {
                arrivals.extend(self.begins(side, event));
            }
        }
        let is_whole = !arrivals[0].is_empty() && arrivals[0].len() == arrivals[1].len();
        is_whole.then_some(Duel { pair: self.pair, arrivals, since: self.since })
    }

    /// The arrival of that side that this event begins.
    fn begins(&self, side: usize, event: &Arc<Event>) -> Option<Id> {
        let id = event.correlation_id.as_ref()?;
        let (first, last) = &self.ends[side];
        let is_named = event.system == Some(self.pair.systems()[side])
            && (first.as_str()..=last.as_str()).contains(&&**id);
        (is_named && matches!(event.kind, Kind::ArrivalReceived { .. })).then(|| Arc::clone(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::event::Origin;
    use flow::{Provenance, Quantity, Style};

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
        Named::of(Pair::default(), |name| {
            fields.iter().find(|field| field.0 == name).map(|field| field.1.to_owned())
        })
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
        let pair = Pair::default();
        let burst = Duel {
            pair,
            arrivals: [
                vec!["10".into(), "12".into(), "14".into()],
                vec!["11".into(), "13".into(), "15".into()],
            ],
            since: 1,
        };
        assert_eq!(burst.query(), "at=1&choreography=10..14&orchestration=11..15");
        assert_eq!(named(&burst.query()).unwrap().find(&history), Some(burst));
        let one = Duel { pair, arrivals: [vec!["12".into()], vec!["13".into()]], since: 3 };
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
