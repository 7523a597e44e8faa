//! The lab: one system, its diagram, and everything that can be done with it.
//!
//! Rules are in the crate `flow`, the live state in `live`; here is what one page shows of them. The `director`
//! decides what is shown when, the `diagram` draws it, and the rest says it in words.

pub(crate) mod act;
#[cfg(feature = "ssr")]
pub mod animated;
pub mod broken;
mod caption;
pub mod controls;
pub(crate) mod diagram;
pub(crate) mod director;
#[cfg(test)]
pub(crate) mod example;
mod facts;
pub(crate) mod form;
pub(crate) mod handle;
pub(crate) mod hop;
pub mod inspector;
pub(crate) mod journey;
pub mod keys;
mod link;
mod log;
pub(crate) mod pacer;
pub mod panels;
pub mod pick;
pub(crate) mod picker;
pub mod playhead;
mod rates;
pub mod room;
mod runs;
pub mod selection;
pub(crate) mod stage;
pub(crate) mod state;
mod status;
pub(crate) mod steady;
pub mod views;
pub(crate) mod words;
pub(crate) mod zone;

use crate::api::{
    self,
    asks::{Asks, Below},
};
use crate::components::no_script::{LogWithoutScript, newest_steps};
use crate::live::use_live;
use crate::pages::NotFound;
use act::{ActPlace, Targets};
use caption::CaptionPlace;
use controls::ControlsPlace;
use diagram::{Broken, Diagram};
use flow::{Style, System, Transport, api::Product, fault::Holding};
use form::Form;
use handle::{Lab as Handle, Pace};
use inspector::InspectorPlace;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use playhead::place::PlayheadPlace;
use room::{RoomPlace, faults::clear, hold::release};
use selection::Selection;
use stage::{Invitation, Notes, StageHead};
use state::LabState;
use status::Status;
use views::ViewsPlace;

/// The page `/lab/{style}`, over the transport in `?transport=`; an unknown one is no page, as an unknown style is none.
#[component]
pub fn Lab() -> impl IntoView {
    let style = use_params_map().read_untracked().get("style").and_then(|style| style.parse::<Style>().ok());
    let query = use_query_map().read_untracked();
    let transport = query.get("transport").map_or_else(|| Ok(Transport::default()), |word| word.parse());
    let (Some(style), Ok(transport)) = (style, transport) else { return view! { <NotFound /> }.into_any() };
    let system = System { style, transport };
    let sku = query.get("sku");
    let holding = holding(system);
    view! {
        <Title text=title(style) />
        {Suspend::new(async move {
            let products = api::products(system, String::new(), picker::ASKED).await.unwrap_or_default();
            let steps = newest_steps(system).await;
            view! {
                <LabOf system products sku holding />
                <LogWithoutScript steps />
            }
        })}
    }
    .into_any()
}

/// What is held now, as the server knows while it renders; the browser has it of the island's properties.
fn holding(system: System) -> Holding {
    #[cfg(feature = "ssr")]
    return use_context::<crate::backend::SharedBackend>()
        .map(|backend| backend.holding(system))
        .unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    {
        let _ = system;
        Holding::default()
    }
}

/// The lab of one system.
#[island]
fn LabOf(
    system: System,
    /// What can be sent: what the style's catalog knows when the page is rendered.
    products: Vec<Product>,
    /// The product whose way is to be seen, if the reader came for one.
    sku: Option<String>,
    /// What is held when the page is rendered.
    holding: Holding,
) -> impl IntoView {
    let live = use_live();
    let picture = live.with_history(|history| history.now().clone());
    let mut form = Form::new(products, picture.system(system).dispatch);
    let latest = sku.as_ref().and_then(|sku| {
        let mut recent = picture.system(system).recent.iter();
        recent.find(|arrival| arrival.sku.is_some_and(|of| of.as_str() == sku))
    });
    let selected = latest.map(|arrival| Selection::Arrival(arrival.id().clone()));
    form.sku.text = sku.unwrap_or(form.sku.text);
    let mut state = LabState::new(system, picture, form, live.small_screen);
    state.selected = selected;
    let lab = Handle::new(live, state);
    // Listeners, timers and frames are the browser's.
    Effect::new(move || untrack(|| wake(lab)));
    view! {
        <div class="region">
            <Page lab system holding gates=Asks::new(live) />
        </div>
    }
}

/// What the page's marks say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marks {
    connection: &'static str,
    seq: u64,
    is_settled: bool,
    is_inspecting: bool,
}

#[component]
fn Page(lab: Handle, system: System, holding: Holding, gates: Asks) -> impl IntoView {
    let style = system.style;
    let marks = Memo::new(move |_| {
        lab.look(Pace::Frame, |look| Marks {
            connection: look.connection.as_str(),
            seq: look.lab.picture().seq,
            is_settled: look.is_settled(),
            is_inspecting: look.lab.selected.is_some(),
        })
    });
    let agreement = Asks::new(lab.live);
    let targets = Targets::new_local(None);
    Effect::new(move || untrack(|| keys::listen_for(lab, targets)));
    view! {
        <main
            id="main"
            class="lab"
            tabindex="-1"
            data-style=style.as_str()
            data-transport=system.transport.as_str()
            data-connection=move || marks.with(|marks| marks.connection)
            data-seq=move || marks.with(|marks| marks.seq)
            data-settled=move || marks.with(|marks| marks.is_settled).to_string()
        >
            <div class="side">
                <section class="panel controls" aria-labelledby="send-title">
                    <ControlsPlace lab style asks=gates />
                </section>
                <RoomPlace lab system at_gates=gates holding />
            </div>
            <section class="panel stage" aria-labelledby="stage-title">
                <StageHead lab system asks=gates />
                <div
                    class="stage-drawing"
                    on:click=act::on_click(targets)
                    on:contextmenu=act::on_context_menu(targets)
                    on:keydown=act::on_press(targets)
                >
                    <Diagram
                        lab
                        style
                        id="diagram".to_owned()
                        can_be_wide=true
                        on_pick=inspector::on_pick(lab)
                        on_release=Callback::new(move |hold_id| gates.ask(release(system, hold_id)))
                        on_mend=Callback::new(move |Broken { service, kinds }| {
                            kinds.into_iter().for_each(|kind| gates.ask(clear(system, kind, service)));
                        })
                    />
                    <Invitation lab />
                </div>
                <footer class="stage-foot">
                    <div class="stage-agreement">
                        <Status lab system asks=agreement />
                        <Below asks=agreement trouble=None id="agreement-said".to_owned() />
                    </div>
                    <p id="spoken" class="sr-only" role="status"></p>
                    <CaptionPlace lab />
                    <Notes lab />
                </footer>
                <PlayheadPlace lab system />
                <ActPlace lab targets />
            </section>
            <aside
                class="panel inspector"
                class:is-open=move || marks.with(|marks| marks.is_inspecting)
                tabindex="-1"
                aria-label="Inspector"
            >
                <InspectorPlace lab />
            </aside>
            <section class="panel views" aria-label="Views">
                <ViewsPlace lab style />
            </section>
        </main>
    }
}

/// Brings the page to life.
fn wake(lab: Handle) {
    status::speak_now_and_then(lab);
    views::wake(lab);
    controls::keep_products_fresh(lab);
    zone::wake();
    lab.change(|state| state.hydrated = true);
    link::wake(lab);
}

const fn title(style: Style) -> &'static str {
    match style {
        Style::Choreography => "Choreography",
        Style::Orchestration => "Orchestration",
    }
}
