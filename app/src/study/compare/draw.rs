//! The page's frame, its form and its playhead.

use super::form::{COUNT, FAULTS};
use super::{Handle, Page, lanes, steps, table};
use crate::components::{style_mark, title};
use crate::lab::broken;
use crate::lab::diagram::Scene;
use crate::lab::director::SPEEDS;
use crate::lab::playhead;
use crate::lab::words::service_name;
use crate::live::Connection;
use flow::fault::Fault;
use flow::{History, Service, Style};
use leptos::prelude::Get as _;
use maud::{Markup, html};

/// The id of the place of a style's diagram.
pub const fn canvas_id(style: Style) -> &'static str {
    match style {
        Style::Choreography => "diagram-choreography",
        Style::Orchestration => "diagram-orchestration",
    }
}

/// The whole page, as it is when it is opened.
pub fn page(page: &Page, handle: Handle, history: &History) -> Markup {
    let connection = handle.live.connection.get();
    html! {
        main #main.page.compare tabindex="-1" data-connection=(connection.as_str()) data-seq=(history.now().seq)
            data-settled=(Style::ALL.iter().all(|&style| history.now().system(style).is_settled())) data-shown="0" {
            div.page-head {
                div {
                    h1 { "Compare" }
                    p { "The same arrivals through both styles, each timed from the moment it was received." }
                }
            }
            div #duel-form { (form(page, connection)) }
            div #duel-bar { (bar(page, connection)) }
            p #duel-spoken.sr-only role="status" {}
            div.duel {
                @for (side, &style) in handle.sides.iter().zip(Style::ALL) {
                    section.card.duel-side data-style=(style) aria-labelledby={ "duel-" (style) } {
                        h2 id={ "duel-" (style) } { (style_mark(style)) " " (title(style)) }
                        div id=(canvas_id(style)) { (side.peek(|state| Scene::of(state).draw()).unwrap_or_default()) }
                    }
                }
            }
            div #duel-study { (study(page, history)) }
        }
    }
}

/// What is sent, and what is broken before.
pub fn form(page: &Page, connection: Connection) -> Markup {
    let form = &page.form;
    let off = !page.hydrated;
    let wrong = |field: &str| form.wrong.as_ref().filter(|wrong| wrong.0 == field).map(|_| "true");
    let number = |field: &str, words: &str, value: &str| {
        html! {
            div.field.duel-number {
                label for={ "duel-" (field) } { (words) }
                input.input id={ "duel-" (field) } data-field=(field) inputmode="decimal" autocomplete="off"
                    value=(value) disabled[off] aria-invalid=[wrong(field)];
            }
        }
    };
    html! {
        form.card.duel-form data-act="send" novalidate {
            fieldset.field.fieldset {
                legend.label { "What is sent" }
                div.segments {
                    @for (value, words, is_chosen) in [("one", "One arrival", !form.is_burst), ("burst", "A burst", form.is_burst)] {
                        label.segment {
                            input type="radio" name="what" value=(value) data-field="what" checked[is_chosen] disabled[off];
                            (words)
                        }
                    }
                }
            }
            @if form.is_burst {
                (number("count", &format!("Arrivals, {} to {}", COUNT.start(), COUNT.end()), &form.count))
            } @else {
                div.field {
                    label for="duel-sku" { "SKU" }
                    input.input #duel-sku type="text" data-field="sku" list="duel-skus" autocomplete="off"
                        autocapitalize="characters" spellcheck="false" value=(form.sku) disabled[off]
                        aria-invalid=[wrong("sku")];
                    datalist #duel-skus { @for sku in &page.skus { option value=(sku) {} } }
                }
                (number("quantity", "Quantity", &form.quantity))
            }
            div.field {
                label for="duel-fault" { "Broken in both" }
                select.input #duel-fault data-field="fault" disabled[off] {
                    option value="" selected[form.fault.is_none()] { "Nothing" }
                    @for kind in FAULTS {
                        option value=(kind) selected[form.fault == Some(kind)] { (broken::name(kind)) }
                    }
                }
            }
            @if form.fault.is_some() {
                div.field {
                    label for="duel-service" { "Whose" }
                    select.input #duel-service data-field="service" disabled[off] {
                        @for &service in Service::ALL {
                            option value=(service) selected[service == form.service] { (service_name(service)) }
                        }
                    }
                }
            }
            @if form.wants_probability() { (number("probability", "Probability", &form.probability)) }
            @if form.wants_delay() { (number("delay", "Delay in ms", &form.delay)) }
            @if form.wants_seed() { (number("seed", "Seed", &form.seed)) }
            button.button.button-primary type="submit" disabled[off || form.is_sending || !matches!(connection, Connection::Live | Connection::BrokerFull)] {
                "Send through both"
            }
            @if let Some((_, words)) = &form.wrong { p.field-error.duel-wide-line role="alert" { (words) } }
            @if let Some(kind) = form.fault {
                p.hint.duel-wide-line {
                    (broken::sentence(kind))
                    @if kind.as_str().starts_with("http") { " Only choreography makes HTTP calls, so it can strike only there." }
                    " It is set in both styles, and cleared when all is over."
                }
            } @else if form.is_burst {
                p.hint.duel-wide-line { "The same seed brings the same arrivals." }
            }
        }
    }
}

/// What is broken, the playhead, and both styles on one time.
pub fn bar(page: &Page, _: Connection) -> Markup {
    let (at, total) = (page.shown(), page.total());
    let off = !page.hydrated || total == 0;
    let button = |act, words, key, path| playhead::button(off, act, words, key, path);
    html! {
        @if let Some(broken) = &page.broken {
            div.notice.duel-broken role="status" {
                p { strong { "Broken in both styles: " } (says(&broken.fault)) "." }
                button.button.button-small type="button" data-act="mend" disabled[page.is_mending] { "Clear" }
            }
        }
        div.card.playhead role="group" aria-label="Playhead" data-play=(if page.is_playing { "playing" } else { "paused" }) {
            div.playhead-buttons {
                (button("again", "From the start", "Home", "M4 4v12M16 4l-9 6 9 6z"))
                (button("back", "One step back", "←", "M13 4l-7 6 7 6M4 4v12"))
                @if page.is_playing { (button("toggle", "Pause the view", "Space", "M7 4v12M13 4v12")) }
                @else { (button("toggle", "Play", "Space", "M6 4l10 6-10 6z")) }
                (button("step", "One step forward", "→", "M7 4l7 6-7 6M16 4v12"))
                (button("next-message", "Next message", "Shift →", "M3 4l6 6-6 6M11 4l6 6-6 6"))
            }
            input.playhead-range type="range" min="0" max=(total.max(1)) value=(at) data-field="playhead"
                aria-label="Playhead" aria-valuetext={ "Step " (at) " of " (total) } disabled[off];
            span.playhead-at { (at) " / " (total) }
            div.segments role="group" aria-label="Speed" {
                @for (index, (_, name)) in SPEEDS.iter().enumerate() {
                    button.segment type="button" data-act="speed" data-at=(index) disabled[off]
                        aria-pressed=(index == page.play.speed) aria-label={ "Speed " (name) "×" } { (name) "×" }
                }
            }
            @if let Some(slowed) = page.play.slowed() {
                p.pill.pill-plain { "slowed for viewing " (slowed) }
            }
        }
        @if let Some(score) = &page.score { (lanes::lanes(score)) }
    }
}

/// A fault in words.
fn says(fault: &Fault) -> String {
    let delay = fault.delay_ms.map(|ms| format!(", by {ms} ms")).unwrap_or_default();
    let service = service_name(fault.service);
    format!("{} of {service}, {}{delay}", broken::name(fault.kind), broken::trigger(fault))
}

/// The steps in words, the table, and who must know whom.
pub fn study(page: &Page, history: &History) -> Markup {
    let Some((score, duel)) = page.score.as_ref().zip(page.duel.as_ref()) else {
        return html! {
            p.view-empty {
                "Send one arrival, or a burst of them, through both, and see step by step what it takes in each."
            }
        };
    };
    html! {
        div.duel-lists {
            @for &style in Style::ALL { (steps::steps(score, style, duel.n(), history)) }
        }
        (table::table(score.compare(), duel.n()))
        div.duel-lists {
            @for &style in Style::ALL { (table::matrix(style, &score.compare().side(style).coupling)) }
        }
    }
}

/// Where the playhead is, for whoever does not see it.
pub fn spoken(page: &Page) -> String {
    if page.total() == 0 {
        return String::new();
    }
    let n = page.duel.as_ref().map_or(0, super::duel::Duel::n);
    let done = |style| page.score.as_ref().map_or(0, |score| score.compare().side(style).summary().complete);
    format!(
        "Step {} of {}. Done in choreography: {} of {n}. Done in orchestration: {} of {n}.",
        page.shown(),
        page.total(),
        done(Style::Choreography),
        done(Style::Orchestration),
    )
}
