//! The latest arrivals and sales, each with how far it got.

use super::key::Key;
use crate::event::{Origin, State, StockReason};
use crate::{Event, Id, Kind, Sku};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many arrivals are remembered.
pub const ARRIVALS: usize = 200;

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
    /// Messages put aside whose ack, which ends that attempt and handles nothing, is still to come.
    put_aside: u32,
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
                self.arrivals.push_back(Arrival::of(key, event));
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
            put_aside: 0,
        }
    }

    fn take(&mut self, event: &Event) {
        self.last_seq = event.seq;
        self.last_us = self.last_us.max(event.at_us);
        match &event.kind {
            Kind::ArrivalReceived { quantity, origin } => {
                (self.quantity, self.origin) = (Some(quantity.get()), Some(origin.clone()));
            }
            Kind::StockRecorded { reason, before, after, .. } => {
                (self.reason, self.before, self.after) = (Some(*reason), *before, Some(*after));
            }
            Kind::Published { .. } => self.published = self.published.saturating_add(1),
            Kind::Acked { .. } if event.queue.as_deref().is_some_and(|name| name.ends_with(".dead")) => {}
            Kind::Acked { .. } if self.put_aside > 0 => self.put_aside -= 1,
            Kind::Acked { .. } => self.settled = self.settled.saturating_add(1),
            Kind::RetryScheduled { .. } => {
                self.retries = self.retries.saturating_add(1);
                self.put_aside = self.put_aside.saturating_add(1);
            }
            Kind::DeadLettered { .. } => {
                self.dead = self.dead.saturating_add(1);
                self.put_aside = self.put_aside.saturating_add(1);
            }
            Kind::EmailSent { .. } => self.emails = self.emails.saturating_add(1),
            _ => {}
        }
    }
}
