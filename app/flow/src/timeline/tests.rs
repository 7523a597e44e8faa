use super::*;
use crate::Service;
use crate::Style;
use crate::story::{Copy, STEP_US, Story};

fn timeline(story: &Story) -> Timeline {
    let mut timeline = Timeline::new(Some(Style::Choreography.into()));
    story.events.iter().for_each(|event| timeline.apply(event));
    timeline
}

fn phases(row: &Row) -> Vec<Phase> {
    row.bars.iter().map(|bar| bar.phase).collect()
}

#[test]
fn an_arrival_has_a_row_for_each_queue_with_its_waiting_handling_and_asking() {
    let mut story = Story::new();
    story.arrival(Style::Choreography, "a", 1);
    story.arrival(Style::Orchestration, "b", 1);
    let timeline = timeline(&story);
    assert_eq!((timeline.groups().len(), timeline.lines()), (1, 4));
    let group = timeline.groups().next().unwrap();
    assert_eq!((&*group.id, group.rows.len()), ("a", 3));
    use Phase::{Calling, Handling, Queued};
    assert_eq!(phases(&group.rows[0]), [Queued, Handling]);
    assert_eq!(phases(&group.rows[1]), [Queued, Handling, Calling, Handling]);
    for row in &group.rows {
        assert_eq!((row.end, row.phase()), (Some(End::Acked), None));
        assert!(row.bars.windows(2).all(|pair| pair[0].to_us == Some(pair[1].from_us)), "{row:?}");
    }
    assert_eq!((group.rows[2].node.clone(), group.rows[2].emails), (Some(Service::Wishlist.into()), 1));
    assert_eq!(timeline.line_of("a/sku_processed", Some("catalog.sku_processed")), Some(2));
}

#[test]
fn held_time_is_no_latency_and_what_was_going_on_goes_on_after_it() {
    let mut story = Story::new();
    let [copy, _, _] = story.send(Style::Choreography, "a", 1);
    story.deliver(&copy);
    story.hold(&copy, Gate::AfterDelivery, 2_000_000);
    story.finish(&copy, 1);
    let timeline = timeline(&story);
    let row = &timeline.groups().next().unwrap().rows[0];
    assert_eq!(phases(row), [Phase::Queued, Phase::Handling, Phase::Held, Phase::Handling]);
    let now_us = timeline.scale().ended_us();
    assert_eq!(row.time_in(Phase::Held, now_us), 2_000_000);
    // Three copies routed and a confirm, the delivery, its start, the hold, the change, the ack.
    assert_eq!(row.latency_us(now_us), 8 * STEP_US);
}

#[test]
fn what_is_held_before_it_is_published_has_a_row_of_its_own() {
    let mut story = Story::new();
    let (style, service) = (Style::Choreography, Service::Inventory);
    let copy = Copy { style, service, arrival: "a".into(), message: "m".into(), attempt: 1 };
    story.hold(&copy, Gate::BeforePublish, 1_000);
    let timeline = timeline(&story);
    let row = &timeline.groups().next().unwrap().rows[0];
    assert_eq!((phases(row), row.end, row.queue.clone()), (vec![Phase::Held], Some(End::Published), None));
}

#[test]
fn a_retry_is_one_row_until_it_is_handled_or_parked() {
    let mut story = Story::new();
    let [_, copy, parked] = story.send(Style::Choreography, "a", 1);
    story.deliver(&copy);
    story.step(&copy, Kind::RetryScheduled { delay_ms: 200, reason: "busy".into() });
    story.ack(&copy);
    story.deliver(&parked);
    story.step(&parked, Kind::DeadLettered { reason: "poison".into() });
    story.ack(&parked);
    let before = timeline(&story);
    assert_eq!(before.groups().next().unwrap().rows[1].phase(), Some(Phase::Retrying));
    story.wait(200_000);
    let again = Copy { attempt: 2, ..copy };
    story.route(&again);
    story.handle(&again, 1);
    let after = timeline(&story);
    let rows = &after.groups().next().unwrap().rows;
    assert_eq!((rows.len(), rows[1].end, rows[1].attempt), (3, Some(End::Acked), 2));
    assert_eq!(phases(&rows[1])[..4], [Phase::Queued, Phase::Handling, Phase::Retrying, Phase::Queued]);
    assert_eq!(rows[2].end, Some(End::Dead));
}

#[test]
fn a_lost_connection_or_a_stopped_worker_gives_back_what_was_in_hand() {
    let (lost, stopped) = (
        Kind::ConnectionLost { reason: "cut".into() },
        Kind::ConsumerStopped { consumer_tag: "catalog.1".into(), reason: "panicked".into() },
    );
    for kind in [lost, stopped] {
        let mut story = Story::new();
        let [copy, other, _] = story.send(Style::Choreography, "a", 1);
        story.deliver(&copy);
        story.deliver(&other);
        let mut gone = story.events.last().unwrap().clone();
        (gone.message_id, gone.kind) = (None, kind);
        story.tell(gone);
        let timeline = timeline(&story);
        let rows = &timeline.groups().next().unwrap().rows;
        assert_eq!((rows[0].phase(), rows[1].phase()), (Some(Phase::Handling), Some(Phase::Queued)));
    }
}

#[test]
fn idle_time_is_folded_to_a_short_break_and_nothing_goes_back() {
    let mut story = Story::new();
    story.arrival(Style::Choreography, "a", 1);
    let busy_us = story.events.last().unwrap().at_us - story.events[0].at_us;
    story.wait(3_600_000_000);
    story.arrival(Style::Choreography, "b", 2);
    let timeline = timeline(&story);
    let scale = timeline.scale();
    assert_eq!(scale.breaks().len(), 1);
    assert_eq!(scale.width_us(true), 2 * busy_us + IDLE_US);
    assert_eq!(scale.width_us(false), 2 * busy_us + 3_600_000_000 + STEP_US);
    let (from_us, to_us) = (scale.breaks()[0].from_us, scale.breaks()[0].to_us);
    let mut last = 0;
    for at_us in [from_us - 1, from_us, from_us + 1, from_us + IDLE_US, to_us - 1, to_us, to_us + 1] {
        let place = scale.place(at_us, true);
        assert!(place >= last && place <= scale.width_us(true));
        last = place;
    }
}

#[test]
fn a_window_gives_the_lines_that_the_whole_would_give() {
    let mut story = Story::new();
    for n in 0..20_u64 {
        story.arrival(Style::Choreography, &n.to_string(), n + 1);
    }
    let timeline = timeline(&story);
    let name = |line: &Line<'_>| match line {
        Line::Group(group) => group.id.to_string(),
        Line::Row(group, row) => format!("{}/{}", group.id, row.queue.as_deref().unwrap()),
    };
    let all: Vec<_> = timeline.window(0, usize::MAX).iter().map(name).collect();
    assert_eq!((all.len(), timeline.lines()), (80, 80));
    for (from, count) in [(0, 3), (2, 5), (4, 4), (77, 10), (80, 5), (3, 0)] {
        let seen: Vec<_> = timeline.window(from, count).iter().map(name).collect();
        assert_eq!(seen, all[from..(from + count).min(80)]);
    }
}

#[test]
fn the_oldest_arrivals_are_forgotten_and_the_newest_stay_right() {
    let mut story = Story::new();
    for n in 0..GROUPS as u64 + 10 {
        story.arrival(Style::Choreography, &n.to_string(), n + 1);
    }
    let timeline = timeline(&story);
    assert_eq!((timeline.groups().len(), timeline.lines()), (GROUPS, 4 * GROUPS));
    assert_eq!(&*timeline.groups().next().unwrap().id, "10");
    assert!(timeline.groups().all(|group| group.rows.iter().all(|row| row.end == Some(End::Acked))));
    assert_eq!(timeline.index.len(), 4 * GROUPS);
}
