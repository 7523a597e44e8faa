//! The drop box by HTTP.

use super::{DropBox, UploadError, client::ClientError, report::report_lines};
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use flow::api::{Dropped, WarehouseFiles};
use futures::stream;
use http_edge::{extract::PathId, problem::Problem};
use std::sync::Arc;

/// How many lines of a report are read at once.
const REPORT_PAGE: u32 = 1_000;

pub fn routes(drop_box: DropBox) -> Router {
    Router::new()
        .route("/api/files", get(list))
        .route("/api/files/{id}", post(upload).layer(DefaultBodyLimit::disable()))
        .route("/api/files/{id}/errors.csv", get(errors))
        .with_state(drop_box)
}

async fn list(State(drop_box): State<DropBox>) -> Result<Json<WarehouseFiles>, Problem> {
    Ok(Json(drop_box.files().await?))
}

/// The segment is the file's name here. The body is the file, whatever type the sender calls it; it is counted as
/// it passes by.
async fn upload(
    State(drop_box): State<DropBox>,
    Path(name): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Dropped>), Problem> {
    let size_bytes = drop_box.upload(&name, request.into_body().into_data_stream()).await?;
    Ok((StatusCode::ACCEPTED, Json(Dropped { name, size_bytes })))
}

async fn errors(State(drop_box): State<DropBox>, PathId(id): PathId) -> Result<Response, Problem> {
    let book = Arc::clone(drop_box.book());
    let Some(file) = book.find(id).await? else {
        return Err(Problem::not_found(format!("there is no file {id}; GET /api/files lists them")));
    };
    let pages = stream::try_unfold((book, None), move |(book, after)| async move {
        let Some(after) = after else { return Ok(Some((report_lines(None), (book, Some(0))))) };
        let page = book.errors(id, after, REPORT_PAGE).await?;
        let next = page.last().map(|bad| bad.line);
        Ok::<_, store::StoreError>(next.map(|last| (report_lines(Some(&page)), (book, Some(last)))))
    });
    // Letters of other alphabets and quotes cannot stand in a plain file name (RFC 6266, section 4.3).
    let plain: String = file
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{plain}.errors.csv\"")),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let status = match &error {
            UploadError::Name(_) => StatusCode::UNPROCESSABLE_ENTITY,
            UploadError::Taken(_) => StatusCode::CONFLICT,
            UploadError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            UploadError::BrokeOff(_) => StatusCode::BAD_REQUEST,
            UploadError::Server(ClientError::Refused(_)) => StatusCode::BAD_GATEWAY,
            UploadError::Server(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}
