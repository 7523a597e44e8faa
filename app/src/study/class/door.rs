//! The door: a class is begun here, or joined by its code.

use super::{Class, Standing, kept, kept::Kept};
use crate::api::fetch;
use flow::api::ClassStarted;
use leptos::{ev, prelude::*, task::spawn_local};

fn go(address: &str) {
    let _ = window().location().set_href(address);
}

/// Two ways in.
pub fn door() -> impl IntoView {
    let wrong = RwSignal::new(None::<String>);
    let is_asking = RwSignal::new(false);
    let start = move |_: ev::MouseEvent| {
        is_asking.set(true);
        spawn_local(async move {
            let answer = fetch::send("POST", "/api/classes", Some("{}".to_owned())).await;
            let started = answer.map_err(|problem| problem.detail).and_then(|text| {
                serde_json::from_str::<ClassStarted>(&text).map_err(|error| error.to_string())
            });
            is_asking.try_set(false);
            match started {
                Ok(started) => {
                    kept::keep(&Kept { code: started.code.to_string(), leads: true, is_away: false });
                    go(&format!("/class/{}", started.code));
                }
                Err(why) => _ = wrong.try_set(Some(why)),
            }
        });
    };
    view! {
        <div class="class-door">
            <section class="card" aria-labelledby="class-start">
                <h2 id="class-start">"Present"</h2>
                <p>
                    "You get six letters, a short address and a QR code. Whoever opens them sees the page that you are on: your
                    playhead, what you select, and the diagram. They change nothing unless you let them."
                </p>
                <button type="button" class="button button-primary" disabled=is_asking on:click=start>
                    "Start a class"
                </button>
                {move || wrong.get().map(|why| view! { <p class="field-error" role="alert">{why}</p> })}
            </section>
            <Code />
        </div>
    }
}

/// The field for a code.
#[component]
fn Code() -> impl IntoView {
    let code = RwSignal::new(String::new());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let letters: String = code.get_untracked().chars().filter(char::is_ascii_alphabetic).collect();
        if !letters.is_empty() {
            go(&format!("/class/{}", letters.to_ascii_uppercase()));
        }
    };
    view! {
        <section class="card" aria-labelledby="class-join">
            <h2 id="class-join">"Follow"</h2>
            <form class="class-code" on:submit=submit>
                <div class="field">
                    <label for="class-code">"Code"</label>
                    <input
                        id="class-code"
                        class="input"
                        autocomplete="off"
                        autocapitalize="characters"
                        spellcheck="false"
                        maxlength="12"
                        on:input=move |event| code.set(event_target_value(&event))
                    />
                </div>
                <button type="submit" class="button">
                    "Follow"
                </button>
            </form>
        </section>
    }
}

/// Joins the class that the address names, and goes to where it is.
pub fn join(code: String) -> impl IntoView {
    let wrong = RwSignal::new(None::<String>);
    let path = format!("/api/classes/{code}/followers");
    spawn_local(async move {
        match fetch::send("POST", &path, Some("{}".to_owned())).await {
            Ok(_) => {
                kept::keep(&Kept { code: code.clone(), leads: false, is_away: false });
                go(&format!("/class/{code}"));
            }
            Err(problem) => _ = wrong.try_set(Some(problem.detail)),
        }
    });
    move || match wrong.get() {
        None => view! { <p class="soft">"Joining the class…"</p> }.into_any(),
        Some(why) => view! {
            <div class="class-door">
                <p class="notice" role="alert">
                    "The class cannot be joined: "
                    {why}
                    "."
                </p>
                <Code />
            </div>
        }
        .into_any(),
    }
}

/// A follower is on the way to where the presenter is.
pub fn opening(class: Class) -> impl IntoView {
    move || match class.standing.get() {
        Standing::Over => {
            kept::forget();
            view! {
                <div class="class-door">
                    <p class="notice" role="status">
                        "This class is over."
                    </p>
                    <Code />
                </div>
            }
            .into_any()
        }
        Standing::Lost => {
            view! { <p class="notice" role="status">"The server does not answer. Trying again…"</p> }
                .into_any()
        }
        Standing::On if class.view.with(|view| view.as_ref().is_some_and(|view| view.is_left)) => view! {
            <p class="notice" role="status">
                "The presenter has been gone for ten minutes. "
                <a href="/lab/choreography">"Explore on your own"</a>
                "."
            </p>
        }
        .into_any(),
        Standing::On if class.view.with(|view| view.as_ref().is_some_and(|view| view.paused)) => view! {
            <p class="notice" role="status">
                "You are in. The presenter is preparing something; this page goes there by itself."
            </p>
        }
        .into_any(),
        Standing::Opening | Standing::On => {
            view! { <p class="soft">"Going to where the class is…"</p> }.into_any()
        }
    }
}
