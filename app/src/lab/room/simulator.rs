//! The simulator: which scene, how fast, how many, and how far it is.

use flow::api::{Preset, Simulator, SimulatorState, StyleChoice};
use maud::{Markup, html};

/// The scenes, each with its name and what happens in it.
const SCENES: [(Preset, &str, &str); 5] = [
    (Preset::QuietTuesday, "Quiet Tuesday", "A few arrivals a minute, and a shopper now and then."),
    (Preset::TruckAtTheGate, "Truck at the gate", "A burst of 200 arrivals at once."),
    (Preset::BlackFriday, "Black Friday", "Many shoppers, and a few products that everybody wants."),
    (Preset::SoldOutAndBack, "Sold out and back", "Wishes pile up for what is sold out; then one arrival."),
    (Preset::SupplierMistake, "Supplier mistake", "A file from the warehouse with bad rows."),
];

const STYLES: [(StyleChoice, &str, &str); 3] = [
    (StyleChoice::Both, "both", "Both styles"),
    (StyleChoice::Choreography, "choreography", "Choreography"),
    (StyleChoice::Orchestration, "orchestration", "Orchestration"),
];

/// The part `simulator`.
#[must_use]
pub fn part(told: &Simulator) -> Markup {
    let (state, pill) = match told.state {
        SimulatorState::Stopped => ("stopped", "pill-wait"),
        SimulatorState::Running => ("running", "pill-done"),
        SimulatorState::Paused => ("paused", "pill-warn"),
    };
    let is_stopped = told.state == SimulatorState::Stopped;
    html! {
        div.simulator data-simulator=(state) data-arrivals=(told.arrivals) {
            div.crew-head { h3 { (scene(told.preset)) } span class={ "pill " (pill) } { (state) } }
            @if told.count > 0 {
                progress max=(told.count) value=(told.arrivals.min(told.count)) aria-label="Progress" {}
            }
            p.hint {
                (told.arrivals)
                @if told.count > 0 { " of " (told.count) }
                " arrivals · " (told.sales) " sales, " (told.refused) " refused · " (told.wishes) " wishes"
            }
            @if let Some(note) = &told.note { p.hint.breaks role="status" { (note) } }
            form.simulator-form data-ask="PUT /api/simulator" {
                fieldset.fieldset {
                    legend.label { "Scene" }
                    @for (preset, name, sentence) in SCENES {
                        label.scene {
                            input type="radio" name="preset" value=(preset) data-now checked[preset == told.preset];
                            span { (name) span.hint { (sentence) } }
                        }
                    }
                }
                (rate(told.rate_per_s))
                div.field {
                    label for="simulator-count" { "Stop after (0: never)" }
                    input #simulator-count.input type="number" name="count" min="0" value=(told.count) data-now;
                }
                div.field {
                    label for="simulator-seed" { "Seed" }
                    input #simulator-seed.input type="number" name="seed" min="0" value=(told.seed) data-now;
                }
                div.field {
                    label for="simulator-style" { "Into" }
                    select #simulator-style.input name="style" data-now {
                        @for (choice, value, name) in STYLES {
                            option value=(value) selected[choice == told.style] { (name) }
                        }
                    }
                }
            }
            div.button-row {
                (button("running", if is_stopped { "Start" } else { "Go on" }, told.state == SimulatorState::Running))
                (button("paused", "Pause", told.state != SimulatorState::Running))
                (button("stopped", "Stop", is_stopped))
            }
        }
    }
}

fn scene(preset: Preset) -> &'static str {
    SCENES.iter().find(|scene| scene.0 == preset).map_or("", |scene| scene.1)
}

/// From 0.1 to 2,000 a second: each step of the slider is as much more.
fn rate(per_s: f64) -> Markup {
    html! {
        div.field {
            label for="simulator-rate" { "Arrivals" }
            input #simulator-rate type="range" name="rate_per_s" min="-1" max="3.301" step="any" data-log data-now
                value={ (format!("{:.3}", per_s.clamp(0.1, 2_000.0).log10())) };
            output.hint for="simulator-rate" { (per_s) " a second" }
        }
    }
}

fn button(state: &str, words: &str, off: bool) -> Markup {
    html! {
        button.button.button-small type="button" disabled[off] data-ask="PUT /api/simulator"
            data-body=(serde_json::json!({ "state": state })) { (words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_how_far_it_is_and_what_can_be_done_next() {
        let told = Simulator {
            state: SimulatorState::Running,
            preset: Preset::BlackFriday,
            seed: 7,
            rate_per_s: 20.0,
            sales_per_s: 40.0,
            count: 100,
            style: StyleChoice::Both,
            arrivals: 25,
            sales: 3,
            refused: 1,
            wishes: 0,
            note: None,
        };
        let html = part(&told).into_string();
        assert!(html.contains("25 of 100 arrivals") && html.contains(r#"value="1.301""#), "{html}");
        for (_, name, sentence) in SCENES {
            assert!(html.contains(name) && html.contains(sentence));
        }
        assert_eq!(html.matches("disabled").count(), 1, "what runs can be paused and stopped");
    }
}
