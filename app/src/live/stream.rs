//! The stream of server-sent events, with our own reconnecting, so that the reader can see it coming.
//!
//! `EventSource` would reconnect by itself, but it does not say when, and it resumes only by the last id it
//! saw; we know better, since the first picture came with the page.
//!
//! One tab reads for all tabs of the browser, and the others hear from it. Each knows how far it has come, asks the
//! server for what it lacks, and leaves out what it has: so it does not matter who reads, nor when that changes.

use super::past::{PAGE, fetch_before, fetch_page, picture};
use super::{
    Connection, Live,
    backoff::Backoff,
    tabs::{self, Said, Standing, Word},
};
use flow::{Event, History, Kind};
use leptos::{prelude::*, task::spawn_local};
use std::{cell::RefCell, time::Duration};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// More than this is taken in at once, frame or no frame: a hidden tab gets no frames.
const TOO_MANY: usize = 2_000;

thread_local! {
    /// There is one stream per tab, and only the browser's one thread touches it.
    static STREAM: RefCell<Stream> = RefCell::default();
}

#[derive(Default)]
struct Stream {
    source: Option<Source>,
    incoming: Vec<Event>,
    frame_is_due: bool,
    backoff: Backoff,
    /// Whether the stream is open, here or in the tab that reads; nobody knows until it has been heard.
    is_open: Option<bool>,
    /// This tab reads for all.
    leads: bool,
    /// Grows whenever a stream is opened or given up: whoever waits for another try then waits for nothing.
    turn: u32,
    /// What is lacking up to this place is being fetched.
    lacks: Option<u64>,
    /// The server's picture is wanted, and could not be had.
    wants_picture: bool,
    /// A run from a file is shown: the server is asked nothing more.
    is_over: bool,
    /// The reader has gone so far back that the journal at hand ends before what happens now: that is passed over.
    is_far_back: bool,
}

struct Source {
    source: EventSource,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_reset: Closure<dyn FnMut(MessageEvent)>,
    _on_open: Closure<dyn FnMut()>,
    _on_error: Closure<dyn FnMut()>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.source.close();
    }
}

fn with_stream<T>(act: impl FnOnce(&mut Stream) -> T) -> T {
    STREAM.with_borrow_mut(act)
}

/// Whether a run from a file is shown.
pub(super) fn is_over() -> bool {
    with_stream(|stream| stream.is_over)
}

/// Whether the journal at hand ends before what happens now.
pub(super) fn is_far_back() -> bool {
    with_stream(|stream| stream.is_far_back)
}

/// Shows a part of the journal that ends before what happens now, or joins that again.
pub(super) fn go_far_back(live: Live, is_far_back: bool) {
    with_stream(|stream| {
        stream.is_far_back = is_far_back;
        stream.incoming.clear();
    });
    announce(live);
}

/// Shows again what happens now.
pub(super) fn come_back(live: Live) {
    if is_far_back() {
        start_over(live);
    }
}

/// Takes part in reading the stream, for as long as the page is open.
pub(super) fn start(live: Live) {
    tabs::join(move |leads| lead(live, leads), move |word| hear(live, word));
    spawn_local(fetch_before(live));
}

/// Begins to read for all tabs, or leaves it to another.
fn lead(live: Live, leads: bool) {
    with_stream(|stream| {
        stream.leads = leads;
        stream.turn = stream.turn.wrapping_add(1);
    });
    if leads {
        connect(live);
        return;
    }
    with_stream(|stream| {
        stream.source = None;
        stream.is_open = None;
        stream.backoff.succeeded();
    });
    if !with_stream(|stream| stream.is_over) {
        live.retry_in.set(None);
        show_connection(live);
    }
}

/// What the tab that reads says; nothing when somebody wants to know how it stands.
fn hear(live: Live, word: Option<Word>) {
    let (leads, is_over) = with_stream(|stream| (stream.leads, stream.is_over));
    match word {
        _ if is_over => {}
        None if leads => tell(live),
        Some(Word::Journal(text)) => take_in(live, &text),
        Some(Word::Reset) if !leads => start_over(live),
        Some(Word::Standing(standing)) if !leads => {
            let wants_picture = with_stream(|stream| {
                stream.is_open = standing.is_open;
                stream.is_open == Some(true) && stream.wants_picture
            });
            live.retry_in.set(standing.retry_in);
            show_connection(live);
            if wants_picture {
                start_over(live);
            } else {
                fill(live, standing.seq);
            }
        }
        _ => {}
    }
}

/// Tells the other tabs how this one stands, if it reads for them.
fn tell(live: Live) {
    let (leads, is_open) = with_stream(|stream| (stream.leads, stream.is_open));
    if leads {
        let retry_in = live.retry_in.get_untracked();
        tabs::say(&Said::Standing(Standing { is_open, retry_in, seq: reached(live) }));
    }
}

/// The place of the last event that is here, shown or about to be.
fn reached(live: Live) -> u64 {
    let incoming = with_stream(|stream| stream.incoming.last().map(|event| event.seq));
    incoming.unwrap_or_else(|| live.with_history(|history| history.now().seq))
}

fn connect(live: Live) {
    if with_stream(|stream| stream.is_over || !stream.leads) {
        return;
    }
    live.retry_in.set(None);
    let place = if is_far_back() { String::new() } else { format!("?after={}", reached(live)) };
    let Ok(source) = EventSource::new(&format!("/api/journal/stream{place}")) else {
        wait_and_connect(live);
        return;
    };
    let on_message = Closure::new(move |message: MessageEvent| {
        let events = message.data();
        let Some(text) = tabs::text_of(&events) else { return };
        take_in(live, &text);
        tabs::pass_on(&events);
    });
    let on_reset = Closure::new(move |_: MessageEvent| {
        start_over(live);
        tabs::say(&Said::Reset);
    });
    let on_open = Closure::new(move || {
        with_stream(|stream| {
            stream.is_open = Some(true);
            stream.backoff.succeeded();
        });
        show_connection(live);
        tell(live);
    });
    let on_error = Closure::new(move || {
        with_stream(|stream| {
            stream.is_open = Some(false);
            if let Some(open) = &stream.source {
                open.source.close();
            }
        });
        wait_and_connect(live);
    });
    // The names are ours and the target is new: listening cannot fail.
    let _ = source.add_event_listener_with_callback("journal", on_message.as_ref().unchecked_ref());
    let _ = source.add_event_listener_with_callback("reset", on_reset.as_ref().unchecked_ref());
    source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    let next = Source {
        source,
        _on_message: on_message,
        _on_reset: on_reset,
        _on_open: on_open,
        _on_error: on_error,
    };
    with_stream(|stream| stream.source = Some(next));
}

fn show_connection(live: Live) {
    let (is_down, is_full) = live.with_history(|history| {
        let picture = history.now();
        (picture.broker_down().is_some(), picture.is_broker_full())
    });
    let (is_over, is_open) = with_stream(|stream| (stream.is_over, stream.is_open));
    let connection = match (is_open, is_down) {
        _ if is_over => Connection::Replay,
        (Some(false), _) => Connection::Reconnecting,
        (_, true) => Connection::BrokerDown,
        (None, false) => Connection::Connecting,
        (Some(true), false) if is_full => Connection::BrokerFull,
        (Some(true), false) => Connection::Live,
    };
    if live.connection.get_untracked() != connection {
        live.connection.set(connection);
    }
}

fn wait_and_connect(live: Live) {
    let (seconds, turn) = with_stream(|stream| {
        stream.turn = stream.turn.wrapping_add(1);
        (stream.backoff.next_wait_s(), stream.turn)
    });
    show_connection(live);
    count_down(live, seconds, turn);
}

fn count_down(live: Live, seconds: u32, turn: u32) {
    if with_stream(|stream| stream.is_over || stream.turn != turn) {
        return;
    }
    if seconds == 0 {
        connect(live);
        return;
    }
    live.retry_in.set(Some(seconds));
    tell(live);
    set_timeout(move || count_down(live, seconds - 1, turn), Duration::from_secs(1));
}

fn take_in(live: Live, text: &str) {
    match serde_json::from_str::<Vec<Event>>(text) {
        Ok(batch) => accept(live, batch),
        // A newer server speaks of what this page does not know: the picture is the common ground.
        Err(_) => start_over(live),
    }
}

/// Takes in what is new of these events, and fetches what is lacking before them.
fn accept(live: Live, mut batch: Vec<Event>) {
    if let Some(last) = batch.last().filter(|_| !is_over()) {
        live.kept.update_value(|kept| kept.1 = kept.1.max(last.seq));
    }
    if is_far_back() {
        return;
    }
    let reached = reached(live);
    batch.retain(|event| event.seq > reached);
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return };
    if first.seq > reached + 1 {
        fill(live, last.seq);
        return;
    }
    let (is_due, is_full) = with_stream(|stream| {
        if !stream.is_over {
            stream.incoming.extend(batch);
        }
        (std::mem::replace(&mut stream.frame_is_due, true), stream.incoming.len() > TOO_MANY)
    });
    if is_full {
        show(live);
    } else if !is_due {
        if document().hidden() {
            set_timeout(move || show(live), Duration::from_millis(250));
        } else {
            request_animation_frame(move || show(live));
        }
    }
}

/// Takes in everything that has come since the last frame.
fn show(live: Live) {
    let batch = with_stream(|stream| {
        stream.frame_is_due = false;
        std::mem::take(&mut stream.incoming)
    });
    if batch.is_empty() {
        return;
    }
    let (mut stock, mut mail) = (0, 0);
    live.change_history(|history| {
        for event in batch {
            match event.kind {
                Kind::StateChanged { .. } | Kind::StockRecorded { .. } => stock = event.seq,
                Kind::EmailSent { .. } => mail = event.seq,
                _ => {}
            }
            history.push(event);
        }
    });
    announce(live);
    if stock > 0 {
        live.stock_seq.set(stock);
    }
    if mail > 0 {
        live.mail_seq.set(mail);
    }
}

fn announce(live: Live) {
    live.seq.set(live.with_history(|history| history.now().seq));
    live.changed.notify();
    show_connection(live);
}

/// Fetches what is lacking here up to that place: this tab began to listen, or to look again, when others had come further.
fn fill(live: Live, place: u64) {
    if place <= reached(live) || is_far_back() {
        return;
    }
    let is_busy = with_stream(|stream| {
        let lacks = stream.lacks;
        stream.lacks = Some(lacks.unwrap_or_default().max(place));
        lacks.is_some()
    });
    if is_busy {
        return;
    }
    spawn_local(async move {
        while with_stream(|stream| stream.lacks).is_some_and(|place| place > reached(live)) {
            let after = reached(live);
            // Without an answer it is tried again as soon as the reading tab says anything.
            let Some(page) = fetch_page(live, after, PAGE).await else { break };
            if is_far_back() {
                break;
            }
            if page.events.first().is_none_or(|event| event.seq > reached(live) + 1) {
                start_over(live);
                break;
            }
            accept(live, page.events);
        }
        with_stream(|stream| stream.lacks = None);
    });
}

/// There is a gap that cannot be filled: takes the server's picture and goes on from there.
fn start_over(live: Live) {
    with_stream(|stream| {
        stream.incoming.clear();
        stream.wants_picture = false;
        stream.is_far_back = false;
        if let Some(open) = &stream.source {
            open.source.close();
        }
    });
    spawn_local(async move {
        match picture("/api/journal/picture?packed=true").await {
            _ if with_stream(|stream| stream.is_over) => {}
            Some(picture) => {
                let seq = picture.seq;
                // It may be another journal.
                live.kept.set_value((0, 0));
                live.change_history(|history| *history = History::new(picture));
                announce(live);
                live.stock_seq.set(seq);
                live.mail_seq.set(seq);
                connect(live);
                fetch_before(live).await;
            }
            None if with_stream(|stream| stream.leads) => wait_and_connect(live),
            None => with_stream(|stream| stream.wants_picture = true),
        }
    });
}

/// From now on this journal is shown, and no server is asked any more.
pub(super) fn replay(live: Live, run: History) {
    with_stream(|stream| {
        stream.is_over = true;
        stream.source = None;
        stream.incoming.clear();
    });
    tabs::part();
    live.change_history(|history| *history = run);
    live.retry_in.set(None);
    announce(live);
}
