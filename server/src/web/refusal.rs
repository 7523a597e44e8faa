//! What the guard says when it refuses: a page for people, a problem for programs, in the same words.

use super::public_url::PublicUrl;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use classes::access::Denied;
use http_edge::{host::HostError, problem::Problem};
use wishlist::message::escape;

/// The page has no scripts and loads nothing; its few rules of style are its own.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// A request that the guard does not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    /// Why, as part of a sentence.
    why: String,
    /// In which case `--public-url` mends it, and what it should be then.
    mend: Option<(&'static str, PublicUrl)>,
}

impl Refusal {
    /// The server is not the one that is asked for (421).
    #[must_use]
    pub fn misdirected(why: String, seen_at: Option<PublicUrl>) -> Self {
        let mend = seen_at.map(|url| ("if readers are to see it there", url));
        Self { status: StatusCode::MISDIRECTED_REQUEST, why, mend }
    }

    /// The page that asks for the change is none of ours (403), unless we are seen at `ours`.
    #[must_use]
    pub fn forbidden(why: String, ours: Option<PublicUrl>) -> Self {
        let mend = ours.map(|url| ("if that is this server's own page behind a proxy", url));
        Self { status: StatusCode::FORBIDDEN, why, mend }
    }

    fn detail(&self) -> String {
        match &self.mend {
            Some((case, url)) => {
                format!("{}; {case}, start the server with --public-url {url}", self.why)
            }
            None => self.why.clone(),
        }
    }

    /// The answer to a request with these headers: HTML for a browser that opens a page, else a problem.
    #[must_use]
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        let mut response = if wants_html(asked) {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, POLICY),
            ];
            (self.status, headers, self.page()).into_response()
        } else {
            Problem::new(self.status, self.detail()).into_response()
        };
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3.
            let how = HeaderValue::from_static("Bearer realm=\"skuflow\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        // Once the server is set right, nobody shall see it again.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        response
    }

    fn page(&self) -> String {
        let title = match self.status {
            StatusCode::MISDIRECTED_REQUEST => "Not answered at this address",
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "Nothing was changed",
            _ => "Not understood",
        };
        let mend = self.mend.as_ref().map_or_else(String::new, |(case, url)| {
            format!(
                "<p>{}, start the server with this address, written as the browser shows it:</p>\n\
                 <pre>skuflow serve --public-url {url}</pre>\n\
                 <p>or with <code>SKUFLOW_PUBLIC_URL={url}</code> in its environment. The README says more, in \
                 “Behind a proxy”.</p>\n",
                sentence(case),
                url = escape(&url.to_string()),
            )
        });
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · Skuflow</title>\n\
             <style>body{{font:1.0625rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}\
             p{{overflow-wrap:anywhere}}pre{{overflow-x:auto;padding:.75rem 1rem;border:1px solid}}</style>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n<p>{}.</p>\n{mend}<p><small>{}</small></p>\n</main>\n</body>\n</html>\n",
            sentence(&self.why),
            self.status,
        )
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let status = match denied {
            Denied::NoKey | Denied::WrongKey => StatusCode::UNAUTHORIZED,
            Denied::Follower => StatusCode::FORBIDDEN,
        };
        Self { status, why: denied.to_string(), mend: None }
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        Self { status: StatusCode::BAD_REQUEST, why: error.to_string(), mend: None }
    }
}

/// The text as HTML, with a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    escape(&first.into_iter().chain(characters).collect::<String>())
}

/// Whether `Accept` names HTML, as that of a browser which opens a page does. `fetch` and programs send `*/*`.
fn wants_html(asked: &HeaderMap) -> bool {
    let accepts = asked.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_sent_is_text_on_the_page_and_no_markup() {
        let why = "a page at \"><script>alert('&')</script> asks".to_owned();
        let page = Refusal::forbidden(why, "https://lab.example".parse().ok()).page();
        assert!(page.contains("&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"), "{page}");
        assert!(page.contains("--public-url https://lab.example/</pre>"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn only_who_opens_a_page_gets_a_page() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, TEXT/HTML;q=0.5", true),
            ("*/*", false),
            ("application/json", false),
            ("text/htmlx", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_html(&headers), expected, "{accept}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }
}
