//! How many workers each service has, how they are, and whether they ask inventory at all.

use crate::lab::words::service_name;
use flow::api::{Breaker, BreakerState, Workers, WorkersState};
use flow::{Service, Style};
use maud::{Markup, html};

/// One service's workers, and the breaker of its calls where it makes any.
#[derive(Debug, Clone)]
pub struct Crew {
    /// Whose.
    pub service: Service,
    /// The workers.
    pub workers: Workers,
    /// The breaker.
    pub breaker: Option<Breaker>,
}

const fn state(state: WorkersState) -> (&'static str, &'static str) {
    match state {
        WorkersState::Running => ("running", "pill-done"),
        WorkersState::Restarting => ("restarting", "pill-warn"),
        WorkersState::Failed => ("failed", "pill-failed"),
        WorkersState::Stopped => ("stopped", "pill-wait"),
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

/// The part `workers`.
#[must_use]
pub fn part(style: Style, crews: &[Crew]) -> Markup {
    html! {
        p.hint { "Change them while the system runs: nothing is lost." }
        ul.crews {
            @for Crew { service, workers, breaker: of_calls } in crews {
                @let (words, pill) = state(workers.state);
                @let id = format!("workers-{service}");
                li data-key=(id) data-workers=(service) data-state=(words) {
                    div.crew-head { h3 { (service_name(*service)) } span class={ "pill " (pill) } { (words) } }
                    p.hint {
                        (workers.workers) " × prefetch " (workers.prefetch) ", restarted " (workers.restarts) "×"
                        @if let Some(of_calls) = of_calls {
                            br; "Breaker "
                            span data-breaker=(service) { (breaker(of_calls)) }
                        }
                    }
                    @if let Some(error) = &workers.last_error { p.hint.breaks { "Last stop: " (error) } }
                    @if let Some(error) = of_calls.as_ref().and_then(|one| one.last_error.as_ref()) {
                        p.hint.breaks { "Last call: " (error) }
                    }
                    form.crew-form data-ask={ "POST /api/" (style) "/" (service) "/workers" } {
                        div.field {
                            label for={ (id) "-number" } { "Workers" }
                            input.input id={ (id) "-number" } type="number" name="workers" min="1" max="16" required
                                value=(workers.workers);
                        }
                        div.field {
                            label for={ (id) "-prefetch" } { "Prefetch" }
                            input.input id={ (id) "-prefetch" } type="number" name="prefetch" min="1" max="1000" required
                                value=(workers.prefetch);
                        }
                        button.button type="submit" aria-label={ "Set workers of " (service_name(*service)) } { "Set" }
                    }
                }
            }
        }
    }
}
