use super::*;
use crate::Style;
use crate::story::{Copy, STEP_US, Story};

fn tallies(story: &Story) -> Tallies {
    let mut tallies = Tallies::default();
    story.events.iter().for_each(|event| tallies.apply(event));
    tallies
}

#[test]
fn each_style_takes_what_it_takes() {
    let mut story = Story::new();
    story.arrival(Style::Choreography, "c", 1);
    story.arrival(Style::Orchestration, "o", 1);
    let tallies = tallies(&story);
    let (c, o) = (tallies.get("c").unwrap(), tallies.get("o").unwrap());
    assert_eq!((c.messages, c.deliveries, c.calls, c.emails), (1, 3, 2, 1));
    assert_eq!((o.messages, o.deliveries, o.calls, o.emails), (3, 3, 0, 1));
    assert_eq!((c.published_bytes, c.delivered_bytes), (17, 3 * 17));
    assert_eq!(o.published_bytes, o.delivered_bytes);
    assert!(c.is_smooth() && o.is_smooth());
    assert!(c.first_effect_us() < c.all_effects_us());
    let (received, mailed) = (
        story.events[0].at_us,
        story.events.iter().find(|e| matches!(e.kind, Kind::EmailSent { .. })).unwrap().at_us,
    );
    assert_eq!(c.all_effects_us(), Some(mailed - received));
}

#[test]
fn what_was_held_on_the_way_to_an_effect_is_no_part_of_its_time() {
    let measure = |gates: &[(Gate, u64)]| {
        let mut story = Story::new();
        let copies = story.send(Style::Choreography, "a", 1);
        for copy in &copies {
            story.deliver(copy);
            for (gate, us) in gates.iter().filter(|_| copy.service == Service::Wishlist) {
                story.hold(copy, *gate, *us);
            }
            story.finish(copy, 1);
        }
        tallies(&story).get("a").unwrap().clone()
    };
    let (plain, held) =
        (measure(&[]), measure(&[(Gate::AfterDelivery, 60_000_000), (Gate::BeforeHttp, 5_000_000)]));
    assert_eq!(held.held_us, 65_000_000);
    // Each hold tells of its beginning; that takes a step, and its end is in the duration.
    assert_eq!(held.all_effects_us(), plain.all_effects_us().map(|us| us + 2 * STEP_US));
    assert_eq!(held.first_effect_us(), plain.first_effect_us());
}

#[test]
fn what_was_held_before_a_message_was_published_counts_for_that_message_only() {
    let mut story = Story::new();
    let (style, arrival): (_, Id) = (Style::Orchestration, "a".into());
    story.receive(style, &arrival, 1);
    let mut copies = Vec::new();
    for service in Service::ALWAYS {
        let mut copy = Copy { style, service, arrival: arrival.clone(), message: "".into(), attempt: 1 };
        if service == Service::Wishlist {
            story.hold(&copy, Gate::BeforePublish, 9_000_000);
        }
        copy.message = story.publish(style, &arrival, style.queue_of(service).routing_key);
        story.route(&copy);
        if service == Service::Inventory {
            story.handle(&copy, 1);
        } else {
            copies.push(copy);
        }
    }
    copies.iter().for_each(|copy| story.handle(copy, 1));
    let tallies = tallies(&story);
    let tally = tallies.get("a").unwrap();
    assert!(tally.all_effects_us().unwrap() < 100 * STEP_US);
    let early = tally.effect_us(Service::Inventory).unwrap();
    assert!(early > 0 && early < tally.effect_us(Service::Wishlist).unwrap());
}

#[test]
fn an_arrival_is_complete_when_the_last_retry_is_done_and_never_when_a_message_is_parked() {
    let mut story = Story::new();
    let [first, copy, last] = story.send(Style::Choreography, "a", 1);
    for other in [&first, &last] {
        story.handle(other, 1);
    }
    story.deliver(&copy);
    story.ask(&copy, None);
    story.step(&copy, Kind::RetryScheduled { delay_ms: 200, reason: "500".into() });
    story.ack(&copy);
    let before = tallies(&story);
    assert!(!before.get("a").unwrap().is_complete());
    story.wait(200_000);
    story.handle(&Copy { attempt: 2, ..copy.clone() }, 1);
    let after = tallies(&story);
    let tally = after.get("a").unwrap();
    assert!(tally.is_complete() && !tally.is_smooth());
    assert_eq!((tally.retries, tally.failed_calls, tally.deliveries), (1, 1, 4));
    assert!(tally.all_effects_us() > Some(200_000));

    let [copy, other, last] = story.send(Style::Choreography, "b", 2);
    story.deliver(&copy);
    story.step(&copy, Kind::DeadLettered { reason: "poison".into() });
    story.ack(&copy);
    story.handle(&other, 2);
    let waiting = tallies(&story);
    let is_over = |down| waiting.get("b").unwrap().is_over(down);
    assert!(!is_over(None) && is_over(Some(last.service)), "only one that is down has still to do it");
    story.handle(&last, 2);
    let parked = tallies(&story);
    assert!(parked.get("b").unwrap().is_over(None), "nothing more will happen by itself");
    assert_eq!((parked.get("b").unwrap().parked, parked.get("b").unwrap().all_effects_us()), (1, None));
}

#[test]
fn who_has_heard_of_it_by_another_arrivals_message_knew_it_then_and_not_at_its_late_ack() {
    let mut story = Story::new();
    let first = story.send(Style::Choreography, "a", 1);
    let second = story.send(Style::Choreography, "b", 2);
    // Whoever asks about the first learns of the second, too.
    first.iter().for_each(|copy| story.handle(copy, 2));
    let known = tallies(&story).get("a").unwrap().all_effects_us().unwrap();
    story.wait(60_000_000);
    for copy in &second {
        story.deliver(copy);
        story.ack(copy);
    }
    let all = tallies(&story);
    let late = all.get("b").unwrap();
    assert!(late.is_complete() && late.all_effects_us().unwrap() < known, "{:?}", late.all_effects_us());
    // What was known before it does not count: nothing changed for it at all.
    let [copy, ..] = story.send(Style::Choreography, "c", 2);
    story.deliver(&copy);
    story.ack(&copy);
    let effect = tallies(&story).get("c").unwrap().effect_us(Service::Inventory);
    assert!(effect.unwrap() > 0);
}

#[test]
fn a_message_that_was_sent_once_more_is_still_one_message() {
    let mut story = Story::new();
    story.arrival(Style::Choreography, "a", 1);
    story.publish(Style::Choreography, &"a".into(), "");
    let tallies = tallies(&story);
    let tally = tallies.get("a").unwrap();
    assert_eq!((tally.messages, tally.republished, tally.published_bytes), (1, 1, 34));
}

#[test]
fn percentiles_are_durations_that_were_measured() {
    assert_eq!(Latency::of(Vec::new()), Latency::default());
    assert_eq!(Latency::of(vec![7]), Latency { n: 1, p50_us: 7, p95_us: 7, p99_us: 7 });
    let latency = Latency::of((1..=200).rev().collect());
    assert_eq!(latency, Latency { n: 200, p50_us: 100, p95_us: 190, p99_us: 198 });
}

#[test]
fn the_oldest_arrivals_are_forgotten() {
    let mut story = Story::new();
    for n in 0..=ARRIVALS as u64 {
        story.receive(Style::Choreography, &n.to_string().into(), n + 1);
    }
    let tallies = tallies(&story);
    assert_eq!((tallies.iter().len(), tallies.get("0").is_none()), (ARRIVALS, true));
    assert_eq!(&*tallies.get("1").unwrap().arrival, "1");
}
