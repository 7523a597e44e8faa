//! The button that changes how the page is shown.

use crate::{app::hydrated, theme::Theme};
use leptos::prelude::*;

/// Goes round: as the system says, light, dark, projector.
#[island]
pub fn ThemeButton() -> impl IntoView {
    let theme = RwSignal::new(Theme::of_request());
    let hydrated = hydrated();
    let label = Memo::new(move |_| label(theme.get()));
    let switch = move |_| {
        let next = theme.get_untracked().next();
        next.apply();
        theme.set(next);
    };
    view! {
        <button
            class="button button-icon"
            type="button"
            aria-label=label
            title=label
            disabled=move || !hydrated.get()
            on:click=switch
        >
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                {move || sign(theme.get())}
            </svg>
        </button>
    }
}

fn label(theme: Theme) -> String {
    format!("Theme: {}. Switch to {}", name(theme), name(theme.next()))
}

/// Half a disc, a sun, a moon, a screen.
fn sign(theme: Theme) -> AnyView {
    const SUN: &str =
        "M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4";
    match theme {
        Theme::System => view! {
            <circle cx="10" cy="10" r="6.5"></circle>
            <path class="icon-solid" d="M10 3.5a6.5 6.5 0 0 1 0 13z"></path>
        }
        .into_any(),
        Theme::Light => view! {
            <circle cx="10" cy="10" r="3.5"></circle>
            <path d=SUN></path>
        }
        .into_any(),
        Theme::Dark => view! { <path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z"></path> }.into_any(),
        Theme::Projector => {
            view! { <path d="M2.5 4h15M4 4v8.5h12V4M10 12.5V15M6.5 17.5L10 15l3.5 2.5"></path> }.into_any()
        }
    }
}

const fn name(theme: Theme) -> &'static str {
    match theme {
        Theme::System => "as the system",
        other => other.as_str(),
    }
}
