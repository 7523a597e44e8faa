//! All lessons, and how far the reader is in each.

use super::kept;
use crate::components::{StyleMark, title};
use crate::lab::stage::transport_name;
use crate::later::IS_ALIVE;
use leptos::prelude::*;
use lessons::{Brief, Progress};

/// The page `/learn`.
#[component]
pub fn List(briefs: Vec<Brief>) -> impl IntoView {
    let progress = RwSignal::new(kept::progress());
    let is_any = Memo::new(move |_| progress.with(|progress| *progress != Progress::default()));
    let forget = move |_| {
        kept::forget();
        progress.set(Progress::default());
    };
    view! {
        <main id="main" tabindex="-1" class="page page-narrow learn">
            <div class="page-head">
                <div>
                    <h1>"Learn"</h1>
                    <p>
                        "Short lessons on the running system. You predict, you do it, and you see what really happens. Nothing you
                        break stays broken."
                    </p>
                </div>
                <a class="button" href="/class">
                    "Start a class"
                </a>
            </div>
            <ol class="learn-list">
                {briefs.into_iter().map(|brief| view! { <Row brief progress /> }).collect_view()}
            </ol>
            <p class="learn-kept">
                <span class="soft">"How far you are is kept in this browser, and nowhere else."</span>
                <button
                    class="button button-small"
                    type="button"
                    disabled=move || !IS_ALIVE || !is_any.get()
                    on:click=forget
                >
                    "Forget it"
                </button>
            </p>
        </main>
    }
}

#[component]
fn Row(brief: Brief, progress: RwSignal<Progress>) -> impl IntoView {
    let (id, beats) = (brief.id.clone(), brief.beats);
    let taken = Memo::new(move |_| progress.with(|progress| progress.of(&id)));
    let transport =
        (!brief.transport.is_default()).then(|| format!(" over {}", transport_name(brief.transport)));
    view! {
        <li class="card learn-row" data-lesson=brief.id.clone()>
            <h2>
                <a href=format!("/learn/{}", brief.id)>{brief.title}</a>
            </h2>
            <p>{brief.promise}</p>
            <p class="learn-facts">
                <span>{format!("{} min", brief.minutes)}</span>
                <span>
                    <StyleMark style=brief.style />
                    " "
                    {title(brief.style)}
                    {transport}
                </span>
                <span class="learn-far" data-done=move || taken.with(|taken| taken.done).to_string()>
                    {move || taken.with(|taken| taken.words(beats))}
                </span>
            </p>
        </li>
    }
}
