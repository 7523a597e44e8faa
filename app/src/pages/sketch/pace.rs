//! What moves in a sketch, and when: the real steps come within milliseconds, and the eye needs them one after another.

use flow::{Event, Id, Kind, Node, Service, Style, topology};
use std::collections::VecDeque;

/// From one step of an arrival to the next, as `sketch.css` has it.
const STEP_MS: f64 = 650.0;
/// How many arrivals are told apart. The steps of older ones are shown at once.
const ARRIVALS: usize = 32;

/// What a step looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From inventory to the exchange.
    Publish,
    /// From the exchange to a service.
    To(Service),
    /// A service's call to inventory.
    Ask(Service),
    /// The answer to that.
    Answer(Service),
    /// A service has done its part.
    Done(Service),
    /// A service could not do its part, or got no good answer.
    Failed(Service),
}

impl Way {
    /// How many steps of an arrival come before it.
    const fn step(self, style: Style) -> u8 {
        match self {
            Self::Publish => 0,
            Self::To(_) => 1,
            Self::Ask(_) => 2,
            Self::Answer(_) => 3,
            Self::Done(service) | Self::Failed(service) => match (style, service) {
                (Style::Choreography, Service::Catalog | Service::Wishlist) => 4,
                _ => 2,
            },
        }
    }

    /// Its name for the style sheet and in `data-way`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Publish => "publish".to_owned(),
            Self::To(service) => format!("to-{service}"),
            Self::Ask(service) => format!("ask-{service}"),
            Self::Answer(service) => format!("answer-{service}"),
            Self::Done(service) => format!("done-{service}"),
            Self::Failed(service) => format!("failed-{service}"),
        }
    }
}

/// The step that an event is, if it is one of that style.
fn way_of(event: &Event, style: Style) -> Option<Way> {
    if event.style() != Some(style) {
        return None;
    }
    // Who joined later is drawn in the lab only.
    let drawn = |service: &Service| Service::ALWAYS.contains(service);
    let node = || match event.node.as_ref()? {
        Node::Service(service) => Some(*service).filter(drawn),
        _ => None,
    };
    Some(match &event.kind {
        Kind::Published { .. } => Way::Publish,
        // A further attempt comes out of its waiting queue, which is not drawn here.
        Kind::Routed { .. } if event.attempt.unwrap_or(1) == 1 => {
            Way::To(Some(topology::queue_named(event.queue.as_deref()?)?.service).filter(drawn)?)
        }
        Kind::HttpRequest { .. } => Way::Ask(node()?),
        Kind::HttpResponse { status: Some(200), .. } => Way::Answer(node()?),
        Kind::Acked { .. } => Way::Done(node()?),
        Kind::HttpResponse { .. }
        | Kind::RetryScheduled { .. }
        | Kind::DeadLettered { .. }
        | Kind::Nacked { .. } => Way::Failed(node()?),
        _ => return None,
    })
}

/// One step to be shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// The event's place in the journal.
    pub seq: u64,
    /// What it looks like.
    pub way: Way,
    /// How long it waits for its turn.
    pub delay_ms: f64,
}

/// Gives each step its turn.
#[derive(Debug, Default)]
pub struct Pace {
    /// When the first step of an arrival was seen.
    begun: VecDeque<(Id, f64)>,
}

impl Pace {
    /// The mark of an event of that style that is seen at `now_ms`.
    pub fn take(&mut self, event: &Event, style: Style, now_ms: f64) -> Option<Mark> {
        let way = way_of(event, style)?;
        let begun_ms = event.correlation_id.as_ref().map_or(now_ms, |arrival| self.begun_ms(arrival, now_ms));
        let due_ms = f64::from(way.step(style)).mul_add(STEP_MS, begun_ms);
        Some(Mark { seq: event.seq, way, delay_ms: (due_ms - now_ms).max(0.0).round() })
    }

    fn begun_ms(&mut self, arrival: &Id, now_ms: f64) -> f64 {
        if let Some((_, begun_ms)) = self.begun.iter().find(|(known, _)| known == arrival) {
            return *begun_ms;
        }
        if self.begun.len() == ARRIVALS {
            self.begun.pop_front();
        }
        self.begun.push_back((arrival.clone(), now_ms));
        now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::example;

    fn marks(now_ms: impl Fn(usize) -> f64) -> Vec<(String, f64)> {
        let (_, history) = example::lab(1, "sku_processed");
        let mut pace = Pace::default();
        let events = history.events().iter().enumerate();
        events
            .filter_map(|(n, event)| pace.take(event, Style::Choreography, now_ms(n)))
            .map(|mark| (mark.way.name(), mark.delay_ms))
            .collect()
    }

    #[test]
    fn steps_that_come_at_once_are_shown_one_after_another() {
        let all = [("publish", 0.0), ("to-catalog", STEP_MS), ("done-catalog", 4.0 * STEP_MS)];
        assert_eq!(marks(|_| 500.0), all.map(|(way, delay_ms)| (way.to_owned(), delay_ms)));
    }

    #[test]
    fn a_step_that_comes_late_is_shown_at_once() {
        let late = marks(|n| if n < 4 { 0.0 } else { 60_000.0 });
        assert_eq!(late.last(), Some(&("done-catalog".to_owned(), 0.0)));
    }

    #[test]
    fn what_belongs_to_the_other_style_is_not_shown() {
        let (_, history) = example::lab(1, "sku_processed");
        let mut pace = Pace::default();
        assert!(history.events().iter().all(|event| pace.take(event, Style::Orchestration, 0.0).is_none()));
    }
}
