//! Saving what is at hand as a run, and opening one: then nothing is sent and no server is asked.

use super::director::Director;
use super::handle::{Lab, Pace};
use super::state::Look;
use super::views;
use crate::files;
use crate::live::Connection;
use crate::paint::Act;
use leptos::{prelude::GetUntracked as _, task::spawn_local};
use maud::{Markup, html};

/// The most events that are read.
const MAX_EVENTS: u64 = flow::run::MAX_EVENTS as u64;
/// The largest file that is read, in bytes.
const MAX_BYTES: u32 = 64 << 20;

/// The buttons, and the banner while a saved run is shown.
#[must_use]
pub fn bar(look: &Look<'_>) -> Markup {
    let off = !look.lab.hydrated;
    html! {
        div.runs role="group" aria-label="Runs" {
            @if look.connection == Connection::Replay {
                p.runs-banner role="status" {
                    strong { "Nothing is being sent." }
                    " You are looking at a saved run"
                    @if let Some(name) = &look.lab.run { " from " (name) }
                    "."
                }
                a.button.button-small href={ "/lab/" (look.lab.style) } { "Back to the live system" }
            }
            button.button.button-small type="button" data-act="save-run" disabled[off] { "Save run" }
            label.button.button-small.runs-open .is-disabled[off] {
                "Open run"
                input.sr-only type="file" accept=".json,application/json" data-field="open-run" disabled[off];
            }
        }
        @if let Some(wrong) = &look.lab.run_wrong { p.notice.notice-failed.runs-wrong role="alert" { (wrong) } }
    }
}

/// Hands out the file: all that the server keeps, as far as it can be opened again, or the run that is shown.
pub fn save(lab: Lab) {
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

/// A file was chosen.
pub fn open(lab: Lab, field: &Act) {
    let name = field.value();
    // Browsers say C:\fakepath\ before the name.
    let name = name.rsplit('\\').next().unwrap_or_default().to_owned();
    files::take_in(field.element(), MAX_BYTES, move |text| {
        let is_fetched = lab.peek(|state| state.views.study.is_some()) == Some(true);
        if !is_fetched && lab.live.connection.get_untracked() == Connection::Reconnecting {
            let words = "The code that opens runs was not loaded before the server went away. The run opens once it is back.";
            lab.change(|state| state.run_wrong = Some(words.to_owned()));
        }
        spawn_local(async move {
            let study = views::study_of(lab).await;
            let run = text.and_then(|text| (study.open)(&text));
            match run {
                Err(wrong) => lab.change(|state| state.run_wrong = Some(wrong)),
                Ok(history) => {
                    let base = history.base().clone();
                    lab.quietly(|state| {
                        state.director = Director::new(state.style, base);
                        state.director.pause();
                        (state.run, state.run_wrong, state.selected) = (Some(name), None, None);
                        (state.notice, state.on_the_way) = (None, Vec::new());
                        state.views.kept.take();
                        lab.live.replay(history);
                    });
                    lab.tell(Pace::Calm);
                }
            }
        });
    });
}
