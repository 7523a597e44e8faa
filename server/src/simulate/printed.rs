//! How it is printed: as a table, as CSV, or as JSON.

use super::Foreseen;
use foresee::replications::{self, Measure};
use foresee::{Outcome, Verdict, theory};
use std::fmt::Write as _;

const NAMES: usize = 34;
const COLUMN: usize = 22;

/// A count of an outcome, with its name.
type Counted = (&'static str, fn(&Outcome) -> u64);
/// Something that is needed at a scale, with its name.
type Needed = (&'static str, fn(&foresee::paper::Paper) -> f64);

/// Settings, outcomes and digests, and scale on paper.
pub(super) fn json(foreseen: &[Foreseen]) -> String {
    let each = foreseen.iter().map(|one| {
        let outcomes = one
            .outcomes
            .iter()
            .map(|outcome| serde_json::json!({ "digest": outcome.digest(), "outcome": outcome }));
        serde_json::json!({
            "settings": one.settings,
            "capacity_per_s": theory::capacity(&one.settings),
            "outcomes": outcomes.collect::<Vec<_>>(),
            "paper": one.paper,
        })
    });
    format!("{:#}\n", serde_json::json!({ "simulated": true, "styles": each.collect::<Vec<_>>() }))
}

/// A line for each style and seed.
pub(super) fn csv(foreseen: &[Foreseen]) -> Result<String, csv::Error> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    lines.write_record([
        "style",
        "seed",
        "rate_per_s",
        "throughput_per_s",
        "verdict",
        "grows_per_s",
        "mean_ms",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "bottleneck",
        "lost",
        "parked",
        "retried",
        "redelivered",
        "doubled",
        "messages",
        "calls",
        "digest",
    ])?;
    for one in foreseen {
        for (seed, outcome) in (one.settings.seed..).zip(&one.outcomes) {
            let (verdict, grows) = match outcome.verdict {
                Verdict::Stable => ("stable", 0.0),
                Verdict::Unstable { grows_per_s } => ("unstable", grows_per_s),
                Verdict::Drops { per_s } => ("drops", per_s),
            };
            let ms = |ns: f64| format!("{:.4}", ns / 1e6);
            let counts = [
                outcome.lost,
                outcome.parked,
                outcome.retried,
                outcome.redelivered,
                outcome.doubled,
                outcome.messages,
                outcome.calls,
            ];
            let mut line = vec![
                outcome.style.to_string(),
                seed.to_string(),
                one.settings.rate_per_s.to_string(),
                format!("{:.3}", outcome.throughput_per_s),
                verdict.to_owned(),
                format!("{grows:.3}"),
                ms(outcome.mean_ns),
            ];
            line.extend([outcome.p50_ns, outcome.p95_ns, outcome.p99_ns].map(|ns| ms(ns as f64)));
            line.push(outcome.bottleneck.clone());
            line.extend(counts.map(|count| count.to_string()));
            line.push(outcome.digest());
            lines.write_record(line)?;
        }
    }
    let bytes = lines.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// For reading.
pub(super) fn table(foreseen: &[Foreseen]) -> String {
    let mut text = String::from("Simulated: a model, no measurement.\n\n");
    row(&mut text, "", foreseen, |one| one.settings.style.to_string());
    row(&mut text, "arrivals a second", foreseen, |one| number(one.settings.rate_per_s));
    row(&mut text, "capacity, arrivals a second", foreseen, |one| number(theory::capacity(&one.settings)));
    row(&mut text, "  set by", foreseen, |one| {
        theory::capacities(&one.settings).first().map(|first| first.station.to_owned()).unwrap_or_default()
    });
    row(&mut text, "done, arrivals a second", foreseen, |one| {
        value(one, number, |told| told.throughput_per_s)
    });
    row(&mut text, "verdict", foreseen, |one| verdict(one.first()));
    let latencies: [(&str, Measure); 4] = [
        ("arrival to last effect, mean", |told| told.mean_ns),
        ("  p50", |told| told.p50_ns as f64),
        ("  p95", |told| told.p95_ns as f64),
        ("  p99", |told| told.p99_ns as f64),
    ];
    for (name, measure) in latencies {
        row(&mut text, name, foreseen, |one| match one.first().is_stable() {
            true => value(one, duration, measure),
            false => "no steady state".to_owned(),
        });
    }
    row(&mut text, "  mean by theory", foreseen, |one| match theory::time_to_last_effect(&one.settings) {
        Some(fork) => format!("{} to {}", duration(fork.at_least_s * 1e9), duration(fork.at_most_s * 1e9)),
        None => "–".to_owned(),
    });
    let counts: [Counted; 7] = [
        ("messages", |told| told.messages),
        ("calls", |told| told.calls),
        ("retries", |told| told.retried),
        ("parked", |told| told.parked),
        ("lost", |told| told.lost),
        ("delivered again after a crash", |told| told.redelivered),
        ("  of those, effect already there", |told| told.doubled),
    ];
    for (name, count) in counts {
        row(&mut text, name, foreseen, |one| count(one.first()).to_string());
    }
    stations(&mut text, foreseen);
    if let [first, second] = foreseen
        && first.outcomes.len() > 1
    {
        let apart = replications::difference(&first.outcomes, &second.outcomes, |told| told.p50_ns as f64);
        let (name, by, within) = (second.settings.style, duration(apart.mean.abs()), duration(apart.within));
        let way = if apart.mean < 0.0 { "faster" } else { "slower" };
        let n = apart.n;
        let _ = writeln!(
            text,
            "\n{name} is {by} ± {within} {way} at p50 (95 %, {n} seeds, the same chance in both)"
        );
    }
    paper(&mut text, foreseen);
    row(&mut text, "\ndigest", foreseen, |one| one.first().digest());
    text
}

fn stations(text: &mut String, foreseen: &[Foreseen]) {
    let _ = writeln!(text, "\nBusy, and waiting on the average");
    let longest = foreseen.iter().max_by_key(|one| one.first().stations.len());
    for (at, station) in longest.iter().flat_map(|one| one.first().stations.iter().enumerate()) {
        row(text, &format!("  {}", station.name), foreseen, |one| match one.first().stations.get(at) {
            Some(told) => format!("{:.1} %  {}", told.utilisation * 100.0, number(told.waiting)),
            None => "–".to_owned(),
        });
    }
}

fn paper(text: &mut String, foreseen: &[Foreseen]) {
    let Some(first) = foreseen.first() else { return };
    let (rate, load) = (number(first.paper.rate_per_s), foresee::paper::PLANNED_LOAD * 100.0);
    let _ = writeln!(text, "\nScale on paper: {rate} arrivals a second, everything {load:.0} % busy");
    let rows: [Needed; 13] = [
        ("  messages a second", |told| told.messages_per_s),
        ("  copies a second", |told| told.copies_per_s),
        ("  calls a second", |told| told.calls_per_s),
        ("  bytes a second", |told| told.bytes_per_s),
        ("  connections of 10 Gbit/s", |told| told.lines),
        ("  in each service's handlers at once", |told| told.in_hand),
        ("  workers of each service", |told| told.workers),
        ("  partitions of each queue", |told| told.partitions),
        ("  relays", |told| told.relays),
        ("  cores of brokers", |told| told.broker_cores),
        ("  nodes of 8 cores, all computing", |told| told.nodes),
        ("  events of a journal a second", |told| told.journal_events_per_s),
        ("  viewers told of each, a connection", |told| told.viewers),
    ];
    for (name, read) in rows {
        row(text, name, foreseen, |one| number(read(&one.paper)));
    }
}

fn row(text: &mut String, name: &str, foreseen: &[Foreseen], told: impl Fn(&Foreseen) -> String) {
    let _ = write!(text, "{name:<NAMES$}");
    for one in foreseen {
        let _ = write!(text, " {:>COLUMN$}", told(one));
    }
    text.push('\n');
}

fn verdict(outcome: &Outcome) -> String {
    match outcome.verdict {
        Verdict::Stable => "keeps up".to_owned(),
        Verdict::Unstable { grows_per_s } => format!("grows by {} a second", number(grows_per_s)),
        Verdict::Drops { per_s } => format!("drops {} a second", number(per_s)),
    }
}

/// A value, with how far it may be off where there are several.
fn value(one: &Foreseen, shown: fn(f64) -> String, measure: Measure) -> String {
    let interval = one.interval(measure);
    match interval.n {
        1 => shown(measure(one.first())),
        _ => format!("{} ± {}", shown(interval.mean), shown(interval.within)),
    }
}

/// With as many figures as mean something.
fn number(value: f64) -> String {
    match value {
        value if !value.is_finite() => "no limit".to_owned(),
        value if value >= 100.0 || value == 0.0 => {
            let digits = format!("{value:.0}");
            let mut told = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    told.push(',');
                }
                told.push(digit);
            }
            told
        }
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn duration(ns: f64) -> String {
    match ns {
        ns if ns >= 1e9 => format!("{:.2} s", ns / 1e9),
        ns if ns >= 1e7 => format!("{:.1} ms", ns / 1e6),
        ns if ns >= 1e6 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.0} µs", ns / 1e3),
    }
}
