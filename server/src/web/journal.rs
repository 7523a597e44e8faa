//! The journal over HTTP: in pages, as a stream of server-sent events, and as a whole.

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Sent, KeepAlive},
    },
    routing::get,
};
use base::clock;
use flow::{Picture, run};
use futures::{Stream, StreamExt, stream};
use http_edge::problem::Problem;
use journal::{Journal, Next, ReadError, Whole, array};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The most events in one page.
const PAGE_MAX: u64 = 5_000;
const PAGE_DEFAULT: u64 = 500;
/// The most events in one message of the stream.
const BATCH_MAX: u64 = 2_000;
/// The shortest time between two messages of the stream: about two frames of a screen.
const BATCH_EVERY: Duration = Duration::from_millis(33);

#[derive(Clone)]
struct Shared {
    journal: Journal,
    stop: CancellationToken,
}

pub fn routes(journal: Journal, stop: CancellationToken) -> Router {
    Router::new()
        .route("/api/journal", get(page))
        .route("/api/journal/picture", get(picture))
        .route("/api/journal/stream", get(stream))
        .route("/api/journal/export", get(export))
        .with_state(Shared { journal, stop })
}

/// What is said when the journal cannot be read.
pub(super) fn unreadable(error: ReadError) -> Problem {
    tracing::error!(%error, "the journal cannot be read");
    let detail =
        format!("the journal cannot be read: {error}; ask for first and last again, for what is still kept");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

#[derive(Deserialize)]
struct PageQuery {
    after: Option<u64>,
    before: Option<u64>,
    limit: Option<u64>,
}

/// A page of events: those after `after`, or the last ones before `before`.
async fn page(
    State(shared): State<Shared>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(query) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("limit: {limit} is not between 1 and {PAGE_MAX}")));
    }
    let page = match (query.after, query.before) {
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("before: give either before or after, not both".into()));
        }
        (after, None) => shared.journal.page(after.unwrap_or_default(), limit).await.map_err(unreadable)?,
        (None, Some(before)) => shared.journal.page_before(before, limit).await.map_err(unreadable)?,
    };
    let mut text = b"{\"events\":".to_vec();
    text.append(&mut array(&page.blocks));
    text.extend_from_slice(format!(",\"first\":{},\"last\":{}}}", page.first, page.last).as_bytes());
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
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
    let picture = picture_at(&shared.journal, query.at).await?;
    Ok(if query.packed { picture.pack().into_response() } else { Json(picture).into_response() })
}

async fn picture_at(journal: &Journal, at: Option<u64>) -> Result<Picture, Problem> {
    let Some(at) = at else { return Ok(journal.picture().await) };
    journal.picture_at(at).await.map_err(unreadable)?.ok_or_else(|| {
        let (first, last) = journal.reach();
        Problem::not_found(format!("at: {at} is not kept; choose one from {} to {last}", first - 1))
    })
}

#[derive(Deserialize)]
struct ExportQuery {
    #[serde(default)]
    after: u64,
}

/// All that is kept after `after`, as a run that *Open run* takes.
async fn export(
    State(shared): State<Shared>,
    query: Result<Query<ExportQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(query) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let whole = shared.journal.whole(query.after).await;
    let base = whole.base().await.map_err(unreadable)?;
    let saved_at = clock::now_text();
    let name = format!("skuflow-run-{}.json", saved_at.get(..19).unwrap_or_default().replace(':', "-"));
    // A type of its own, so that hundreds of megabytes do not go through the compressor.
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.skuflow.run+json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let head = stream::once(async move { Ok(run::head(&saved_at, &base).into()) });
    let tail = stream::once(async { Ok(run::TAIL.into()) });
    Ok((headers, Body::from_stream(head.chain(events(whole)).chain(tail))))
}

/// A run's whole text, for what is put into a file with other things.
pub(super) async fn run_text(journal: &Journal, after: u64, saved_at: &str) -> Result<String, Problem> {
    let whole = journal.whole(after).await;
    let base = whole.base().await.map_err(unreadable)?;
    let mut text = run::head(saved_at, &base).into_bytes();
    let mut events = std::pin::pin!(events(whole));
    while let Some(piece) = events.next().await {
        text.extend_from_slice(&piece.map_err(unreadable)?);
    }
    text.extend_from_slice(run::TAIL.as_bytes());
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The events with commas between them, a file of the journal at a time.
fn events(whole: Whole) -> impl Stream<Item = Result<Bytes, ReadError>> {
    let begin = (whole, false);
    stream::unfold(begin, async |(mut whole, mut has_begun)| {
        let blocks = match whole.next().await {
            Ok(blocks) => blocks?,
            // The answer breaks off, and who reads it sees that it is not whole.
            Err(error) => return Some((vec![Err(error)], (whole, true))),
        };
        let mut chunks = Vec::with_capacity(2 * blocks.len());
        for block in blocks {
            if std::mem::replace(&mut has_begun, true) {
                chunks.push(Ok(Bytes::from_static(b",")));
            }
            chunks.push(Ok(block.text().clone()));
        }
        Some((chunks, (whole, has_begun)))
    })
    .flat_map(stream::iter)
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
            Problem::malformed(
                "Last-Event-ID is not a number; send the id of the last message you got".into(),
            )
        })?),
        None => None,
    };
    // Some proxies pass the headers on only with the first bytes, and until then a browser does not know that it is
    // connected.
    let opened = stream::once(async { Ok(Sent::default().comment("open")) });
    let events = opened.chain(messages(shared, last_event_id.or(query.after)));
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
            Next::Events(blocks) => {
                let text = String::from_utf8(array(&blocks)).expect("the journal is JSON");
                let last = blocks.last().map_or(0, |block| block.last());
                Sent::default().event("journal").id(last.to_string()).data(text)
            }
            Next::Reset(seq) => {
                Sent::default().event("reset").id(seq.to_string()).data(format!("{{\"seq\":{seq}}}"))
            }
        };
        Some((Ok(sent), (subscription, stop, Instant::now() + BATCH_EVERY)))
    })
}
