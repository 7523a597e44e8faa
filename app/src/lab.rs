//! The lab: one style, its diagram, and everything that can be done with it.
//!
//! Rules are in the crate `flow`, the live state in `live`; here is what one page shows of them. The `director`
//! decides what is shown when, the `diagram` draws it, and the rest says it in words.

mod controls;
mod diagram;
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only a browser plays"))]
mod director;
mod facts;
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only a browser plays"))]
mod hop;
mod inspector;
mod journey;
mod log;
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only a browser plays"))]
mod pacer;
mod pick;
mod picker;
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only a browser plays"))]
mod rates;
pub mod selection;
mod stage;
mod status;
mod words;

use crate::live::Connection;
use crate::pages::NotFound;
use crate::paint::painted;
use controls::Controls;
use diagram::Diagram;
use flow::{Dispatch, Style, api::Product};
use inspector::Inspector;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use log::Log;
use maud::{Markup, html};
use stage::{Stage, use_stage};
use status::Status;

/// The page `/lab/{style}`.
#[component]
pub fn Lab() -> impl IntoView {
    let style = use_params_map().read_untracked().get("style").and_then(|style| style.parse::<Style>().ok());
    let Some(style) = style else { return view! { <NotFound /> }.into_any() };
    view! {
        <Title text=title(style) />
        {Suspend::new(async move {
            let products = controls::products_of(style).await.unwrap_or_default();
            view! { <LabOf style products /> }
        })}
    }
    .into_any()
}

/// The lab of one style.
#[island]
fn LabOf(
    /// Which style.
    style: Style,
    /// What can be sent: what the style's catalog knows when the page is rendered.
    products: Vec<Product>,
) -> impl IntoView {
    let stage = Stage::new(style);
    provide_context(stage);
    let connection = stage.live.connection;
    // Settled is what is shown and known to be so: as long as more is coming, it is not.
    let is_settled = Memo::new(move |_| {
        let is_all_shown = stage.picture(|picture| picture.seq) >= stage.live.seq.get();
        is_all_shown && stage.system(flow::picture::System::is_settled)
    });
    view! {
        <main
            id="main"
            tabindex="-1"
            class="lab"
            data-style=style.as_str()
            data-connection=move || connection.get().as_str()
            data-seq=move || stage.picture(|picture| picture.seq)
            data-settled=move || is_settled.get().to_string()
            on:click=move |event| pick::choose(stage, &event)
            on:keydown=move |event| pick::choose_by_key(stage, &event)
        >
            <Controls products />
            <StagePanel />
            <Inspector />
            <Log />
        </main>
    }
    .into_any()
}

const fn title(style: Style) -> &'static str {
    match style {
        Style::Choreography => "Choreography",
        Style::Orchestration => "Orchestration",
    }
}

/// The diagram with its heading, its badges, and the line that says what goes on.
#[component]
fn StagePanel() -> impl IntoView {
    let stage = use_stage();
    let says = move || match (stage.style, stage.dispatch.get()) {
        (Style::Choreography, Dispatch::Fanout) => {
            "Inventory announces one event. It does not know who listens."
        }
        (Style::Choreography, Dispatch::Queues) => {
            "Inventory keeps a list, and publishes its event to each queue itself."
        }
        (Style::Orchestration, _) => "Inventory knows what must happen, and tells each service what to do.",
    };
    let is_frozen = move || stage.live.connection.get() == Connection::Reconnecting;
    // Nobody is invited to send while nothing can travel.
    let is_inviting = Memo::new(move |_| {
        let is_down = stage.picture(|picture| picture.broker_down().is_some());
        !is_down && stage.system(flow::picture::System::is_untouched)
    });
    view! {
        <section class="panel stage" class:is-frozen=is_frozen aria-labelledby="stage-title">
            <header class="stage-head">
                <h1 id="stage-title">{title(stage.style)}</h1>
                <nav class="segments" aria-label="Style">
                    {Style::ALL
                        .iter()
                        .map(|&style| {
                            let here = (style == stage.style).then_some("page");
                            view! {
                                <a class="segment" href=format!("/lab/{style}") aria-current=here>
                                    {title(style)}
                                </a>
                            }
                        })
                        .collect::<Vec<_>>()}
                </nav>
                <p class="soft">{says}</p>
            </header>
            <div class="stage-drawing">
                <Diagram />
                {move || is_inviting.get().then(first_steps)}
            </div>
            <footer class="stage-foot">
                <Status />
                <p class="pill pill-plain stage-pace" class:is-shown=move || pace(stage).is_some()>
                    {move || pace(stage)}
                </p>
                <OnTheWay />
            </footer>
        </section>
    }
    .into_any()
}

/// What the reader has to know about the drawn times, if anything.
fn pace(stage: Stage) -> Option<String> {
    if stage.behind.get() {
        return Some("more than one can follow: showing rates".to_owned());
    }
    let slowed = format!("slowed for viewing {}", stage.slowed.get()?);
    Some(match stage.newer.get() {
        0 => slowed,
        newer => format!("{slowed} · {newer} newer"),
    })
}

fn first_steps() -> impl IntoView {
    view! {
        <p class="stage-empty">
            <strong>"Send your first arrival"</strong>
            <span>"and watch every message travel."</span>
        </p>
    }
    .into_any()
}

/// What moves, standing still: each token's twin that can be clicked.
#[component]
fn OnTheWay() -> impl IntoView {
    let stage = use_stage();
    painted("on-the-way-host", Box::new(move || stage.on_the_way.with(|list| on_the_way(list))))
}

fn on_the_way(list: &[stage::OnTheWay]) -> Markup {
    html! {
        ul.on-the-way .is-empty[list.is_empty()] aria-label="On the way" {
            @for one in list {
                li {
                    button.chip type="button" data-pick=(one.selection) {
                        span class={ "mark mark-" (mark_of(one.shape)) } aria-hidden="true" {}
                        span.sr-only { (one.shape) " " }
                        (one.words)
                    }
                }
            }
        }
    }
}

fn mark_of(shape: &str) -> &str {
    match shape {
        "HTTP call" => "http",
        "goods" => "plain",
        other => other,
    }
}
