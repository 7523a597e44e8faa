//! Arrivals by the thousand in one request: one JSON object a line in, one result a line out.
//!
//! Each row is recorded or refused by itself, while the next ones are still on their way; nothing is collected. So
//! whoever sends many rows must read the answer while sending. Proxies do not: nginx stops sending a request as soon as
//! its answer begins. For them, the answer is held back until all rows have come.

use super::{Brake, held, request};
use crate::{
    services::inventory::{
        Inventory,
        intake::{IdempotencyKey, Reason},
    },
    styles,
    table::{self, LINE_MAX},
    web::{extract::parse, problem::Problem},
};
use axum::{
    body::{Body, BodyDataStream, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use flow::{
    api::{self, Accepted},
    event::Origin,
};
use futures::{Stream, StreamExt, future::join_all, stream};
use serde::Serialize;
use std::{ops::Range, path::PathBuf};
use tokio_util::sync::CancellationToken;

/// The type of such a body.
pub const CONTENT_TYPE: &str = "application/x-ndjson";
/// How many rows are recorded at once, if so many are there.
const BATCH: usize = 250;

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

/// A line that is not blank, or why there is none.
struct Line {
    number: u64,
    text: Result<Vec<u8>, Problem>,
}

/// Everything that recording needs.
#[derive(Clone)]
pub struct Recorder {
    /// Who records.
    pub inventory: Inventory,
    /// Holds while the services are behind.
    pub brake: Brake,
    /// Where answers are held back.
    pub spool: PathBuf,
    /// When to stop.
    pub stop: CancellationToken,
}

impl Recorder {
    /// Answers a body of lines: while they come, or when `is_held` once all have come. With a `key`, each line counts
    /// once however often the same lines are sent under it.
    ///
    /// # Errors
    /// When there is no room to hold the answer back (507).
    pub async fn answer(self, body: Body, key: Option<String>, is_held: bool) -> Result<Response, Problem> {
        let spool = self.spool.clone();
        let results = lines(body.into_data_stream()).ready_chunks(BATCH).then(move |lines| {
            let (recorder, key) = (self.clone(), key.clone());
            async move {
                recorder.brake.clear(&recorder.stop, |_| {}).await;
                let outcomes =
                    join_all(lines.into_iter().map(|line| recorder.record(line, key.as_deref()))).await;
                let mut text = Vec::new();
                for outcome in outcomes {
                    serde_json::to_writer(&mut text, &outcome).expect("an outcome is plain data");
                    text.push(b'\n');
                }
                Ok::<_, std::convert::Infallible>(Bytes::from(text))
            }
        });
        let answer = Body::from_stream(results);
        let answer =
            if is_held { held::until_its_end(answer, spool).await.map_err(no_room)? } else { answer };
        Ok((StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], answer).into_response())
    }

    async fn record(&self, Line { number, text }: Line, key: Option<&str>) -> Outcome {
        let result = match self.arrivals(number, text, key).await {
            Ok(arrivals) => RowResult::Arrivals(arrivals),
            Err(problem) => RowResult::Problem(problem.to_api()),
        };
        Outcome { line: number, result }
    }

    async fn arrivals(
        &self,
        number: u64,
        text: Result<Vec<u8>, Problem>,
        key: Option<&str>,
    ) -> Result<Vec<Accepted>, Problem> {
        let text = text?;
        let object = table::json::object(&text).map_err(|array| Problem::invalid(array.to_string()))?;
        let mut line: request::Line = parse(object)?;
        // As in a file: blanks around it, and what a spreadsheet makes of it.
        line.sku = table::sku(&line.sku).map_err(|error| Problem::invalid(error.to_string()))?.to_string();
        let movements = request::movements(std::slice::from_ref(&line))?;
        let key = key.map(|key| IdempotencyKey {
            endpoint: "arrivals, by line",
            key: format!("{key}:{number}"),
            request: serde_json::to_string(&line).expect("the line came from JSON"),
        });
        let reason = Reason::Arrival(Origin::Request);
        Ok(self.inventory.record(movements, reason, key, styles::announce).await?)
    }
}

fn no_room(error: std::io::Error) -> Problem {
    let detail = format!(
        "the answer cannot be kept until all lines have come: {error}; lines may be recorded already, so send them again \
         only if they came with an Idempotency-Key, and under the same one"
    );
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
}

/// A body's lines, each as soon as it is there.
fn lines(body: BodyDataStream) -> impl Stream<Item = Line> {
    let (buffer, is_skipping, is_over) = (Vec::new(), false, false);
    let reading = Reading { body, buffer, start: 0, scanned: 0, number: 0, is_skipping, is_over };
    stream::unfold(reading, |mut reading| async move { Some((reading.next().await?, reading)) })
}

struct Reading {
    body: BodyDataStream,
    buffer: Vec<u8>,
    /// Where the current line begins in the buffer.
    start: usize,
    /// How far the buffer is known to hold no end of it.
    scanned: usize,
    number: u64,
    /// The rest of a line that was too long passes by.
    is_skipping: bool,
    is_over: bool,
}

impl Reading {
    async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(at) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') {
                let end = self.scanned + at;
                let (text, start) = (self.start..end, end + 1);
                (self.start, self.scanned) = (start, start);
                if let Some(line) = self.line(text) {
                    return Some(line);
                }
                continue;
            }
            // What has been read makes room once for all that comes next, not once a line.
            self.buffer.drain(..self.start);
            self.start = 0;
            self.scanned = self.buffer.len();
            if self.buffer.len() > LINE_MAX {
                self.forget();
                if !std::mem::replace(&mut self.is_skipping, true) {
                    let problem = Problem::malformed(format!("a line may have at most {LINE_MAX} bytes"));
                    return Some(Line { number: self.number + 1, text: Err(problem) });
                }
            }
            if self.is_over {
                return None;
            }
            match self.body.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(error)) => {
                    self.is_over = true;
                    self.forget();
                    let problem = Problem::malformed(format!("the request broke off: {error}"));
                    return Some(Line { number: self.number + 1, text: Err(problem) });
                }
                None => {
                    self.is_over = true;
                    let last = self.line(0..self.buffer.len());
                    self.forget();
                    if last.is_some() {
                        return last;
                    }
                }
            }
        }
    }

    fn forget(&mut self) {
        self.buffer.clear();
        (self.start, self.scanned) = (0, 0);
    }

    /// Counts a line that ended; a blank one says nothing, and what was too long has said so already.
    fn line(&mut self, text: Range<usize>) -> Option<Line> {
        self.number += 1;
        let was_skipping = std::mem::take(&mut self.is_skipping);
        let text = &self.buffer[text];
        let is_blank = table::json::is_nothing(text);
        (!was_skipping && !is_blank).then(|| Line { number: self.number, text: Ok(text.to_vec()) })
    }
}
