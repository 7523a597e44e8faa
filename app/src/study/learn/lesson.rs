//! One lesson: the lab's stage, with the beat under it and the lab's own controls beside it.

use super::bar::Bar;
use super::course::{Course, Standing};
use super::end::End;
use super::spot;
use crate::components::{StyleMark, title};
use crate::lab::act::{self, ActPlace, Targets};
use crate::lab::controls::{self, ControlsPlace};
use crate::lab::diagram::{Broken, Diagram};
use crate::lab::form::Form;
use crate::lab::handle::{Lab, Pace};
use crate::lab::inspector::{self, InspectorPlace};
use crate::lab::room::{RoomPlace, faults::clear, hold::release};
use crate::lab::stage::transport_name;
use crate::lab::state::LabState;
use crate::lab::zone;
use crate::live::Live;
use flow::{Dispatch, fault::Holding};
use leptos::prelude::*;
use lessons::{Brief, Lesson};

/// What the page's marks say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marks {
    connection: &'static str,
    seq: u64,
    is_settled: bool,
    is_inspecting: bool,
}

#[component]
pub fn LessonPage(live: Live, lesson: Lesson, next: Option<Brief>, place: usize) -> impl IntoView {
    let system = lesson.system();
    let style = system.style;
    let picture = live.with_history(|history| history.now().clone());
    let mut form = Form::new(Vec::new(), Dispatch::default());
    form.sku.text = "MUG-RED".to_owned();
    let lab = Lab::new(live, LabState::new(system, picture, form, live.small_screen));
    let (name, beats) = (lesson.title.clone(), lesson.beats.len());
    let course = Course::new(live, lab, lesson, next, place);
    let marks = Memo::new(move |_| {
        lab.look(Pace::Frame, |look| Marks {
            connection: look.connection.as_str(),
            seq: look.lab.picture().seq,
            is_settled: look.is_settled(),
            is_inspecting: look.lab.selected.is_some(),
        })
    });
    let spots = course.read(|_, beat| beat.spotlight.clone());
    let drawing = NodeRef::new();
    spot::follow(course, drawing, spots);
    let targets = Targets::new_local(None);
    // Listeners and timers are the browser's.
    Effect::new(move || untrack(|| wake(course)));
    let at = Memo::new(move |_| course.run.with(|run| run.at));
    let is_over = Memo::new(move |_| at.get() >= beats);
    let standing = move || match course.standing.get() {
        Standing::Coming => "coming",
        Standing::Running => "running",
        Standing::Led => "led",
        Standing::Barred(_) => "barred",
        Standing::Lapsed => "lapsed",
        Standing::Over => "over",
    };
    let gates = course.asks;
    view! {
        <main
            id="main"
            class="lab lesson"
            tabindex="-1"
            data-style=style.as_str()
            data-transport=system.transport.as_str()
            data-connection=move || marks.with(|marks| marks.connection)
            data-seq=move || marks.with(|marks| marks.seq)
            data-settled=move || marks.with(|marks| marks.is_settled).to_string()
            data-standing=standing
        >
            <section class="panel stage" aria-labelledby="lesson-title">
                <header class="lesson-head">
                    <h1 id="lesson-title">{name}</h1>
                    <p class="soft">
                        <StyleMark style />
                        " "
                        {title(style)}
                        {(!system.transport.is_default())
                            .then(|| format!(" over {}", transport_name(system.transport)))}
                    </p>
                    <progress
                        class="lesson-progress"
                        max=beats.to_string()
                        prop:value=move || at.get().to_string()
                        aria-label="Steps that are behind you"
                    ></progress>
                    <a href="/learn">"All lessons"</a>
                </header>
                <div
                    class="stage-drawing"
                    class:has-spot=move || spots.with(|spots| !spots.is_empty())
                    node_ref=drawing
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
                </div>
                <div class="lesson-bar" data-beat=move || (at.get() + 1).to_string()>
                    {move || {
                        if is_over.get() {
                            view! { <End course /> }.into_any()
                        } else {
                            view! { <Bar course at /> }.into_any()
                        }
                    }}
                </div>
                <ActPlace lab targets />
            </section>
            <div class="side">
                <section class="panel controls" aria-labelledby="send-title">
                    <ControlsPlace lab style asks=gates />
                </section>
                <RoomPlace lab system at_gates=gates holding=Holding::default() />
            </div>
            <aside
                class="panel inspector"
                class:is-open=move || marks.with(|marks| marks.is_inspecting)
                tabindex="-1"
                aria-label="Inspector"
            >
                <InspectorPlace lab />
            </aside>
        </main>
    }
}

/// Brings the page to life.
fn wake(course: Course) {
    let lab = course.lab;
    controls::keep_products_fresh(lab);
    zone::wake();
    lab.change(|state| state.hydrated = true);
    course.wake();
}
