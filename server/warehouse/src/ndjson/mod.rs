//! Arrivals by the thousand in one request: one JSON object a line in, one result a line out.
//!
//! Each row is recorded or refused by itself, while the next ones are still on their way. Most clients send all of a
//! request before they read any of its answer, so the results wait for them in a spool. When the answer begins is
//! another question: `Beginning`.

mod reading;
mod spool;

use super::{Backpressure, line};
use crate::table;
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, Version, header},
    response::{IntoResponse, Response},
};
use flow::{
    Transport,
    api::{self, Accepted},
    event::Origin,
};
use futures::future::join_all;
use http_edge::{extract::parse, host::Authority, problem::Problem};
use inventory::{
    Inventory,
    intake::{IdempotencyKey, Reason},
};
use reading::{Line, Reading};
use serde::Serialize;
use spool::{SpoolError, Writer};
use std::{io, path::PathBuf, time::Duration};
use tokio::{sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

/// The type of such a body.
pub const CONTENT_TYPE: &str = "application/x-ndjson";
/// How many rows are recorded at once, if so many are there.
const BATCH: usize = 250;
/// How long a sender who is not done sends nothing when he waits for results.
const QUIET: Duration = Duration::from_secs(1);
/// The last result, when the server stops.
const STOPPED: &str = "the server stops; nothing from this line on counts: send those lines again";

/// What became of one line.
#[derive(Serialize)]
struct Outcome {
    /// Its number, from 1.
    line: u64,
    #[serde(flatten)]
    result: RowResult,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum RowResult {
    Arrivals(Vec<Accepted>),
    Problem(api::Problem),
}

/// When an answer begins. A client may see results while it sends. But nginx sends no more of a request as soon as its
/// answer has begun, and would wait for ever; and whoever tells a length has all of it at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// The body comes in chunks, straight from the client.
    AtOnce,
    /// The body has a length: when all of it has come, or when its sender waits for us.
    WhenQuiet,
    /// Somebody stands between, or speaks HTTP/1.0 as nginx does: when all has come.
    AtTheEnd,
}

impl Beginning {
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        let is_passed_on = headers.keys().any(|name| {
            let name = name.as_str();
            matches!(name, "via" | "forwarded" | "x-real-ip") || name.starts_with("x-forwarded-")
        });
        // Whoever names us by another name than our own address has it from a proxy's settings, or may have.
        let is_direct =
            Authority::of(request).is_ok_and(|named| named.is_some_and(|at| at.host.is_loopback()));
        if is_passed_on || !is_direct || request.version() < Version::HTTP_11 {
            Self::AtTheEnd
        } else if headers.contains_key(header::CONTENT_LENGTH) {
            Self::WhenQuiet
        } else {
            Self::AtOnce
        }
    }
}

/// The beginning of an answer; when this is dropped, it begins too.
struct Begin {
    when: Beginning,
    tell: Option<oneshot::Sender<()>>,
}

impl Begin {
    /// It may begin, if it waited for this or for less.
    fn at(&mut self, now: Beginning) {
        if (self.when == now || now == Beginning::AtTheEnd)
            && let Some(tell) = self.tell.take()
        {
            // Nobody waits for it when the client has left.
            let _ = tell.send(());
        }
        if now == Beginning::WhenQuiet {
            self.when = Beginning::AtOnce;
        }
    }
}

/// Everything that recording needs.
#[derive(Clone)]
pub struct Recorder {
    pub inventory: Inventory,
    /// Holds while the services are behind.
    pub backpressure: Backpressure,
    /// The folder for results that nobody reads yet.
    pub spool: PathBuf,
    pub stop: CancellationToken,
}

impl From<SpoolError> for Problem {
    fn from(error: SpoolError) -> Self {
        let status = match &error {
            SpoolError::Full => StatusCode::INSUFFICIENT_STORAGE,
            SpoolError::Disk(disk) if disk.kind() == io::ErrorKind::StorageFull => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, format!("{error}; nothing from this line on counts: send those lines again"))
    }
}

/// The result of all lines from number `line` on.
fn last_word(line: u64, problem: &Problem) -> Bytes {
    text(&[Outcome { line, result: RowResult::Problem(problem.to_api()) }]).into()
}

fn text(outcomes: &[Outcome]) -> Vec<u8> {
    let mut text = Vec::new();
    for outcome in outcomes {
        serde_json::to_writer(&mut text, outcome).expect("an outcome is plain data");
        text.push(b'\n');
    }
    text
}

/// What holds for all lines of a request.
struct All {
    key: Option<String>,
    transport: Option<Transport>,
}

impl Recorder {
    /// Answers a body of lines. With a `key`, each line counts once however often the same lines are sent under it. A line
    /// that names no transport means `transport`.
    pub async fn answer(
        self,
        request: Request,
        key: Option<String>,
        transport: Option<Transport>,
    ) -> Response {
        let (results, answer) = spool::spool(self.spool.clone());
        let (begin, begun) = oneshot::channel();
        let begin = Begin { when: Beginning::of(&request), tell: Some(begin) };
        let reading = Reading::new(request.into_body().into_data_stream());
        let all = All { key, transport };
        tokio::spawn(self.work(reading, all, results, begin));
        // Dropped or told, it may begin.
        let _ = begun.await;
        (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], Body::from_stream(answer)).into_response()
    }

    /// Records to the end, unless there is no way to go on: then the last line says why, and from where on nothing
    /// counts.
    async fn work(self, mut reading: Reading, all: All, mut results: Writer, mut begin: Begin) {
        let (mut next, mut unchecked) = (1, 0);
        begin.at(Beginning::AtOnce);
        loop {
            if reading.is_over() {
                begin.at(Beginning::AtTheEnd);
            }
            let lines = tokio::select! {
                biased;
                () = results.left() => return,
                () = self.stop.cancelled() => {
                    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, STOPPED.into());
                    results.write_last(last_word(next, &problem));
                    return results.finish();
                }
                () = sleep(QUIET), if begin.when == Beginning::WhenQuiet => {
                    begin.at(Beginning::WhenQuiet);
                    continue;
                }
                lines = reading.next(BATCH) => lines,
            };
            let Some(last) = lines.last().map(|line| line.number) else { return results.finish() };
            unchecked += lines.len();
            if unchecked >= BATCH {
                unchecked = 0;
                let go_on = tokio::select! {
                    () = results.left() => return,
                    go_on = self.backpressure.clear(&self.stop, |_| {}) => go_on,
                };
                if !go_on {
                    continue;
                }
            }
            let recorded = join_all(lines.into_iter().map(|line| self.record(line, &all))).await;
            next = last + 1;
            match results.write(text(&recorded).into()).await {
                Ok(()) => {}
                Err(SpoolError::Left) => return,
                Err(error) => {
                    results.write_last(last_word(next, &error.into()));
                    break;
                }
            }
        }
        // Whoever reads only when all is sent must get rid of the rest.
        tokio::select! {
            () = results.left() => {}
            () = reading.discard() => {}
        }
        results.finish();
    }

    async fn record(&self, Line { number, text }: Line, all: &All) -> Outcome {
        let result = match self.arrivals(number, text, all).await {
            Ok(arrivals) => RowResult::Arrivals(arrivals),
            Err(problem) => RowResult::Problem(problem.to_api()),
        };
        Outcome { line: number, result }
    }

    async fn arrivals(
        &self,
        number: u64,
        text: Result<Vec<u8>, Problem>,
        all: &All,
    ) -> Result<Vec<Accepted>, Problem> {
        let text = text?;
        table::utf8(&text).map_err(|error| Problem::malformed(error.to_string()))?;
        let object = table::json::object(&text).map_err(|array| Problem::invalid(array.to_string()))?;
        let mut line: line::Line = parse(object)?;
        line.addressed_to(all.transport)?;
        // As in a file: blanks around it, and what a spreadsheet makes of it.
        line.sku = table::sku(&line.sku).map_err(|error| Problem::invalid(error.to_string()))?.to_string();
        let movements = line::movements(std::slice::from_ref(&line))?;
        let key = all.key.as_ref().map(|key| IdempotencyKey {
            endpoint: "arrivals, by line",
            key: format!("{key}:{number}"),
            request: serde_json::to_string(&line).expect("the line came from JSON"),
        });
        let reason = Reason::Arrival(Origin::Request);
        Ok(self.inventory.record(movements, reason, key).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_straight_from_this_machine_is_answered_before_its_end() {
        let at_once = [("host", "localhost:3000"), ("transfer-encoding", "chunked")];
        for (more, version, expected) in [
            (&[][..], Version::HTTP_11, Beginning::AtOnce),
            (&[("content-length", "9")], Version::HTTP_11, Beginning::WhenQuiet),
            (&[], Version::HTTP_10, Beginning::AtTheEnd),
            (&[("via", "1.1 caddy")], Version::HTTP_11, Beginning::AtTheEnd),
            (&[("x-forwarded-for", "192.0.2.1")], Version::HTTP_11, Beginning::AtTheEnd),
            (&[("host", "lab.example")], Version::HTTP_11, Beginning::AtTheEnd),
        ] {
            let mut request = Request::post("/api/arrivals").version(version);
            let headers = request.headers_mut().expect("the address is fine");
            for (name, value) in at_once.iter().chain(more) {
                headers.insert(*name, value.parse().unwrap());
            }
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(Beginning::of(&request), expected, "{more:?} {version:?}");
        }
    }
}
