//! The menu beside what is acted on.

use super::deeds::{Code, Deed, Deeds, Known, Parked, at_first, can_be_acted_on, deeds};
use super::drag;
use super::source::SourceOf;
use super::{THINGS, Targets, close};
use crate::beside::put_beside;
use crate::focus::{focus, focus_by_attribute};
use crate::lab::controls::has_room;
use crate::lab::director::Play;
use crate::lab::handle::{Lab, Pace};
use crate::lab::inspector;
use crate::lab::playhead::{Move, go};
use crate::lab::room::section::{Asking, SaidBelow, Section};
use crate::live::Connection;
use flow::System;
use flow::api::{Crew, Loyalty};
use flow::fault::{Faults, Holding};
use flow::loyalty::Sign;
use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

/// The menu. It knows how things stand while it is open.
#[component]
pub fn Menu(
    lab: Lab,
    system: System,
    /// What somebody wants to act on.
    targets: Targets,
) -> impl IntoView {
    let section = Section::new("act", system, lab.live);
    let faults = section.told::<Faults>(system.api("faults"));
    let holding = section.told::<Holding>(system.api("gates"));
    let crews = section.told::<Vec<Crew>>(system.api("workers"));
    let loyalty = section.told::<Loyalty>(system.api("loyalty"));
    let dispatch = Memo::new(move |_| lab.look(Pace::Calm, |look| look.lab.form.dispatch));
    // How it is now, wherever the playhead is.
    let parked =
        Memo::new(move |_| lab.look(Pace::Calm, |look| Parked::of(look.history.now().system(system))));
    drag::listen(section.asks, system, parked, targets);
    let selection = RwSignal::new(None);
    let list = Memo::new(move |_| {
        let known = Known {
            faults: faults.get()?.faults,
            holding: holding.get()?,
            crews: crews.get()?,
            loyalty: Some(loyalty.get()?),
            dispatch: dispatch.get(),
            parked: parked.get(),
        };
        deeds(system, selection.get().as_ref()?, &known)
    });
    // What can be done depends on how things stand; what it is called does not.
    let title = Memo::new(move |_| {
        let found = deeds(system, selection.get().as_ref()?, &Known::default())?;
        Some(found.title)
    });
    let (place, shown) = (NodeRef::<html::Div>::new(), RwSignal::new(String::new()));
    let is_by_key = StoredValue::new(false);
    Effect::new(move || {
        let (Some(target), Some(menu)) = (targets.get(), place.get()) else { return };
        let menu: HtmlElement = menu.into();
        if !can_be_acted_on(system, &target.selection) {
            let _ = menu.hide_popover();
            return;
        }
        section.asks.say("", true);
        selection.set(Some(target.selection.clone()));
        shown.set(at_first(system, &target.selection).to_owned());
        is_by_key.set_value(target.is_by_key);
        let _ = menu.show_popover();
        section.is_open.set(true);
        put_beside(&menu, &target.place);
        // What is told of the system makes it longer.
        request_animation_frame(move || put_beside(&menu, &target.place));
    });
    // Once the list is there: the focus goes into it, and all of it into the window.
    Effect::new(move || {
        let is_there = list.with(Option::is_some);
        if let (true, Some(menu), Some(target)) = (is_there, place.get_untracked(), targets.get_untracked()) {
            let menu: HtmlElement = menu.into();
            request_animation_frame(move || {
                put_beside(&menu, &target.place);
                if is_by_key.try_update_value(std::mem::take) == Some(true) {
                    focus("#act button");
                }
            });
        }
    });
    let toggled = move |_: ev::Event| {
        let is_open =
            place.get_untracked().is_some_and(|menu| menu.matches(":popover-open").unwrap_or(false));
        section.is_open.set(is_open);
        if !is_open {
            selection.set(None);
            // The browser gives the focus back, but not from a row that is gone.
            let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
            if let Some(target) = targets.get_untracked().filter(|target| target.is_by_key && is_lost) {
                focus_by_attribute(THINGS, "data-pick", &target.selection.to_string());
            }
        }
    };
    // What was done is seen in the picture: the menu gets out of its way.
    let done = StoredValue::new(false);
    Effect::new(move |before: Option<()>| {
        section.asks.answers.track();
        let has_failed = section.asks.said.with_untracked(|said| !said.words.is_empty());
        if before.is_some() && !has_failed && done.try_update_value(std::mem::take) == Some(true) {
            close();
            if !has_room() {
                // There the inspector covers the picture.
                inspector::close(lab);
            }
            // Whoever looks at the past would see nothing of it.
            if lab.peek(|state| state.director.play) == Some(Play::Paused) {
                go(lab, Move::Live);
            }
        }
    });
    let is_replay = move || lab.live.connection.get() == Connection::Replay;
    let act = Callback::new(move |deed: Deed| {
        done.set_value(!deed.stays);
        section.asks.ask(deed.ask);
    });
    let code = Memo::new(move |_| list.with(|list| list.as_ref()?.code.clone()));
    // All of it stays in the window.
    let on_grown = Callback::new(move |()| {
        let (Some(target), Some(menu)) = (targets.get_untracked(), place.get_untracked()) else { return };
        request_animation_frame(move || put_beside(&menu, &target.place));
    });
    let handler = Memo::new(move |_| list.with(|list| list.as_ref()?.handler));
    // The rows stay, with the focus on one of them, while what they ask for changes.
    let is_known = Memo::new(move |_| list.with(Option::is_some));
    let words = move || {
        list.get().into_iter().flat_map(|deeds| deeds.list).map(|deed| deed.words).collect::<Vec<_>>()
    };
    view! {
        <div
            id="act"
            class="act"
            popover="auto"
            role="group"
            aria-labelledby="act-title"
            node_ref=place
            data-topic=section.name
            on:toggle=toggled
            on:keydown=move |event| walk(&event)
        >
            <h2 id="act-title" class="breaks">{move || title.get()}</h2>
            {move || {
                if is_replay() {
                    return view! { <p class="hint">"A saved run cannot be changed."</p> }.into_any();
                }
                if !is_known.get() {
                    return view! { <Asking /> }.into_any();
                }
                view! {
                    <ul class="act-list">
                        <For each=words key=Clone::clone let(words)>
                            <Row words list act shown />
                        </For>
                    </ul>
                    {move || code.get().map(|code| view! { <CodeOf code /> })}
                    {move || handler.get().map(|service| view! { <SourceOf system service on_grown /> })}
                    // Where somebody points, or is: what it will do.
                    <p class="hint act-hint" aria-hidden="true">{shown}</p>
                }
                .into_any()
            }}
            <SaidBelow section />
        </div>
    }
}

/// Inventory's code: as it stays, or with what has to come into it.
#[component]
fn CodeOf(code: Code) -> impl IntoView {
    let lines = code.lines.iter().map(|line| {
        let class = match line.sign {
            Sign::Kept => "",
            Sign::Added => "is-added",
            Sign::Removed => "is-removed",
        };
        view! { <span class=class>{format!("{} {}\n", line.sign.as_char(), line.text)}</span> }
    });
    view! {
        <div class="act-code">
            <p>{code.note}</p>
            <p class="hint breaks">{code.file}</p>
            <pre tabindex="0" aria-label="Inventory's code">{lines.collect_view()}</pre>
        </div>
    }
}

/// One thing that can be done, by its words: what the server is asked for it may change while it stands there.
#[component]
fn Row(
    words: String,
    list: Memo<Option<Deeds>>,
    act: Callback<Deed>,
    shown: RwSignal<String>,
) -> impl IntoView {
    let deed = {
        let words = words.clone();
        Memo::new(move |_| {
            list.with(|list| list.as_ref()?.list.iter().find(|deed| deed.words == words).cloned())
        })
    };
    let hint = move || deed.with(|deed| deed.as_ref().map(|deed| deed.hint.clone()));
    let is_undo = deed.with_untracked(|deed| deed.as_ref().is_some_and(|deed| deed.is_undo));
    let show = move || shown.set(untrack(hint).unwrap_or_default());
    view! {
        <li>
            <button
                type="button"
                class="act-deed"
                class:is-undo=is_undo
                class:is-apart=move || deed.with(|deed| deed.as_ref().is_some_and(|deed| deed.is_apart))
                aria-description=hint
                on:click=move |_| deed.get_untracked().into_iter().for_each(|deed| act.run(deed))
                on:pointerenter=move |_| show()
                on:focus=move |_| show()
            >
                {words}
                {is_undo.then(|| view! { " " <span class="hint">{hint}</span> })}
            </button>
        </li>
    }
}

/// Arrows lead from one to the next, as they do in menus.
fn walk(event: &ev::KeyboardEvent) {
    let by: isize = match &*event.key() {
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        _ => return,
    };
    let Some(menu) = event.current_target().and_then(|menu| menu.dyn_into::<web_sys::Element>().ok()) else {
        return;
    };
    let stops = crate::focus::stops(&menu, "button:enabled");
    let at = document().active_element().and_then(|focused| stops.iter().position(|stop| *stop == focused));
    let next = match at {
        Some(at) => at.checked_add_signed(by).unwrap_or(0).min(stops.len().saturating_sub(1)),
        None => 0,
    };
    event.prevent_default();
    stops.get(next).into_iter().for_each(crate::focus::put_focus);
}
