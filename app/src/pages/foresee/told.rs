//! What is set, and what the model says of it.

use super::charts::{self, Curve};
use crate::components::title;
use crate::lab::words::duration;
use flow::{Style, System};
use foresee::curve::{self, Point};
use foresee::learn::{Learned, Measured, learn};
use foresee::{MS_NS, Outcome, Settings, Spread, Verdict, simulate, theory};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

/// How many arrivals are simulated: enough for a p99, and done before anybody notices.
const COUNT: u32 = 4_000;
/// How many of the newest events are learned from.
const EVENTS: usize = 20_000;

/// A number of the model.
struct Field {
    /// Its name in the address.
    key: &'static str,
    name: &'static str,
    unit: &'static str,
    least: f64,
    most: f64,
    step: f64,
    get: fn(&Settings) -> f64,
    set: fn(&mut Settings, f64),
}

fn ms(spread: &Spread) -> f64 {
    spread.mean_ns() / MS_NS as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each field has its range")]
fn ns(ms: f64) -> u64 {
    (ms * MS_NS as f64) as u64
}

macro_rules! field {
    ($key:literal, $name:literal, $unit:literal, $least:literal to $most:literal by $step:literal, $get:expr, $set:expr) => {
        Field {
            key: $key,
            name: $name,
            unit: $unit,
            least: $least,
            most: $most,
            step: $step,
            get: $get,
            set: $set,
        }
    };
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each field has its range")]
const FIELDS: [Field; 9] = [
    field!("rate", "Arrivals a second", "/s", 1.0 to 100_000.0 by 1.0, |of| of.rate_per_s, |of, to| of.rate_per_s = to),
    field!("services", "Services", "", 1.0 to 20.0 by 1.0, |of| of.services.into(), |of, to| of.services = to as u8),
    field!("workers", "Workers of each", "", 1.0 to 1_000.0 by 1.0, |of| of.workers.into(), |of, to| of.workers = to as u16),
    field!("prefetch", "Prefetch", "", 1.0 to 100.0 by 1.0, |of| of.prefetch.into(), |of, to| of.prefetch = to as u16),
    field!("service_ms", "A handler's own work", "ms", 0.001 to 1_000.0 by 0.001, |of| ms(&of.service), |of, to| {
        of.service = of.service.with_mean(ns(to));
    }),
    field!("callback_ms", "Inventory's answer", "ms", 0.001 to 1_000.0 by 0.001, |of| ms(&of.callback), |of, to| {
        of.callback = of.callback.with_mean(ns(to));
    }),
    field!("callback_workers", "Answers at once", "", 1.0 to 1_000.0 by 1.0, |of| of.callback_workers.into(), |of, to| {
        of.callback_workers = to as u16;
    }),
    field!("failure", "Attempts that fail", "%", 0.0 to 50.0 by 1.0, |of| of.failure * 100.0, |of, to| of.failure = to / 100.0),
    field!("seed", "Seed", "", 1.0 to 1_000_000.0 by 1.0, |of| of.seed as f64, |of, to| of.seed = to as u64),
];

/// What an address asks for.
struct Asked {
    settings: Settings,
    /// From which system is learned.
    learn: Option<Style>,
    wrong: Vec<String>,
}

impl Asked {
    fn read(query: &ParamsMap) -> Self {
        let mut settings = Settings { count: COUNT, ..Settings::default() };
        let mut wrong = Vec::new();
        for Field { key, name, least, most, set, .. } in FIELDS {
            let Some(text) = query.get(key).filter(|text| !text.is_empty()) else { continue };
            match text.parse::<f64>() {
                Ok(number) if (least..=most).contains(&number) => set(&mut settings, number),
                _ => wrong.push(format!("{name}: {text:?} is not in its range; use {least} to {most}.")),
            }
        }
        let learn = query.get("learn").filter(|text| !text.is_empty()).and_then(|text| text.parse().ok());
        if let Err(error) = settings.check() {
            wrong.push(format!("{error}."));
        }
        Self { settings, learn, wrong }
    }
}

/// What the page shows.
pub struct Told;

impl Told {
    /// For the settings in the request's address.
    pub fn of_address() -> AnyView {
        let asked = Asked::read(&use_query_map().read_untracked());
        view! {
            <main id="main" class="page foresee" tabindex="-1">
                <header class="page-head">
                    <div>
                        <h1>"Foresee"</h1>
                        <p class="soft">
                            "A model of both styles: what would happen at a load that no laptop runs? It learns its times from the \
                             running system, and is held against it."
                        </p>
                    </div>
                </header>
                {Suspend::new(async move { parts(asked).await })}
            </main>
        }
        .into_any()
    }
}

/// The newest events of a system, as far as they can be read.
async fn learned(style: Style) -> Option<Learned> {
    let backend = use_context::<crate::backend::SharedBackend>()?;
    let system = System::from(style);
    let events = backend.newest_events(system, EVENTS).await.ok()?;
    Some(learn(system, events.iter().rev()))
}

async fn parts(asked: Asked) -> AnyView {
    let Asked { mut settings, learn, mut wrong } = asked;
    let learned = match learn {
        Some(style) => learned(style).await,
        None => None,
    };
    let mut held = None;
    match learned {
        Some(learned) if learned.is_enough() => {
            let own = learned.applied_to(&Settings { workers: 1, prefetch: 10, ..settings.clone() });
            held =
                simulate(&Settings { count: 20_000, ..own.clone() }).ok().map(|outcome| (learned, outcome));
            settings = own;
        }
        Some(_) => wrong.push(
            "The journal has no arrivals of that style that were handled: send some in the lab.".to_owned(),
        ),
        None if learn.is_some() => wrong.push("The journal could not be read.".to_owned()),
        None => {}
    }
    let outcomes: Vec<_> =
        Style::ALL.iter().filter_map(|style| simulate(&settings.in_style(*style)).ok()).collect();
    let curves: Vec<_> = Style::ALL.iter().map(|style| points(&settings.in_style(*style))).collect();
    view! {
        <div class="foresee-parts">
            <Form settings=settings.clone() wrong />
            <div class="foresee-told">
                <Verdicts outcomes=outcomes.clone() settings=settings.clone() />
                {held.map(|(learned, outcome)| view! { <Held learned outcome /> })}
                <section class="card" aria-labelledby="foresee-load">
                    <h2 id="foresee-load">"Time over load" <Simulated /></h2>
                    <charts::Legend />
                    <charts::Hockey curves rate_per_s=settings.rate_per_s />
                </section>
                <section class="card" aria-labelledby="foresee-depth">
                    <h2 id="foresee-depth">"What waits, over time" <Simulated /></h2>
                    <charts::Legend />
                    <charts::Depth outcomes=outcomes.clone() />
                </section>
                <Stations outcomes />
            </div>
        </div>
    }
    .into_any()
}

fn points(settings: &Settings) -> Curve {
    let point = |settings: Settings| Some(Point::of(settings.rate_per_s, &simulate(&settings).ok()?));
    Curve { style: settings.style, points: curve::settings(settings).filter_map(point).collect() }
}

/// That none of it happened.
#[component]
fn Simulated() -> impl IntoView {
    view! { <span class="foresee-mark">"simulated"</span> }
}

/// A time in nanoseconds, in words.
pub(super) fn time(ns: u64) -> String {
    duration(ns / 1_000)
}

/// A number a second, with as many figures as one can use.
pub(super) fn per_s(number: f64) -> String {
    if number < 10.0 { format!("{number:.2}/s") } else { format!("{number:.0}/s") }
}

/// What can be set, and from what is learned.
#[component]
fn Form(settings: Settings, wrong: Vec<String>) -> impl IntoView {
    let field = |Field { key, name, unit, least, most, step, get, .. }: Field| {
        let value = get(&settings);
        let value = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.3}") };
        view! {
            <div class="field foresee-field">
                <label for=key>{name}</label>
                <span class="foresee-number">
                    <input
                        id=key
                        name=key
                        class="input"
                        type="number"
                        min=least.to_string()
                        max=most.to_string()
                        step=step.to_string()
                        value=value
                    />
                    <span class="soft">{unit}</span>
                </span>
            </div>
        }
    };
    view! {
        <form class="card foresee-fields" action="/foresee" aria-labelledby="foresee-fields">
            <h2 id="foresee-fields">"The load, and the system"</h2>
            {wrong.into_iter().map(|wrong| view! { <p class="field-error" role="alert">{wrong}</p> }).collect_view()}
            {FIELDS.into_iter().map(field).collect_view()}
            <button class="button button-primary" type="submit">
                "Simulate"
            </button>
            <h3>"Held against the real system"</h3>
            <p class="hint">
                "Takes the times from what the running system has done, and predicts what was measured. Send some arrivals first, or \
                 switch on the simulator in the lab's control room."
            </p>
            {Style::ALL
                .iter()
                .map(|style| {
                    view! {
                        <button class="button" type="submit" name="learn" value=style.as_str()>
                            {format!("Learn from {}", style.as_str())}
                        </button>
                    }
                })
                .collect_view()}
        </form>
    }
}

/// Whether it keeps up, in a sentence.
fn verdict(outcome: &Outcome) -> String {
    match outcome.verdict {
        Verdict::Stable => "It keeps up.".to_owned(),
        Verdict::Unstable { grows_per_s } => {
            format!(
                "Unstable: what waits grows by {} arrivals a second.",
                per_s(grows_per_s).trim_end_matches("/s")
            )
        }
        Verdict::Drops { per_s: dropped } => {
            format!("It drops {} messages a second.", per_s(dropped).trim_end_matches("/s"))
        }
    }
}

/// The numbers of both styles, side by side.
#[component]
fn Verdicts(outcomes: Vec<Outcome>, settings: Settings) -> impl IntoView {
    let row = |name: &'static str, see: &dyn Fn(&Outcome) -> String| {
        let cells = outcomes.iter().map(|outcome| view! { <td>{see(outcome)}</td> }).collect_view();
        view! {
            <tr>
                <th scope="row">{name}</th>
                {cells}
            </tr>
        }
    };
    let stable = |see: fn(&Outcome) -> u64| {
        move |outcome: &Outcome| if outcome.is_stable() { time(see(outcome)) } else { "grows".to_owned() }
    };
    let full = |outcome: &Outcome| {
        let own = settings.in_style(outcome.style);
        let first = theory::capacities(&own).into_iter().next();
        first
            .map(|first| format!("{} ({})", per_s(theory::capacity(&own)), first.station))
            .unwrap_or_default()
    };
    view! {
        <section class="card" aria-labelledby="foresee-verdict">
            <h2 id="foresee-verdict">"What would happen" <Simulated /></h2>
            <div class="table-frame" tabindex="0" role="region" aria-label="What would happen">
                <table class="table foresee-table">
                    <thead>
                        <tr>
                            <td></td>
                            {Style::ALL
                                .iter()
                                .map(|style| view! { <th scope="col">{title(*style)}</th> })
                                .collect_view()}
                        </tr>
                    </thead>
                    <tbody>
                        {row("Does it keep up?", &verdict)}
                        {row("Throughput", &|outcome| per_s(outcome.throughput_per_s))}
                        {row("To the last effect, p50", &stable(|outcome| outcome.p50_ns))}
                        {row("p95", &stable(|outcome| outcome.p95_ns))}
                        {row("p99", &stable(|outcome| outcome.p99_ns))}
                        {row("Full at", &full)}
                        {row("Messages published", &|outcome| outcome.messages.to_string())}
                        {row("Calls to inventory", &|outcome| outcome.calls.to_string())}
                        {row("Run", &Outcome::digest)}
                    </tbody>
                </table>
            </div>
            <p class="hint">"Both styles see the same arrivals. The same settings and seed give the same run, everywhere."</p>
        </section>
    }
}

/// What was measured of a step, in words.
fn measured(name: &str, measured: Option<&Measured>) -> Option<String> {
    let Measured { mean_ns, .. } = measured?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just before")]
    let [mean, within] = [mean_ns.mean, mean_ns.within].map(|ns| time(ns.clamp(0.0, 1e15) as u64));
    Some(format!("{name} {mean} ± {within} (n = {})", mean_ns.n))
}

/// How far a prediction is off, in percent.
fn off(predicted: f64, measured: f64) -> String {
    if measured > 0.0 { format!("{:+.0} %", (predicted / measured - 1.0) * 100.0) } else { "–".to_owned() }
}

/// Predicted beside measured.
#[component]
fn Held(learned: Learned, outcome: Outcome) -> impl IntoView {
    let steps = [
        measured("handlers' own work", learned.service.as_ref()),
        measured("inventory's answers", learned.callback.as_ref()),
        measured("the relay", learned.relay.as_ref()),
        measured("the way through the broker", learned.way.as_ref()),
    ];
    let steps: Vec<_> = steps.into_iter().flatten().collect();
    let row = |name: &'static str, measured_us: u64, predicted_ns: u64| {
        let error = off(predicted_ns as f64, measured_us as f64 * 1e3);
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td>{duration(measured_us)}</td>
                <td>{time(predicted_ns)}</td>
                <td>{error}</td>
            </tr>
        }
    };
    let rate = learned.rate_per_s.unwrap_or_default();
    view! {
        <section class="card" aria-labelledby="foresee-real">
            <h2 id="foresee-real">"Held against the real system"</h2>
            <div class="table-frame" tabindex="0" role="region" aria-label="Measured and predicted">
                <table class="table foresee-table" data-held=outcome.style.as_str()>
                    <thead>
                        <tr>
                            <td></td>
                            <th scope="col">"Measured"</th>
                            <th scope="col">"Predicted"</th>
                            <th scope="col">"Error"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {row("p50", learned.took.p50_us, outcome.p50_ns)}
                        {row("p99", learned.took.p99_us, outcome.p99_ns)}
                        <tr>
                            <th scope="row">"Arrivals"</th>
                            <td>{per_s(rate)}</td>
                            <td>{per_s(outcome.throughput_per_s)}</td>
                            <td>{off(outcome.throughput_per_s, rate)}</td>
                        </tr>
                    </tbody>
                </table>
            </div>
            <p class="hint">{format!("Learned from {} arrivals: {}.", learned.arrivals, steps.join(", "))}</p>
        </section>
    }
}

/// How busy each station is.
#[component]
fn Stations(outcomes: Vec<Outcome>) -> impl IntoView {
    let of = |outcome: Outcome| {
        let rows = outcome.stations.into_iter().map(|station| {
            let percent = station.utilisation * 100.0;
            view! {
                <li>
                    <span>{station.name.clone()}</span>
                    <meter min="0" max="100" high="80" value=format!("{percent:.0}") aria-label=station.name></meter>
                    <span class="soft">{format!("{percent:.0} % · {:.1} wait", station.waiting)}</span>
                </li>
            }
        });
        view! {
            <div>
                <h3>{title(outcome.style)}</h3>
                <ul class="foresee-stations">{rows.collect_view()}</ul>
            </div>
        }
    };
    view! {
        <section class="card" aria-labelledby="foresee-stations">
            <h2 id="foresee-stations">"Who is busy" <Simulated /></h2>
            <div class="foresee-pair">{outcomes.into_iter().map(of).collect_view()}</div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Asked {
        Asked::read(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn an_address_sets_the_model_and_nonsense_in_it_is_named_with_its_range() {
        let Asked { settings, wrong, learn } =
            asked(&[("rate", "250"), ("service_ms", "2.5"), ("learn", "orchestration")]);
        assert!((settings.rate_per_s - 250.0).abs() < 1e-9 && (ms(&settings.service) - 2.5).abs() < 1e-9);
        assert!(wrong.is_empty() && learn == Some(Style::Orchestration));
        let Asked { settings, wrong, .. } = asked(&[("rate", "-1"), ("workers", "many"), ("prefetch", "")]);
        assert_eq!(settings, Settings { count: COUNT, ..Settings::default() }, "nothing is changed");
        assert_eq!(wrong.len(), 2);
        assert!(wrong[0].contains("use 1 to 100000"), "{wrong:?}");
    }

    #[test]
    fn an_error_is_told_with_its_sign_and_of_nothing_there_is_none() {
        assert_eq!([off(12.0, 10.0), off(5.0, 10.0), off(5.0, 0.0)], ["+20 %", "-50 %", "–"]);
    }
}
