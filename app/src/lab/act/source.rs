//! The code that a service runs for a message.

use crate::api::fetch;
use flow::api::Source;
use flow::{Service, System};
use leptos::{ev, prelude::*};

/// The service's code, fetched once it is unfolded.
#[component]
pub fn SourceOf(
    system: System,
    service: Service,
    /// Called when it has grown.
    on_grown: Callback<()>,
) -> impl IntoView {
    let is_wanted = RwSignal::new(false);
    let sources = LocalResource::new(move || {
        let path = system.api(&format!("{service}/code"));
        let is_wanted = is_wanted.get();
        async move {
            match is_wanted {
                true => fetch::get::<Vec<Source>>(&path).await.map_err(|problem| problem.detail),
                false => Ok(Vec::new()),
            }
        }
    });
    Effect::new(move || {
        sources.track();
        if is_wanted.get() {
            on_grown.run(());
        }
    });
    let unfold = move |event: ev::Event| {
        if event_target::<web_sys::Element>(&event).has_attribute("open") {
            is_wanted.set(true);
        }
    };
    let functions = move || {
        sources.get().map(|sources| match sources {
            Ok(sources) => {
                sources.into_iter().map(|source| view! { <Function source /> }).collect_view().into_any()
            }
            Err(why) => view! { <p class="hint" role="alert">{why}</p> }.into_any(),
        })
    };
    view! {
        <details class="act-source" on:toggle=unfold>
            <summary>"Its code"</summary>
            {functions}
        </details>
    }
}

/// One function, with where it stands.
#[component]
fn Function(source: Source) -> impl IntoView {
    let Source { file, line, code } = source;
    let place = format!("{file}, line {line}");
    view! {
        <p class="hint breaks">{place.clone()}</p>
        <pre tabindex="0" aria-label=place>
            {code}
        </pre>
    }
}
