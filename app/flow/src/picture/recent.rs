//! The latest arrivals and sales, each with how far it got.

use super::key::Key;
use crate::event::{Origin, State, StockReason};
use crate::{Event, Id, Kind, Node, Service, Sku, topology};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many arrivals are remembered.
pub const ARRIVALS: usize = 200;
/// How many of the latest ones have a colour of their own.
const HUES: u32 = 3;

/// One arrival, or one sale: where its journey lies in the journal, and what came of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    // Every event looks for its arrival.
    #[serde(rename = "id")]
    key: Key,
    /// What arrived or was sold.
    pub sku: Option<Sku>,
    /// How many pieces arrived, when that was told.
    pub quantity: Option<u32>,
    /// By which way it came, when that was told.
    pub origin: Option<Origin>,
    /// Whether goods came in or went out.
    pub reason: Option<StockReason>,
    /// Inventory's numbers before.
    pub before: Option<State>,
    /// Inventory's numbers after.
    pub after: Option<State>,
    /// The first event of its journey.
    pub first_seq: u64,
    /// The last event of its journey so far.
    pub last_seq: u64,
    /// When it began.
    pub began_us: u64,
    /// When its last step so far happened.
    pub last_us: u64,
    /// Messages published for it.
    pub published: u32,
    /// Messages that a handler handled to the end.
    pub settled: u32,
    /// How often one was put off to be tried again.
    pub retries: u32,
    /// Messages that were parked.
    pub dead: u32,
    /// E-mails sent because of it.
    pub emails: u32,
    /// Which of the colours it has; the next one has the next.
    #[serde(default)]
    hue: u32,
    /// How far each service is with it. Pictures of before it was told apart lack it.
    #[serde(default)]
    ends: [End; 3],
    /// Messages that each service put aside, and whose ack, which ends that attempt and handles nothing, is still to come.
    #[serde(default)]
    aside: [u32; 3],
    /// The same of loyalty, once its queue has got a message.
    #[serde(default)]
    loyalty: Option<Guest>,
}

/// How far a service is with an arrival that is not part of every system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Guest {
    end: End,
    aside: u32,
}

/// How far a service is with an arrival.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum End {
    /// It has not handled its message.
    #[default]
    Open,
    /// It has parked it.
    Parked,
    /// It has handled it to the end.
    Handled,
}

/// The latest arrivals, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    arrivals: VecDeque<Arrival>,
}

impl Recent {
    /// From the newest to the oldest.
    pub fn iter(&self) -> impl Iterator<Item = &Arrival> {
        self.arrivals.iter().rev()
    }

    /// The arrival with that id, if it is remembered.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arrival> {
        self.iter().find(|arrival| &**arrival.id() == id)
    }

    /// The colour of an arrival, from 1, if it is one of the last three: each keeps its own until it is none of them.
    #[must_use]
    pub fn hue_of(&self, id: &str) -> Option<u32> {
        let mut latest = self.iter().take(HUES as usize);
        latest.find(|arrival| &**arrival.id() == id).map(|arrival| arrival.hue + 1)
    }

    pub(super) fn keep(&mut self, arrivals: usize) {
        let surplus = self.arrivals.len().saturating_sub(arrivals);
        self.arrivals.drain(..surplus);
    }

    pub(super) fn apply(&mut self, event: &Event) {
        let Some(id) = &event.correlation_id else { return };
        let begins = matches!(
            event.kind,
            Kind::ArrivalReceived { .. } | Kind::StockRecorded { .. } | Kind::AnnouncedAgain { .. }
        );
        let key = Key::from(id);
        let place = match self.arrivals.iter().rposition(|arrival| arrival.key == key) {
            Some(place) => place,
            None if begins => {
                self.keep(ARRIVALS - 1);
                let hue = self.arrivals.back().map_or(0, |before| (before.hue + 1) % HUES);
                self.arrivals.push_back(Arrival { hue, ..Arrival::of(key, event) });
                self.arrivals.len() - 1
            }
            None => return,
        };
        self.arrivals[place].take(event);
    }
}

impl Arrival {
    /// Its id: the `correlation_id` of everything it caused.
    #[must_use]
    pub const fn id(&self) -> &Id {
        self.key.id()
    }

    const fn of(key: Key, event: &Event) -> Self {
        Self {
            key,
            sku: event.sku,
            quantity: None,
            origin: None,
            reason: None,
            before: None,
            after: None,
            first_seq: event.seq,
            last_seq: event.seq,
            began_us: event.at_us,
            last_us: event.at_us,
            published: 0,
            settled: 0,
            retries: 0,
            dead: 0,
            emails: 0,
            hue: 0,
            ends: [End::Open; 3],
            aside: [0; 3],
            loyalty: None,
        }
    }

    fn take(&mut self, event: &Event) {
        self.last_seq = event.seq;
        self.last_us = self.last_us.max(event.at_us);
        self.take_of_loyalty(event);
        match &event.kind {
            Kind::ArrivalReceived { quantity, origin } => {
                (self.quantity, self.origin) = (Some(quantity.get()), Some(origin.clone()));
            }
            Kind::StockRecorded { reason, before, after, .. } => {
                (self.reason, self.before, self.after) = (Some(*reason), *before, Some(*after));
            }
            Kind::Published { .. } => self.published = self.published.saturating_add(1),
            Kind::Acked { .. } if event.queue.as_deref().is_some_and(|name| name.ends_with(".dead")) => {}
            // An arrival is over for the three that it is always for, whoever else listens.
            Kind::Acked { .. } if service_of(event) == Some(Service::Loyalty) => {}
            Kind::Acked { .. } => {
                let service = service_of(event);
                match service.map(|service| &mut self.aside[service as usize]) {
                    Some(aside) if *aside > 0 => *aside -= 1,
                    _ => {
                        self.settled = self.settled.saturating_add(1);
                        self.ends_at(service, End::Handled);
                    }
                }
            }
            Kind::RetryScheduled { .. } => {
                self.retries = self.retries.saturating_add(1);
                self.put_aside(event);
            }
            Kind::DeadLettered { .. } => {
                self.dead = self.dead.saturating_add(1);
                self.put_aside(event);
                self.ends_at(service_of(event), End::Parked);
            }
            Kind::EmailSent { .. } => self.emails = self.emails.saturating_add(1),
            _ => {}
        }
    }

    fn take_of_loyalty(&mut self, event: &Event) {
        let queue = event.queue.as_deref().and_then(topology::queue_named);
        if queue.is_none_or(|queue| queue.service != Service::Loyalty) {
            return;
        }
        let guest = self.loyalty.get_or_insert_default();
        match event.kind {
            Kind::Acked { .. } if guest.aside > 0 => guest.aside -= 1,
            Kind::Acked { .. } => guest.end = End::Handled,
            Kind::RetryScheduled { .. } => guest.aside = guest.aside.saturating_add(1),
            Kind::DeadLettered { .. } => {
                guest.aside = guest.aside.saturating_add(1);
                if guest.end == End::Open {
                    guest.end = End::Parked;
                }
            }
            _ => {}
        }
    }

    fn put_aside(&mut self, event: &Event) {
        if let Some(service) = service_of(event)
            && let Some(aside) = self.aside.get_mut(service as usize)
        {
            *aside = aside.saturating_add(1);
        }
    }

    /// What was handled once stays so: the same message may come once more, and go wrong then.
    fn ends_at(&mut self, service: Option<Service>, end: End) {
        if let Some(service) = service
            && let Some(known) = self.ends.get_mut(service as usize)
            && *known != End::Handled
        {
            *known = end;
        }
    }

    /// How many services have handled it to the end, however often its message came to each.
    #[must_use]
    pub fn handled(&self) -> u32 {
        let ends = self.ends.iter().filter(|end| **end == End::Handled).count() as u32;
        let always = if self.ends == [End::Open; 3] { self.settled.min(3) } else { ends };
        always + u32::from(self.loyalty.is_some_and(|guest| guest.end == End::Handled))
    }

    /// How many services have to handle it: the three, and loyalty if a message of it came to its queue.
    #[must_use]
    pub fn receivers(&self) -> u32 {
        Service::ALWAYS.len() as u32 + u32::from(self.loyalty.is_some())
    }

    /// Whether nothing more will happen to it by itself: each service has handled or parked it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.ends.contains(&End::Open) || (self.ends == [End::Open; 3] && self.settled + self.dead >= 3)
    }
}

fn service_of(event: &Event) -> Option<Service> {
    match event.node {
        Some(Node::Service(service)) => Some(service),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Picture, Style, story::Story};

    #[test]
    fn each_of_the_last_three_arrivals_has_a_colour_and_keeps_it_until_a_fourth_takes_it() {
        let (style, mut story, mut picture) = (Style::Orchestration, Story::new(), Picture::default());
        let mut hues = Vec::new();
        for (number, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            story.receive(style, &name.into(), number as u64 + 1);
            story.events.drain(..).for_each(|event| picture.apply(&event));
            let recent = &picture.system(style).recent;
            hues.push(["a", "b", "c", "d"].map(|id| recent.hue_of(id).unwrap_or(0)));
        }
        assert_eq!(hues, [[1, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 0], [0, 2, 3, 1]]);
    }
}
