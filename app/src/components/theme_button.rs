//! The button that changes how the page is shown.

use super::icons::{HalfDisc, Moon, Screen, Sun};
use crate::{app::hydrated, theme::Theme};
use leptos::prelude::*;

/// Goes round: as the system says, light, dark, projector.
#[island]
pub fn ThemeButton() -> impl IntoView {
    let hydrated = hydrated();
    let theme = RwSignal::new(Theme::of_request());
    let label = move || format!("Theme: {}. Switch to {}", name(theme.get()), name(theme.get().next()));
    view! {
        <button
            type="button"
            class="button button-icon"
            aria-label=label
            title=label
            disabled=move || !hydrated.get()
            on:click=move |_| {
                let next = theme.get_untracked().next();
                next.apply();
                theme.set(next);
            }
        >
            {move || match theme.get() {
                Theme::System => view! { <HalfDisc /> }.into_any(),
                Theme::Light => view! { <Sun /> }.into_any(),
                Theme::Dark => view! { <Moon /> }.into_any(),
                Theme::Projector => view! { <Screen /> }.into_any(),
            }}
        </button>
    }
}

const fn name(theme: Theme) -> &'static str {
    match theme {
        Theme::System => "as the system",
        other => other.as_str(),
    }
}
