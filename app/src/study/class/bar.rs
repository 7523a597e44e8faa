//! What stands below every page of somebody who takes part in a class.

use super::{Button, Class, Standing, kept, question, question::Question};
use leptos::prelude::*;

/// The bar of whoever presents or follows.
pub fn bar(class: Class) -> impl IntoView {
    let leads = class.leads();
    let state = Memo::new(move |_| match class.standing.get() {
        Standing::Opening => "opening",
        Standing::On => "on",
        Standing::Lost => "lost",
        Standing::Over => "over",
    });
    let code = class.kept.with_untracked(|kept| kept.code.clone());
    let has_question = class.read(|view| view.question.is_some());
    view! {
        <aside class="class-bar" aria-label="Class" data-class=code.clone() data-part=if leads { "presenter" } else { "follower" } data-state=state>
            <Question class />
            <Show when=move || leads && has_question.get()>
                <question::Controls class />
            </Show>
            <div class="class-line">
                <strong>{format!("Class {code}")}</strong>
                {if leads { view! { <Presents class /> }.into_any() } else { view! { <Follows class /> }.into_any() }}
            </div>
            {move || class.wrong.get().map(|why| view! { <p class="field-error" role="alert">{why}</p> })}
        </aside>
    }
}

/// What the room needs in order to join, always in sight.
#[component]
fn Presents(class: Class) -> impl IntoView {
    let url = class.read(|view| view.url.clone());
    let followers = class.read(|view| view.followers);
    let paused = class.read(|view| view.paused);
    let desk = class.kept.with_untracked(|kept| format!("/class/{}", kept.code));
    let pause = move || class.ask("PUT", "", format!("{{\"paused\":{}}}", !paused.get_untracked()));
    move || {
        match class.standing.get() {
        Standing::Over => {
            view! { <Over words="This class is over." class /> }.into_any()
        }
        _ => view! {
            <code class="class-url">{url}</code>
            <span role="status">{move || format!("{} here", followers.get())}</span>
            <Button words="Pause following" pressed=paused on_click=pause />
            <a class="button button-small" href=desk.clone()>
                "Desk"
            </a>
            <img class="class-qr" src=class.call("/qr.svg") alt="QR code of the class" width="96" height="96" />
        }
        .into_any(),
    }
    }
}

/// Whether one is led now, and the way out and back.
#[component]
fn Follows(class: Class) -> impl IntoView {
    let is_away = Memo::new(move |_| class.kept.with(|kept| kept.is_away));
    let paused = class.read(|view| view.paused);
    let is_left = class.read(|view| view.is_left);
    let may_send = class.read(|view| view.may_send);
    let away = move |is_away: bool| {
        move || {
            class.kept.update(|kept| kept.is_away = is_away);
            class.kept.with_untracked(kept::keep);
        }
    };
    let words = move || match (class.standing.get(), is_away.get()) {
        (Standing::Lost, _) => "The server does not answer; trying again.",
        (Standing::Opening, _) => "Opening…",
        _ if is_left.get() => "The presenter has been gone for ten minutes: explore on your own.",
        (_, true) => "You explore on your own.",
        _ if paused.get() => "The presenter is preparing something.",
        _ if may_send.get() => "You follow the presenter, and may send arrivals.",
        _ => "You follow the presenter.",
    };
    move || match class.standing.get() {
        Standing::Over => view! { <Over words="This class is over." class /> }.into_any(),
        _ => view! {
            <span role="status">{words}</span>
            {move || match is_away.get() {
                true => view! { <Button words="Back to the class" on_click=away(false) /> },
                false => view! { <Button words="Explore on your own" on_click=away(true) /> },
            }}
            <Button words="Leave" on_click=move || class.leave() />
        }
        .into_any(),
    }
}

#[component]
fn Over(words: &'static str, class: Class) -> impl IntoView {
    view! {
        <span role="status">{words}</span>
        <Button words="Close" on_click=move || class.leave() />
    }
}
