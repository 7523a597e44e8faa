//! Which colours and sizes the reader wants. Kept in a cookie, so that the server's first paint is right already.

/// The name of the cookie.
const COOKIE: &str = "theme";

/// How the page is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Light or dark, as the system says.
    #[default]
    System,
    /// Dark ink on paper.
    Light,
    /// Light ink on night blue.
    Dark,
    /// Light, with large type, for the back row.
    Projector,
}

impl Theme {
    /// Its name in the cookie and in `html[data-theme]`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Projector => "projector",
        }
    }

    /// The theme after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Projector,
            Self::Projector => Self::System,
        }
    }

    /// The theme with that name; anything else is the system's.
    #[must_use]
    pub fn named(name: &str) -> Self {
        [Self::Light, Self::Dark, Self::Projector]
            .into_iter()
            .find(|theme| theme.as_str() == name)
            .unwrap_or_default()
    }

    /// What a `Cookie` header asks for (RFC 6265, section 4.2).
    #[must_use]
    pub fn from_cookies(header: &str) -> Self {
        flow::cookies::value_of(header, COOKIE).map_or_else(Self::default, Self::named)
    }

    /// What the request that is being answered asks for.
    #[cfg(feature = "ssr")]
    #[must_use]
    pub fn of_request() -> Self {
        leptos::prelude::use_context::<http::request::Parts>()
            .and_then(|parts| {
                Some(Self::from_cookies(parts.headers.get(http::header::COOKIE)?.to_str().ok()?))
            })
            .unwrap_or_default()
    }

    /// What the server has put on the document.
    #[cfg(not(feature = "ssr"))]
    #[must_use]
    pub fn of_request() -> Self {
        use leptos::prelude::document;
        document()
            .document_element()
            .and_then(|html| html.get_attribute("data-theme"))
            .map_or_else(Self::default, |name| Self::named(&name))
    }

    /// Shows the page this way, from now on and at the next visit.
    #[cfg(feature = "hydrate")]
    pub fn apply(self) {
        use leptos::prelude::document;
        use wasm_bindgen::JsCast;

        let document = document();
        if let Some(html) = document.document_element() {
            // Neither can fail: the element exists and the names are plain ASCII.
            let _ = html.set_attribute("data-theme", self.as_str());
        }
        if let Ok(document) = document.dyn_into::<web_sys::HtmlDocument>() {
            // A reader who blocks cookies keeps the theme for this visit only.
            let _ = document
                .set_cookie(&format!("{COOKIE}={}; path=/; max-age=31536000; samesite=lax", self.as_str()));
        }
    }

    /// Only a browser can show a page.
    #[cfg(not(feature = "hydrate"))]
    pub fn apply(self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(Theme::from_cookies("a=1; theme=dark; b=2"), Theme::Dark);
        assert_eq!(Theme::from_cookies("theme=projector"), Theme::Projector);
    }

    #[test]
    fn anything_else_is_the_systems_theme() {
        for header in ["", "theme", "theme=", "theme=<script>", "mytheme=dark"] {
            assert_eq!(Theme::from_cookies(header), Theme::System, "{header:?}");
        }
    }

    #[test]
    fn the_button_reaches_every_theme() {
        let mut seen = vec![Theme::System];
        while seen.last().unwrap().next() != Theme::System {
            seen.push(seen.last().unwrap().next());
        }
        assert_eq!(seen, [Theme::System, Theme::Light, Theme::Dark, Theme::Projector]);
    }
}
