//! Whatever the journal tells, in whatever order and with whatever left out, every model stays in one piece.

use crate::compare::{Aligned, Compare, Contender, Pattern};
use crate::fault::Gate;
use crate::journey::journey;
use crate::metrics::{Metrics, POINTS};
use crate::sequence::{Mark, Options, Sequence};
use crate::story::{Copy, Story};
use crate::timeline::{Line, Timeline};
use crate::{Event, History, Id, Kind, Run, Style};
use proptest::prelude::*;
use std::sync::Arc;

/// Both styles, with a retry, decisions, a parked message, holds, and a connection that is lost.
fn story() -> Vec<Event> {
    let mut story = Story::new();
    for &style in Style::ALL {
        story.arrival(style, &format!("{style}-1"), 1);
        let [first, second, third] = story.send(style, &format!("{style}-2"), 2);
        story.hold(&first, Gate::BeforePublish, 700_000);
        story.deliver(&first);
        story.hold(&first, Gate::AfterDelivery, 900_000);
        story.finish(&first, 2);
        story.deliver(&second);
        story.step(&second, Kind::ConnectionLost { reason: "cut".into() });
        story.deliver(&second);
        story.ask(&second, None);
        story.step(&second, Kind::RetryScheduled { delay_ms: 200, reason: "500".into() });
        story.ack(&second);
        story.deliver(&third);
        story.step(&third, Kind::DeadLettered { reason: "poison".into() });
        story.ack(&third);
        let again = Copy { attempt: 2, ..second };
        story.route(&again);
        story.handle(&again, 2);
        story.step(&again, Kind::DuplicateIgnored { known_version: Some(2), offered_version: Some(2) });
        story.step(&again, Kind::OlderVersionIgnored { known_version: 2, offered_version: 1 });
        story.step(&again, Kind::Expired);
        story.step(&again, Kind::Lost { reason: "gone".into() });
    }
    story.events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn every_model_stays_in_one_piece(
        swaps in proptest::collection::vec((0..200_usize, 0..200_usize), 0..60),
        leave_out in proptest::collection::vec(0..200_usize, 0..60),
        nameless in proptest::collection::vec(0..200_usize, 0..10),
    ) {
        let mut events = story();
        for (one, other) in swaps {
            let len = events.len();
            events.swap(one % len, other % len);
        }
        for at in leave_out {
            let len = events.len();
            events.remove(at % len);
        }
        for at in nameless {
            let len = events.len();
            events[at % len].message_id = None;
        }
        for (seq, event) in (1..).zip(&mut events) {
            event.seq = seq;
        }
        let mut history = History::default();
        for event in &events {
            history.push(event.clone());
        }
        let all: Vec<Arc<Event>> = history.drawable().cloned().collect();

        let mut timeline = Timeline::new(None);
        all.iter().for_each(|event| timeline.apply(event));
        let lines = timeline.window(0, usize::MAX);
        prop_assert_eq!(lines.len(), timeline.lines());
        let width_us = timeline.scale().width_us(true);
        for line in lines {
            if let Line::Row(_, row) = line {
                for bar in &row.bars {
                    prop_assert!(bar.to_us.is_none_or(|to_us| to_us > bar.from_us));
                    prop_assert!(timeline.scale().place(bar.from_us, true) <= width_us);
                }
                prop_assert!(row.bars.windows(2).all(|pair| pair[0].to_us.is_some_and(|to| to <= pair[1].from_us)));
            }
        }

        for options in [Options::default(), Options { queues: true, settlements: true }] {
            let sequence = Sequence::of(events.iter(), options);
            let columns = sequence.lifelines.len();
            for row in &sequence.rows {
                let last = match row.mark {
                    Mark::Arrow { from, to, .. } => from.max(to),
                    Mark::Note { over } => over,
                };
                prop_assert!(last < columns);
            }
            for one in &sequence.activations {
                prop_assert!(one.from_row < sequence.rows.len());
                prop_assert!(one.to_row.is_none_or(|to| to < sequence.rows.len() && to >= one.from_row));
            }
            let mut active = vec![0; columns];
            for line in sequence.mermaid().lines().map(str::trim) {
                let (column, change) = match (line.strip_prefix("activate p"), line.strip_prefix("deactivate p")) {
                    (Some(column), _) => (column, 1),
                    (_, Some(column)) => (column, -1),
                    _ => continue,
                };
                let open: &mut i32 = &mut active[column.parse::<usize>().unwrap()];
                *open += change;
                prop_assert!(*open >= 0);
            }
            prop_assert!(active.iter().all(|open| *open == 0));
        }

        let steps = journey(&all);
        let mut seqs: Vec<_> = steps.iter().map(|step| step.event.seq).collect();
        seqs.sort_unstable();
        prop_assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>());
        for (at, step) in steps.iter().enumerate() {
            let depth = step.cause.map_or(0, |cause| steps[cause].depth + 1);
            prop_assert!(step.cause.is_none_or(|cause| cause < at) && step.depth == depth);
        }

        let mut compare = Compare::of_all();
        history.replay(u64::MAX, |event, after| compare.apply(event, after));
        for &style in Style::ALL {
            let mut metrics = Metrics::new(style);
            history.replay(u64::MAX, |event, after| metrics.apply(event, after));
            prop_assert!(metrics.series().points().len() <= POINTS);
            prop_assert_eq!(metrics.summary(), compare.side(style).summary());
            let known = Pattern::known(style);
            prop_assert!(known.remaining(events.iter()).len() <= known.steps().len());
        }
        let arrivals: Vec<Id> = all.iter().filter_map(|event| event.correlation_id.clone()).collect();
        let sides = Style::ALL.iter().map(|&style| Contender { system: style.into(), arrivals: arrivals.clone() });
        let aligned = Aligned::of(events.iter(), &sides.collect::<Vec<_>>());
        prop_assert!(aligned.moments().windows(2).all(|pair| pair[0].after_us <= pair[1].after_us));

        let run = Run::of(&history, String::new(), String::new());
        prop_assert_eq!(Run::read(&run.write()), Ok(run));
    }
}
