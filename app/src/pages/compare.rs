//! Both styles side by side: one click sends the same arrival through both, and one playhead shows them from the
//! moment at which each received it.

use crate::{
    address,
    api::{self, Listed, What, fetch},
    components::{style_mark, title},
    duel::{Duel, Shown},
    lab::{diagram::Scene, hop::hop_of, playhead, selection::Selection},
    live::{Connection, Live, use_live},
    paint::{Act, follow, listen, region},
    study::{self, Study},
};
use flow::layout::{Layout, Orientation, Plan, SMALLEST_TEXT, layout};
use flow::{History, Id, Picture, Style};
use leptos::{ev, prelude::*, task::spawn_local};
use leptos_meta::Title;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wasm_bindgen::JsCast as _;

/// How long each step is shown.
const STEP: Duration = Duration::from_millis(450);
const BOTH: [Style; 2] = [Style::Choreography, Style::Orchestration];

/// The page `/compare`.
#[component]
pub fn Compare() -> impl IntoView {
    view! {
        <Title text="Compare" />
        {Suspend::new(async {
            let skus = match api::list(What::Products).await {
                Ok(Listed::Products([products, _])) => {
                    products.into_iter().map(|product| product.sku.to_string()).collect()
                }
                _ => Vec::new(),
            };
            view! { <CompareBoth skus /> }
        })}
    }
}

/// Everything on the page that changes.
struct Page {
    duel: Duel,
    skus: Vec<String>,
    sku: String,
    quantity: String,
    layouts: [Layout; 2],
    study: Option<Study>,
    is_sending: bool,
    wrong: Option<String>,
    hydrated: bool,
}

/// The way to it.
#[derive(Clone, Copy)]
struct Handle {
    live: Live,
    page: StoredValue<Arc<Mutex<Page>>>,
    version: RwSignal<u32>,
}

/// Both styles, and what they took.
#[island]
fn CompareBoth(
    /// What can be sent.
    skus: Vec<String>,
) -> impl IntoView {
    let live = use_live();
    let page = Page {
        duel: Duel::default(),
        sku: skus.first().cloned().unwrap_or_default(),
        skus,
        quantity: "12".to_owned(),
        layouts: BOTH.map(|style| {
            layout(&Plan {
                style,
                dispatch: flow::Dispatch::default(),
                foreign: Vec::new(),
                orientation: Orientation::Tall,
                text_px: SMALLEST_TEXT,
            })
        }),
        study: study::at_once(),
        is_sending: false,
        wrong: None,
        hydrated: false,
    };
    let handle =
        Handle { live, page: StoredValue::new(Arc::new(Mutex::new(page))), version: RwSignal::default() };
    region(move || handle.draw(), move |host| wake(handle, host))
}

impl Handle {
    fn with<T>(self, see: impl FnOnce(&mut Page) -> T) -> Option<T> {
        let page = self.page.try_get_value()?;
        let mut page = page.lock().unwrap_or_else(PoisonError::into_inner);
        Some(see(&mut page))
    }

    fn change(self, change: impl FnOnce(&mut Page)) {
        self.with(change);
        self.version.try_update(|version| *version = version.wrapping_add(1));
    }

    fn draw(self) -> String {
        self.version.track();
        self.live.version.track();
        let connection = self.live.connection.get();
        self.with(|page| self.live.with_history(|history| page.draw(history, connection).into_string()))
            .unwrap_or_default()
    }
}

impl Page {
    fn shown(&self, history: &History) -> Shown {
        self.study
            .filter(|_| !self.duel.pair.is_empty())
            .map(|study| (study.align)(&self.duel, history))
            .unwrap_or_default()
    }

    fn draw(&self, history: &History, connection: Connection) -> Markup {
        let shown = self.shown(history);
        let is_at_end = self.duel.count >= shown.total;
        let is_settled = is_at_end && BOTH.iter().all(|&style| history.now().system(style).is_settled());
        html! {
            main #main.page.compare tabindex="-1" data-connection=(connection.as_str())
                data-seq=(shown.seq(history.now())) data-settled=(is_settled) data-step=(self.duel.count.min(shown.total)) {
                div.page-head {
                    div {
                        h1 { "Compare" }
                        p { "The same arrival through both styles, from the moment at which each received it." }
                    }
                }
                (self.form(connection))
                (self.playhead(&shown))
                div.duel {
                    @for style in BOTH { (self.side(style, &shown, history)) }
                }
                @match self.study {
                    Some(study) => { ((study.compare)(&self.duel, history)) }
                    None => { div.view-loading role="status" { p { "Loading…" } div.skeleton {} } }
                }
            }
        }
    }

    fn form(&self, connection: Connection) -> Markup {
        let off = !self.hydrated || self.is_sending || connection != Connection::Live;
        html! {
            form.card.duel-form data-act="send" novalidate {
                div.field {
                    label for="duel-sku" { "SKU" }
                    select.input #duel-sku data-field="sku" disabled[!self.hydrated] {
                        @for sku in &self.skus { option value=(sku) selected[*sku == self.sku] { (sku) } }
                    }
                }
                div.field {
                    label for="duel-quantity" { "Quantity" }
                    input.input #duel-quantity data-field="quantity" inputmode="numeric" size="6" value=(self.quantity)
                        disabled[!self.hydrated] aria-invalid=[self.wrong.as_ref().map(|_| "true")];
                }
                button.button.button-primary type="submit" disabled[off] { "Send through both" }
                @if let Some(wrong) = &self.wrong { p.field-error role="alert" { (wrong) } }
            }
        }
    }

    fn playhead(&self, shown: &Shown) -> Markup {
        let off = !self.hydrated || shown.total == 0;
        let at = self.duel.count.min(shown.total);
        let button = |act, words, key, path| playhead::button(off, act, words, key, path);
        html! {
            div.card.playhead.duel-playhead role="group" aria-label="Playhead" {
                div.playhead-buttons {
                    (button("back", "One step back", "←", "M13 4l-7 6 7 6M4 4v12"))
                    @if self.duel.is_playing { (button("toggle", "Pause the view", "Space", "M7 4v12M13 4v12")) }
                    @else { (button("toggle", "Play", "Space", "M6 4l10 6-10 6z")) }
                    (button("step", "One step forward", "→", "M7 4l7 6-7 6M16 4v12"))
                    (button("again", "From the start", "Home", "M4 4v12M16 4l-9 6 9 6z"))
                }
                input.playhead-range type="range" min="0" max=(shown.total.max(1)) value=(at) data-field="playhead"
                    aria-label="Playhead" aria-valuetext={ "Step " (at) " of " (shown.total) } disabled[off];
                span.playhead-at { (at) " / " (shown.total) }
            }
        }
    }

    fn side(&self, style: Style, shown: &Shown, history: &History) -> Markup {
        let place = shown.places[style as usize];
        // Before the first arrival both show how things stand.
        let picture: Picture =
            place.and_then(|seq| history.picture_at(seq)).unwrap_or_else(|| history.now().clone());
        let last = shown.last.filter(|(of, _)| *of == style).and_then(|(_, seq)| history.event(seq));
        let lit = last.and_then(|event| hop_of(event, style)).map(|hop| Selection::Edge(hop.edge));
        html! {
            section.card.duel-side data-style=(style) aria-labelledby={ "duel-" (style) } {
                h2 id={ "duel-" (style) } { (style_mark(style)) " " (title(style)) }
                (Scene::new(&picture, style, &self.layouts[style as usize], lit.as_ref()).draw())
            }
        }
    }
}

fn wake(handle: Handle, host: web_sys::Element) {
    let of_address = BOTH.map(|style| address::query(style.as_str()).map(Id::from));
    if let [Some(choreography), Some(orchestration)] = of_address {
        let pair = vec![choreography, orchestration];
        let since = address::query("at").and_then(|at| at.parse().ok()).unwrap_or_default();
        handle.change(|page| {
            page.duel = Duel { all: pair.clone(), pair, since, count: usize::MAX, is_playing: false }
        });
        spawn_local(async move {
            if let Err(why) = handle.live.reach_back(since).await {
                handle.change(|page| page.wrong = Some(why));
            }
            handle.change(|_| {});
        });
    }
    listen(&host, "click", move |event| {
        if let Some(picked) = Act::marked(&event, "[data-pick]") {
            look_closer(&picked);
        } else if let Some(act) = Act::of(&event) {
            moved(handle, &act.name());
        }
    });
    listen(&host, "submit", move |event| {
        event.prevent_default();
        send(handle);
    });
    listen(&host, "input", move |event| typed(handle, &event));
    Effect::new(move || {
        let keys = window_event_listener(ev::keydown, move |event| pressed(handle, &event));
        on_cleanup(move || keys.remove());
    });
    set_interval(move || tick(handle), STEP);
    follow(host, Box::new(move || handle.draw()));
    handle.change(|page| page.hydrated = true);
    spawn_local(async move {
        let study = study::load().await;
        handle.change(|page| page.study = Some(study));
    });
}

/// What is drawn here can be inspected in its style's lab.
fn look_closer(picked: &Act) {
    let side = picked.element().closest("[data-style]").ok().flatten();
    let style = side.and_then(|side| side.get_attribute("data-style"));
    if let (Some(style), Some(pick)) = (style, picked.get("pick")) {
        // The page is left.
        let _ = window().location().set_href(&format!("/lab/{style}?select={pick}"));
    }
}

/// Goes on by itself, as long as there is something to show.
fn tick(handle: Handle) {
    let has_moved = handle.with(|page| {
        let total = handle.live.with_history(|history| page.shown(history)).total;
        let goes_on = page.duel.is_playing && page.duel.count < total;
        if goes_on {
            page.duel.count += 1;
        }
        goes_on
    });
    if has_moved == Some(true) {
        handle.change(|_| {});
    }
}

/// Moves the playhead; `false` when there is no such move.
fn moved(handle: Handle, act: &str) -> bool {
    let is_known = matches!(act, "back" | "step" | "toggle" | "again");
    if is_known {
        handle.change(|page| {
            let total = handle.live.with_history(|history| page.shown(history)).total;
            let duel = &mut page.duel;
            let at = duel.count.min(total);
            (duel.count, duel.is_playing) = match act {
                "back" => (at.saturating_sub(1), false),
                "step" => ((at + 1).min(total), false),
                "again" => (0, true),
                _ => (at, !duel.is_playing),
            };
        });
    }
    is_known
}

fn pressed(handle: Handle, event: &ev::KeyboardEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let is_used = target.is_some_and(|target| {
        target.closest("input, select, textarea, button, a, summary, [role=button]").ok().flatten().is_some()
    });
    let act = match event.key().as_str() {
        _ if is_used || event.ctrl_key() || event.meta_key() || event.alt_key() => return,
        " " => "toggle",
        "ArrowRight" => "step",
        "ArrowLeft" => "back",
        "Home" => "again",
        _ => return,
    };
    if moved(handle, act) {
        event.prevent_default();
    }
}

fn typed(handle: Handle, event: &web_sys::Event) {
    let Some(field) = Act::marked(event, "[data-field]") else { return };
    let value = field.value();
    handle.change(|page| match field.get("field").as_deref() {
        Some("sku") => page.sku = value,
        Some("quantity") => page.quantity = value,
        Some("playhead") => {
            (page.duel.count, page.duel.is_playing) = (value.parse().unwrap_or_default(), false);
        }
        _ => {}
    });
}

/// The same arrival through both.
fn send(handle: Handle) {
    let asked = handle.with(|page| {
        if page.is_sending {
            return None;
        }
        match page.quantity.trim().parse::<u32>() {
            Ok(quantity @ 1..=1_000_000) => {
                (page.wrong, page.is_sending) = (None, true);
                Some(format!("{{\"sku\":\"{}\",\"quantity\":{quantity},\"style\":\"both\"}}", page.sku))
            }
            _ => {
                page.wrong = Some("A quantity is a whole number from 1 to 1,000,000.".to_owned());
                None
            }
        }
    });
    handle.change(|_| {});
    let Some(body) = asked.flatten() else { return };
    spawn_local(async move {
        let since = handle.live.with_history(|history| history.now().seq);
        let outcome = fetch::send("POST", "/api/arrivals", Some(body)).await;
        handle.change(|page| {
            page.is_sending = false;
            match outcome.map(|answer| pair_of(&answer)) {
                Ok(Some(pair)) => {
                    address::replace(&format!(
                        "/compare?at={since}&choreography={}&orchestration={}",
                        pair[0], pair[1]
                    ));
                    page.duel.all.extend(pair.iter().cloned());
                    page.duel = Duel {
                        all: std::mem::take(&mut page.duel.all),
                        pair,
                        since,
                        count: 0,
                        is_playing: true,
                    };
                }
                Ok(None) => page.wrong = Some("The server's answer names no pair of arrivals.".to_owned()),
                Err(problem) => page.wrong = Some(problem.detail),
            }
        });
    });
}

/// Choreography's and orchestration's arrival, out of the server's answer.
fn pair_of(answer: &str) -> Option<Vec<Id>> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let list = answer.get("arrivals")?.as_array()?;
    let of = |style: Style| {
        let is_its = |one: &&Value| one.get("style").and_then(Value::as_str) == Some(style.as_str());
        list.iter().find(is_its)?.get("id")?.as_str().map(Id::from)
    };
    Some(vec![of(Style::Choreography)?, of(Style::Orchestration)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_is_told_apart_by_its_styles() {
        let answer = r#"{"arrivals":[{"id":"o","style":"orchestration"},{"id":"c","style":"choreography"}]}"#;
        assert_eq!(pair_of(answer), Some(vec!["c".into(), "o".into()]));
        assert_eq!(pair_of(r#"{"arrivals":[{"id":"c","style":"choreography"}]}"#), None);
    }
}
