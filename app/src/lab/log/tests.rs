//! What the log lists, without a browser.

use super::super::example;
use super::*;
use flow::{History, Kind, Provenance, Service, Sku};

#[test]
fn a_filter_lets_through_what_fits_all_of_it() {
    let mut event = Event::new(1, Provenance::Service, Kind::HandlerStarted);
    (event.node, event.sku) = (Some(Node::from(Service::Catalog)), Sku::parse("MUG-RED").ok());
    event.correlation_id = Some("a".into());
    let mut filter = Filter::default();
    assert!(filter.lets_through(&event, None) && !filter.is_on());
    for (name, fits, fits_not) in [
        ("log-who", "catalog", "wishlist"),
        ("log-kind", "handler_started", "acked"),
        ("log-sku", "mug", "pen"),
    ] {
        assert!(typed(&mut filter, name, fits_not) && !filter.lets_through(&event, None), "{name}");
        assert!(typed(&mut filter, name, fits) && filter.lets_through(&event, None), "{name}");
    }
    assert!(typed(&mut filter, "log-arrival", "on"));
    assert!(filter.lets_through(&event, Some("a")) && !filter.lets_through(&event, Some("b")));
    assert!(filter.is_on() && !typed(&mut filter, "sku", ""));
}

fn seqs(listed: &Listed) -> Vec<u64> {
    listed.steps.iter().map(|step| step.event.seq).collect()
}

#[test]
fn the_latest_steps_are_listed_oldest_first_and_older_ones_on_request() {
    let (mut lab, history) = example::lab(50, "sku_processed");
    let last = 50 * example::STEPS;
    let first = listed(&Look::of(&lab, &history));
    assert_eq!(seqs(&first), (last - ROWS as u64 + 1..=last).collect::<Vec<_>>());
    assert_eq!((first.older, first.is_filtered), (Older::OnRequest, false));
    assert!(!lacks_rows(&Look::of(&lab, &history)));

    lab.views.filter.more = ROWS;
    let all = listed(&Look::of(&lab, &history));
    assert_eq!((seqs(&all), all.older), ((1..=last).collect(), Older::None));
    assert!(lacks_rows(&Look::of(&lab, &history)));
}

#[test]
fn while_more_comes_than_anybody_can_read_the_last_few_are_listed() {
    let (mut lab, history) = example::lab(50, "sku_processed");
    (lab.behind, lab.views.filter.more) = (true, ROWS);
    let listed = listed(&Look::of(&lab, &history));
    assert_eq!((listed.steps.len(), listed.older), (ROWS_BEHIND, Older::WhenPaused));
    assert_eq!(seqs(&listed).last(), Some(&(50 * example::STEPS)));
}

#[test]
fn a_filter_that_nothing_fits_is_told_from_a_log_without_steps() {
    let (mut lab, history) = example::lab(1, "sku_processed");
    typed(&mut lab.views.filter, "log-who", "wishlist");
    let none = listed(&Look::of(&lab, &history));
    assert!(none.steps.is_empty() && none.is_filtered);
    typed(&mut lab.views.filter, "log-who", "");
    let (lab, history) = (lab, History::default());
    let none = listed(&Look::of(&lab, &history));
    assert!(none.steps.is_empty() && !none.is_filtered);
}

#[test]
fn only_the_steps_of_the_selected_arrival_are_listed_if_one_asks_for_them() {
    let (mut lab, history) = example::lab(3, "sku_processed");
    lab.selected = Some(Selection::Event(8));
    typed(&mut lab.views.filter, "log-arrival", "on");
    assert_eq!(seqs(&listed(&Look::of(&lab, &history))), [7, 8, 9, 10, 11, 12]);
}

#[test]
fn a_step_has_another_row_than_the_step_of_its_number_in_a_saved_run_or_another_zone() {
    let mut event = Event::new(1, Provenance::Service, Kind::HandlerStarted);
    event.seq = 7;
    let step = |at_us: u64, ahead_min: i32| {
        let mut event = event.clone();
        event.at_us = at_us;
        Step { event: Arc::new(event), ahead_min }
    };
    assert_eq!(step(1, 0), step(1, 0));
    assert!(step(1, 0) != step(2, 0) && step(1, 0) != step(1, 330));
}
