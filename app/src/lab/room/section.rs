//! A section of the control room: what the server tells there, what it is asked there, and what is said below it.

use crate::api::{
    asks::{Asks, Below},
    fetch::Answer,
    poll::{Reader, poll},
};
use crate::focus::focus;
use crate::live::Live;
use flow::{Service, System};
use leptos::{ev, prelude::*};
use serde::de::DeserializeOwned;

/// A section. While it is closed the server is not asked what it tells.
#[derive(Clone, Copy)]
pub struct Section {
    /// Its name, in `data-topic`.
    pub name: &'static str,
    /// Of which system it tells.
    pub system: System,
    /// What is asked there.
    pub asks: Asks,
    /// Whether it is unfolded.
    pub is_open: RwSignal<bool>,
    /// Whether the server has told what stands there.
    pub is_ready: RwSignal<bool>,
    trouble: RwSignal<Option<String>>,
    live: Live,
}

impl Section {
    /// A section that is folded away.
    #[must_use]
    pub fn new(name: &'static str, system: System, live: Live) -> Self {
        Self::with(Asks::new(live), name, system, live)
    }

    /// The same, where things are asked from elsewhere too.
    #[must_use]
    pub fn with(asks: Asks, name: &'static str, system: System, live: Live) -> Self {
        Self {
            name,
            system,
            asks,
            is_open: RwSignal::default(),
            is_ready: RwSignal::default(),
            trouble: RwSignal::default(),
            live,
        }
    }

    /// The services that take part in the system now.
    #[must_use]
    pub fn members(self) -> Memo<Vec<Service>> {
        Memo::new(move |_| {
            self.live.with_history(|history| history.now().system(self.system).members().collect())
        })
    }

    /// The id of what is said below it.
    #[must_use]
    pub fn below(self) -> String {
        format!("{}-said", self.name)
    }

    /// Keeps what the server tells as JSON at `path`.
    #[must_use]
    pub fn told<T>(self, path: String) -> RwSignal<Option<T>>
    where
        T: DeserializeOwned + PartialEq + Send + Sync + 'static,
    {
        let told = RwSignal::new(None);
        self.keep(path, told, |answer| read(&answer.text));
        told
    }

    /// Keeps what the server tells at `path`, as `read` reads it.
    pub fn keep<T>(self, path: String, told: RwSignal<Option<T>>, read: fn(&Answer) -> Result<T, String>)
    where
        T: PartialEq + Send + Sync + 'static,
    {
        let take = move |answer: &Answer| {
            let now = read(answer)?;
            let is_new = told.try_with_untracked(|before| before.as_ref() != Some(&now)) == Some(true);
            if is_new {
                self.keep_focus();
                told.try_set(Some(now));
            }
            self.is_ready.try_set(true);
            Ok(is_new)
        };
        let reader = Reader { live: self.live, is_open: self.is_open.into(), trouble: self.trouble };
        let polled = poll(reader, path, Box::new(take));
        let answers = self.asks.answers;
        Effect::new(move |before: Option<()>| {
            answers.track();
            if before.is_some() {
                polled.refresh();
            }
        });
    }

    /// What has the focus may be gone in a moment; its section is not.
    pub fn keep_focus(self) {
        let here = format!("[data-topic='{}']", self.name);
        let is_here = |element: web_sys::Element| element.closest(&here).ok().flatten().is_some();
        if !document().active_element().is_some_and(is_here) {
            return;
        }
        request_animation_frame(move || {
            let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
            if is_lost {
                focus(&format!("{here} :is(summary, button)"));
            }
        });
    }
}

/// Reads what the server tells.
///
/// # Errors
/// When it is of another version than this page: what to tell the reader.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("The server's answer is not understood: {error}"))
}

/// What stands where the server has not told anything yet.
#[component]
pub fn Asking() -> impl IntoView {
    view! { <p class="hint">"Asking the server…"</p> }
}

/// What is said below a section.
#[component]
pub fn SaidBelow(section: Section) -> impl IntoView {
    view! { <Below asks=section.asks trouble=section.trouble id=section.below() /> }
}

/// A section that is folded away, with what stands in it once it has been unfolded.
#[component]
pub fn Topic(
    section: Section,
    /// What it is called.
    title: &'static str,
    /// What stands in it.
    contents: fn(Section) -> AnyView,
) -> impl IntoView {
    let was_opened = RwSignal::new(false);
    let toggled = move |event: ev::Event| {
        let is_open = event_target::<web_sys::Element>(&event).has_attribute("open");
        section.is_open.set(is_open);
        if is_open {
            was_opened.set(true);
        }
    };
    let is_busy = move || (!section.is_ready.get()).then_some("true");
    view! {
        <details class="topic" data-topic=section.name on:toggle=toggled>
            <summary>{title}</summary>
            <div class="topic-body">
                <div class="part" aria-busy=is_busy>
                    {move || if was_opened.get() { contents(section) } else { view! { <Asking /> }.into_any() }}
                </div>
                <SaidBelow section />
            </div>
        </details>
    }
}
