//! When each event is shown.
//!
//! Real hops take milliseconds; nobody could follow them. So every hop is drawn over a time that the eye can
//! follow, and an event is held back until whatever caused it has arrived where it went. The order is the
//! journal's, always: what is shown is the picture after a prefix of it. When more comes than can be shown
//! that way, hops get shorter, and at last nothing is held back any more.

use super::hop::{Hop, hop_of, lands_as, waits_for};
use flow::{Event, Style};
use std::{collections::VecDeque, sync::Arc};

/// The longest that an event is held back, in milliseconds.
const LONGEST_LAG_MS: f64 = 9_000.0;
/// More pending events than this are not held back at all.
const TOO_MANY: usize = 1_200;
/// With fewer pending events than this, hops take their full time.
const FEW: usize = 45;
/// With fewer than this they still take most of it.
const SOME: usize = 160;

/// An event that is to be shown now, with the way it travels, if it does.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What happened.
    pub event: Arc<Event>,
    /// On which line it travels, and for how long.
    pub hop: Option<Hop>,
}

/// Holds events back until they are due.
#[derive(Debug)]
pub struct Pacer {
    style: Style,
    pending: VecDeque<(Arc<Event>, f64)>,
    /// What is on its way, by what it will be known as when it lands, and when that is.
    landing: Vec<(u64, f64)>,
    /// Until when to say that we are behind.
    behind_until: f64,
}

impl Pacer {
    /// A pacer for the diagram of one style.
    #[must_use]
    pub const fn new(style: Style) -> Self {
        Self { style, pending: VecDeque::new(), landing: Vec::new(), behind_until: f64::NEG_INFINITY }
    }

    /// Takes in new events, in order.
    pub fn push(&mut self, events: impl IntoIterator<Item = Arc<Event>>, now_ms: f64) {
        self.pending.extend(events.into_iter().map(|event| (event, now_ms)));
    }

    /// How many events are held back.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whether something is held back or on its way.
    #[must_use]
    pub fn is_busy(&self, now_ms: f64) -> bool {
        !self.pending.is_empty() || self.landing.iter().any(|&(_, at)| at > now_ms)
    }

    /// Whether more came lately than could be shown one by one.
    #[must_use]
    pub fn is_behind(&self, now_ms: f64) -> bool {
        now_ms < self.behind_until
    }

    /// The pending events, in order.
    pub fn ahead(&self) -> impl Iterator<Item = &Event> {
        self.pending.iter().map(|(event, _)| &**event)
    }

    /// Drops what is held back, for a page that starts over.
    pub fn clear(&mut self) {
        self.pending.clear();
        self.landing.clear();
    }

    /// The next event, if it is due. `is_stream` says of a line whether single messages are no longer drawn
    /// on it.
    pub fn next(&mut self, now_ms: f64, is_stream: impl Fn(&str) -> bool) -> Option<Shown> {
        self.landing.retain(|&(_, at)| at > now_ms);
        let (event, since) = self.pending.front()?;
        let overdue = now_ms - since > LONGEST_LAG_MS || self.pending.len() > TOO_MANY;
        let ours = event.style.is_none_or(|style| style == self.style);
        if overdue {
            self.behind_until = now_ms + 1_500.0;
        } else if ours && waits_for(event).is_some_and(|key| self.landing.iter().any(|(k, _)| *k == key)) {
            return None;
        }
        let (event, _) = self.pending.pop_front()?;
        let mut hop = if ours && !overdue { hop_of(&event, self.style) } else { None };
        if let Some(travel) = &mut hop {
            travel.duration_ms *= self.pace();
            if !is_stream(&travel.edge) {
                let lands_at = now_ms + travel.duration_ms;
                self.landing.extend(lands_as(&event).into_iter().flatten().map(|key| (key, lands_at)));
            }
        }
        Some(Shown { event, hop })
    }

    fn pace(&self) -> f64 {
        match self.pending.len() {
            0..FEW => 1.0,
            FEW..SOME => 0.75,
            _ => 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Kind, Node, Provenance, Service, event::MessageInfo};

    fn event(seq: u64, node: impl Into<Node>, kind: Kind) -> Arc<Event> {
        let mut event = Event::new(seq * 100, Provenance::Service, kind);
        event.seq = seq;
        (event.style, event.node) = (Some(Style::Choreography), Some(node.into()));
        (event.message_id, event.correlation_id) = (Some("m".into()), Some("a".into()));
        (event.exchange, event.queue) = (Some("sku_processed".into()), Some("catalog.sku_processed".into()));
        Arc::new(event)
    }

    fn story() -> Vec<Arc<Event>> {
        let message = MessageInfo {
            message_type: "sku_processed".into(),
            app_id: "inventory".into(),
            timestamp_s: None,
            traceparent: None,
            body: "{}".into(),
            size_bytes: 2,
        };
        vec![
            event(1, Service::Inventory, Kind::Published { routing_key: "".into(), message }),
            event(2, Node::Broker, Kind::Routed { routing_key: "".into(), message: None }),
            event(3, Service::Catalog, Kind::Delivered { consumer_tag: "t".into() }),
            event(4, Service::Catalog, Kind::HandlerStarted),
            event(5, Service::Catalog, Kind::Acked { duration_us: 1 }),
        ]
    }

    fn due(pacer: &mut Pacer, now_ms: f64) -> Vec<u64> {
        std::iter::from_fn(|| pacer.next(now_ms, |_| false)).map(|shown| shown.event.seq).collect()
    }

    #[test]
    fn a_message_is_delivered_only_after_it_was_seen_to_arrive_in_its_queue() {
        let mut pacer = Pacer::new(Style::Choreography);
        pacer.push(story(), 0.0);
        assert_eq!(due(&mut pacer, 0.0), [1]);
        assert_eq!(due(&mut pacer, 100.0), Vec::<u64>::new());
        assert_eq!(due(&mut pacer, 1_300.0), [2]);
        assert_eq!(due(&mut pacer, 2_600.0), [3]);
        assert_eq!(due(&mut pacer, 3_900.0), [4, 5]);
        assert!(pacer.is_busy(3_900.0) && !pacer.is_busy(6_000.0));
    }

    #[test]
    fn the_other_style_and_what_is_overdue_hold_nothing_up() {
        let mut other = Pacer::new(Style::Orchestration);
        other.push(story(), 0.0);
        assert_eq!(due(&mut other, 0.0), [1, 2, 3, 4, 5]);
        let mut late = Pacer::new(Style::Choreography);
        late.push(story(), 0.0);
        assert_eq!(due(&mut late, LONGEST_LAG_MS + 1.0), [1, 2, 3, 4, 5]);
        assert!(late.is_behind(LONGEST_LAG_MS + 100.0));
    }

    #[test]
    fn a_flood_is_let_through() {
        let mut pacer = Pacer::new(Style::Choreography);
        let flood = story().into_iter().cycle().take(TOO_MANY * 2);
        pacer.push(flood, 0.0);
        let _ = due(&mut pacer, 0.0);
        assert!(pacer.pending() <= TOO_MANY);
    }
}
