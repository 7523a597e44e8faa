use super::*;
use crate::Style;
use crate::event::Provenance;
use crate::story::Story;
use proptest::prelude::*;

/// Enough arrivals in both styles to pass several checkpoints.
fn journal(arrivals: u64) -> Vec<Event> {
    let mut story = Story::new();
    for n in 1..=arrivals {
        for &style in Style::ALL {
            story.arrival(style, &format!("{style}-{n}"), n);
        }
    }
    story.events
}

fn fold(base: &Picture, events: &[Event]) -> Picture {
    let mut picture = base.clone();
    events.iter().for_each(|event| picture.apply(event));
    picture
}

fn history(events: &[Event]) -> History {
    let mut history = History::default();
    events.iter().for_each(|event| assert!(history.push(event.clone())));
    history
}

fn nothing(seq: u64) -> Event {
    let mut event = Event::new(seq, Provenance::Service, Kind::HandlerStarted);
    event.seq = seq;
    event
}

#[test]
fn a_jump_folds_at_most_what_lies_between_two_checkpoints() {
    let mut history = History::default();
    (1..=KEPT as u64).for_each(|seq| assert!(history.push(nothing(seq))));
    for seq in (0..=KEPT as u64).step_by(77) {
        let start = history.start_of(seq).unwrap();
        let folded = history.place_after(seq) - history.place_after(start.seq);
        assert!(folded <= CHECKPOINT_EVERY, "{folded} events for {seq}");
        assert_eq!(history.picture_at(seq).unwrap().seq, seq);
    }
}

#[test]
fn the_oldest_events_are_dropped_together_with_what_could_be_drawn_from_them() {
    let events = journal(200);
    let kept = 2 * CHECKPOINT_EVERY;
    let mut history = History::keeping(Picture::default(), kept);
    for event in &events {
        history.push(event.clone());
        assert!(history.events().len() <= kept);
    }
    let (first, last) = history.reach();
    assert_eq!(last, events.len() as u64);
    assert!(last - first >= (kept - CHECKPOINT_EVERY) as u64 && first > 0);
    assert!(history.picture_at(first - 1).is_none());
    for seq in [first, first + 1, last - 1, last] {
        let whole = fold(&Picture::default(), &events[..usize::try_from(seq).unwrap()]);
        assert_eq!(history.picture_at(seq), Some(whole));
    }
    assert!(history.after(first - 1).is_none());
    assert_eq!(history.after(last - 3).unwrap().len(), 3);
    assert_eq!(history.newer_than(last - 3), 3);
}

#[test]
fn what_comes_twice_counts_once() {
    let events = journal(1);
    let mut history = history(&events);
    assert!(!history.push(events[3].clone()));
    assert_eq!(history.events().len(), events.len());
}

#[test]
fn older_events_can_be_read_and_be_drawn_once_it_is_known_how_things_stood() {
    let events = journal(60);
    let at = 1_500;
    let mut history = History::new(fold(&Picture::default(), &events[..at]));
    events[at..].iter().for_each(|event| assert!(history.push(event.clone())));
    history.prepend(events[at - 300..at + 10].to_vec());
    assert_eq!((history.events().len(), history.reach().0), (events.len() - at + 300, at as u64));
    assert!(history.event(at as u64 - 5).is_some() && history.picture_at(at as u64 - 5).is_none());
    assert_eq!(history.previous(at as u64 + 1, Walk::default()), None);

    // A picture with a gap after it is of no use.
    assert!(!history.rebase(fold(&Picture::default(), &events[..at - 301])));
    assert!(history.rebase(fold(&Picture::default(), &events[..at - 300])));
    let whole = fold(&Picture::default(), &events[..at - 5]);
    assert_eq!(history.picture_at(at as u64 - 5), Some(whole));

    // Back to the very beginning: then nobody needs to say how things stood.
    history.prepend(events[..at - 300].to_vec());
    assert_eq!(history.reach(), (0, events.len() as u64));
    for seq in [0, 1, 999, 1_001, 1_499, 1_501] {
        let whole = fold(&Picture::default(), &events[..seq]);
        assert_eq!(history.picture_at(seq as u64), Some(whole), "{seq}");
    }
}

#[test]
fn a_walk_stops_at_each_event_each_message_or_each_step_of_one_arrival() {
    let history = history(&journal(2));
    let all = Walk::default();
    assert_eq!(
        (history.next(0, all), history.next(7, all), history.previous(7, all)),
        (Some(1), Some(8), Some(6))
    );
    assert_eq!((history.next(history.now().seq, all), history.previous(1, all)), (None, None));

    let stops = |walk| {
        let mut seen = Vec::new();
        let mut at = 0;
        while let Some(next) = history.next(at, walk) {
            assert_eq!(history.previous(next + 1, walk), Some(next));
            seen.push(next);
            at = next;
        }
        seen
    };
    let of_arrival = Walk { arrival: Some("orchestration-1"), ..all };
    assert!(stops(of_arrival).len() > 20);
    assert_eq!(stops(Walk { messages: true, ..of_arrival }).len(), 3 + 3);
    let choreography = Walk { system: Some(Style::Choreography.into()), arrival: None, messages: true };
    assert_eq!(stops(choreography).len(), 2 * (1 + 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_cut_and_any_way_to_it_gives_the_picture_that_the_fold_from_the_start_gives(
        jumps in proptest::collection::vec(0..2_200_u64, 1..8), begin in 0..300_usize,
    ) {
        let events = journal(38);
        let base = fold(&Picture::default(), &events[..begin]);
        let mut history = History::new(base.clone());
        events[begin..].iter().for_each(|event| assert!(history.push(event.clone())));
        let mut moved = history.now().clone();
        for seq in jumps {
            let upto = usize::try_from(seq).unwrap().min(events.len());
            let whole = (upto >= begin).then(|| fold(&base, &events[begin..upto]));
            prop_assert_eq!(&history.picture_at(seq), &whole);
            prop_assert_eq!(history.move_to(&mut moved, seq), whole.is_some());
            if let Some(whole) = whole {
                prop_assert_eq!(&moved, &whole);
            }
        }
    }
}

#[test]
fn stepwise_is_at_once() {
    let events = journal(20);
    let history = history(&events);
    let mut stepwise = Picture::default();
    let mut shown = 0;
    history.replay(u64::MAX, |event, after| {
        stepwise.apply(event);
        assert_eq!(&stepwise, after);
        shown += 1;
    });
    assert_eq!((shown, &stepwise), (events.len(), history.now()));
}
