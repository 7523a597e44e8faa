//! JSON over HTTP, with errors as problem details (RFC 9457). Only a browser can do it.
//!
//! What is generic is kept to reading and writing JSON: every future that is instantiated once more costs the
//! page kilobytes.

use flow::api::Problem;
use serde::{Serialize, de::DeserializeOwned};

/// Reads what is at `path`.
///
/// # Errors
/// The server's own problem, or one of ours when it cannot be reached or understood.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Problem> {
    read(&send(path, None).await?)
}

/// Sends `body` to `path`.
///
/// # Errors
/// The server's own problem, or one of ours when it cannot be reached or understood.
pub async fn post<B: Serialize, T: DeserializeOwned>(path: &str, body: &B) -> Result<T, Problem> {
    let body = serde_json::to_string(body).map_err(|error| problem(0, "Not sendable", &error.to_string()))?;
    read(&send(path, Some(body)).await?)
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

/// Sends a request, with a JSON body or none, and gives back the answer's text.
#[cfg(feature = "hydrate")]
async fn send(path: &str, body: Option<String>) -> Result<String, Problem> {
    use gloo_net::http::Request;

    const UNREACHABLE: &str = "The server cannot be reached. Is it running?";

    let path = path.to_owned();
    // Nothing in a browser leaves its thread; Leptos' resources still ask for `Send`.
    send_wrapper::SendWrapper::new(async move {
        let answer = match body {
            None => Request::get(&path).send().await,
            Some(body) => match Request::post(&path).header("content-type", "application/json").body(body) {
                Ok(request) => request.send().await,
                Err(error) => Err(error),
            },
        };
        let answer = answer.map_err(|_| problem(0, "No answer", UNREACHABLE))?;
        let text = answer.text().await.map_err(|_| problem(answer.status(), "No answer", UNREACHABLE))?;
        if answer.ok() {
            return Ok(text);
        }
        Err(serde_json::from_str(&text)
            .unwrap_or_else(|_| problem(answer.status(), "Refused", &answer.status_text())))
    })
    .await
}

/// Outside a browser there is nobody to ask.
#[cfg(not(feature = "hydrate"))]
#[expect(clippy::unused_async, reason = "it stands in for the browser's")]
async fn send(path: &str, _body: Option<String>) -> Result<String, Problem> {
    Err(problem(0, "No browser", &format!("{path} was asked for outside a browser.")))
}
