//! The lab: one style, its diagram, and everything that can be done with it.
//!
//! Rules are in the crate `flow`, the live state in `live`; here is what one page shows of them. The `director`
//! decides what is shown when, the `diagram` draws it, and the rest says it in words.

mod acts;
mod controls;
mod diagram;
mod director;
mod facts;
mod form;
mod handle;
mod hop;
mod inspector;
mod journey;
mod keys;
mod log;
mod pacer;
mod picker;
mod playhead;
mod rates;
pub mod selection;
mod stage;
mod state;
mod status;
mod words;

use crate::live::use_live;
use crate::pages::NotFound;
use flow::{Style, api::Product};
use form::Form;
use handle::{Lab as Handle, Pace};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use state::LabState;

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
    let live = use_live();
    let picture = live.with_history(|history| history.now().clone());
    let form = Form::new(products, picture.system(style).dispatch);
    let lab = Handle::new(live, LabState::new(style, picture, form, live.small_screen));
    Effect::new(move || lab.change(|state| state.hydrated = true));
    controls::keep_products_fresh(lab);
    keys::listen(lab);
    view! {
        <main
            id="main"
            tabindex="-1"
            class="lab"
            data-style=style.as_str()
            data-connection=move || live.connection.get().as_str()
            data-seq=move || lab.look(Pace::Frame, |look| look.lab.picture().seq)
            data-settled=move || lab.look(Pace::Frame, |look| look.is_settled()).to_string()
            on:click=move |event| acts::clicked(lab, &event)
            on:submit=move |event| acts::submitted(lab, &event)
            on:input=move |event| acts::typed(lab, &event)
            on:keydown=move |event| acts::pressed(lab, &event)
            on:mousedown=move |event| acts::mouse_down(&event)
            on:focusin=move |event| acts::focused(&event)
            on:focusout=move |event| acts::blurred(lab, &event)
        >
            <section class="panel controls" aria-labelledby="send-title">
                {lab.painted("controls-host", Pace::Calm, controls::controls)}
            </section>
            <section class="panel stage" aria-labelledby="stage-title">
                {lab.painted("stage-head-host", Pace::Calm, stage::head)}
                <div class="stage-drawing">
                    {diagram::diagram(lab)} {lab.painted("stage-empty-host", Pace::Calm, stage::invitation)}
                </div>
                <footer class="stage-foot">
                    {status::status(lab)}
                    {lab.painted("stage-notes", Pace::Frame, stage::notes)}
                </footer>
                {lab.painted("playhead-host", Pace::Calm, playhead::bar)}
            </section>
            <aside
                class="panel inspector"
                class:is-open=move || lab.look(Pace::Calm, |look| look.lab.selected.is_some())
                aria-label="Inspector"
            >
                {lab.painted("inspector-host", Pace::Calm, inspector::inspector)}
            </aside>
            {log::log_panel(lab)}
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
