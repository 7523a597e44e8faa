//! The reader's cookies, on the server as in the browser.

/// All of them, as a `Cookie` header has them. On the server this is what the request says.
#[cfg(feature = "ssr")]
#[must_use]
pub fn all() -> String {
    let of_request = |parts: http::request::Parts| {
        Some(parts.headers.get(http::header::COOKIE)?.to_str().ok()?.to_owned())
    };
    leptos::prelude::use_context::<http::request::Parts>().and_then(of_request).unwrap_or_default()
}

/// All of them, as a `Cookie` header has them.
#[cfg(not(feature = "ssr"))]
#[must_use]
pub fn all() -> String {
    document().and_then(|document| document.cookie().ok()).unwrap_or_default()
}

/// Keeps one for a year. A reader who blocks cookies keeps it for as long as the page is open.
pub fn keep(name: &str, value: &str) {
    #[cfg(not(feature = "ssr"))]
    if let Some(document) = document() {
        let _ = document.set_cookie(&format!("{name}={value}; path=/; max-age=31536000; samesite=lax"));
    }
    #[cfg(feature = "ssr")]
    let _ = (name, value);
}

#[cfg(not(feature = "ssr"))]
fn document() -> Option<web_sys::HtmlDocument> {
    use wasm_bindgen::JsCast as _;
    leptos::prelude::document().dyn_into().ok()
}
