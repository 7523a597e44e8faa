//! The one error type at the HTTP edge: `application/problem+json` (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flow::api;
use store::StoreError;

/// An answer that says what went wrong and what to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    /// A problem with that status.
    #[must_use]
    pub const fn new(status: StatusCode, detail: String) -> Self {
        Self { status, detail }
    }

    /// The request is no well-formed JSON, or no HTTP that makes sense (400).
    #[must_use]
    pub const fn malformed(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The request is well formed, but what it says cannot be (422).
    #[must_use]
    pub const fn invalid(detail: String) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// There is no such thing (404).
    #[must_use]
    pub const fn not_found(detail: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The path exists, the method does not (405). The router adds `Allow`.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "this address takes other methods; see the header Allow".into(),
        )
    }

    /// The problem as the page's side of the server takes it.
    #[must_use]
    pub fn to_api(&self) -> api::Problem {
        api::Problem {
            problem_type: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Full | StoreError::Lost) {
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string());
        }
        tracing::error!(%error, "a store failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}; the server's log says more"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.to_api())).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        response
    }
}
