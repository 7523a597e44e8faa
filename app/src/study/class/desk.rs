//! The presenter's desk: the code for the room, who is there, what they may, and what they are asked.

use super::{Button, Class, Standing, notes::Notes, question, question::Question};
use crate::api::fetch;
use flow::api::HandedOver;
use leptos::{prelude::*, task::spawn_local};

/// The page of a class for whoever presents it.
pub fn desk(class: Class) -> impl IntoView {
    let standing = class.standing;
    move || match standing.get() {
        Standing::Over => view! {
            <p class="notice" role="status">
                "This class is over. "
                <a href="/class">"Start another one"</a>
            </p>
        }
        .into_any(),
        Standing::Opening => view! { <p class="soft">"Opening the class…"</p> }.into_any(),
        Standing::On | Standing::Lost => view! { <Desk class /> }.into_any(),
    }
}

#[component]
fn Desk(class: Class) -> impl IntoView {
    let url = class.read(|view| view.url.clone());
    let code = class.read(|view| view.code.to_string());
    let followers = class.read(|view| view.followers);
    let has_question = class.read(|view| view.question.is_some());
    let switch = move |name: &'static str, is_on: Memo<bool>| {
        move || class.ask("PUT", "", format!("{{\"{name}\":{}}}", !is_on.get_untracked()))
    };
    let paused = class.read(|view| view.paused);
    let locked = class.read(|view| view.locked);
    let may_send = class.read(|view| view.may_send);
    let end = move || {
        class.ask("DELETE", "", String::new());
        super::kept::forget();
    };
    view! {
        <div class="class-desk">
            <section class="card class-sign" aria-labelledby="class-sign">
                <h2 id="class-sign">"For the room"</h2>
                <img src=class.call("/qr.svg") alt="QR code of the address" width="240" height="240" />
                <p class="class-letters">{code}</p>
                <p>
                    <code>{url}</code>
                </p>
                <p role="status">
                    {move || match followers.get() {
                        0 => "Nobody follows yet.".to_owned(),
                        1 => "1 follows.".to_owned(),
                        count => format!("{count} follow."),
                    }}
                </p>
            </section>
            <div class="class-work">
                <Notes class />
                <section class="card" aria-labelledby="class-room">
                    <h2 id="class-room">"The room"</h2>
                    <p class="hint">
                        "Go to any page: everybody follows you there. What you do stands below every page, too."
                    </p>
                    <div class="class-buttons">
                        <Button words="Pause following" pressed=paused on_click=switch("paused", paused) />
                        <Button words="Lock the class" pressed=locked on_click=switch("locked", locked) />
                        <Button words="Let followers send arrivals" pressed=may_send on_click=switch("may_send", may_send) />
                    </div>
                    <p class="class-buttons">
                        <a class="button button-primary" href="/lab/choreography">
                            "Show the lab"
                        </a>
                        <Button words="End the class" on_click=end />
                    </p>
                    <HandOver class />
                    {move || class.wrong.get().map(|why| view! { <p class="field-error" role="alert">{why}</p> })}
                </section>
                <section class="card" aria-labelledby="class-asks">
                    <h2 id="class-asks">"Ask the room"</h2>
                    {move || match has_question.get() {
                        true => view! {
                            <Question class />
                            <question::Controls class />
                        }
                        .into_any(),
                        false => view! { <question::Form class /> }.into_any(),
                    }}
                </section>
            </div>
        </div>
    }
}

/// A link for a second presenter. It is shown once.
#[component]
fn HandOver(class: Class) -> impl IntoView {
    let link = RwSignal::new(None::<String>);
    let hand_over = move || {
        let path = class.call("/presenters");
        spawn_local(async move {
            let answer = fetch::send("POST", &path, Some("{}".to_owned())).await;
            let handed = answer.map_err(|problem| problem.detail).and_then(|text| {
                serde_json::from_str::<HandedOver>(&text).map_err(|error| error.to_string())
            });
            match handed {
                Ok(handed) => {
                    let url = class.view.with_untracked(|view| view.as_ref().map(|view| view.url.clone()));
                    let url = url.unwrap_or_default();
                    link.try_set(Some(format!("{url}/present?key={}", handed.presenter_key)));
                }
                Err(why) => _ = class.wrong.try_set(Some(why)),
            }
        });
    };
    view! {
        <div class="class-buttons">
            <Button words="Let somebody else present" on_click=hand_over />
        </div>
        {move || {
            link.get()
                .map(|link| view! {
                    <p class="hint">
                        "Whoever opens this link presents the class as well; give it to nobody else: " <code>{link}</code>
                    </p>
                })
        }}
    }
}
