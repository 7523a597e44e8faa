//! What is asked of `skuflow simulate`.

use flow::Style;
use foresee::{Arrivals, Handling, Promise, Settings, Spread};
use std::str::FromStr;

/// The settings of `skuflow simulate`. Nothing is sent anywhere: it is a model. Without flags it is what `/foresee` opens with, for more arrivals.
#[derive(Debug, Clone, clap::Args)]
pub struct Simulate {
    /// `choreography`, `orchestration` or `both`.
    #[arg(long = "style", default_value = "both", value_name = "STYLE")]
    pub styles: Styles,

    /// Arrivals a second.
    #[arg(long, default_value_t = 100.0, value_name = "PER_SECOND")]
    pub rate: f64,

    /// When they come: `poisson`, `constant`, or `bursts:SIZE`.
    #[arg(long, default_value = "poisson", value_name = "PATTERN", value_parser = arrivals)]
    pub arrivals: Arrivals,

    /// How many are simulated.
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    pub count: u32,

    /// How many services hear of each, inventory included.
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub services: u8,

    /// Workers of each service.
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub workers: u16,

    /// How many messages each worker holds.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub prefetch: u16,

    /// What a worker does with what it holds: `one-by-one`, or `at-once` as Skuflow's own consumers.
    #[arg(long, default_value = "one-by-one", value_name = "HOW", value_parser = handling)]
    pub handling: Handling,

    /// What a handler takes by itself, on the average.
    #[arg(long, default_value_t = 8.0, value_name = "MS", value_parser = milliseconds)]
    pub service_ms: f64,

    /// How that varies: `constant`, `exponential`, or `lognormal:DEVIATION` (the deviation over the mean).
    #[arg(long, default_value = "exponential", value_name = "SPREAD")]
    pub service_spread: Shape,

    /// What inventory takes to answer a call, on the average; 0 for no calls.
    #[arg(long, default_value_t = 4.0, value_name = "MS", value_parser = milliseconds)]
    pub callback_ms: f64,

    /// How that varies, as for `--service-spread`.
    #[arg(long, default_value = "exponential", value_name = "SPREAD")]
    pub callback_spread: Shape,

    /// How many calls inventory answers at a time.
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub callback_workers: u16,

    /// What the relay takes for a batch of its outbox.
    #[arg(long, default_value_t = 0.5, value_name = "MS", value_parser = milliseconds)]
    pub relay_ms: f64,

    /// The most messages of a batch.
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub batch: u16,

    /// What the broker takes for each copy of a message.
    #[arg(long, default_value_t = 0.02, value_name = "MS", value_parser = milliseconds)]
    pub broker_ms: f64,

    /// From the relay to the consumer's hands, when nothing waits.
    #[arg(long, default_value_t = 0.4, value_name = "MS", value_parser = milliseconds)]
    pub way_ms: f64,

    /// How often a handler fails, from 0 to 0.99.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub failure: f64,

    /// How often a message is tried before it is parked.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub attempts: u8,

    /// How long it waits before its second attempt; each time twice as long.
    #[arg(long, default_value_t = 200.0, value_name = "MS", value_parser = milliseconds)]
    pub retry_ms: f64,

    /// How long a worker lives on the average; 0 for ever.
    #[arg(long, default_value_t = 0.0, value_name = "S")]
    pub crash_every_s: f64,

    /// How long until it is there again.
    #[arg(long, default_value_t = 1_000.0, value_name = "MS", value_parser = milliseconds)]
    pub restart_ms: f64,

    /// What the transport promises: `at-least-once` or `at-most-once`.
    #[arg(long, default_value = "at-least-once", value_name = "PROMISE", value_parser = promise)]
    pub promise: Promise,

    /// How many messages a queue takes where the rest is dropped (at most once).
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub queue_max: u32,

    /// Where all chance starts from: the same seed gives the same numbers on every machine.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,

    /// Under how many seeds it is simulated; with more than one, the table tells how far the numbers are chance.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50))]
    pub replications: u32,

    /// For how many arrivals a second "scale on paper" is told.
    #[arg(long, default_value_t = 1_000_000.0, value_name = "PER_SECOND", value_parser = paper_rate)]
    pub paper_rate: f64,

    /// Print CSV, a line for each style.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,

    /// Print JSON: settings, outcomes and their digests, and scale on paper.
    #[arg(long)]
    pub json: bool,
}

impl Simulate {
    /// What the model is asked in one style.
    #[must_use]
    pub fn settings(&self, style: Style) -> Settings {
        Settings {
            style,
            rate_per_s: self.rate,
            arrivals: self.arrivals.clone(),
            count: self.count,
            services: self.services,
            workers: self.workers,
            prefetch: self.prefetch,
            handling: self.handling,
            service: self.service_spread.of(self.service_ms),
            callback: self.callback_spread.of(self.callback_ms),
            callback_workers: self.callback_workers,
            relay: Spread::Constant { ns: nanoseconds(self.relay_ms) },
            batch: self.batch,
            broker_ns: nanoseconds(self.broker_ms),
            way: Spread::Constant { ns: nanoseconds(self.way_ms) },
            failure: self.failure,
            attempts: self.attempts,
            retry_ns: nanoseconds(self.retry_ms),
            crash_every_s: self.crash_every_s,
            restart_ns: nanoseconds(self.restart_ms),
            promise: self.promise,
            queue_max: self.queue_max,
            seed: self.seed,
        }
    }
}

/// One style or both.
#[derive(Debug, Clone)]
pub struct Styles(pub Vec<Style>);

impl FromStr for Styles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "both" => Ok(Self(Style::ALL.to_vec())),
            one => one
                .parse()
                .map(|style| Self(vec![style]))
                .map_err(|_| "use choreography, orchestration or both".to_owned()),
        }
    }
}

/// How a duration varies around its mean.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Not at all.
    Constant,
    /// As times between independent events do.
    Exponential,
    /// With that deviation over the mean.
    Lognormal(f64),
}

impl Shape {
    fn of(self, mean_ms: f64) -> Spread {
        let mean_ns = nanoseconds(mean_ms);
        match self {
            _ if mean_ns == 0 => Spread::NONE,
            Self::Constant => Spread::Constant { ns: mean_ns },
            Self::Exponential => Spread::Exponential { mean_ns },
            Self::Lognormal(cv) => Spread::Lognormal { mean_ns, cv },
        }
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let deviation = text.strip_prefix("lognormal:").and_then(|cv| cv.parse().ok());
        match (text, deviation) {
            ("constant", _) => Ok(Self::Constant),
            ("exponential", _) => Ok(Self::Exponential),
            (_, Some(cv)) if (0.0..=10.0).contains(&cv) => Ok(Self::Lognormal(cv)),
            _ => Err("use constant, exponential, or lognormal:0.5 (0 to 10)".to_owned()),
        }
    }
}

/// A duration of the command line, which is in range by then.
fn nanoseconds(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}

fn milliseconds(text: &str) -> Result<f64, String> {
    let ms = text.parse().ok().filter(|ms| (0.0..=3_600_000.0).contains(ms));
    ms.ok_or_else(|| "use 0 to 3600000 milliseconds".to_owned())
}

fn paper_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.01..=1e12).contains(rate));
    rate.ok_or_else(|| "use 0.01 to 1000000000000 arrivals a second".to_owned())
}

fn arrivals(text: &str) -> Result<Arrivals, String> {
    match (text, text.strip_prefix("bursts:").and_then(|size| size.parse().ok())) {
        ("poisson", _) => Ok(Arrivals::Poisson),
        ("constant", _) => Ok(Arrivals::Constant),
        (_, Some(size)) => Ok(Arrivals::Bursts { size }),
        _ => Err("use poisson, constant, or bursts:20".to_owned()),
    }
}

fn handling(text: &str) -> Result<Handling, String> {
    match text {
        "one-by-one" => Ok(Handling::OneByOne),
        "at-once" => Ok(Handling::AtOnce),
        _ => Err("use one-by-one or at-once".to_owned()),
    }
}

fn promise(text: &str) -> Result<Promise, String> {
    match text {
        "at-least-once" => Ok(Promise::AtLeastOnce),
        "at-most-once" => Ok(Promise::AtMostOnce),
        _ => Err("use at-least-once or at-most-once".to_owned()),
    }
}
