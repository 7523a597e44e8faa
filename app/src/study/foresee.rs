//! The page `/foresee`: what both styles would do under a load, by the model, and how far the real system agrees.
//!
//! [`fields`]: what can be set. [`work`]: the simulations, in slices that leave the page its frames. [`charts`]: what is drawn.
//! [`real`]: the running system, from which is learned and against which the model is held.

mod charts;
mod fields;
mod real;
mod work;

use crate::components::title;
use crate::lab::words::duration;
use crate::live::Live;
use charts::{Depth, Hockey};
use fields::Fields;
use flow::Style;
use foresee::{Outcome, Settings, Verdict, theory};
use leptos::prelude::*;
use real::Real;
use work::Work;

/// The page.
pub(super) fn page(live: Live) -> AnyView {
    view! { <Foresee live /> }.into_any()
}

#[component]
fn Foresee(live: Live) -> impl IntoView {
    let settings = RwSignal::new(Settings { count: 4_000, ..Settings::default() });
    let work = Work::new(&settings.get_untracked());
    Effect::new(move |is_later: Option<()>| {
        let wanted = settings.get();
        // The first paint has its own already, but no curves.
        work.begin(wanted, is_later.is_none());
    });
    view! {
        <main id="main" class="page foresee" tabindex="-1" data-working=move || work.is_working.get().to_string()>
            <header class="page-head">
                <h1>"Foresee"</h1>
                <p class="soft">
                    "A model of both styles, simulated in this page: what would happen at a load that no laptop runs? Then hold it
                     against the real system."
                </p>
            </header>
            <div class="foresee-parts">
                <Fields settings wrong=work.wrong />
                <div class="foresee-told">
                    <Verdicts work settings />
                    <Hockey work settings />
                    <Depth work />
                    <Stations work />
                    <Real live settings />
                </div>
            </div>
        </main>
    }
}

/// That none of it happened.
#[component]
fn Simulated() -> impl IntoView {
    view! { <span class="foresee-mark">"simulated"</span> }
}

/// A time in nanoseconds, in words.
fn time(ns: u64) -> String {
    duration(ns / 1_000)
}

/// A number a second, with as many figures as one can use.
fn per_s(number: f64) -> String {
    if number < 10.0 { format!("{number:.2}/s") } else { format!("{number:.0}/s") }
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
fn Verdicts(work: Work, settings: RwSignal<Settings>) -> impl IntoView {
    let rows = move || {
        let outcomes = work.outcomes.get();
        let settings = settings.get();
        let row = |name: &'static str, see: &dyn Fn(&Outcome) -> String| {
            let [first, second] =
                outcomes.each_ref().map(|outcome| outcome.as_ref().map(see).unwrap_or_default());
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td>{first}</td>
                    <td>{second}</td>
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
            {row("Does it keep up?", &verdict)}
            {row("Throughput", &|outcome| per_s(outcome.throughput_per_s))}
            {row("To the last effect, p50", &stable(|outcome| outcome.p50_ns))}
            {row("p95", &stable(|outcome| outcome.p95_ns))}
            {row("p99", &stable(|outcome| outcome.p99_ns))}
            {row("Full at", &full)}
            {row("Messages published", &|outcome| outcome.messages.to_string())}
            {row("Calls to inventory", &|outcome| outcome.calls.to_string())}
            {row("Run", &|outcome| outcome.digest())}
        }
    };
    view! {
        <section class="card" aria-labelledby="foresee-verdict">
            <h2 id="foresee-verdict">"What would happen" <Simulated /></h2>
            <div class="table-frame">
                <table class="table foresee-table">
                    <thead>
                        <tr>
                            <td></td>
                            {Style::ALL.iter().map(|style| view! { <th scope="col">{title(*style)}</th> }).collect_view()}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <p class="hint" role="status">
                {move || if work.is_working.get() { "Simulating…" } else { "Both styles see the same arrivals." }}
            </p>
        </section>
    }
}

/// How busy each station is.
#[component]
fn Stations(work: Work) -> impl IntoView {
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
            <div class="foresee-pair">{move || work.outcomes.get().into_iter().flatten().map(of).collect_view()}</div>
        </section>
    }
}
