//! The journal over HTTP: in pages, and as a stream of server-sent events.

use super::problem::Problem;
use crate::bridge::{Journal, journal::Next};
use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Sent, KeepAlive},
    },
    routing::get,
};
use flow::{Event, Picture};
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The most events in one page.
const PAGE_MAX: usize = 5_000;
const PAGE_DEFAULT: usize = 500;
/// The most events in one message of the stream.
const BATCH_MAX: usize = 2_000;
/// The shortest time between two messages of the stream: about two frames of a screen.
const BATCH_EVERY: Duration = Duration::from_millis(33);

#[derive(Clone)]
struct Shared {
    journal: Journal,
    stop: CancellationToken,
}

/// The routes.
pub fn routes(journal: Journal, stop: CancellationToken) -> Router {
    Router::new()
        .route("/api/journal", get(page))
        .route("/api/journal/picture", get(picture))
        .route("/api/journal/stream", get(stream))
        .with_state(Shared { journal, stop })
}

#[derive(Deserialize)]
struct PageQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Page {
    events: Vec<Arc<Event>>,
    first: u64,
    last: u64,
}

async fn page(
    State(shared): State<Shared>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(query) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("limit: {limit} is not between 1 and {PAGE_MAX}")));
    }
    let page = shared.journal.page(query.after, limit);
    Ok(Json(Page { events: page.events, first: page.first, last: page.last }))
}

#[derive(Deserialize)]
struct PictureQuery {
    at: Option<u64>,
    #[serde(default)]
    packed: bool,
}

/// The picture to start over from after a `reset`, or as it was after the event with the place `at`; as JSON, or
/// packed, as the page of this version reads it.
async fn picture(
    State(shared): State<Shared>,
    query: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let picture = picture_at(&shared.journal, query.at)?;
    Ok(if query.packed { picture.pack().into_response() } else { Json(picture).into_response() })
}

fn picture_at(journal: &Journal, at: Option<u64>) -> Result<Picture, Problem> {
    let Some(at) = at else { return Ok(journal.picture()) };
    journal.picture_at(at).ok_or_else(|| {
        let kept = journal.page(at, 1);
        Problem::not_found(format!(
            "at: {at} is not kept; choose one from {} to {}",
            kept.first - 1,
            kept.last
        ))
    })
}

#[derive(Deserialize)]
struct StreamQuery {
    after: Option<u64>,
}

/// Streams from after `Last-Event-ID` (which a browser sends when it reconnects by itself), else from after
/// `?after=`, else from now on.
async fn stream(
    State(shared): State<Shared>,
    headers: HeaderMap,
    query: Result<Query<StreamQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(query) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let last_event_id = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Problem::malformed("Last-Event-ID is no number; send the id of the last message you got".into())
        })?),
        None => None,
    };
    let events = messages(shared, last_event_id.or(query.after));
    // Proxies must not hold back what is meant to be live.
    let live =
        [(header::CACHE_CONTROL, "no-store"), (header::HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((live, Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))))
}

fn messages(shared: Shared, after: Option<u64>) -> impl Stream<Item = Result<Sent, Infallible>> {
    let subscription = shared.journal.subscribe(after);
    stream::unfold((subscription, shared.stop, Instant::now()), async |(mut subscription, stop, due)| {
        let next = tokio::select! {
            () = stop.cancelled() => None,
            next = async {
                sleep_until(due).await;
                subscription.next(BATCH_MAX).await
            } => next,
        };
        let sent = match next? {
            Next::Events(events) => Sent::default()
                .event("journal")
                .id(events.last().map_or(0, |event| event.seq).to_string())
                .json_data(&events),
            Next::Reset(seq) => Sent::default()
                .event("reset")
                .id(seq.to_string())
                .json_data(serde_json::json!({ "seq": seq })),
        };
        let sent = sent.expect("journal events are plain data");
        Some((Ok(sent), (subscription, stop, Instant::now() + BATCH_EVERY)))
    })
}
