//! How many steps a second the model takes: `cargo run --release -p foresee --example speed`.

use foresee::{Settings, simulate};
use std::time::Instant;

fn main() -> Result<(), foresee::SettingsError> {
    for style in flow::Style::ALL {
        let settings = Settings { style: *style, count: 1_000_000, ..Settings::default() };
        let began = Instant::now();
        let outcome = simulate(&settings)?;
        let took_s = began.elapsed().as_secs_f64();
        let (events, per_s) = (outcome.events, outcome.events as f64 / took_s / 1e6);
        println!("{style}: {events} steps in {took_s:.2} s, {per_s:.1} million a second");
    }
    Ok(())
}
