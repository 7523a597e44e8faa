//! What the page does with the events that reach it, on a run that was recorded from the real system.
#![allow(missing_docs, reason = "what the macros make has none")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flow::{
    Event, Picture, Run, Style,
    layout::{Orientation, Plan, layout},
    sequence::{Options, Sequence},
    timeline::Timeline,
};
use std::{hint::black_box, sync::Arc};

const RUN: &str = include_str!("run.json");

fn events() -> Vec<Arc<Event>> {
    let history = Run::read(RUN).expect("the run beside this file can be read").into_history();
    history.events().iter().cloned().collect()
}

fn views(criterion: &mut Criterion) {
    let events = events();
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("read from a saved run", |bencher| {
        bencher.iter(|| Run::read(black_box(RUN)));
    });
    group.bench_function("fold into the picture", |bencher| {
        bencher.iter(|| {
            let mut picture = Picture::default();
            events.iter().for_each(|event| picture.apply(event));
            picture
        });
    });
    group.bench_function("add to the timeline", |bencher| {
        bencher.iter(|| {
            let mut timeline = Timeline::new(None);
            events.iter().for_each(|event| timeline.apply(event));
            timeline
        });
    });
    group.bench_function("draw as a sequence", |bencher| {
        bencher.iter(|| Sequence::of(events.iter().map(|event| &**event), Options::default()));
    });
    group.finish();

    let plan = Plan { text_px: 14.0, ..Plan::new(Style::Choreography, Orientation::Wide) };
    criterion.bench_function("lay the diagram out", |bencher| bencher.iter(|| layout(black_box(&plan))));
}

criterion_group!(benches, views);
criterion_main!(benches);
