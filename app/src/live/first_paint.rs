//! What the server knows while it renders, handed on to the browser so that both draw the same.

use flow::Picture;
use serde::{Deserialize, Serialize};

/// How many recent arrivals travel with the page; older ones are fetched when somebody asks.
#[cfg(feature = "ssr")]
const RECENT: usize = 8;

/// Everything that the first paint rests on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FirstPaint {
    pub picture: Picture,
    pub broker: String,
    pub small_screen: bool,
}

impl FirstPaint {
    /// While routes are listed there is no request, and in a test no server: then nothing has happened yet.
    pub fn of_request() -> Self {
        #[cfg(feature = "ssr")]
        {
            use leptos::prelude::use_context;
            let small_screen = use_context::<http::request::Parts>().is_some_and(|request| {
                let says = |name: &str, word: &str| {
                    request
                        .headers
                        .get(name)
                        .and_then(|value| value.to_str().ok())
                        .is_some_and(|v| v.contains(word))
                };
                says("sec-ch-ua-mobile", "?1") || says("user-agent", "Mobi")
            });
            if let Some(backend) = use_context::<crate::backend::SharedBackend>() {
                let picture = backend.picture().with_recent(RECENT);
                return Self { picture, broker: backend.broker_label(), small_screen };
            }
        }
        Self { picture: Picture::default(), broker: "embedded broker".to_owned(), small_screen: false }
    }
}
