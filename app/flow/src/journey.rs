//! The journey of an arrival: the chain of causes as a tree, across messages and HTTP.
//!
//! Each event names what caused it: the arrival, a message, or a call. A message in three queues causes three
//! strands, so an event's cause is looked for in its own queue first.

use crate::{Event, Kind};
use std::sync::Arc;

/// One step of a journey, in the order in which the tree is written down: after its cause and before whatever
/// its cause brought about later.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What happened.
    pub event: Arc<Event>,
    /// How many causes lie above it.
    pub depth: usize,
    /// The place, in this list, of what caused it.
    pub cause: Option<usize>,
    /// How long after the first step, in microseconds.
    pub after_us: u64,
    /// Whether nothing else of the same cause follows.
    pub is_last: bool,
}

/// The steps of one arrival as a tree; `events` are those with its correlation id, oldest first.
#[must_use]
pub fn journey(events: &[Arc<Event>]) -> Vec<Step> {
    let causes: Vec<Option<usize>> = (0..events.len()).map(|at| cause_of(events, at)).collect();
    let began_us = events.first().map_or(0, |event| event.at_us);
    let mut steps = Vec::with_capacity(events.len());
    // Places still to be written down, the next one last; each with its cause's place in the list.
    let mut next: Vec<(usize, Option<usize>, usize)> = Vec::new();
    push_caused(&causes, None, None, 0, &mut next);
    while let Some((at, cause, depth)) = next.pop() {
        let is_last = next.last().is_none_or(|(_, other, _)| *other != cause);
        let event = Arc::clone(&events[at]);
        let after_us = event.at_us.saturating_sub(began_us);
        steps.push(Step { event, depth, cause, after_us, is_last });
        push_caused(&causes, Some(at), Some(steps.len() - 1), depth + 1, &mut next);
    }
    steps
}

fn push_caused(
    causes: &[Option<usize>],
    of: Option<usize>,
    cause: Option<usize>,
    depth: usize,
    next: &mut Vec<(usize, Option<usize>, usize)>,
) {
    let caused = causes.iter().enumerate().rev().filter(|(_, one)| **one == of);
    next.extend(caused.map(|(at, _)| (at, cause, depth)));
}

/// The place of the event that caused the one at `at`: always an earlier one, so that no circle can come about.
fn cause_of(events: &[Arc<Event>], at: usize) -> Option<usize> {
    let (earlier, event) = (&events[..at], &events[at]);
    let cause = event.causation_id.as_deref()?;
    let last = |is_it: &dyn Fn(&Event) -> bool| earlier.iter().rposition(|one| is_it(one));
    let is_call = |one: &Event| matches!(&one.kind, Kind::HttpRequest { http_id, .. } if **http_id == *cause);
    let of_message = |one: &Event| one.message_id.as_deref() == Some(cause);
    let in_queue = |one: &Event| of_message(one) && event.queue.is_some() && one.queue == event.queue;
    let sends = |one: &Event| matches!(one.kind, Kind::Published { .. });
    last(&is_call)
        .or_else(|| match event.kind {
            // It came back after it had been put aside, or it came from its publisher.
            Kind::Routed { .. } => last(&|one| {
                in_queue(one)
                    && matches!(one.kind, Kind::RetryScheduled { .. } | Kind::Nacked { requeue: true, .. })
            })
            .or_else(|| last(&|one| of_message(one) && sends(one))),
            Kind::Delivered { .. } => last(&|one| in_queue(one) && matches!(one.kind, Kind::Routed { .. })),
            _ => last(&|one| in_queue(one) && matches!(one.kind, Kind::Delivered { .. })),
        })
        // What the desk sends once more was parked before.
        .or_else(|| {
            last(&|one| of_message(one) && matches!(one.kind, Kind::DeadLettered { .. }))
                .filter(|_| sends(event))
        })
        .or_else(|| last(&|one| of_message(one) && sends(one)))
        .or_else(|| last(&|one| of_message(one)))
        // The arrival itself.
        .or_else(|| earlier.iter().position(|one| one.correlation_id.as_deref() == Some(cause)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Copy, Story};
    use crate::{KindName, Node, Style};

    fn tree(story: &Story) -> Vec<Step> {
        let events: Vec<_> = story.events.iter().cloned().map(Arc::new).collect();
        journey(&events)
    }

    fn written(steps: &[Step]) -> Vec<String> {
        let queue = |step: &Step| {
            step.event.queue.as_deref().map_or("", |queue| queue.split('.').next().unwrap()).to_owned()
        };
        let line =
            |step: &Step| format!("{}{} {}", "  ".repeat(step.depth), step.event.kind.name(), queue(step));
        steps.iter().map(|step| line(step).trim_end().to_owned()).collect()
    }

    #[test]
    fn the_event_of_choreography_has_three_strands_and_its_calls_have_their_answers() {
        let mut story = Story::new();
        story.arrival(Style::Choreography, "a", 1);
        let steps = tree(&story);
        assert_eq!(steps.len(), story.events.len());
        let expected = "\
arrival_received
  stock_recorded
  published
    routed inventory
      delivered inventory
        handler_started inventory
        state_changed inventory
        acked inventory
    routed catalog
      delivered catalog
        handler_started catalog
        http_request catalog
          http_response catalog
        state_changed catalog
        acked catalog
    routed wishlist
      delivered wishlist
        handler_started wishlist
        http_request wishlist
          http_response wishlist
        state_changed wishlist
        email_sent wishlist
        acked wishlist
    confirmed";
        assert_eq!(written(&steps).join("\n"), expected);
        assert!(steps.iter().enumerate().all(|(at, step)| step.cause.is_none_or(|cause| cause < at)));
        let last: Vec<_> = steps.iter().filter(|step| step.depth == 2 && step.is_last).collect();
        assert_eq!((last.len(), last[0].event.kind.name()), (1, KindName::Confirmed));
    }

    #[test]
    fn each_command_of_orchestration_has_its_own_strand() {
        let mut story = Story::new();
        story.arrival(Style::Orchestration, "a", 1);
        let steps = tree(&story);
        let strands: Vec<_> =
            steps.iter().filter(|step| step.depth == 1).map(|step| step.event.kind.name()).collect();
        use KindName::{Published, StockRecorded};
        assert_eq!(strands, [StockRecorded, Published, Published, Published]);
        assert!(steps.iter().all(|step| step.event.kind.name() != KindName::Acked || step.depth == 4));
    }

    #[test]
    fn another_attempt_follows_from_what_put_it_off_and_a_replay_from_what_parked_it() {
        let mut story = Story::new();
        let [_, copy, _] = story.send(Style::Choreography, "a", 1);
        story.deliver(&copy);
        story.step(&copy, Kind::RetryScheduled { delay_ms: 200, reason: "busy".into() });
        story.ack(&copy);
        let again = Copy { attempt: 2, ..copy.clone() };
        story.route(&again);
        story.deliver(&again);
        story.step(&again, Kind::DeadLettered { reason: "poison".into() });
        story.publish(Style::Choreography, &"a".into(), "");
        let published = story.events.last_mut().unwrap();
        (published.node, published.exchange) = (Some(Node::Foreign("desk".into())), Some("".into()));
        published.causation_id = Some(copy.message.clone());
        let written = written(&tree(&story));
        let from = written.iter().position(|line| line.contains("retry_scheduled")).unwrap();
        let expected = [
            "        retry_scheduled catalog",
            "          routed catalog",
            "            delivered catalog",
            "              handler_started catalog",
            "              dead_lettered catalog",
            "                published",
            "        acked catalog",
        ];
        assert_eq!(written[from..from + 7], expected);
    }

    #[test]
    fn a_strangers_message_and_a_journey_whose_beginning_is_lost_are_still_shown_whole() {
        let mut story = Story::new();
        story.arrival(Style::Choreography, "a", 1);
        story.events.drain(..5);
        let steps = tree(&story);
        assert_eq!(steps.len(), story.events.len());
        assert!(steps[0].cause.is_none() && journey(&[]).is_empty());
    }
}
