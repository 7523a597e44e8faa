//! The page `/compare`: both styles next to each other, on one time, in numbers, and who must know whom.
//!
//! Its state is plain data in [`Page`], from which everything is drawn. One tick moves its playhead; what sets out
//! then travels in both diagrams, each of which is a lab's, led by this playhead instead of one of its own.

mod acts;
mod draw;
mod duel;
mod faults;
mod form;
mod lanes;
mod play;
mod score;
mod send;
mod steps;
mod table;

use crate::address;
use crate::components::keys_switch::keep_space;
use crate::lab::diagram::{Scene, animation};
use crate::lab::form::Form as LabForm;
use crate::lab::handle::{Lab, Pace};
use crate::lab::state::LabState;
use crate::live::{Connection, Live};
use crate::paint::{follow, listen};
use duel::{Duel, Named};
use faults::Broken;
use flow::{Dispatch, History, Style};
use form::Form;
use leptos::{ev, prelude::*, task::spawn_local};
use maud::Markup;
use play::Play;
use score::Score;
use send::Waiting;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use web_sys::Element;

const BOTH: [Style; 2] = [Style::Choreography, Style::Orchestration];
/// How often the playhead goes on.
const TICK: Duration = Duration::from_millis(40);
/// How often the lists and the table are brought up to date while it does.
const CALM_MS: f64 = 200.0;
/// How often it is said in words where the playhead is.
const SPOKEN_EVERY: Duration = Duration::from_secs(2);

/// Everything on the page that changes, but the two diagrams.
struct Page {
    skus: Vec<String>,
    form: Form,
    /// What is compared.
    duel: Option<Duel>,
    /// How that went, up to the playhead.
    score: Option<Score>,
    /// How many steps of both together are shown: the playhead. More than there are for all.
    count: usize,
    is_playing: bool,
    play: Play,
    /// What is broken in both because it was sent from here.
    broken: Option<Broken>,
    /// Whether that is being mended just now.
    is_mending: bool,
    /// What is sent as soon as the consumer is down.
    waiting: Option<Waiting>,
    /// When the last was sent.
    sent_ms: f64,
    calm_ms: f64,
    is_calm_due: bool,
    hydrated: bool,
}

/// The way to all of it.
#[derive(Clone, Copy)]
struct Handle {
    live: Live,
    page: StoredValue<Arc<Mutex<Page>>>,
    /// Choreography's diagram and orchestration's.
    sides: [Lab; 2],
    version: RwSignal<u32>,
    calm_version: RwSignal<u32>,
}

/// Draws the page as it is when it is opened or, in a browser, brings to life what is inside of the element.
pub fn page(live: Live, skus: Vec<String>, host: Option<Element>) -> String {
    let handle = Handle::new(live, skus);
    match host {
        Some(host) => wake(handle, &host),
        None => return handle.see(|page, history| draw::page(page, handle, history).into_string()),
    }
    String::new()
}

impl Handle {
    fn new(live: Live, skus: Vec<String>) -> Self {
        let picture = live.with_history(|history| history.now().clone());
        let page = Page {
            form: Form::new(skus.first()),
            skus,
            duel: None,
            score: None,
            count: usize::MAX,
            is_playing: false,
            play: Play::default(),
            broken: None,
            is_mending: false,
            waiting: None,
            sent_ms: 0.0,
            calm_ms: 0.0,
            is_calm_due: false,
            hydrated: false,
        };
        let sides = BOTH.map(|style| {
            // Upright, both fit side by side.
            let form = LabForm::new(Vec::new(), Dispatch::default());
            Lab::new(live, LabState::new(style, picture.clone(), form, true))
        });
        Self {
            live,
            page: StoredValue::new(Arc::new(Mutex::new(page))),
            sides,
            version: RwSignal::default(),
            calm_version: RwSignal::default(),
        }
    }

    /// Looks at the page, and at the journal at hand.
    fn see<T: Default>(self, see: impl FnOnce(&mut Page, &History) -> T) -> T {
        let Some(page) = self.page.try_get_value() else { return T::default() };
        let mut page = page.lock().unwrap_or_else(PoisonError::into_inner);
        self.live.with_history(|history| see(&mut page, history))
    }

    /// Changes the page, and draws it anew.
    fn change(self, change: impl FnOnce(&mut Page)) {
        self.see(|page, _| change(page));
        self.tell(true);
    }

    fn tell(self, is_calm: bool) {
        let versions = [Some(self.version), is_calm.then_some(self.calm_version)];
        for version in versions.into_iter().flatten() {
            version.try_update(|version| *version = version.wrapping_add(1));
        }
    }

    /// Puts both diagrams where the playhead is.
    fn lead(self) {
        self.see(|page, history| page.lead(history, self.sides));
        self.sides.iter().for_each(|side| side.tell(Pace::Calm));
        self.tell(true);
    }
}

/// A part of the page that is drawn anew: the id of its place, and how.
type Part = (&'static str, fn(&Page, Connection) -> Markup);

/// What follows the playhead at once.
const BARS: [Part; 2] = [("duel-form", draw::form), ("duel-bar", draw::bar)];

fn wake(handle: Handle, host: &Element) {
    let place = |id: &str| document().get_element_by_id(id);
    for (id, draw) in BARS {
        let draw = move || {
            handle.version.track();
            let connection = handle.live.connection.get();
            handle.see(|page, _| draw(page, connection).into_string())
        };
        place(id).into_iter().for_each(|place| follow(place, Box::new(draw)));
    }
    let study = move || {
        handle.calm_version.track();
        handle.see(|page, history| draw::study(page, history).into_string())
    };
    place("duel-study").into_iter().for_each(|place| follow(place, Box::new(study)));
    for (side, style) in handle.sides.into_iter().zip(BOTH) {
        let canvas = place(draw::canvas_id(style));
        let draw = move || side.draw(Pace::Frame, |look| Scene::of(look.lab).draw());
        canvas.clone().into_iter().for_each(|canvas| follow(canvas, Box::new(draw)));
        animation::keep_fit(side, false);
        animation::drive(side, canvas);
    }
    mark(handle, host);
    listen(host, "click", move |event| acts::clicked(handle, &event));
    listen(host, "keydown", move |event| acts::key_on_drawing(handle, &event));
    listen(host, "submit", move |event| {
        event.prevent_default();
        send::send(handle);
    });
    listen(host, "input", move |event| acts::typed(handle, &event));
    keep_space();
    Effect::new(move || {
        let keys = window_event_listener(ev::keydown, move |event| acts::pressed(handle, &event));
        on_cleanup(move || keys.remove());
    });
    restore(handle);
    set_interval(move || tick(handle), TICK);
    set_interval(move || speak(handle), SPOKEN_EVERY);
    handle.change(|page| page.hydrated = true);
}

/// What the address names is compared again, and what this tab has left broken is mended.
fn restore(handle: Handle) {
    handle.see(|page, _| {
        page.form.take(address::query);
        page.broken = faults::left_behind();
    });
    let Some(named) = Named::of(address::query) else { return };
    spawn_local(async move {
        let is_there = handle.live.reach_back(named.since).await;
        handle.see(|page, history| match is_there.map(|()| named.find(history)) {
            // What was sent meanwhile is what the reader wants to see.
            _ if page.duel.is_some() => {}
            Ok(Some(duel)) => page.compare(duel, history),
            Ok(None) => page.form.refuse("What this address compares is no longer in the journal."),
            Err(why) => page.form.refuse(&why),
        });
        handle.lead();
    });
}

/// Goes on, as far as there is something to show.
fn tick(handle: Handle) {
    if handle.live.connection.get_untracked() == Connection::Reconnecting {
        return;
    }
    let now_ms = clock_ms();
    let (has_moved, is_calm) = handle.see(|page, history| {
        let has_moved = page.go_on(history, now_ms, handle.sides);
        page.is_calm_due |= has_moved;
        let is_calm = page.is_calm_due && (now_ms - page.calm_ms >= CALM_MS || !page.is_playing);
        if is_calm {
            (page.calm_ms, page.is_calm_due) = (now_ms, false);
        }
        (has_moved, is_calm)
    });
    if has_moved {
        handle.sides.iter().for_each(|side| side.tell(Pace::Calm));
    }
    if has_moved || is_calm {
        handle.tell(is_calm);
    }
    send::go_on(handle, now_ms);
}

fn clock_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

impl Page {
    /// How many steps there are so far.
    fn total(&self) -> usize {
        self.score.as_ref().map_or(0, Score::total)
    }

    /// How many of them are shown.
    fn shown(&self) -> usize {
        self.count.min(self.total())
    }

    /// Whether all that is compared is over; what a consumer still has to do that is down on purpose does not count.
    fn is_over(&self) -> bool {
        let down = self.broken.as_ref().and_then(Broken::down);
        self.score.as_ref().is_some_and(|score| score.is_over(down))
    }

    /// Compares something else.
    fn compare(&mut self, duel: Duel, history: &History) {
        self.score = Some(Score::new(&duel, history));
        self.duel = Some(duel);
        self.count = usize::MAX;
        self.play.halt(0);
    }

    /// Takes in what has come and moves the playhead; says whether anything has changed.
    fn go_on(&mut self, history: &History, now_ms: f64, sides: [Lab; 2]) -> bool {
        let Some(score) = &mut self.score else {
            // Before anything is compared both show how things stand.
            let seq = history.now().seq;
            let is_behind = sides[0].peek(|state| state.picture().seq < seq) == Some(true);
            if is_behind {
                sides.iter().for_each(|side| {
                    side.quietly(|state| state.director.follow_to(history, seq));
                });
            }
            return is_behind;
        };
        let mut has_changed = score.take(history, now_ms);
        if self.is_playing {
            has_changed |= self.play.go_on(score, &mut self.count, history, now_ms, sides);
            if self.count >= score.total() && score.is_over(None) && self.play.is_done() {
                (self.is_playing, has_changed) = (false, true);
            }
        }
        if has_changed {
            self.lead(history, sides);
        }
        has_changed
    }

    fn lead(&mut self, history: &History, sides: [Lab; 2]) {
        let count = self.shown();
        let Some(score) = &mut self.score else { return };
        score.go_to(count, history);
        for (side, style) in sides.iter().zip(BOTH) {
            side.quietly(|state| {
                if let Some(seq) = score.place(style) {
                    state.director.follow_to(history, seq);
                }
                state.ahead = score.lines_ahead(style);
                state.ahead.retain(|edge| !self.play.is_on_the_way(style, edge));
            });
        }
    }
}

/// Keeps the marks of the page true.
fn mark(handle: Handle, host: &Element) {
    let Ok(Some(main)) = host.query_selector("main") else { return };
    Effect::new(move || {
        handle.version.track();
        handle.live.version.track();
        let connection = handle.live.connection.get();
        let (step, seq, is_settled) = handle.see(|page, history| {
            let seq = page.score.as_ref().and_then(Score::seq).unwrap_or(history.now().seq);
            let is_settled = BOTH.iter().all(|&style| history.now().system(style).is_settled());
            (page.shown(), seq, is_settled && page.shown() == page.total())
        });
        // The names are plain ASCII, so that none of this can fail.
        let _ = main.set_attribute("data-connection", connection.as_str());
        let _ = main.set_attribute("data-seq", &seq.to_string());
        let _ = main.set_attribute("data-shown", &step.to_string());
        let _ = main.set_attribute("data-settled", if is_settled { "true" } else { "false" });
    });
}

/// Says where the playhead is, to whoever does not see it.
fn speak(handle: Handle) {
    let words = handle.see(|page, _| draw::spoken(page));
    if let Some(place) = document().get_element_by_id("duel-spoken")
        && place.text_content().as_deref() != Some(words.as_str())
    {
        place.set_text_content(Some(&words));
    }
}
