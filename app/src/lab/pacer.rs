//! When each event is shown.
//!
//! Real hops take milliseconds; nobody could follow them. So every hop is drawn over a time that the eye can
//! follow, and an event is held back until whatever caused it has arrived where it went. The order is the
//! journal's, always: what is shown is the picture after a prefix of it. A token may set out before its event's
//! turn has come, once its own cause has landed, since several messages really travel side by side. When more
//! comes than can be shown that way, hops get shorter, and at last nothing is held back any more.

use super::hop::{Hop, hop_of, lands_as, waits_for};
use flow::{Event, Kind, System};
use std::{collections::VecDeque, sync::Arc};

/// The longest that an event is held back, in milliseconds.
const LONGEST_LAG_MS: f64 = 9_000.0;
/// More pending events than this are not held back at all.
const TOO_MANY: usize = 1_200;
/// With fewer pending events than this, hops take their full time.
const FEW: usize = 60;
/// With fewer than this they still take most of it.
const SOME: usize = 200;
/// How far ahead tokens are looked for that may set out before their event's turn.
const LOOK_AHEAD: usize = 240;
/// The least time between two tokens on one line, so that they can be told apart.
const APART_MS: f64 = 90.0;
/// More events a second than this are a crowd: nobody reads so fast, and nothing need be drawn as often.
const CROWD_PER_S: usize = 500;
/// For how long we say so after it is over.
const LINGERS_MS: f64 = 1_500.0;

/// Whether more comes than anybody can follow.
#[derive(Debug)]
struct Crowd {
    since_ms: f64,
    count: usize,
    until_ms: f64,
}

impl Crowd {
    const fn new() -> Self {
        Self { since_ms: f64::NEG_INFINITY, count: 0, until_ms: f64::NEG_INFINITY }
    }

    fn note(&mut self, count: usize, now_ms: f64) {
        if now_ms - self.since_ms >= 1_000.0 {
            (self.since_ms, self.count) = (now_ms, 0);
        }
        self.count += count;
        if self.count > CROWD_PER_S {
            self.until_ms = now_ms + LINGERS_MS;
        }
    }
}

/// What happens next on the stage.
#[derive(Debug, Clone)]
pub struct Shown {
    pub event: Arc<Event>,
    /// On which line it travels, and for how long, if it sets out now.
    pub hop: Option<Hop>,
    /// Whether its turn has come, so that it belongs into the picture.
    pub has_happened: bool,
}

#[derive(Debug)]
struct Pending {
    event: Arc<Event>,
    since_ms: f64,
    waits_for: Option<u64>,
    lands_as: [Option<u64>; 2],
    has_set_out: bool,
}

/// Holds events back until they are due.
#[derive(Debug)]
pub struct Pacer {
    /// Whose diagram it is; none for those of both.
    system: Option<System>,
    pending: VecDeque<Pending>,
    /// What is on its way, by what it will be known as when it lands, and when that is.
    landing: Vec<(u64, f64)>,
    /// When something last set out on each line of each diagram.
    last_on: Vec<(System, String, f64)>,
    /// What comes in both systems.
    all: Crowd,
    /// What comes in this one.
    ours: Crowd,
    /// How fast things are shown, as a share of the usual.
    speed: f64,
    /// Whether nothing is ever late, as when the past is played.
    is_patient: bool,
}

impl Pacer {
    /// A pacer for the diagram of one system.
    #[must_use]
    pub const fn new(system: System) -> Self {
        Self::of(Some(system))
    }

    /// A pacer for the diagrams of both styles, side by side.
    #[must_use]
    pub const fn of_both() -> Self {
        Self::of(None)
    }

    const fn of(system: Option<System>) -> Self {
        Self {
            system,
            pending: VecDeque::new(),
            landing: Vec::new(),
            last_on: Vec::new(),
            all: Crowd::new(),
            ours: Crowd::new(),
            speed: 1.0,
            is_patient: false,
        }
    }

    /// Takes in new events, in order.
    pub fn push(&mut self, events: impl IntoIterator<Item = Arc<Event>>, now_ms: f64) {
        let system = self.system;
        let (before, mut ours) = (self.pending.len(), 0);
        self.pending.extend(events.into_iter().map(|event| {
            let is_ours = system.is_none_or(|system| event.system.is_none_or(|of_event| of_event == system));
            ours += usize::from(is_ours);
            Pending {
                since_ms: now_ms,
                waits_for: if is_ours { waits_for(&event) } else { None },
                lands_as: if is_ours { lands_as(&event) } else { [None, None] },
                // What happens in the other system does not travel here.
                has_set_out: !is_ours,
                event,
            }
        }));
        self.all.note(self.pending.len() - before, now_ms);
        self.ours.note(ours, now_ms);
    }

    /// Sets how fast things are shown, and whether they may take as long as they like.
    pub const fn set_pace(&mut self, speed: f64, is_patient: bool) {
        (self.speed, self.is_patient) = (speed, is_patient);
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
        now_ms < self.ours.until_ms
    }

    /// Whether so much came lately, in whichever system, that it is enough to draw now and then.
    #[must_use]
    pub fn is_crowded(&self, now_ms: f64) -> bool {
        now_ms < self.all.until_ms.max(self.ours.until_ms)
    }

    /// The pending events, in order.
    pub fn ahead(&self) -> impl Iterator<Item = &Event> {
        self.pending.iter().map(|pending| &*pending.event)
    }

    /// Drops what is held back, for a page that starts over.
    pub fn clear(&mut self) {
        self.pending.clear();
        self.landing.clear();
    }

    /// The next thing that is due, if any. `is_stream` says of a line whether single messages are no longer
    /// drawn on it.
    pub fn next(&mut self, now_ms: f64, is_stream: impl Fn(&str) -> bool) -> Option<Shown> {
        self.landing.retain(|&(_, at)| at > now_ms);
        let first = self.pending.front()?;
        let is_late = now_ms - first.since_ms > LONGEST_LAG_MS / self.speed.min(1.0);
        if (is_late && !self.is_patient) || self.pending.len() > TOO_MANY {
            self.ours.until_ms = now_ms + LINGERS_MS;
            let first = self.pending.pop_front()?;
            return Some(Shown { event: first.event, hop: None, has_happened: true });
        }
        if self.is_landing(first.waits_for) {
            return self.set_out_early(now_ms, is_stream);
        }
        let hop = if first.has_set_out { None } else { self.hop_of(&first.event) };
        match hop {
            Some((system, hop)) => {
                let hop = self.set_out(system, hop, first.lands_as, now_ms, is_stream)?;
                let first = self.pending.pop_front()?;
                Some(Shown { event: first.event, hop: Some(hop), has_happened: true })
            }
            None => {
                let first = self.pending.pop_front()?;
                Some(Shown { event: first.event, hop: None, has_happened: true })
            }
        }
    }

    /// Something further back whose own cause has landed need not wait for others.
    fn set_out_early(&mut self, now_ms: f64, is_stream: impl Fn(&str) -> bool) -> Option<Shown> {
        let mut not_yet: Vec<u64> = Vec::new();
        for at in 0..self.pending.len().min(LOOK_AHEAD) {
            let one = &self.pending[at];
            if one.has_set_out {
                continue;
            }
            let waits =
                self.is_landing(one.waits_for) || one.waits_for.is_some_and(|key| not_yet.contains(&key));
            let hop = if waits || ends_work(&one.event) { None } else { self.hop_of(&one.event) };
            let (event, lands_as) = (Arc::clone(&one.event), one.lands_as);
            if let Some((system, hop)) = hop
                && let Some(hop) = self.set_out(system, hop, lands_as, now_ms, &is_stream)
            {
                self.pending[at].has_set_out = true;
                return Some(Shown { event, hop: Some(hop), has_happened: false });
            }
            not_yet.extend(lands_as.into_iter().flatten());
        }
        None
    }

    /// In which diagram the event travels, and how, if it does.
    fn hop_of(&self, event: &Event) -> Option<(System, Hop)> {
        let system = self.system.or(event.system)?;
        Some((system, hop_of(event, system)?))
    }

    /// Sets out, unless the line has just been used.
    fn set_out(
        &mut self,
        system: System,
        mut hop: Hop,
        lands_as: [Option<u64>; 2],
        now_ms: f64,
        is_stream: impl Fn(&str) -> bool,
    ) -> Option<Hop> {
        hop.duration_ms *= self.pace() / self.speed;
        if is_stream(&hop.edge) {
            return Some(hop);
        }
        match self.last_on.iter_mut().find(|(of, edge, _)| *of == system && *edge == hop.edge) {
            Some((.., last_ms)) if now_ms - *last_ms < APART_MS / self.speed => return None,
            Some((.., last_ms)) => *last_ms = now_ms,
            None => self.last_on.push((system, hop.edge.clone(), now_ms)),
        }
        let lands_at = now_ms + hop.duration_ms;
        self.landing.extend(lands_as.into_iter().flatten().map(|key| (key, lands_at)));
        Some(hop)
    }

    fn is_landing(&self, key: Option<u64>) -> bool {
        key.is_some_and(|key| self.landing.iter().any(|&(landing, _)| landing == key))
    }

    fn pace(&self) -> f64 {
        match self.pending.len() {
            _ if self.is_patient => 1.0,
            0..FEW => 1.0,
            FEW..SOME => 0.75,
            _ => 0.5,
        }
    }
}

/// Whether a handler lets go of its message: what it did with it is to be seen first.
const fn ends_work(event: &Event) -> bool {
    matches!(
        event.kind,
        Kind::Acked { .. } | Kind::Nacked { .. } | Kind::RetryScheduled { .. } | Kind::DeadLettered { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Node, Provenance, Service, Style, event::MessageInfo};

    fn event(seq: u64, node: impl Into<Node>, kind: Kind) -> Arc<Event> {
        let mut event = Event::new(seq * 100, Provenance::Service, kind);
        event.seq = seq;
        (event.system, event.node) = (Some(Style::Choreography.into()), Some(node.into()));
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
            publisher: None,
            body: "{}".into(),
            size_bytes: 2,
        };
        vec![
            event(1, Service::Inventory, Kind::Published { routing_key: "".into(), message }),
            event(2, Node::Broker, Kind::Routed { routing_key: "".into(), message: None }),
            event(3, Service::Catalog, Kind::Delivered { consumer_tag: "t".into() }),
            event(4, Service::Catalog, Kind::HandlerStarted),
            event(5, Service::Catalog, Kind::Acked { duration_us: Some(1) }),
        ]
    }

    fn due(pacer: &mut Pacer, now_ms: f64) -> Vec<u64> {
        let next = std::iter::from_fn(|| pacer.next(now_ms, |_| false));
        next.filter(|shown| shown.has_happened).map(|shown| shown.event.seq).collect()
    }

    #[test]
    fn a_message_is_delivered_only_after_it_was_seen_to_arrive_in_its_queue() {
        let mut pacer = Pacer::new(Style::Choreography.into());
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
        let mut other = Pacer::new(Style::Orchestration.into());
        other.push(story(), 0.0);
        assert_eq!(due(&mut other, 0.0), [1, 2, 3, 4, 5]);
        let mut late = Pacer::new(Style::Choreography.into());
        late.push(story(), 0.0);
        assert_eq!(due(&mut late, LONGEST_LAG_MS + 1.0), [1, 2, 3, 4, 5]);
        assert!(late.is_behind(LONGEST_LAG_MS + 100.0));
    }

    #[test]
    fn what_is_independent_sets_out_side_by_side_but_happens_in_order() {
        let mut pacer = Pacer::new(Style::Choreography.into());
        let mut second = story();
        for (seq, event) in (6..).zip(&mut second) {
            let event = Arc::make_mut(event);
            (event.seq, event.message_id, event.correlation_id) = (seq, Some("n".into()), Some("b".into()));
        }
        pacer.push(story().into_iter().chain(second), 0.0);
        let mut seen = Vec::new();
        let mut happened = Vec::new();
        for frame in 0..400 {
            while let Some(shown) = pacer.next(f64::from(frame) * 16.0, |_| false) {
                let setting_out = shown.hop.is_some().then_some((shown.event.seq, frame));
                seen.extend(setting_out);
                happened.extend(shown.has_happened.then_some(shown.event.seq));
            }
        }
        assert_eq!(happened, (1..=10).collect::<Vec<_>>());
        let frame_of = |seq| seen.iter().find(|(s, _)| *s == seq).map(|(_, frame)| *frame).unwrap();
        assert!(frame_of(6) < frame_of(2), "the second message does not wait for the first to arrive");
        assert!(frame_of(6) > frame_of(1), "but keeps its distance on the same line");
        assert!(frame_of(7) > frame_of(6) && frame_of(8) > frame_of(7));
    }

    #[test]
    fn a_crowd_is_told_and_one_in_the_other_system_only_slows_the_drawing() {
        let crowd = || story().into_iter().cycle().take(CROWD_PER_S + 1);
        let mut ours = Pacer::new(Style::Choreography.into());
        ours.push(story(), 0.0);
        assert!(!ours.is_behind(0.0) && !ours.is_crowded(0.0), "a few are no crowd");
        ours.push(crowd(), 900.0);
        assert!(ours.is_behind(1_000.0) && ours.is_crowded(1_000.0));
        ours.push(story(), 1_900.0);
        assert!(!ours.is_behind(2_500.0) && !ours.is_crowded(2_500.0), "it is over");
        let mut other = Pacer::new(Style::Orchestration.into());
        other.push(crowd(), 0.0);
        assert!(!other.is_behind(10.0) && other.is_crowded(10.0));
    }

    #[test]
    fn a_flood_is_let_through() {
        let mut pacer = Pacer::new(Style::Choreography.into());
        let flood = story().into_iter().cycle().take(TOO_MANY * 2);
        pacer.push(flood, 0.0);
        let _ = due(&mut pacer, 0.0);
        assert!(pacer.pending() <= TOO_MANY);
    }
}
