//! A class in this browser: whoever presents leads, whoever follows is led, and both see it on every page.
//!
//! - [`kept`]: which class this browser takes part in. [`stream`]: what the server tells of it.
//! - [`lead`]: where the presenter is, and how followers get there.
//! - [`bar`]: what stands on every page. [`door`] and [`desk`]: the page `/class`. [`question`]: what the room is asked;
//!   [`ask_room`]: by a lesson. [`notes`]: the lesson on the desk.

mod ask_room;
mod bar;
mod desk;
mod door;
mod kept;
mod lead;
mod notes;
mod question;
mod stream;

pub use ask_room::AskRoom;
pub use kept::follows;

use crate::api::fetch;
use crate::later;
use crate::live::Live;
use flow::api::ClassView;
use kept::Kept;
use leptos::{ev, mount, prelude::*, task::spawn_local};
use web_sys::HtmlElement;

/// How it stands with the stream of a class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Standing {
    /// Nothing is known yet.
    #[default]
    Opening,
    On,
    /// The server does not answer; the browser tries again.
    Lost,
    /// The class is over, or its code never was one.
    Over,
}

/// The class that this browser takes part in.
#[derive(Clone, Copy)]
struct Class {
    kept: RwSignal<Kept>,
    view: RwSignal<Option<ClassView>>,
    standing: RwSignal<Standing>,
    /// Why something was refused.
    wrong: RwSignal<Option<String>>,
}

impl Class {
    fn new(kept: Kept) -> Self {
        Self {
            kept: RwSignal::new(kept),
            view: RwSignal::new(None),
            standing: RwSignal::new(Standing::default()),
            wrong: RwSignal::new(None),
        }
    }

    /// Reads something off what is shown of it. Follows it.
    fn read<T>(self, read: impl Fn(&ClassView) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.view.with(|view| view.as_ref().map(&read).unwrap_or_default()))
    }

    fn leads(self) -> bool {
        self.kept.with_untracked(|kept| kept.leads)
    }

    /// The address of a call about it.
    fn call(self, below: &str) -> String {
        self.kept.with_untracked(|kept| format!("/api/classes/{}{below}", kept.code))
    }

    /// Asks the server for something, and says so when it is refused.
    fn ask(self, method: &'static str, below: &str, body: String) {
        let path = self.call(below);
        spawn_local(async move {
            let answer = fetch::send(method, &path, Some(body)).await;
            self.wrong.try_set(answer.err().map(|problem| problem.detail));
        });
    }

    /// Forgets the class. A follower is free to change things again.
    fn leave(self) {
        let (path, leads) = (self.call("/followers"), self.leads());
        kept::forget();
        spawn_local(async move {
            if !leads {
                // If the server cannot be reached, the key stays until it is.
                let _ = fetch::send("DELETE", &path, None).await;
            }
            let _ = window().location().set_href("/class");
        });
    }
}

/// Brings to life what this browser has to do with classes.
pub(super) fn wake(_: Live, place: Option<HtmlElement>) {
    let on_page = lead::code_in_address();
    let kept = kept::read();
    if let Some(place) = place {
        let is_in = kept.as_ref().filter(|kept| Some(&kept.code) == on_page.as_ref());
        match (is_in.cloned(), on_page) {
            (Some(kept), _) if kept.leads => {
                let class = begin(kept);
                later::fill(place, move || desk::desk(class));
                return;
            }
            // Whoever opens the code's address wants to be where the class is.
            (Some(kept), _) => {
                let class = begin(Kept { is_away: false, ..kept });
                later::fill(place, move || door::opening(class));
            }
            (None, Some(code)) => later::fill(place, move || door::join(code)),
            (None, None) => later::fill(place, door::door),
        }
        return;
    }
    if let Some(kept) = kept {
        let class = begin(kept);
        if let Some(body) = document().body() {
            mount::mount_to(body, move || bar::bar(class)).forget();
        }
    }
}

/// Takes part: follows what the server tells, leads or is led.
fn begin(kept: Kept) -> Class {
    // It lives as long as the page.
    let owner = Owner::new();
    let class = owner.with(|| {
        let class = Class::new(kept);
        stream::open(class);
        lead::begin(class);
        class
    });
    std::mem::forget(owner);
    class
}

/// A button that asks for something.
#[component]
fn Button(
    #[prop(into)] words: Signal<&'static str>,
    /// Whether it is a switch that is on.
    #[prop(optional, into)]
    pressed: Option<Signal<bool>>,
    on_click: impl Fn() + Send + 'static,
) -> impl IntoView {
    let pressed = move || pressed.map(|pressed| pressed.get().to_string());
    view! {
        <button
            type="button"
            class="button button-small"
            aria-pressed=pressed
            on:click=move |_: ev::MouseEvent| on_click()
        >
            {move || words.get()}
        </button>
    }
}
