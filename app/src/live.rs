//! What is true now, wherever the reader is: one stream from the server, owned by the App.

use leptos::prelude::*;

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
    /// The server is there; its broker is not.
    BrokerDown,
}

impl Connection {
    /// Its name in `main[data-connection]`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::BrokerDown => "broker-down",
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
}

/// Puts the live state into the context. The App calls it, once.
pub fn provide_live() -> Live {
    let live = Live {
        connection: RwSignal::default(),
        broker: RwSignal::new("embedded broker".to_owned()),
        seq: RwSignal::default(),
        stock_seq: RwSignal::default(),
        mail_seq: RwSignal::default(),
    };
    provide_context(live);
    live
}

/// The live state.
#[must_use]
pub fn use_live() -> Live {
    expect_context()
}
