//! JSON over HTTP, with errors as problem details (RFC 9457). Only a browser can do it.
//!
//! What is generic is kept to reading and writing JSON: every future that is instantiated once more costs the
//! page kilobytes.

use flow::api::Problem;
use serde::de::DeserializeOwned;

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

/// Sends a request, with a JSON body or none, and gives back the answer's text.
///
/// # Errors
/// The server's own problem, or one of ours when it cannot be reached.
#[cfg(feature = "hydrate")]
pub async fn send(method: &str, path: &str, body: Option<String>) -> Result<String, Problem> {
    use gloo_net::http::RequestBuilder;

    const UNREACHABLE: &str = "The server cannot be reached. Is it running?";

    let path = path.to_owned();
    let method = method.parse().unwrap_or_default();
    // Nothing in a browser leaves its thread; Leptos' resources still ask for `Send`.
    send_wrapper::SendWrapper::new(async move {
        let request = RequestBuilder::new(&path).method(method);
        let request = match body {
            None => request.build(),
            Some(body) => request.header("content-type", "application/json").body(body),
        };
        let answer = match request {
            Ok(request) => request.send().await,
            Err(error) => Err(error),
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
///
/// # Errors
/// Always.
#[cfg(not(feature = "hydrate"))]
#[expect(clippy::unused_async, reason = "it stands in for the browser's")]
pub async fn send(method: &str, path: &str, _body: Option<String>) -> Result<String, Problem> {
    Err(problem(0, "No browser", &format!("{method} {path} was asked for outside a browser.")))
}
