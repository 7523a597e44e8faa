//! Where there is nothing to show, and where something went wrong.

use leptos::prelude::*;

/// Nothing there yet: what will be here, how it gets here, and the link that leads there.
#[component]
pub fn Blank(
    /// What there is none of.
    title: &'static str,
    /// How it gets here.
    how: &'static str,
    /// Where that is done.
    href: &'static str,
    link: &'static str,
) -> impl IntoView {
    view! {
        <div class="blank">
            <h2>{title}</h2>
            <p>{how}</p>
            <a class="button" href=href>
                {link}
            </a>
        </div>
    }
}

/// Something could not be read.
#[component]
pub fn Failure(
    /// What, such as "The store".
    what: String,
    detail: String,
    retry: Callback<()>,
) -> impl IntoView {
    view! {
        <div class="blank blank-failed" role="alert">
            <h2>{format!("{what} could not be read")}</h2>
            <p>{detail}</p>
            <button class="button" type="button" on:click=move |_| retry.run(())>
                "Try again"
            </button>
        </div>
    }
}
