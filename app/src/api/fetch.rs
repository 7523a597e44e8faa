//! JSON over HTTP, with errors as problem details (RFC 9457). Only a browser can do it.
//!
//! What is generic is kept to reading and writing JSON: every future that is instantiated once more costs the
//! page kilobytes.

use flow::api::Problem;
use js_sys::{Function, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast as _, JsValue};

/// Reads what is at `path`.
///
/// # Errors
/// The server's own problem, or one of ours when it cannot be reached or understood.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Problem> {
    read(&send("GET", path, None).await?)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| problem(0, "Not understood", &error.to_string()))
}

fn problem(status: u16, title: &str, detail: &str) -> Problem {
    Problem {
        problem_type: "about:blank".to_owned(),
        title: title.to_owned(),
        status,
        detail: detail.to_owned(),
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// The header `Link`.
    pub link: Option<String>,
    /// The header `X-Total-Count`.
    pub total: Option<u64>,
    /// The header `X-Desk-Changes`.
    pub changes: Option<u64>,
}

/// Sends a request, with a JSON body or none, and gives back the answer's text.
///
/// # Errors
/// The server's own problem, or one of ours when it cannot be reached.
pub async fn send(method: &str, path: &str, body: Option<String>) -> Result<String, Problem> {
    request(method, path, body.map(Body::Json), None).await.map(|answer| answer.text)
}

/// Sends a request as the page goes: the browser sends it although nobody waits for the answer.
pub fn while_leaving(method: &str, path: &str) {
    // `web-sys` has no name for `keepalive`.
    let init = js_sys::Object::new();
    for (name, value) in [("method", JsValue::from(method)), ("keepalive", JsValue::TRUE)] {
        let _ = Reflect::set(&init, &name.into(), &value);
    }
    let window = leptos::prelude::window();
    let fetch = Reflect::get(&window, &"fetch".into()).ok();
    if let Some(fetch) = fetch.and_then(|fetch| fetch.dyn_into::<Function>().ok()) {
        let _ = fetch.call2(&window, &path.into(), &init);
    }
}

/// Asks for what is at `path`, and waits no longer than that.
///
/// # Errors
/// As for [`send`].
pub async fn ask(path: &str, patience_ms: u32) -> Result<Answer, Problem> {
    request("GET", path, None, Some(patience_ms)).await
}

/// Sends a file to `path`, as it is.
///
/// # Errors
/// As for [`send`].
pub async fn upload(path: &str, file: web_sys::File, patience_ms: u32) -> Result<(), Problem> {
    request("POST", path, Some(Body::File(file)), Some(patience_ms)).await.map(|_| ())
}

/// Whether nobody answered at all.
#[must_use]
pub fn is_away(problem: &Problem) -> bool {
    problem.title == NO_ANSWER
}

const NO_ANSWER: &str = "No answer";

/// What a request carries.
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser sends it"))]
enum Body {
    Json(String),
    File(web_sys::File),
}

#[cfg(feature = "hydrate")]
fn request(
    method: &str,
    path: &str,
    body: Option<Body>,
    patience_ms: Option<u32>,
) -> impl Future<Output = Result<Answer, Problem>> + Send + use<> {
    use gloo_net::http::RequestBuilder;
    use web_sys::AbortSignal;

    const UNREACHABLE: &str = "The server cannot be reached. Is it running?";

    let path = path.to_owned();
    let method = method.parse().unwrap_or_default();
    // Nothing in a browser leaves its thread; Leptos' resources still ask for `Send`.
    send_wrapper::SendWrapper::new(async move {
        let given_up = patience_ms.map(AbortSignal::timeout_with_u32);
        let request = RequestBuilder::new(&path).method(method).abort_signal(given_up.as_ref());
        let request = match body {
            None => request.build(),
            Some(Body::Json(body)) => request.header("content-type", "application/json").body(body),
            Some(Body::File(file)) => request.body(file),
        };
        let answer = match request {
            Ok(request) => request.send().await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|_| problem(0, NO_ANSWER, UNREACHABLE))?;
        let text = answer.text().await.map_err(|_| problem(answer.status(), NO_ANSWER, UNREACHABLE))?;
        if !answer.ok() {
            let (status, words) = (answer.status(), answer.status_text());
            let said = format!("The server answered {status} {words}.");
            return Err(serde_json::from_str(&text).unwrap_or_else(|_| problem(status, "Refused", &said)));
        }
        let header = |name: &str| answer.headers().get(name);
        let number = |name: &str| header(name)?.parse().ok();
        Ok(Answer {
            link: header("link"),
            total: number("x-total-count"),
            changes: number("x-desk-changes"),
            text,
        })
    })
}

/// Outside a browser there is nobody to ask.
#[cfg(not(feature = "hydrate"))]
fn request(
    method: &str,
    path: &str,
    _body: Option<Body>,
    _patience_ms: Option<u32>,
) -> std::future::Ready<Result<Answer, Problem>> {
    let why = format!("{method} {path} was asked for outside a browser.");
    std::future::ready(Err(problem(0, "No browser", &why)))
}
