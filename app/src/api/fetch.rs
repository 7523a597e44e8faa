//! JSON over HTTP, with errors as problem details (RFC 9457). Only a browser can do it.

use flow::api::Problem;
use serde::{Serialize, de::DeserializeOwned};

/// Reads what is at `path`.
///
/// # Errors
/// The server's own problem, or one of ours when it cannot be reached or understood.
#[cfg(feature = "hydrate")]
pub async fn get<T: DeserializeOwned + 'static>(path: &str) -> Result<T, Problem> {
    let request = gloo_net::http::Request::get(path);
    // Nothing in a browser leaves its thread; Leptos' resources still ask for `Send`.
    send_wrapper::SendWrapper::new(async move { answer(request.send().await).await }).await
}

/// Sends `body` to `path`.
///
/// # Errors
/// The server's own problem, or one of ours when it cannot be reached or understood.
#[cfg(feature = "hydrate")]
pub async fn post<B: Serialize, T: DeserializeOwned + 'static>(path: &str, body: &B) -> Result<T, Problem> {
    let request = gloo_net::http::Request::post(path).json(body).map_err(|error| unreachable(&error))?;
    send_wrapper::SendWrapper::new(async move { answer(request.send().await).await }).await
}

#[cfg(feature = "hydrate")]
async fn answer<T: DeserializeOwned>(
    response: Result<gloo_net::http::Response, gloo_net::Error>,
) -> Result<T, Problem> {
    let response = response.map_err(|error| unreachable(&error))?;
    if response.ok() {
        return response.json().await.map_err(|error| problem(response.status(), "Not understood", &error));
    }
    let status = response.status();
    Err(response.json().await.unwrap_or_else(|_| problem(status, "Refused", &response.status_text())))
}

#[cfg(feature = "hydrate")]
fn unreachable(error: &gloo_net::Error) -> Problem {
    leptos::logging::debug_warn!("{error}");
    problem(0, "No answer", &"The server cannot be reached. Is it running?")
}

#[cfg(feature = "hydrate")]
fn problem(status: u16, title: &str, detail: &dyn std::fmt::Display) -> Problem {
    Problem {
        problem_type: "about:blank".to_owned(),
        title: title.to_owned(),
        status,
        detail: detail.to_string(),
    }
}

/// Outside a browser there is nobody to ask.
///
/// # Errors
/// Always.
#[cfg(not(feature = "hydrate"))]
#[expect(clippy::unused_async, reason = "it stands in for the browser's")]
pub async fn get<T: DeserializeOwned + 'static>(path: &str) -> Result<T, Problem> {
    Err(no_browser(path))
}

/// Outside a browser there is nobody to ask.
///
/// # Errors
/// Always.
#[cfg(not(feature = "hydrate"))]
#[expect(clippy::unused_async, reason = "it stands in for the browser's")]
pub async fn post<B: Serialize, T: DeserializeOwned + 'static>(path: &str, _body: &B) -> Result<T, Problem> {
    Err(no_browser(path))
}

#[cfg(not(feature = "hydrate"))]
fn no_browser(path: &str) -> Problem {
    Problem {
        problem_type: "about:blank".to_owned(),
        title: "No browser".to_owned(),
        status: 0,
        detail: format!("{path} was asked for outside a browser."),
    }
}
