//! When a line carries too much to draw every message, and shows a stream with its rate instead.
//!
//! All rates have one meaning: how many set out on the line, in its direction, in the last second of what is shown. An
//! answer comes back on the line of its call, and an ack on that of its delivery; neither is counted. So what goes into a
//! queue comes out of it.

use super::hop::{Hop, hop_of};
use flow::{Event, System};
use std::collections::{HashMap, VecDeque};

/// Above this many messages a second a line may become a stream…
const STREAM_ABOVE: f64 = 5.0;
/// …when it stays there this long.
const STREAM_AFTER_MS: f64 = 1_000.0;
/// Below this many it may show single messages again…
const SINGLE_BELOW: f64 = 3.0;
/// …when it stays there this long.
const SINGLE_AFTER_MS: f64 = 2_000.0;
/// The rate is what passed within this time.
const WINDOW_MS: f64 = 1_000.0;

/// Whether a queue grows or shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    Grows,
    Shrinks,
}

/// So much more has to go in than comes out, or the other way round, in hundredths of what goes by: else it is by chance.
const TREND_MIN_PERCENT: usize = 10;

/// The rates of all lines.
#[derive(Debug, Default)]
pub struct Rates {
    edges: HashMap<String, Rate>,
}

#[derive(Debug, Default)]
struct Rate {
    passed: VecDeque<f64>,
    is_stream: bool,
    /// Since when the rate has been on the other side of the threshold.
    crossed_at: Option<f64>,
}

impl Rates {
    /// A step of what is shown in that style's diagram happens. `hop` is how it travels there, where that is known: what
    /// is late or set out earlier has none any more, and counts all the same.
    pub fn note(&mut self, event: &Event, hop: Option<&Hop>, system: System, now_ms: f64) {
        if event.system.is_some_and(|of_event| of_event != system) {
            return;
        }
        let found = if hop.is_some() { None } else { hop_of(event, system) };
        if let Some(hop) = hop.or(found.as_ref()).filter(|hop| !hop.back) {
            self.set_out(&hop.edge, now_ms);
        }
    }

    fn set_out(&mut self, edge: &str, now_ms: f64) {
        if !self.edges.contains_key(edge) {
            self.edges.insert(edge.to_owned(), Rate::default());
        }
        if let Some(rate) = self.edges.get_mut(edge) {
            rate.passed.push_back(now_ms);
        }
    }

    /// Whether the line is drawn as a stream.
    #[must_use]
    pub fn is_stream(&self, edge: &str) -> bool {
        self.edges.get(edge).is_some_and(|rate| rate.is_stream)
    }

    /// How the queue between two lines develops, if it does.
    #[must_use]
    pub fn trend(&self, into: &str, out_of: &str) -> Option<Trend> {
        let passed = |edge: &str| self.edges.get(edge).map_or(0, |rate| rate.passed.len());
        let (into, out_of) = (passed(into), passed(out_of));
        let is_more = |more: usize, less: usize| more.saturating_sub(less) * 100 > more * TREND_MIN_PERCENT;
        match (is_more(into, out_of), is_more(out_of, into)) {
            (true, _) => Some(Trend::Grows),
            (_, true) => Some(Trend::Shrinks),
            _ => None,
        }
    }

    /// The lines that are streams, with what passes on them per second. Looks at the clock once per frame.
    pub fn streams(&mut self, now_ms: f64) -> Vec<(&str, usize)> {
        for rate in self.edges.values_mut() {
            rate.look(now_ms);
        }
        let streams = self.edges.iter().filter(|(_, rate)| rate.is_stream);
        streams.map(|(edge, rate)| (edge.as_str(), rate.passed.len())).collect()
    }
}

impl Rate {
    fn look(&mut self, now_ms: f64) {
        while self.passed.front().is_some_and(|&at| at <= now_ms - WINDOW_MS) {
            self.passed.pop_front();
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 messages a second")]
        let per_second = self.passed.len() as f64 * 1_000.0 / WINDOW_MS;
        let (has_crossed, patience) = if self.is_stream {
            (per_second < SINGLE_BELOW, SINGLE_AFTER_MS)
        } else {
            (per_second > STREAM_ABOVE, STREAM_AFTER_MS)
        };
        if !has_crossed {
            self.crossed_at = None;
        } else if now_ms - *self.crossed_at.get_or_insert(now_ms) >= patience {
            self.is_stream = !self.is_stream;
            self.crossed_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::layout::{deliver_edge, route_edge};
    use flow::{Kind, Provenance, Service, Style};

    /// Sends `per_second` messages for a while, looking 50 times a second.
    fn run(rates: &mut Rates, from_ms: u32, for_ms: u32, per_second: u32) -> u32 {
        let mut sent = 0;
        for now in (from_ms..from_ms + for_ms).step_by(20) {
            while sent * 1_000 < (now - from_ms) * per_second {
                rates.set_out("e", f64::from(now));
                sent += 1;
            }
            let _ = rates.streams(f64::from(now));
        }
        from_ms + for_ms
    }

    #[test]
    fn a_queue_grows_or_shrinks_by_what_goes_in_and_comes_out_and_else_stands() {
        let mut rates = Rates::default();
        let mut pass = |edge: &str, times: usize| (0..times).for_each(|_| rates.set_out(edge, 0.0));
        pass("into", 40);
        pass("fast", 60);
        pass("slow", 20);
        pass("even", 38);
        assert_eq!(rates.trend("into", "slow"), Some(Trend::Grows));
        assert_eq!(rates.trend("into", "fast"), Some(Trend::Shrinks));
        assert_eq!(rates.trend("into", "even"), None);
        assert_eq!(rates.trend("nothing", "none"), None);
    }

    #[test]
    fn a_line_becomes_a_stream_after_a_second_of_plenty_and_single_again_after_two_of_little() {
        let mut rates = Rates::default();
        let now = run(&mut rates, 0, 1_000, 20);
        assert!(!rates.is_stream("e"), "a short burst is drawn message by message");
        let now = run(&mut rates, now, 1_000, 20);
        assert!(rates.is_stream("e"));
        let now = run(&mut rates, now, 5_000, 4);
        assert!(rates.is_stream("e"), "between the two thresholds nothing changes");
        let now = run(&mut rates, now, 1_500, 1);
        assert!(rates.is_stream("e"));
        run(&mut rates, now, 2_500, 1);
        assert!(!rates.is_stream("e"));
    }

    #[test]
    fn a_slow_line_never_becomes_a_stream() {
        let mut rates = Rates::default();
        run(&mut rates, 0, 10_000, 5);
        assert!(!rates.is_stream("e"));
    }

    #[test]
    fn what_comes_back_is_not_counted_so_that_what_goes_into_a_queue_comes_out() {
        let system = System::of(Style::Choreography);
        let queue = system.style.queue_of(Service::Catalog).name;
        let happen = |rates: &mut Rates, kind: Kind, system: System| {
            let mut event = Event::new(0, Provenance::Service, kind);
            (event.system, event.node) = (Some(system), Some(Service::Catalog.into()));
            event.queue = Some(queue.into());
            rates.note(&event, None, Style::Choreography.into(), 0.0);
        };
        let mut rates = Rates::default();
        for _ in 0..40 {
            happen(&mut rates, Kind::Routed { routing_key: "".into(), message: None }, system);
            happen(&mut rates, Kind::Delivered { consumer_tag: "t".into() }, system);
            happen(&mut rates, Kind::Acked { duration_us: None }, system);
            happen(&mut rates, Kind::Delivered { consumer_tag: "t".into() }, Style::Orchestration.into());
        }
        let passed = |edge: String| rates.edges[&edge].passed.len();
        assert_eq!((passed(route_edge(queue)), passed(deliver_edge(queue))), (40, 40));
    }
}
