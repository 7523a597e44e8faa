//! A request's body, line by line.

use crate::table::{self, Cutter, LINE_MAX};
use axum::body::{BodyDataStream, Bytes};
use futures::{FutureExt, StreamExt};
use http_edge::problem::Problem;
use std::collections::VecDeque;

/// A line that is not blank, or why there is none.
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    pub text: Result<Vec<u8>, Problem>,
}

/// The lines of a body.
pub struct Reading {
    body: BodyDataStream,
    cutter: Cutter,
    /// Lines that were cut and not asked for yet.
    lines: VecDeque<Line>,
    is_over: bool,
}

impl Reading {
    /// Reads from the start of the body.
    pub fn new(body: BodyDataStream) -> Self {
        Self { body, cutter: Cutter::default(), lines: VecDeque::new(), is_over: false }
    }

    /// The next lines, as many as are there and `most` at most; none at the end. It may be dropped while it waits.
    pub async fn next(&mut self, most: usize) -> Vec<Line> {
        while self.lines.is_empty() && !self.is_over {
            let piece = self.body.next().await;
            self.cut(piece);
        }
        while self.lines.len() < most
            && !self.is_over
            && let Some(piece) = self.body.next().now_or_never()
        {
            self.cut(piece);
        }
        self.lines.drain(..most.min(self.lines.len())).collect()
    }

    /// Whether all of the body has come.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Lets the rest of the body pass by.
    pub async fn discard(&mut self) {
        while !self.is_over {
            self.is_over = !matches!(self.body.next().await, Some(Ok(_)));
        }
    }

    fn cut(&mut self, piece: Option<Result<Bytes, axum::Error>>) {
        match piece {
            Some(Ok(bytes)) => {
                let mut from = 0;
                while from < bytes.len() {
                    let (taken, line) = self.cutter.take(&bytes[from..]);
                    from += taken;
                    self.add(line);
                }
            }
            Some(Err(error)) => {
                self.is_over = true;
                let problem = Problem::malformed(format!("the request broke off: {error}"));
                self.lines.push_back(Line { number: self.cutter.next_number(), text: Err(problem) });
            }
            None => {
                self.is_over = true;
                let last = self.cutter.finish();
                self.add(last);
            }
        }
    }

    /// A blank line says nothing.
    fn add(&mut self, line: Option<table::Line>) {
        let Some(table::Line { number, text, is_whole, .. }) = line else { return };
        if !is_whole {
            let problem = Problem::malformed(format!("a line may have at most {LINE_MAX} bytes"));
            self.lines.push_back(Line { number, text: Err(problem) });
        } else if !table::json::is_nothing(&text) {
            self.lines.push_back(Line { number, text: Ok(text) });
        }
    }
}
