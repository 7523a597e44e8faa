#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use super::*;
use crate::simulation::traced;
use crate::{MS_NS, simulate};
use flow::{Run, Style};

/// Arrivals that do not get in each other's way.
fn quiet(style: Style) -> Settings {
    Settings {
        style,
        rate_per_s: 50.0,
        count: 2_000,
        workers: 4,
        prefetch: 10,
        handling: Handling::AtOnce,
        service: Spread::Lognormal { mean_ns: 5 * MS_NS, cv: 0.5 },
        callback: Spread::Exponential { mean_ns: 2 * MS_NS },
        relay: Spread::Constant { ns: 700_000 },
        way: Spread::Constant { ns: 600_000 },
        broker_ns: 0,
        ..Settings::default()
    }
}

fn is_near(measured: &Option<Measured>, wanted: &Spread, within: f64) {
    let told = measured.as_ref().unwrap();
    assert!((told.mean_ns.mean / wanted.mean_ns() - 1.0).abs() < within, "{told:?} is not {wanted:?}");
    assert!((told.spread.mean_ns() / wanted.mean_ns() - 1.0).abs() < within);
}

#[test]
fn what_made_a_journal_is_learned_from_it_and_predicts_it() {
    for style in Style::ALL {
        let settings = quiet(*style);
        let (outcome, events) = traced(&settings);
        let learned = learn((*style).into(), &events);
        assert_eq!(learned.arrivals, 2_000);
        assert!((learned.rate_per_s.unwrap() / settings.rate_per_s - 1.0).abs() < 0.1);
        is_near(&learned.service, &settings.service, 0.03);
        is_near(&learned.way, &settings.way, 0.01);
        match style {
            Style::Choreography => is_near(&learned.callback, &settings.callback, 0.05),
            Style::Orchestration => assert_eq!(learned.callback, None),
        }
        let assumed = Settings { workers: 4, prefetch: 10, count: 2_000, ..Settings::default() };
        let predicted = simulate(&learned.applied_to(&assumed)).unwrap();
        for (told, was) in [(predicted.p50_ns, outcome.p50_ns), (predicted.p99_ns, outcome.p99_ns)] {
            assert!((told as f64 / was as f64 - 1.0).abs() < 0.1, "{style:?}: {told} and not {was}");
        }
        // The journal's own numbers are the simulation's: the same run, told in two ways.
        assert!((learned.took.p50_us as f64 * 1e3 / outcome.p50_ns as f64 - 1.0).abs() < 0.05);
    }
}

#[test]
fn failures_are_learned_and_what_failed_is_not_taken_for_slow() {
    let settings = Settings { failure: 0.2, ..quiet(Style::Orchestration) };
    let learned = learn(settings.style.into(), &traced(&settings).1);
    let (put_off, deliveries) = learned.failures;
    assert!((put_off as f64 / deliveries as f64 - 0.2).abs() < 0.02, "{put_off} of {deliveries}");
    is_near(&learned.service, &settings.service, 0.05);
}

#[test]
fn a_saved_run_is_learned_from_as_far_as_it_goes() {
    let text = include_str!("../../../flow/tests/data/run_before_transports.json");
    let run = Run::read(text).unwrap();
    let learned = learn(Style::Choreography.into(), run.events.iter().map(|event| &**event));
    // It begins after the arrival: three handlers and two calls.
    assert_eq!((learned.arrivals, learned.rate_per_s, &learned.relay), (0, None, &None));
    assert_eq!(learned.callback.as_ref().map(|told| told.mean_ns.mean), Some(1_542_000.0));
    assert_eq!(learned.service.as_ref().map(|told| told.mean_ns.n), Some(2));
    let settings = learned.applied_to(&Settings::default());
    assert_eq!(settings.rate_per_s, Settings::default().rate_per_s);
    assert!(settings.check().is_ok() && learned.is_enough());
    assert!(!learn(Style::Orchestration.into(), run.events.iter().map(|event| &**event)).is_enough());
}
