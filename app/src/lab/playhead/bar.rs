//! The bar that shows where a playhead is and moves it: the lab's, and that of both styles in the comparison.

use super::super::director::SPEEDS;
use leptos::prelude::*;

/// What a button of the bar looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Face {
    words: &'static str,
    /// The key that does the same.
    key: &'static str,
    /// Its icon's path, in a square of 20.
    path: &'static str,
}

impl Face {
    /// To the first step, and on from there.
    pub const START: Self = Self::new("From the start", "Home", "M4 4v12M16 4l-9 6 9 6z");
    pub const BACK: Self = Self::new("One step back", "←", "M13 4l-7 6 7 6M4 4v12");
    pub const PLAY: Self = Self::new("Play", "Space", "M6 4l10 6-10 6z");
    pub const PAUSE: Self = Self::new("Pause the view", "Space", "M7 4v12M13 4v12");
    pub const STEP: Self = Self::new("One step forward", "→", "M7 4l7 6-7 6M16 4v12");
    /// To the message before, of those that `words` name.
    #[must_use]
    pub const fn previous(words: &'static str) -> Self {
        Self::new(words, "Shift ←", "M17 4l-6 6 6 6M9 4l-6 6 6 6")
    }
    /// To the next message, of those that `words` name.
    #[must_use]
    pub const fn next(words: &'static str) -> Self {
        Self::new(words, "Shift →", "M3 4l6 6-6 6M11 4l6 6-6 6")
    }

    const fn new(words: &'static str, key: &'static str, path: &'static str) -> Self {
        Self { words, key, path }
    }
}

/// A button of the bar.
#[derive(Debug, Clone, Copy)]
pub struct Button {
    face: Signal<Face>,
    press: Callback<()>,
}

impl Button {
    /// A button that calls `press`.
    #[must_use]
    pub fn new(face: impl Into<Signal<Face>>, press: impl Fn() + Send + Sync + 'static) -> Self {
        Self { face: face.into(), press: Callback::new(move |()| press()) }
    }

    /// The button that plays what stands still, and pauses what does not.
    #[must_use]
    pub fn toggle(is_paused: Memo<bool>, press: impl Fn() + Send + Sync + 'static) -> Self {
        let face = move || if is_paused.get() { Face::PLAY } else { Face::PAUSE };
        Self::new(Signal::derive(face), press)
    }
}

/// Where a playhead is, and how far it can go. All three are numbers of steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    pub first: u64,
    pub at: u64,
    pub last: u64,
}

#[component]
pub fn PlayheadBar(
    /// Whether it is a card of its own.
    #[prop(optional)]
    is_card: bool,
    /// Whether it does not work yet.
    is_off: Memo<bool>,
    /// How it goes on, in one word, for style sheets and tests.
    play: Signal<&'static str>,
    /// What moves it by steps.
    buttons: Vec<Button>,
    reach: Memo<Reach>,
    on_scrub: Callback<u64>,
    /// Which of the [`SPEEDS`] is chosen.
    speed: Memo<usize>,
    on_speed: Callback<usize>,
    /// What else stands in it.
    children: Children,
) -> impl IntoView {
    let buttons = buttons.into_iter().map(|button| view! { <BarButton button is_off /> });
    let speeds = SPEEDS.iter().enumerate().map(|(at, (_, name))| {
        view! {
            <button
                class="segment"
                type="button"
                disabled=is_off
                aria-pressed=move || (speed.get() == at).to_string()
                aria-label=format!("Speed {name}×")
                on:click=move |_| on_speed.run(at)
            >
                {format!("{name}×")}
            </button>
        }
    });
    let at = move || reach.get().at.to_string();
    view! {
        <div class="playhead" class:card=is_card role="group" aria-label="Playhead" data-play=move || play.get()>
            <div class="playhead-buttons">{buttons.collect_view()}</div>
            // Its ends come first: a browser cuts the value to fit them.
            <input
                class="playhead-range"
                type="range"
                min=move || reach.get().first.to_string()
                max=move || reach.with(|reach| reach.last.max(reach.first + 1)).to_string()
                value=untrack(at)
                prop:value=at
                aria-label="Playhead"
                aria-valuetext=move || reach.with(|reach| format!("Step {} of {}", reach.at, reach.last))
                disabled=is_off
                on:input=move |event| {
                    if let Ok(place) = event_target_value(&event).parse() {
                        on_scrub.run(place);
                    }
                }
            />
            <span class="playhead-at">{move || reach.with(|reach| format!("{} / {}", reach.at, reach.last))}</span>
            <div class="segments" role="group" aria-label="Speed">
                {speeds.collect_view()}
            </div>
            {children()}
        </div>
    }
}

#[component]
fn BarButton(button: Button, is_off: Memo<bool>) -> impl IntoView {
    let Button { face, press } = button;
    view! {
        <button
            class="button button-icon"
            type="button"
            disabled=is_off
            aria-label=move || face.get().words
            title=move || format!("{} ({})", face.get().words, face.get().key)
            on:click=move |_| press.run(())
        >
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                <path d=move || face.get().path></path>
            </svg>
        </button>
    }
}
