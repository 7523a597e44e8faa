//! A letter is dragged from the tray back to its queue, by mouse or by finger: that replays it.
//!
//! What moves under the pointer is a copy; the letter itself goes only when the journal tells so.

use super::deeds::{Parked, dragged};
use super::{Target, Targets};
use crate::api::asks::Asks;
use flow::{System, joined, layout::Px};
use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{DomRect, Element};

/// From how far on it is a drag and no click, in CSS pixels.
const SLACK_PX: f64 = 6.0;
/// How far beside the queue it can be let go, in CSS pixels: a finger covers what it points at.
const NEAR_PX: f64 = 16.0;

/// What is being dragged.
struct Drag {
    pointer: i32,
    tray: Element,
    /// The queue that it goes back to.
    queue: Element,
    from: (f64, f64),
    /// The letter under the pointer, once it has left its place.
    letter: Option<Element>,
}

impl Drag {
    fn begin(event: &ev::PointerEvent) -> Option<Self> {
        let tray = event.target()?.dyn_into::<Element>().ok()?.closest("[data-tray]").ok().flatten()?;
        let name = tray.get_attribute("data-tray")?;
        let queue = joined(&["[data-queue=\"", &name, "\"]"]);
        let queue = tray.closest("svg").ok().flatten()?.query_selector(&queue).ok().flatten()?;
        let from = (f64::from(event.client_x()), f64::from(event.client_y()));
        Some(Self { pointer: event.pointer_id(), tray, queue, from, letter: None })
    }

    fn name(&self) -> String {
        self.tray.get_attribute("data-tray").unwrap_or_default()
    }

    /// Takes the letter along.
    fn go(&mut self, event: &ev::PointerEvent) {
        let by = (f64::from(event.client_x()) - self.from.0, f64::from(event.client_y()) - self.from.1);
        if self.letter.is_none() && by.0 * by.0 + by.1 * by.1 >= SLACK_PX * SLACK_PX {
            self.letter = self.lift();
            // The pointer may leave the tray, and the window too.
            let _ = self.tray.set_pointer_capture(self.pointer);
            mark(&self.queue, "data-drop", true);
        }
        let Some(letter) = &self.letter else { return };
        #[expect(clippy::cast_possible_truncation, reason = "a length on the screen")]
        let units = |px: f64| Px((px / self.scale()) as f32);
        let place = format!("translate({} {})", units(by.0), units(by.1));
        let _ = letter.set_attribute("transform", &place);
        mark(&self.queue, "data-over", self.is_over(event));
    }

    /// How many CSS pixels a unit of the diagram has.
    fn scale(&self) -> f64 {
        let grip = self.tray.query_selector(".tray-hit").ok().flatten();
        let width = |grip: &Element| grip.get_attribute("width")?.parse::<f64>().ok();
        let scale = grip.and_then(|grip| Some(grip.get_bounding_client_rect().width() / width(&grip)?));
        scale.filter(|scale| *scale > 0.0).unwrap_or(1.0)
    }

    /// A copy of the letter, above everything else.
    fn lift(&self) -> Option<Element> {
        let letter = self.tray.query_selector(".letter").ok().flatten()?;
        let copy = letter.clone_node().ok()?.dyn_into::<Element>().ok()?;
        let _ = copy.set_attribute("class", "letter is-dragged");
        let above = self.tray.closest("svg").ok().flatten()?.query_selector(".tokens").ok().flatten()?;
        above.append_child(&copy).ok()?;
        Some(copy)
    }

    fn is_over(&self, event: &ev::PointerEvent) -> bool {
        let place: DomRect = self.queue.get_bounding_client_rect();
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        x > place.left() - NEAR_PX
            && x < place.right() + NEAR_PX
            && y > place.top() - NEAR_PX
            && y < place.bottom() + NEAR_PX
    }
}

impl Drop for Drag {
    fn drop(&mut self) {
        if let Some(letter) = &self.letter {
            letter.remove();
        }
        mark(&self.queue, "data-drop", false);
        mark(&self.queue, "data-over", false);
    }
}

fn mark(element: &Element, name: &str, is_on: bool) {
    // The names are plain ASCII, and removing what is not there is no error.
    let _ = if is_on { element.set_attribute(name, "") } else { element.remove_attribute(name) };
}

/// Listens for as long as the page is open. What is refused is said in the tray's menu.
pub fn listen(asks: Asks, system: System, parked: Memo<Vec<Parked>>, targets: Targets) {
    let now = StoredValue::new_local(None::<Drag>);
    let sent = StoredValue::new_local(None::<Element>);
    // A drag ends with a click, which would open the menu.
    let was_dragged = StoredValue::new(false);
    let catch = Closure::<dyn Fn(ev::MouseEvent)>::new(move |event: ev::MouseEvent| {
        if was_dragged.try_update_value(std::mem::take) == Some(true) {
            event.prevent_default();
            event.stop_propagation();
        }
    });
    let click = catch.into_js_value();
    let _ = window().add_event_listener_with_callback_and_bool("click", click.unchecked_ref(), true);
    let begun = window_event_listener(ev::pointerdown, move |event| {
        was_dragged.set_value(false);
        let is_meant = event.is_primary() && event.button() == 0;
        now.set_value(Drag::begin(&event).filter(|_| is_meant && !asks.is_barred()));
    });
    let moved = window_event_listener(ev::pointermove, move |event| {
        now.try_update_value(|now| {
            if let Some(drag) = now.as_mut().filter(|drag| drag.pointer == event.pointer_id()) {
                drag.go(&event);
            }
        });
    });
    let ended = window_event_listener(ev::pointerup, move |event| {
        let Some(drag) = now.try_update_value(Option::take).flatten() else { return };
        if drag.letter.is_none() {
            return;
        }
        was_dragged.set_value(true);
        let letter = dragged(system, &drag.name(), &parked.get_untracked());
        if let Some(ask) = letter.filter(|_| drag.is_over(&event)) {
            asks.say("", true);
            sent.set_value(Some(drag.tray.clone()));
            asks.ask(ask);
        }
    });
    let cancelled = window_event_listener(ev::pointercancel, move |_| now.set_value(None));
    let escaped = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape"
            && now.with_value(|now| now.as_ref().is_some_and(|drag| drag.letter.is_some()))
        {
            now.set_value(None);
            was_dragged.set_value(true);
        }
    });
    Effect::new(move |before: Option<()>| {
        asks.answers.track();
        let Some(tray) = sent.try_update_value(Option::take).flatten().filter(|_| before.is_some()) else {
            return;
        };
        let said = asks.said.get_untracked();
        if !said.is_done && !said.words.is_empty() {
            targets.set(Target::of(&tray, false));
            // What opens the menu wipes what was said in it.
            request_animation_frame(move || asks.say(said.words, false));
        }
    });
    on_cleanup(move || {
        for listener in [begun, moved, ended, cancelled, escaped] {
            listener.remove();
        }
    });
}
