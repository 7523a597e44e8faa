//! The one loop that moves things: events that are due become tokens, tokens move on, lights go out.
//!
//! It runs only while something moves or is held back, and stands still while the stream is broken.

use super::super::director::{Play, shape_name, slowed_text};
use super::super::handle::{Lab, Pace};
use super::super::hop::{Hop, Shape};
use super::super::pacer::Shown;
use super::super::selection::Selection;
use super::super::state::{LabState, OnTheWay};
use super::super::words::place_name;
use super::ticks::Ticks;
use super::tokens::{Flight, Look, Token, pool};
use crate::live::Connection;
use flow::layout::{ARRIVAL_EDGE, Orientation, SMALLEST_TEXT};
use flow::picture::QueuePicture;
use flow::{Event, Kind, Node};
use leptos::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, atomic::AtomicBool, atomic::Ordering};
use web_sys::Element;

/// Narrower than this, the diagram runs from top to bottom.
const TALL_BELOW: &str = "(max-width: 719px)";
/// The size of the smallest text for the back row.
const PROJECTOR_TEXT: f32 = 14.0;
/// How often the log and the inspector are brought up to date.
const CALM_MS: f64 = 200.0;
/// How often they are while more comes than anybody can read…
const CROWDED_CALM_MS: f64 = 1_000.0;
/// …and the diagram, which else is drawn at every frame.
const CROWDED_FRAME_MS: f64 = 250.0;
/// How often the dots of streams move on then: they say that something flows, not where anything is.
const CROWDED_STREAM_MS: f64 = 48.0;
/// How often what counts down is drawn.
const TICK_MS: f64 = 250.0;
/// How many things on their way are listed.
const LISTED: usize = 5;

pub(super) struct Animation {
    pub(super) lab: Lab,
    pub(super) canvas: Option<Element>,
    pub(super) tokens: Vec<Token>,
    pub(super) listed: Vec<(f64, OnTheWay)>,
    pub(super) lit: Vec<(f64, Element)>,
    pub(super) streams: Vec<(String, usize)>,
    pub(super) worded_at_ms: f64,
    streams_at_ms: f64,
    is_running: bool,
    /// The time of the last frame, and the time that counts: it stands still while the stream is broken.
    last_ms: Option<f64>,
    pub(super) now_ms: f64,
    /// The server's time, as the newest event told it, and when that came.
    told: (u64, f64),
    ticked_at_ms: f64,
    drawn_at_ms: f64,
    is_draw_due: bool,
    calm_at_ms: f64,
    is_calm_due: bool,
    pub(super) mailed_at_ms: f64,
    ticks: Ticks,
    is_stopped: Arc<AtomicBool>,
}

type Shared = Rc<RefCell<Animation>>;

/// Brings a diagram to life for as long as its page is open.
pub(crate) fn drive(lab: Lab, canvas: Option<Element>) {
    let is_stopped = Arc::new(AtomicBool::new(false));
    on_cleanup({
        let is_stopped = Arc::clone(&is_stopped);
        move || is_stopped.store(true, Ordering::Relaxed)
    });
    let group = canvas.as_ref().and_then(|canvas| canvas.query_selector(".tokens").ok().flatten());
    let animation = Rc::new(RefCell::new(Animation {
        lab,
        canvas,
        tokens: group.map(|group| pool(&group)).unwrap_or_default(),
        listed: Vec::new(),
        lit: Vec::new(),
        streams: Vec::new(),
        worded_at_ms: 0.0,
        streams_at_ms: 0.0,
        is_running: false,
        last_ms: None,
        now_ms: 0.0,
        told: (0, 0.0),
        ticked_at_ms: 0.0,
        drawn_at_ms: 0.0,
        is_draw_due: false,
        calm_at_ms: 0.0,
        is_calm_due: false,
        mailed_at_ms: 0.0,
        ticks: Ticks::default(),
        is_stopped,
    }));
    Effect::new(move || {
        lab.live.changed.track();
        lab.live.connection.track();
        // Whoever moves the playhead says so to the calm panels.
        lab.follow(Pace::Calm);
        run(&animation);
    });
}

/// Keeps the layout fit for the screen and the theme; a diagram beside others is always upright.
pub(crate) fn keep_fit(lab: Lab, can_be_wide: bool) {
    let fit = move || fit(lab, can_be_wide);
    Effect::new(move || {
        fit();
        let resized = window_event_listener(leptos::ev::resize, move |_| fit());
        // A click may have been on the button that changes the theme.
        let clicked = window_event_listener(leptos::ev::click, move |_| {
            set_timeout(fit, std::time::Duration::from_millis(50));
        });
        on_cleanup(move || {
            resized.remove();
            clicked.remove();
        });
    });
}

/// Chooses the layout that fits the screen and the theme.
fn fit(lab: Lab, can_be_wide: bool) {
    let tall = !can_be_wide || matches(TALL_BELOW);
    let orientation = if tall { Orientation::Tall } else { Orientation::Wide };
    let theme = document().document_element().and_then(|html| html.get_attribute("data-theme"));
    let text_px = if theme.as_deref() == Some("projector") { PROJECTOR_TEXT } else { SMALLEST_TEXT };
    let fits = lab.peek(|state| state.orientation == orientation && state.text_px == text_px);
    if fits == Some(false) {
        lab.change(|state| (state.orientation, state.text_px) = (orientation, text_px));
    }
}

/// Whether the reader wants nothing to travel.
pub(super) fn has_reduced_motion() -> bool {
    matches("(prefers-reduced-motion: reduce)")
}

fn matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

/// Starts the loop unless it runs.
fn run(animation: &Shared) {
    {
        let mut state = animation.borrow_mut();
        // A hidden tab has no frames; what piles up is shown at once.
        if document().hidden() {
            state.catch_up();
        }
        if state.is_running {
            return;
        }
        state.is_running = true;
        state.last_ms = None;
    }
    next_frame(Rc::clone(animation));
}

fn next_frame(animation: Shared) {
    request_animation_frame(move || {
        let goes_on = animation.borrow_mut().frame();
        if goes_on {
            next_frame(animation);
        } else {
            animation.borrow_mut().is_running = false;
        }
    });
}

/// Makes ready what is to be shown, and fetches more where that will not do.
fn take(lab: Lab, state: &mut LabState, now_ms: f64) {
    state.director.is_far_back = lab.live.is_far_back();
    let needs_more = lab.live.with_history(|history| {
        state.director.take(history, now_ms);
        state.director.needs_more(history)
    });
    if needs_more {
        lab.live.read_on();
    }
}

impl Animation {
    fn catch_up(&mut self) {
        let (lab, now_ms) = (self.lab, self.now_ms);
        lab.quietly(|state| {
            take(lab, state, now_ms);
            let _ = state.director.frame(now_ms);
        });
    }

    /// One frame. Says whether there is to be another.
    fn frame(&mut self) -> bool {
        if self.is_stopped.load(Ordering::Relaxed) {
            return false;
        }
        let lab = self.lab;
        if lab.live.connection.try_get_untracked().is_none_or(|now| now == Connection::Reconnecting) {
            // Frozen: the loop starts again when the connection changes. A screen may be turned meanwhile.
            if lab.quietly(LabState::lay_out) == Some(true) {
                self.tokens.iter_mut().for_each(Token::put_away);
                lab.tell(Pace::Frame);
            }
            return false;
        }
        let clock = window().performance().map_or(0.0, |performance| performance.now());
        self.now_ms += self.last_ms.replace(clock).map_or(0.0, |last| clock - last);
        let now_ms = self.now_ms;

        let Some((due, has_changed, has_moved, is_crowded)) = lab.quietly(|state| {
            let before = state.director.picture.seq;
            take(lab, state, now_ms);
            let due = state.director.frame(now_ms);
            let (has_changed, is_crowded) =
                (state.director.picture.seq != before, state.director.is_crowded(now_ms));
            (due, has_changed, state.lay_out(), is_crowded)
        }) else {
            return false;
        };
        if has_moved {
            // The lines move away from under the tokens.
            self.tokens.iter_mut().for_each(Token::put_away);
        }
        if has_changed || has_moved {
            (self.is_draw_due, self.is_calm_due) = (true, true);
        }
        let counts_down = self.count_down();
        // Everything is taken in at every frame, however much it is; only drawing can wait.
        let may_wait = is_crowded && !has_moved && now_ms - self.drawn_at_ms < CROWDED_FRAME_MS;
        if self.is_draw_due && !may_wait {
            (self.drawn_at_ms, self.is_draw_due) = (now_ms, false);
            lab.tell(Pace::Frame);
        }
        due.into_iter().for_each(|shown| self.show(&shown));
        self.show_streams();
        let streams_rest = is_crowded && now_ms - self.streams_at_ms < CROWDED_STREAM_MS;
        if !streams_rest {
            self.streams_at_ms = now_ms;
        }
        let tokens = self.tokens.iter_mut().filter(|token| !(streams_rest && token.is_of_stream()));
        tokens.for_each(|token| token.go(now_ms));
        self.put_out_lights();
        self.keep_calm_parts_up(is_crowded);

        let is_busy = lab.peek(|state| state.director.is_busy(now_ms)).unwrap_or(false);
        is_busy
            || counts_down
            || self.is_draw_due
            || self.is_calm_due
            || !self.lit.is_empty()
            || !self.listed.is_empty()
            || self.tokens.iter().any(|token| token.flight.is_some())
    }

    /// What waits for its next attempt waits by the server's clock. Says whether the time of any is yet to come.
    fn count_down(&mut self) -> bool {
        let (lab, now_ms) = (self.lab, self.now_ms);
        let at_us = lab.live.with_history(|history| history.now().at_us);
        let elapsed_ms = (now_ms - self.told.1).max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative")]
        let clock_us = self.told.0.saturating_add((elapsed_ms * 1_000.0) as u64);
        let clock_us = if at_us > clock_us || self.told.0 == 0 {
            self.told = (at_us, now_ms);
            at_us
        } else {
            clock_us
        };
        let due = |state: &LabState| {
            let waits = state.system().own_queues().iter().filter_map(QueuePicture::next_due);
            let is_live = state.director.play == Play::Live;
            (waits.map(|wait| wait.due_us).max().filter(|_| is_live), state.clock_us.is_some())
        };
        let Some((due_us, has_clock)) = lab.peek(due) else { return false };
        let is_due = now_ms - self.ticked_at_ms >= TICK_MS;
        let has_ticked = if due_us.is_some() { is_due } else { has_clock };
        if has_ticked {
            self.ticked_at_ms = now_ms;
            lab.quietly(|state| state.clock_us = due_us.map(|_| clock_us));
            self.is_draw_due = true;
        }
        due_us.is_some_and(|due_us| due_us > clock_us)
    }

    fn show(&mut self, shown: &Shown) {
        let event = &*shown.event;
        if self.lab.peek(|state| state.has_ticks) == Some(true) {
            self.ticks.hear(event, self.now_ms);
        }
        if matches!(event.kind, Kind::EmailSent { .. }) {
            self.send_mail();
        }
        match &shown.hop {
            Some(hop) => self.set_out(event, hop),
            None => {
                if let Some(node) = node_of(event) {
                    self.light(&format!("[data-node=\"{node}\"]"), 0.0);
                }
            }
        }
    }

    fn set_out(&mut self, event: &Event, hop: &Hop) {
        let line = self.lab.peek(|state| {
            let edge =
                state.layout().edge(&hop.edge).filter(|_| !state.director.rates.is_stream(&hop.edge))?;
            Some((edge.path.clone(), edge.passing.clone(), edge.from.clone(), edge.to.clone()))
        });
        let Some((path, words_at, from, to)) = line.flatten() else { return };
        self.list(event, hop, if hop.back { &from } else { &to });
        if hop.edge == ARRIVAL_EDGE {
            // The truck drives in.
            self.light("[data-node=\"warehouse\"]", 0.0);
        }
        if has_reduced_motion() {
            let (first, last) = if hop.back { (to, from) } else { (from, to) };
            self.light_in_turn(&first, &hop.edge, &last, hop.duration_ms);
            return;
        }
        let flight = Flight {
            edge: hop.edge.clone(),
            path,
            words_at,
            back: hop.back,
            begins_ms: self.now_ms,
            lasts_ms: hop.duration_ms,
            is_stream: false,
            is_still: false,
        };
        let id = event.message_id.as_deref().or(event.correlation_id.as_deref()).unwrap_or_default();
        let look = self.look_of(event, hop.shape);
        // Where tokens follow one another closely, the words of one are enough.
        let is_taken = self.tokens.iter().any(|token| token.has_words_on(&hop.edge));
        let words = hop.words.as_deref().filter(|_| !is_taken).unwrap_or_default();
        if let Some(token) = self.tokens.iter_mut().find(|token| token.flight.is_none()) {
            token.start(flight, look, id, words);
        }
    }

    /// What is about one of the latest arrivals has its colour; while an arrival or a message is in focus, the others step
    /// back.
    fn look_of(&self, event: &Event, shape: Shape) -> Look {
        let of = |state: &LabState| {
            let arrival = event.correlation_id.as_deref();
            let hue = match arrival.and_then(|id| state.system().recent.hue_of(id)) {
                Some(1) => "1",
                Some(2) => "2",
                Some(_) => "3",
                None => "",
            };
            let steps_back = match &state.selected {
                Some(Selection::Arrival(id)) => arrival != Some(&**id),
                Some(Selection::Message { id, .. }) => event.message_id.as_ref() != Some(id),
                _ => false,
            };
            Look { shape, hue, steps_back }
        };
        self.lab.peek(of).unwrap_or(Look::plain(shape))
    }

    /// Keeps what sets out in a list for a while: its static, clickable twin.
    fn list(&mut self, event: &Event, hop: &Hop, target: &str) {
        if matches!(hop.shape, Shape::Ack) {
            return;
        }
        let selection = match (&event.message_id, &event.correlation_id) {
            (Some(id), _) => Selection::Message { id: id.clone(), queue: event.queue.clone() },
            (None, Some(id)) => Selection::Arrival(id.clone()),
            (None, None) => Selection::Event(event.seq),
        };
        let sku = event.sku.map(|sku| sku.to_string()).unwrap_or_default();
        let one = OnTheWay {
            selection,
            shape: shape_name(hop.shape),
            words: format!("{sku} → {}", place_name(target)),
        };
        if self.listed.len() == LISTED {
            self.listed.remove(0);
        }
        self.listed.push((self.now_ms + hop.duration_ms + 600.0, one));
        self.tell_list();
    }

    pub(super) fn tell_list(&self) {
        // The newest first: what no longer fits is what will be there soonest.
        let list = self.listed.iter().rev().map(|(_, one)| one.clone()).collect();
        self.lab.quietly(|state| state.on_the_way = list);
        self.lab.tell(Pace::Frame);
    }

    /// The log, the inspector and the badges need no 60 changes a second.
    fn keep_calm_parts_up(&mut self, is_crowded: bool) {
        let (lab, now_ms) = (self.lab, self.now_ms);
        let pause_ms = if is_crowded { CROWDED_CALM_MS } else { CALM_MS };
        // In a crowd the diagram and the calm parts together would take longer than a frame lasts.
        let is_drawn_now = is_crowded && self.drawn_at_ms >= now_ms;
        if !self.is_calm_due || is_drawn_now || now_ms - self.calm_at_ms < pause_ms {
            return;
        }
        let behind = lab.quietly(|state| {
            state.slowed = state.director.slowed().map(slowed_text);
            state.behind = state.director.is_behind(now_ms);
            state.behind
        });
        // Being behind ends by itself, without an event that would tell.
        (self.calm_at_ms, self.is_calm_due) = (now_ms, behind == Some(true));
        if is_crowded {
            lab.tell_only(Pace::Calm);
            self.is_draw_due = true;
        } else {
            lab.tell(Pace::Calm);
        }
    }
}

/// The card at which an event takes place.
fn node_of(event: &Event) -> Option<&str> {
    match (&event.kind, event.node.as_ref()?) {
        (Kind::StockRecorded { .. }, _) => Some(flow::layout::PRODUCER),
        (_, Node::Service(service)) => Some(flow::layout::consumer_id(*service)),
        _ => None,
    }
}
