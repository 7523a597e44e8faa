//! What is true now, wherever the reader is: one stream from the server for all tabs of a browser, owned by the App.
//!
//! The picture itself is no signal: it changes up to thousands of times a second. It is kept aside, changed
//! once per frame, and `changed` says so.

#[cfg(any(feature = "hydrate", test))]
mod backoff;
mod first_paint;
#[cfg(feature = "hydrate")]
mod past;
#[cfg(feature = "hydrate")]
mod stream;
#[cfg(feature = "hydrate")]
mod tabs;

use first_paint::FirstPaint;
use flow::History;
use leptos::{prelude::*, reactive::signal::Trigger};

/// How the page stands with the server and the server with its broker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connection {
    /// Not yet heard from the stream.
    #[default]
    Connecting,
    /// Every event arrives as it happens.
    Live,
    /// The stream broke and is being picked up again.
    Reconnecting,
    /// Every event arrives as it happens, but the broker takes no messages from inventory: it has no room.
    BrokerFull,
    /// The server is there; its broker is not.
    BrokerDown,
    /// A run from a file is shown, and no server is asked.
    Replay,
}

impl Connection {
    /// Its name in `main[data-connection]`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live | Self::BrokerFull => "live",
            Self::Reconnecting => "reconnecting",
            Self::BrokerDown => "broker-down",
            Self::Replay => "replay",
        }
    }
}

/// The live state, in the context of every page.
#[derive(Clone, Copy)]
pub struct Live {
    /// How the page stands with the server.
    pub connection: RwSignal<Connection>,
    /// Which broker carries the messages, in words.
    pub broker: RwSignal<String>,
    /// The last event's place in the journal.
    pub seq: RwSignal<u64>,
    /// The place of the last event after which the store may look different.
    pub stock_seq: RwSignal<u64>,
    /// The place of the last event after which the mailbox may look different.
    pub mail_seq: RwSignal<u64>,
    /// Tells of every change of the journal at hand; at most once per frame.
    pub changed: Trigger,
    /// Seconds until the stream is tried again.
    pub retry_in: RwSignal<Option<u32>>,
    /// Whether the server takes this for a small screen, so that its first paint fits.
    pub small_screen: bool,
    /// The first and the last place that the server keeps, as far as it has told.
    kept: StoredValue<(u64, u64)>,
    history: StoredValue<History>,
}

impl Live {
    /// Looks at the journal at hand. Untracked: follow `changed` to be told.
    pub fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        self.history.with_value(look)
    }

    /// The first and the last place that the playhead can go to: here, or by asking the server.
    #[must_use]
    pub fn reach(&self, history: &History) -> (u64, u64) {
        let ((first, last), (base, now)) = (self.kept.get_value(), history.reach());
        // Nothing is known of what is older until the server has told.
        (if first == 0 { base } else { base.min(first - 1) }, now.max(last))
    }

    fn change_history<T>(&self, change: impl FnOnce(&mut History) -> T) -> T {
        self.history.try_update_value(change).expect("the App owns the journal, and outlives who looks at it")
    }
}

#[cfg(feature = "hydrate")]
impl Live {
    /// Fetches what is needed to show the picture at that place.
    ///
    /// # Errors
    /// When that place is no longer kept, or not reached yet: what to tell the reader.
    pub async fn reach_back(self, at: u64) -> Result<(), String> {
        past::reach_back(self, at).await
    }

    /// Fetches some more of what happened before the journal at hand.
    ///
    /// # Errors
    /// When it cannot be had, or does not fit: what to tell the reader.
    pub async fn fetch_older(self) -> Result<(), String> {
        past::fetch_older(self).await
    }

    /// Fetches what follows on the journal at hand, where that ends before what happens now.
    pub fn read_on(self) {
        past::read_on(self);
    }

    /// Whether the journal at hand ends before what happens now: the reader has gone far back.
    #[must_use]
    pub fn is_far_back(self) -> bool {
        stream::is_far_back()
    }

    /// Shows again what happens now.
    pub fn come_back(self) {
        stream::come_back(self);
    }

    /// From now on this journal is shown, and no server is asked any more.
    pub fn replay(self, run: History) {
        self.kept.set_value((0, 0));
        stream::replay(self, run);
    }
}

#[cfg(not(feature = "hydrate"))]
impl Live {
    /// Outside of a browser there is nobody to ask.
    ///
    /// # Errors
    /// Always.
    #[expect(clippy::unused_async, reason = "it stands in for the browser's")]
    pub async fn reach_back(self, at: u64) -> Result<(), String> {
        Err(format!("Step {at} was asked for outside of a browser."))
    }

    /// Outside of a browser there is nothing more.
    ///
    /// # Errors
    /// Never.
    #[expect(clippy::unused_async, reason = "it stands in for the browser's")]
    pub async fn fetch_older(self) -> Result<(), String> {
        Ok(())
    }

    /// Outside of a browser there is nothing more.
    pub const fn read_on(self) {}

    /// Outside of a browser all is at hand.
    #[must_use]
    pub const fn is_far_back(self) -> bool {
        false
    }

    /// Outside of a browser it never left.
    pub const fn come_back(self) {}

    pub fn replay(self, run: History) {
        self.change_history(|history| *history = run);
    }
}

/// Puts the live state into the context. The App calls it, once.
pub fn provide_live() -> Live {
    let first = FirstPaint::here();
    #[cfg(feature = "ssr")]
    provide_context(FirstPaintText(first.to_script()));
    let connection = match first.picture.broker_down() {
        Some(_) => Connection::BrokerDown,
        None => Connection::Connecting,
    };
    let live = Live {
        connection: RwSignal::new(connection),
        broker: RwSignal::new(first.broker),
        seq: RwSignal::new(first.picture.seq),
        stock_seq: RwSignal::default(),
        mail_seq: RwSignal::default(),
        changed: Trigger::new(),
        retry_in: RwSignal::default(),
        small_screen: first.small_screen,
        kept: StoredValue::default(),
        history: StoredValue::new(History::new(first.picture)),
    };
    provide_context(live);
    #[cfg(feature = "hydrate")]
    Effect::new(move || {
        stream::start(live);
        crate::study::mend_elsewhere();
        crate::study::class_everywhere(live);
    });
    live
}

/// The first paint's data, for the script element.
#[cfg(feature = "ssr")]
#[derive(Clone)]
struct FirstPaintText(String);

/// The data that the first paint rests on, for the browser to go on from.
#[component]
pub fn FirstPaintScript() -> impl IntoView {
    #[cfg(feature = "ssr")]
    {
        let FirstPaintText(text) = expect_context();
        let nonce = leptos::nonce::use_nonce();
        view! { <script id=first_paint::SCRIPT type="application/json" nonce=nonce>{text}</script> }
            .into_any()
    }
}

#[must_use]
pub fn use_live() -> Live {
    expect_context()
}
