//! Builds every model from a real journal, says how long each takes, and shows one arrival of each style:
//!
//! ```sh
//! curl -s 'http://127.0.0.1:3000/api/journal?after=0&limit=5000' | cargo run --release -p flow --example models
//! ```

use flow::compare::{Compare, Pattern};
use flow::metrics::Metrics;
use flow::sequence::{Options, Sequence};
use flow::timeline::Timeline;
use flow::{Event, History, Picture, Run, Style, journey::journey};
use serde::Deserialize;
use std::{error::Error, io, sync::Arc, time::Instant};

#[derive(Deserialize)]
struct Journal {
    events: Vec<Event>,
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let made = work();
    println!("{what}: {} µs", begin.elapsed().as_micros());
    made
}

fn main() -> Result<(), Box<dyn Error>> {
    let Journal { events } = serde_json::from_reader(io::stdin().lock())?;
    let before = events.first().map_or(0, |event| event.seq.saturating_sub(1));
    let mut base = Picture::default();
    base.seq = before;
    println!("{} events", events.len());
    let history = timed("history", || {
        let mut history = History::new(base);
        for event in events {
            history.push(event);
        }
        history
    });
    let (first, last) = history.reach();
    let slowest = (0..200).map(|n| first + (last - first) * n / 200).map(|seq| {
        let begin = Instant::now();
        std::hint::black_box(history.picture_at(seq));
        begin.elapsed().as_micros()
    });
    println!("slowest of 200 jumps: {} µs", slowest.max().unwrap_or(0));

    for &style in Style::ALL {
        let mut timeline = Timeline::new(Some(style.into()));
        timed("timeline", || history.drawable().for_each(|event| timeline.apply(event)));
        let mut metrics = Metrics::new(style);
        timed("metrics", || history.replay(last, |event, after| metrics.apply(event, after)));
        let open = timeline.groups().flat_map(|group| &group.rows).filter(|row| row.end.is_none()).count();
        println!("{style}: {} lines, {open} not ended, {:?}", timeline.lines(), metrics.summary());

        let Some(arrival) = metrics.tallies().iter().rfind(|tally| tally.is_smooth()) else { continue };
        let of_arrival = |event: &&Arc<Event>| event.correlation_id.as_ref() == Some(&arrival.arrival);
        let story: Vec<_> = history.drawable().filter(of_arrival).cloned().collect();
        for step in journey(&story) {
            println!("{}{}", "  ".repeat(step.depth), step.event.kind.name());
        }
        println!("{}", Sequence::of(story.iter().map(|event| &**event), Options::default()).mermaid());
        let known = Pattern::known(style).remaining(story.iter().map(|event| &**event)).len();
        println!(
            "steps left: {known}; learned {:?}",
            Pattern::learn(&story).map(|learned| learned.steps().len())
        );
    }
    let mut compare = Compare::of_all();
    timed("compare", || history.replay(last, |event, after| compare.apply(event, after)));
    for &style in Style::ALL {
        for known in compare.side(style).coupling.all() {
            println!("{} {:?} {}: {} ({})", known.who, known.way, known.whom, known.name, known.times);
        }
    }
    let text = timed("write", || Run::of(&history, String::new(), String::new()).write());
    let read = timed("read", || Run::read(&text))?;
    println!("{} bytes, the same: {}", text.len(), read.into_history().now() == history.now());
    Ok(())
}
