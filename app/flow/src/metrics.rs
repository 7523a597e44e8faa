//! Numbers over time: how long arrivals take, how much is said for each, and how deep the queues are.
//!
//! [`Series`] holds a fixed number of points however long the journal grows: when there are too many, two
//! neighbours become one.

use crate::picture::system_of;
use crate::tally::{Summary, Tallies};
use crate::{Event, Kind, Picture, Service, System};

/// How many points a series has at most.
pub const POINTS: usize = 240;
/// How long the first points are, in microseconds.
const FIRST_WIDTH_US: u64 = 100_000;

/// What happened in one stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Point {
    /// When the stretch begins: microseconds since the Unix epoch.
    pub from_us: u64,
    /// Arrivals and sales recorded.
    pub arrivals: u32,
    /// Messages published.
    pub messages: u32,
    /// HTTP calls.
    pub calls: u32,
    /// The most messages that waited at once in each service's queue.
    pub ready: [u32; Service::COUNT],
}

/// A bounded series of points. Stretches in which nothing happened have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    points: Vec<Point>,
    width_us: u64,
}

impl Default for Series {
    fn default() -> Self {
        Self { points: Vec::new(), width_us: FIRST_WIDTH_US }
    }
}

impl Series {
    /// The points, oldest first.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// How long each point's stretch is, in microseconds.
    #[must_use]
    pub const fn width_us(&self) -> u64 {
        self.width_us
    }

    /// A count of one point as thousandths per second.
    #[must_use]
    pub fn per_1000_s(&self, count: u32) -> u64 {
        u64::from(count) * 1_000_000_000 / self.width_us
    }

    fn at(&mut self, at_us: u64) -> &mut Point {
        let last_us = self.points.last().map_or(0, |last| last.from_us);
        let from_us = (at_us - at_us % self.width_us).max(last_us);
        if self.points.is_empty() || from_us > last_us {
            if self.points.len() == POINTS {
                self.coarsen();
                return self.at(at_us);
            }
            self.points.push(Point { from_us, ..Point::default() });
        }
        let last = self.points.len() - 1;
        &mut self.points[last]
    }

    fn coarsen(&mut self) {
        self.width_us *= 2;
        let width_us = self.width_us;
        for point in &mut self.points {
            point.from_us -= point.from_us % width_us;
        }
        self.points.dedup_by(|next, kept| {
            let is_same = next.from_us == kept.from_us;
            if is_same {
                kept.arrivals += next.arrivals;
                kept.messages += next.messages;
                kept.calls += next.calls;
                for (most, ready) in kept.ready.iter_mut().zip(next.ready) {
                    *most = (*most).max(ready);
                }
            }
            is_same
        });
    }
}

/// One system's numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    system: System,
    tallies: Tallies,
    series: Series,
}

impl Metrics {
    /// No numbers yet.
    #[must_use]
    pub fn new(system: impl Into<System>) -> Self {
        Self { system: system.into(), tallies: Tallies::default(), series: Series::default() }
    }

    /// Takes in the next event, with the picture after it.
    pub fn apply(&mut self, event: &Event, after: &Picture) {
        if system_of(event).is_some_and(|system| system != self.system) {
            return;
        }
        self.tallies.apply(event);
        let point = self.series.at(event.at_us);
        match event.kind {
            Kind::StockRecorded { .. } => point.arrivals += 1,
            Kind::Published { .. } => point.messages += 1,
            Kind::HttpRequest { .. } => point.calls += 1,
            _ => {}
        }
        for (most, queue) in point.ready.iter_mut().zip(after.system(self.system).own_queues()) {
            *most = (*most).max(u32::try_from(queue.ready()).unwrap_or(u32::MAX));
        }
    }

    /// What each arrival took.
    #[must_use]
    pub const fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Rates and depths over time.
    #[must_use]
    pub const fn series(&self) -> &Series {
        &self.series
    }

    /// The numbers as they stand.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.tallies.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::History;
    use crate::Style;
    use crate::story::{STEP_US, Story};

    fn metrics(story: &Story, style: Style) -> Metrics {
        let mut history = History::default();
        story.events.iter().for_each(|event| assert!(history.push(event.clone())));
        let mut metrics = Metrics::new(style);
        history.replay(u64::MAX, |event, after| metrics.apply(event, after));
        metrics
    }

    #[test]
    fn the_summary_tells_each_style_apart_and_shows_its_n() {
        let mut story = Story::new();
        for n in 1..=3 {
            for &style in Style::ALL {
                story.arrival(style, &format!("{style}-{n}"), n);
            }
        }
        story.send(Style::Choreography, "unfinished", 4);
        let choreography = metrics(&story, Style::Choreography).summary();
        assert_eq!((choreography.arrivals, choreography.complete), (4, 3));
        assert_eq!((choreography.messages, choreography.calls), (4, 6));
        assert_eq!((choreography.first_effect.n, choreography.all_effects.n), (3, 3));
        assert!(choreography.first_effect.p50_us < choreography.all_effects.p50_us);
        assert_eq!(choreography.per_arrival_100(choreography.calls), Some(150));
        let orchestration = metrics(&story, Style::Orchestration).summary();
        assert_eq!(orchestration.per_arrival_100(orchestration.messages), Some(300));
        assert_eq!((orchestration.calls, orchestration.retries, orchestration.parked), (0, 0, 0));
        assert_eq!(Summary::default().per_arrival_100(1), None);
    }

    #[test]
    fn a_series_shows_how_deep_the_queues_were_and_stays_bounded() {
        let mut story = Story::new();
        let mut copies = Vec::new();
        for n in 1..=4_u64 {
            copies.extend(story.send(Style::Choreography, &n.to_string(), n));
        }
        copies.iter().for_each(|copy| story.handle(copy, 4));
        let shallow = metrics(&story, Style::Choreography);
        assert_eq!(shallow.series().points().iter().map(|point| point.ready).max(), Some([4, 4, 4, 0]));
        assert_eq!(shallow.series().points().iter().map(|point| point.arrivals).sum::<u32>(), 4);

        for n in 0..1_000_u64 {
            story.wait(FIRST_WIDTH_US);
            story.publish(Style::Choreography, &n.to_string().into(), "");
        }
        let long = metrics(&story, Style::Choreography);
        let points = long.series().points();
        assert!(points.len() <= POINTS && points.len() > POINTS / 4, "{}", points.len());
        assert_eq!(points.iter().map(|point| point.messages).sum::<u32>(), 1_004);
        assert!(points.windows(2).all(|pair| pair[0].from_us + long.series().width_us() <= pair[1].from_us));
        assert_eq!(points[0].ready, [4, 4, 4, 0]);
        let per_s = long.series().per_1000_s(points[points.len() / 2].messages);
        let expected = 1_000_000_000_000 / (FIRST_WIDTH_US + STEP_US);
        assert!(per_s.abs_diff(expected / 1_000) < 3_000, "{per_s}");
    }
}
