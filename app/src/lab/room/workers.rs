//! How many workers each service has, how they are, and whether they ask inventory at all.

use super::field::{NumberField, following, number};
use super::section::{Asking, Section};
use crate::api::asks::Ask;
use crate::lab::words::service_name;
use flow::api::{Breaker, BreakerState, Crew, WorkersState};
use flow::{Service, System};
use leptos::{ev, prelude::*};
use serde::Serialize;
use serde_json::json;

const fn state(state: WorkersState) -> (&'static str, &'static str) {
    match state {
        WorkersState::Running => ("running", "pill pill-done"),
        WorkersState::Restarting => ("restarting", "pill pill-warn"),
        WorkersState::Failed => ("failed", "pill pill-failed"),
        WorkersState::Stopped => ("stopped", "pill pill-wait"),
    }
}

fn breaker(breaker: &Breaker) -> String {
    let failures = breaker.failures;
    match breaker.state {
        BreakerState::Closed if failures == 0 => "closed".to_owned(),
        BreakerState::Closed => format!("closed, {failures} failed in a row"),
        BreakerState::Open => format!("open after {failures} failures: no calls"),
        BreakerState::HalfOpen => "half open: trying one call".to_owned(),
    }
}

/// Sets how many workers a service has, and how many unacked messages each may hold. The server says what is wrong with them.
pub fn set(system: System, service: Service, workers: &impl Serialize, prefetch: &impl Serialize) -> Ask {
    let body = json!({ "workers": workers, "prefetch": prefetch });
    Ask::new("POST", system.api(&format!("{service}/workers"))).with(body.to_string())
}

/// The services, each with its workers.
pub fn contents(section: Section) -> AnyView {
    let told = section.told::<Vec<Crew>>(section.system.api("workers"));
    let services =
        move || told.get().unwrap_or_default().into_iter().map(|crew| crew.service).collect::<Vec<_>>();
    view! {
        {move || (!section.is_ready.get()).then(|| view! { <Asking /> })}
        <p class="hint">"Change them while the system runs: nothing is lost."</p>
        <ul class="crews">
            <For each=services key=|service| *service let(service)>
                <CrewRow section told service />
            </For>
        </ul>
    }
    .into_any()
}

#[component]
fn CrewRow(section: Section, told: RwSignal<Option<Vec<Crew>>>, service: Service) -> impl IntoView {
    let crew = Memo::new(move |_| {
        told.with(|told| told.as_ref()?.iter().find(|crew| crew.service == service).cloned())
    });
    let see =
        move |see: fn(&Crew) -> String| move || crew.with(|crew| crew.as_ref().map(see)).unwrap_or_default();
    let words = see(|crew| state(crew.workers.state).0.to_owned());
    let last_stop = move || {
        let error = crew.with(|crew| crew.as_ref()?.workers.last_error.clone())?;
        Some(view! { <p class="hint breaks">"Last stop: " {error}</p> })
    };
    let last_call = move || {
        let error = crew.with(|crew| crew.as_ref()?.breaker.as_ref()?.last_error.clone())?;
        Some(view! { <p class="hint breaks">"Last call: " {error}</p> })
    };
    let of_calls = move || {
        let words = crew.with(|crew| crew.as_ref()?.breaker.as_ref().map(breaker))?;
        Some(view! {
            <br />
            "Breaker "
            <span data-breaker=service.as_str()>{words}</span>
        })
    };
    view! {
        <li data-workers=service.as_str() data-state=words>
            <div class="crew-head">
                <h3>{service_name(service)}</h3>
                <span class=see(|crew| state(crew.workers.state).1.to_owned())>{words}</span>
            </div>
            <p class="hint">
                {see(|Crew { workers, .. }| {
                    format!("{} × prefetch {}, restarted {}×", workers.workers, workers.prefetch, workers.restarts)
                })}
                {of_calls}
            </p>
            {last_stop}
            {last_call}
            <CrewForm
                section
                service
                workers=following(see(|crew| crew.workers.workers.to_string()))
                prefetch=following(see(|crew| crew.workers.prefetch.to_string()))
            />
        </li>
    }
}

#[component]
fn CrewForm(
    section: Section,
    service: Service,
    workers: RwSignal<String>,
    prefetch: RwSignal<String>,
) -> impl IntoView {
    let form = format!("workers-{service}");
    let submit = {
        let form = form.clone();
        move |event: ev::SubmitEvent| {
            event.prevent_default();
            let read = |field: RwSignal<String>| field.with_untracked(|text| number(text));
            let ask = set(section.system, service, &read(workers), &read(prefetch));
            section.asks.ask(ask.from(form.clone()));
        }
    };
    view! {
        <form id=form.clone() class="crew-form" on:submit=submit>
            <NumberField
                section
                form=form.clone()
                name="workers"
                label="Workers"
                value=workers
                min="1"
                max="16"
                required=true
            />
            <NumberField
                section
                form=form.clone()
                name="prefetch"
                label="Prefetch"
                value=prefetch
                min="1"
                max="1000"
                required=true
            />
            <button
                class="button"
                type="submit"
                aria-label=format!("Set workers of {}", service_name(service))
            >
                "Set"
            </button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breaker_says_whether_calls_are_made_and_why_not() {
        let told =
            |state, failures| breaker(&Breaker { state, failures, retry_at_us: None, last_error: None });
        assert_eq!(told(BreakerState::Closed, 0), "closed");
        assert_eq!(told(BreakerState::Closed, 2), "closed, 2 failed in a row");
        assert_eq!(told(BreakerState::Open, 5), "open after 5 failures: no calls");
        assert_eq!(told(BreakerState::HalfOpen, 5), "half open: trying one call");
    }
}
