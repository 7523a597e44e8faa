//! How many events a second are simulated, for both styles. Run it in release.

use foresee::{Model, run};
use std::time::Instant;

fn main() {
    for &style in flow::Style::ALL {
        let model = Model { style, arrivals: 1_000_000, workers: 4, rate: 500.0, ..Model::default() };
        let began = Instant::now();
        let outcome = run(&model);
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{style}: {} arrivals, {} events in {seconds:.2} s: {:.1} million events/s",
            outcome.done,
            outcome.events,
            foresee::theory::number(outcome.events) / seconds / 1e6
        );
    }
}
