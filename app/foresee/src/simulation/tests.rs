#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use super::*;
use crate::settings::{Arrivals, Handling, Promise};
use crate::theory::{self, Mmc};
use crate::{MS_NS, SECOND_NS, Spread, Verdict};

/// A queue alone: nothing takes time but its workers.
fn alone(workers: u16, load: f64) -> (Settings, Mmc) {
    let served_per_s = 1_000.0;
    let theory = Mmc {
        arrivals_per_s: load * served_per_s * f64::from(workers),
        served_per_s,
        servers: u32::from(workers),
    };
    let settings = Settings {
        style: Style::Orchestration,
        rate_per_s: theory.arrivals_per_s,
        count: 1_000_000,
        services: 1,
        workers,
        prefetch: 1,
        service: Spread::Exponential { mean_ns: MS_NS },
        relay: Spread::NONE,
        way: Spread::NONE,
        broker_ns: 0,
        ..Settings::default()
    };
    (settings, theory)
}

fn is_within(told: f64, wanted: f64, percent: f64) {
    assert!((told / wanted - 1.0).abs() < percent / 100.0, "{told} is not {wanted} within {percent} %");
}

/// The number in the system is the rate times the stay, to the nanosecond.
fn holds_little(outcome: &Outcome) {
    assert_eq!(outcome.area_ns, outcome.stayed_ns);
    let stay_s = outcome.stayed_ns as f64 / 1e9 / outcome.arrived as f64;
    let per_s = outcome.arrived as f64 * 1e9 / outcome.simulated_ns as f64;
    is_within(outcome.under_way, theory::little(per_s, stay_s), 1e-6);
}

#[test]
fn one_worker_and_several_wait_as_long_as_theory_says() {
    for (workers, load) in [(1, 0.5), (1, 0.8), (3, 0.8), (8, 0.7)] {
        let (settings, theory) = alone(workers, load);
        let outcome = simulate(&settings).unwrap();
        holds_little(&outcome);
        assert!(outcome.is_stable());
        is_within(outcome.mean_ns / 1e9 - 0.001, theory.mean_wait_s(), 2.0);
        is_within(outcome.mean_ns / 1e9, theory.mean_s(), 2.0);
        is_within(outcome.p50_ns as f64 / 1e9, theory.quantile_s(0.5), 2.0);
        is_within(outcome.p99_ns as f64 / 1e9, theory.quantile_s(0.99), 3.0);
        let queue = &outcome.stations[2];
        is_within(queue.utilisation, load, 1.0);
        is_within(queue.waiting, theory::little(theory.arrivals_per_s, theory.mean_wait_s()), 4.0);
    }
}

#[test]
fn a_fan_out_lies_between_the_bounds_of_a_fork_and_join() {
    let (settings, theory) = alone(1, 0.6);
    let outcome = simulate(&Settings { services: 3, count: 300_000, ..settings }).unwrap();
    let bounds = theory::fork_join(theory.mean_s(), 0.6, 3);
    let mean_s = outcome.mean_ns / 1e9;
    assert!((bounds.at_least_s..bounds.at_most_s).contains(&mean_s), "{mean_s} is not within {bounds:?}");
    is_within(mean_s, bounds.about_s, 3.0);
}

#[test]
fn other_distributions_follow_allen_and_cunneen() {
    let (settings, theory) = alone(2, 0.8);
    let spread = Spread::Lognormal { mean_ns: MS_NS, cv: 0.5 };
    let about_s = theory::allen_cunneen_s(&theory, 1.0, spread.cv2());
    let outcome = simulate(&Settings { service: spread, count: 300_000, ..settings }).unwrap();
    is_within(outcome.mean_ns / 1e9, about_s, 5.0);
}

#[test]
fn retries_add_the_load_that_theory_says() {
    let (settings, _) = alone(1, 0.4);
    let settings = Settings { failure: 0.25, attempts: 50, retry_ns: MS_NS, count: 200_000, ..settings };
    let outcome = simulate(&settings).unwrap();
    holds_little(&outcome);
    is_within(outcome.stations[2].utilisation, 0.4 * theory::attempts(0.25, 50), 1.5);
    assert_eq!((outcome.completed, outcome.parked), (200_000, 0));
    let parked = simulate(&Settings { attempts: 2, ..settings }).unwrap();
    is_within(parked.parked as f64, 200_000.0 / 16.0, 5.0);
    assert_eq!(parked.completed + parked.parked, 200_000);
}

#[test]
fn the_same_seed_twice_gives_the_same_and_another_one_does_not() {
    let settings = Settings { count: 3_000, failure: 0.05, crash_every_s: 5.0, ..Settings::default() };
    let first = simulate(&settings).unwrap();
    assert_eq!(first, simulate(&settings).unwrap());
    assert_eq!(first.digest(), simulate(&settings).unwrap().digest());
    let mut sliced = Simulation::new(settings.clone()).unwrap();
    let mut progress = Vec::new();
    while !sliced.run(1_000) {
        progress.push(sliced.progress());
    }
    assert!(progress.len() > 10 && progress.is_sorted(), "{progress:?}");
    assert_eq!(sliced.outcome(), first, "slices change nothing");
    assert_ne!(first.digest(), simulate(&Settings { seed: 2, ..settings }).unwrap().digest());
}

#[test]
fn beyond_what_it_can_take_it_grows_by_what_is_too_much() {
    let settings = Settings { count: 20_000, ..Settings::default() };
    let full = theory::capacity(&settings);
    let outcome = simulate(&Settings { rate_per_s: full * 1.5, ..settings.clone() }).unwrap();
    let Verdict::Unstable { grows_per_s } = outcome.verdict else { panic!("{outcome:?}") };
    is_within(grows_per_s, full * 0.5, 10.0);
    is_within(outcome.throughput_per_s, full, 5.0);
    holds_little(&outcome);
    assert!(simulate(&Settings { rate_per_s: full * 0.9, ..settings }).unwrap().is_stable());
}

#[test]
fn at_most_once_drops_where_at_least_once_grows() {
    let settings = Settings { promise: Promise::AtMostOnce, queue_max: 100, ..Settings::default() };
    let full = theory::capacity(&settings);
    let outcome = simulate(&Settings { rate_per_s: full * 2.0, ..settings.clone() }).unwrap();
    assert!(matches!(outcome.verdict, Verdict::Drops { per_s } if per_s > full), "{:?}", outcome.verdict);
    assert!(outcome.lost > 0 && outcome.incomplete > 0);
    assert_eq!(outcome.completed + outcome.incomplete, outcome.arrived);
    holds_little(&outcome);
    assert!(outcome.stations[2].waiting_most <= 100);
}

#[test]
fn a_crash_is_survived_at_least_once_and_costs_messages_at_most_once() {
    let settings = Settings {
        crash_every_s: 2.0,
        restart_ns: SECOND_NS / 20,
        prefetch: 5,
        way: Spread::Constant { ns: 4 * MS_NS },
        workers: 4,
        ..Settings::default()
    };
    for handling in [Handling::OneByOne, Handling::AtOnce] {
        let kept = simulate(&Settings { handling, ..settings.clone() }).unwrap();
        assert_eq!((kept.completed, kept.lost, kept.parked), (20_000, 0, 0), "{handling:?}");
        assert!(kept.redelivered > 0 && kept.doubled > 0, "{kept:?}");
        holds_little(&kept);
        let promise = Promise::AtMostOnce;
        let lost = simulate(&Settings { handling, promise, ..settings.clone() }).unwrap();
        assert!(lost.lost > 0 && lost.redelivered == 0 && lost.doubled == 0, "{lost:?}");
        holds_little(&lost);
    }
}

#[test]
fn a_call_that_waits_for_inventory_holds_its_worker_up_and_commands_need_none() {
    let settings = Settings {
        rate_per_s: 60.0,
        callback: Spread::Constant { ns: 8 * MS_NS },
        callback_workers: 1,
        ..Settings::default()
    };
    let choreography = simulate(&settings).unwrap();
    let orchestration = simulate(&settings.in_style(Style::Orchestration)).unwrap();
    let answers = choreography.stations.last().unwrap();
    assert_eq!(answers.name, "inventory's answers");
    is_within(answers.utilisation, 60.0 * 2.0 * 0.008, 5.0);
    assert_eq!((choreography.messages, orchestration.messages), (20_000, 60_000));
    assert_eq!((choreography.calls, orchestration.calls), (40_000, 0));
    assert!(choreography.p50_ns > 2 * orchestration.p50_ns);
}

#[test]
fn arrivals_come_as_they_are_wanted_at_the_rate_that_is_wanted() {
    let gaps_ns = vec![1_000, 1_000, 1_000, 1_000, 96_000];
    for arrivals in
        [Arrivals::Poisson, Arrivals::Constant, Arrivals::Bursts { size: 20 }, Arrivals::Recorded { gaps_ns }]
    {
        let quiet = Settings { arrivals: arrivals.clone(), rate_per_s: 20.0, ..Settings::default() };
        let outcome = simulate(&quiet).unwrap();
        // A thousand bursts vary by three percent.
        is_within(20_000.0 * 1e9 / outcome.simulated_ns as f64, 20.0, 10.0);
        let deep = outcome.depths.most.iter().max().unwrap();
        assert_eq!(*deep >= 40, matches!(arrivals, Arrivals::Bursts { .. }), "{arrivals:?}: {deep}");
    }
}
