//! Measures the fold on a real journal:
//!
//! ```sh
//! curl -s 'http://127.0.0.1:3000/api/journal?after=0&limit=5000' | cargo run --release -p flow --example fold
//! ```

use flow::{Event, Picture};
use serde::Deserialize;
use std::{hint::black_box, io, time::Instant};

/// How often the journal is folded.
const ROUNDS: u32 = 200;

#[derive(Deserialize)]
struct Journal {
    events: Vec<Event>,
}

fn main() -> Result<(), serde_json::Error> {
    let Journal { events } = serde_json::from_reader(io::stdin().lock())?;
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        let mut picture = Picture::default();
        events.iter().for_each(|event| picture.apply(event));
        black_box(&picture);
    }
    let folded = f64::from(ROUNDS) * f64::from(u32::try_from(events.len()).unwrap_or(u32::MAX));
    let ns = begin.elapsed().as_secs_f64() * 1e9 / folded.max(1.0);
    println!("{} events, {ns:.0} ns each", events.len());
    Ok(())
}
