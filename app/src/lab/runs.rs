//! Saving what is at hand as a run, and opening one: then nothing is sent and no server is asked.

use super::director::Director;
use super::handle::{Lab, Pace};
use super::state::Look;
use super::views;
use crate::files;
use crate::live::Connection;
use flow::System;
use leptos::{prelude::*, task::spawn_local};
use std::sync::Mutex;
use web_sys::HtmlInputElement;

/// The most events that are read.
const MAX_EVENTS: u64 = flow::run::MAX_EVENTS as u64;
/// The largest file that is read, in bytes.
const MAX_BYTES: u32 = 64 << 20;

/// What there is to see of runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    /// What is said while a saved run is shown.
    banner: Option<String>,
    wrong: Option<String>,
    is_off: bool,
}

fn seen(look: &Look<'_>) -> Seen {
    let is_replay = look.connection == Connection::Replay;
    let from = look.lab.run.as_ref().map(|name| format!(" from {name}")).unwrap_or_default();
    Seen {
        banner: is_replay.then(|| format!(" You are looking at a saved run{from}.")),
        wrong: look.lab.run_wrong.clone(),
        is_off: !look.lab.hydrated,
    }
}

/// The buttons, and the banner while a saved run is shown.
#[component]
pub fn Runs(
    /// The lab whose events are saved.
    lab: Lab,
    system: System,
) -> impl IntoView {
    Effect::new(move || untrack(|| open_carried(lab)));
    let seen = Memo::new(move |_| lab.look(Pace::Calm, seen));
    let is_off = Memo::new(move |_| seen.with(|seen| seen.is_off));
    let banner = Memo::new(move |_| seen.with(|seen| seen.banner.clone()));
    let wrong = Memo::new(move |_| seen.with(|seen| seen.wrong.clone()));
    // The server makes these files, of its own journal.
    let is_opened = move || banner.with(Option::is_some);
    let banner = move || {
        banner.get().map(|words| {
            view! {
                <p class="runs-banner" role="status">
                    <strong>"Nothing is being sent."</strong>
                    {words}
                </p>
                <a class="button button-small" href=system.page("/lab")>
                    "Back to the live system"
                </a>
            }
        })
    };
    let wrong = move || {
        wrong.get().map(|wrong| view! { <p class="notice notice-failed runs-wrong" role="alert">{wrong}</p> })
    };
    view! {
        <div class="place" id="runs">
            <div class="runs" role="group" aria-label="Runs">
                {banner}
                <button class="button button-small" type="button" disabled=is_off on:click=move |_| save(lab)>
                    "Save run"
                </button>
                <button
                    class="button button-small runs-more"
                    type="button"
                    popovertarget="take-home"
                    aria-label="Save in other forms"
                    title="Save in other forms"
                    disabled=is_opened
                >
                    "…"
                </button>
                <label class="button button-small runs-open" class:is-disabled=is_off>
                    "Open run"
                    <input
                        class="sr-only"
                        type="file"
                        accept=".json,application/json"
                        disabled=is_off
                        on:input=move |event| open(lab, &event_target(&event))
                    />
                </label>
            </div>
            {wrong}
            <TakeHome system />
        </div>
    }
}

/// The forms in which a run can be taken home: each is a file that the server makes.
#[component]
fn TakeHome(system: System) -> impl IntoView {
    view! {
        <aside id="take-home" popover="auto" class="help" aria-labelledby="take-home-title" tabindex="-1">
            <div class="help-head">
                <h2 id="take-home-title">"Take this run home"</h2>
                <button
                    class="button button-small"
                    type="button"
                    popovertarget="take-home"
                    popovertargetaction="hide"
                >
                    "Close"
                </button>
            </div>
            <p>
                <a class="button" href=system.api("export.html") download="">
                    "Save as HTML"
                </a>
            </p>
            <p class="hint">"One file that replays in any browser, without a server."</p>
            <p>
                <a class="button" href=system.api("export.svg") download="">
                    "Save as SVG"
                </a>
            </p>
            <p class="hint">"The diagram as a picture that moves by itself, for slides."</p>
        </aside>
    }
}

/// Hands out the file: all that the server keeps, as far as it can be opened again, or the run that is shown.
fn save(lab: Lab) {
    let connection = lab.live.connection.get_untracked();
    if !matches!(connection, Connection::Replay | Connection::Reconnecting) {
        let (first, last) = lab.live.with_history(|history| lab.live.reach(history));
        let after = first.max(last.saturating_sub(MAX_EVENTS));
        if after > first {
            let kept = last - first;
            let words = format!(
                "The run has the last {MAX_EVENTS} steps, as many as can be opened. All {kept} are at /api/journal/export."
            );
            lab.change(|state| state.run_wrong = Some(words));
        }
        files::hand_over(&format!("/api/journal/export?after={after}"));
        return;
    }
    spawn_local(async move {
        let study = views::study_of(lab).await;
        let now: String = js_sys::Date::new_0().to_iso_string().into();
        let name = format!("skuflow-run-{}.json", now.get(..19).unwrap_or_default().replace(':', "-"));
        let text = lab.live.with_history(|history| (study.save)(history, now));
        files::hand_out(&name, "application/json", &text);
    });
}

/// Where a file that was taken home has its run.
const CARRIED: &str = "saved-run";

/// Shows the run that the page has with it, if this is a page that was taken home.
fn open_carried(lab: Lab) {
    let carried = document().get_element_by_id(CARRIED).and_then(|carried| carried.text_content());
    if let Some(text) = carried {
        spawn_local(show(lab, None, Ok(text)));
    }
}

/// A file was chosen.
fn open(lab: Lab, field: &HtmlInputElement) {
    let name = field.value();
    // Browsers say C:\fakepath\ before the name.
    let name = name.rsplit('\\').next().unwrap_or_default().to_owned();
    files::take_in(field, MAX_BYTES, move |text| {
        let is_fetched = lab.peek(|state| state.views.study.is_some()) == Some(true);
        if !is_fetched && lab.live.connection.get_untracked() == Connection::Reconnecting {
            let words = "The code that opens runs was not loaded before the server went away. The run opens once it is back.";
            lab.change(|state| state.run_wrong = Some(words.to_owned()));
        }
        spawn_local(show(lab, Some(name), text));
    });
}

/// Shows a run from its text, once what reads it has been fetched.
async fn show(lab: Lab, name: Option<String>, text: Result<String, String>) {
    let study = views::study_of(lab).await;
    match text.and_then(|text| (study.open)(&text)) {
        Err(wrong) => lab.change(|state| state.run_wrong = Some(wrong)),
        Ok(history) => {
            let base = history.base().clone();
            lab.quietly(|state| {
                state.director = Director::new(state.shows(), base);
                state.director.pause();
                (state.run, state.run_wrong, state.selected) = (name, None, None);
                (state.notice, state.on_the_way) = (None, Vec::new());
                state.views.kept = Mutex::default();
                lab.live.replay(history);
            });
            lab.tell(Pace::Calm);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_saved_run_is_said_to_be_one_with_the_file_that_it_is_from() {
        let (mut state, history) = example::lab(1, "sku_processed");
        assert_eq!(seen(&Look::of(&state, &history)).banner, None);
        state.run = Some("monday.json".to_owned());
        let look = Look { connection: Connection::Replay, ..Look::of(&state, &history) };
        assert_eq!(seen(&look).banner.as_deref(), Some(" You are looking at a saved run from monday.json."));
    }
}
