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

/// As the system says.
#[component]
pub fn HalfDisc() -> impl IntoView {
    view! {
        <Icon>
            <circle cx="10" cy="10" r="6.5"></circle>
            <path class="icon-solid" d="M10 3.5a6.5 6.5 0 0 1 0 13z"></path>
        </Icon>
    }
}

/// Light.
#[component]
pub fn Sun() -> impl IntoView {
    view! {
        <Icon>
            <circle cx="10" cy="10" r="3.5"></circle>
            <path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4"></path>
        </Icon>
    }
}

/// Dark.
#[component]
pub fn Moon() -> impl IntoView {
    view! {
        <Icon>
            <path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z"></path>
        </Icon>
    }
}

/// On a projector's screen.
#[component]
pub fn Screen() -> impl IntoView {
    view! {
        <Icon>
            <path d="M2.5 4h15M4 4v8.5h12V4M10 12.5V15M6.5 17.5L10 15l3.5 2.5"></path>
        </Icon>
    }
}

/// The way on.
#[component]
pub fn Arrow() -> impl IntoView {
    view! {
        <Icon>
            <path d="M4 10h12M11 5l5 5-5 5"></path>
        </Icon>
    }
}

/// The way back.
#[component]
pub fn Back() -> impl IntoView {
    view! {
        <Icon>
            <path d="M16 10H4M9 5l-5 5 5 5"></path>
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
