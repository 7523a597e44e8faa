//! The header on every page.

use super::{
    connection_pill::ConnectionPill,
    help::{Help, HelpButton},
    icons::Logo,
    theme_button::ThemeButton,
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Logo, navigation, connection and theme.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="header">
            <a class="brand" href="/" aria-label="Skuflow, start">
                <Logo />
                <span class="brand-word">"Skuflow"</span>
            </a>
            <nav class="nav" aria-label="Pages">
                <NavLink to="/learn" below="/learn" name="Learn" />
                <NavLink to="/lab/choreography" below="/lab" name="Lab" />
                <NavLink to="/compare" below="/compare" name="Compare" />
                <NavLink to="/store" below="/store" name="Store" />
                <NavLink to="/mailbox" below="/mailbox" name="Mailbox" />
            </nav>
            <div class="header-end">
                <ConnectionPill />
                <ThemeButton />
                <HelpButton />
            </div>
        </header>
        <Help />
    }
}

/// A link that knows whether the reader is there.
#[component]
fn NavLink(
    to: &'static str,
    /// Everything below this address counts as being there.
    below: &'static str,
    name: &'static str,
) -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    let rest = path.strip_prefix(below);
    let is_here = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    view! {
        <a href=to aria-current=is_here.then_some("page")>
            {name}
        </a>
    }
}
