//! The drawings of the interface itself. Each is 20 units square and takes the colour of the text around it.

use leptos::prelude::*;

/// The frame that all icons share.
#[component]
fn Icon(children: Children) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
            {children()}
        </svg>
    }
}

#[component]
pub fn Arrow() -> impl IntoView {
    view! {
        <Icon>
            <path d="M4 10h12M11 5l5 5-5 5"></path>
        </Icon>
    }
}

/// Skuflow's mark: one arrival, three that hear of it; two by event, one by command.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg viewBox="0 0 32 32" aria-hidden="true" class="logo">
            <path d="M8 16h16M8 16c8 0 9-10 16-10M8 16c8 0 9 10 16 10"></path>
            <circle class="logo-event" cx="6" cy="16" r="5"></circle>
            <circle class="logo-event" cx="26" cy="6" r="4"></circle>
            <circle class="logo-event" cx="26" cy="16" r="4"></circle>
            <rect class="logo-command" x="22.5" y="22.5" width="7" height="7" rx="1.5"></rect>
        </svg>
    }
}
