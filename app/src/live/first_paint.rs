//! What the server knows while it renders, handed on to the browser so that both draw the same.

use flow::Picture;
use serde::{Deserialize, Serialize};

/// How many recent arrivals travel with the page; older ones are fetched when somebody asks.
#[cfg(feature = "ssr")]
const RECENT: usize = 8;

/// The id of the element that carries it to the browser.
pub(super) const SCRIPT: &str = "first-paint";

/// Everything that the first paint rests on.
#[derive(Debug)]
pub(super) struct FirstPaint {
    pub picture: Picture,
    pub broker: String,
    pub small_screen: bool,
}

/// The same on its way to the browser.
#[derive(Debug, Serialize, Deserialize)]
struct Packed {
    picture: String,
    broker: String,
    small_screen: bool,
}

impl FirstPaint {
    /// What the server has put into the page.
    #[cfg(feature = "hydrate")]
    pub fn of_page() -> Self {
        let script = leptos::prelude::document().get_element_by_id(SCRIPT);
        let text = script.and_then(|script| script.text_content()).unwrap_or_default();
        let packed = serde_json::from_str::<Packed>(&text).ok();
        let read = packed.and_then(|Packed { picture, broker, small_screen }| {
            Some(Self { picture: Picture::unpack(&picture)?, broker, small_screen })
        });
        read.unwrap_or_else(Self::of_nothing)
    }

    fn of_nothing() -> Self {
        Self { picture: Picture::default(), broker: "embedded broker".to_owned(), small_screen: false }
    }

    /// As text that can stand inside of a script element: nothing in it can end that element.
    #[cfg(feature = "ssr")]
    pub fn to_script(&self) -> String {
        let packed = Packed {
            picture: self.picture.pack(),
            broker: self.broker.clone(),
            small_screen: self.small_screen,
        };
        serde_json::to_string(&packed).expect("texts and a flag").replace('<', "\\u003c")
    }

    #[cfg(not(feature = "hydrate"))]
    pub fn here() -> Self {
        Self::of_request()
    }

    /// What is known where this runs: in the page, or of the request.
    #[cfg(feature = "hydrate")]
    pub fn here() -> Self {
        Self::of_page()
    }

    /// While routes are listed there is no request, and in a test no server: then nothing has happened yet.
    #[cfg(not(feature = "hydrate"))]
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
        Self::of_nothing()
    }
}
