//! Lines that carry too much to draw every message.

use super::super::hop::Shape;
use super::animation::{Animation, has_reduced_motion};
use super::tokens::{Flight, Look, Token, set};
use flow::joined;

/// How many dots make a stream.
const STREAM_DOTS: usize = 3;
/// How long a dot is on its way.
const ROUND_MS: f64 = 1_200.0;
/// How often their rates are written anew.
const WORDS_MS: f64 = 500.0;

impl Animation {
    /// Lines that carry too much show a few hollow dots and the rate.
    pub(super) fn show_streams(&mut self) {
        let now_ms = self.now_ms;
        let Some(streams) = self.lab.quietly(|state| {
            let streams = state.director.rates.streams(now_ms).into_iter();
            streams.map(|(edge, rate)| (edge.to_owned(), rate)).collect::<Vec<_>>()
        }) else {
            return;
        };
        let names =
            |streams: &[(String, usize)]| streams.iter().map(|(edge, _)| edge.clone()).collect::<Vec<_>>();
        let (mut before, mut after) = (names(&self.streams), names(&streams));
        before.sort();
        after.sort();
        if before != after {
            self.stop_streams();
            streams.iter().for_each(|(edge, rate)| self.start_stream(edge, *rate));
            self.worded_at_ms = now_ms;
        } else if now_ms - self.worded_at_ms < WORDS_MS {
            return;
        } else if streams != self.streams {
            self.worded_at_ms = now_ms;
            for (edge, rate) in &streams {
                let id = stream_id(edge, 0);
                let words = rate_words(*rate);
                let tokens = self.tokens.iter().filter(|token| token.is(&id) && token.has_words_on(edge));
                tokens.for_each(|token| token.say(&words));
            }
        }
        self.widen(&streams);
        self.streams = streams;
    }

    /// A line is as wide as its rate, in a few steps.
    fn widen(&self, streams: &[(String, usize)]) {
        let Some(canvas) = &self.canvas else { return };
        let line =
            |edge: &str| canvas.query_selector(&joined(&["[data-edge=\"", edge, "\"]"])).ok().flatten();
        for (edge, _) in &self.streams {
            if !streams.iter().any(|(now, _)| now == edge) {
                // Removing what is not there is no error.
                line(edge).into_iter().for_each(|line| _ = line.remove_attribute("data-rate"));
            }
        }
        for (edge, rate) in streams {
            let Some(line) = line(edge) else { continue };
            let before = line.get_attribute("data-rate").and_then(|step| step.parse().ok());
            let step = step(*rate, before);
            if before != Some(step) {
                set(&line, "data-rate", &step.to_string());
            }
        }
    }

    fn stop_streams(&mut self) {
        let tokens = self.tokens.iter_mut();
        tokens.filter(|token| token.is_of_stream()).for_each(Token::put_away);
    }

    fn start_stream(&mut self, edge: &str, rate: usize) {
        let line = self.lab.peek(|state| {
            let edge = state.layout().edge(edge)?;
            Some((edge.path.clone(), edge.passing.clone(), state.style))
        });
        let Some((path, words_at, style)) = line.flatten() else { return };
        let is_still = has_reduced_motion();
        let shape = Shape::of_style(style);
        let is_call = edge.starts_with("http:");
        #[expect(clippy::cast_precision_loss, reason = "three dots")]
        for dot in 0..STREAM_DOTS {
            let begins_ms = self.now_ms - ROUND_MS * dot as f64 / STREAM_DOTS as f64;
            let flight = Flight {
                edge: edge.to_owned(),
                path: path.clone(),
                words_at: words_at.clone(),
                back: false,
                begins_ms,
                lasts_ms: ROUND_MS,
                is_stream: true,
                is_still,
            };
            let words = if dot == 0 && !words_at.lines.is_empty() { rate_words(rate) } else { String::new() };
            let shape = if is_call { Shape::Http } else { shape };
            if let Some(token) = self.tokens.iter_mut().find(|token| token.flight.is_none()) {
                token.start(flight, Look::plain(shape), &stream_id(edge, dot), &words);
            }
        }
    }
}

/// From which rate on each step of width begins.
const STEPS: [usize; 4] = [5, 20, 80, 300];

/// The step of a rate. It goes back only when the rate has fallen well below where the step began, or a line that is in
/// between would flicker.
fn step(rate: usize, before: Option<usize>) -> usize {
    let step = |rate: usize| STEPS.iter().filter(|begins| rate >= **begins).count();
    match before {
        Some(before) => step(rate).max(before.min(step(rate + rate / 3))),
        None => step(rate),
    }
}

/// So many in a second, short enough for its place.
fn rate_words(rate: usize) -> String {
    match rate {
        0..=999 => format!("{rate}/s"),
        1_000..=9_999 => format!("{}.{}k/s", rate / 1_000, rate % 1_000 / 100),
        _ => format!("{}k/s", rate / 1_000),
    }
}

fn stream_id(edge: &str, dot: usize) -> String {
    format!("stream:{edge}:{dot}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_wider_by_steps_and_does_not_flicker_where_one_begins() {
        assert_eq!([3, 6, 25, 100, 500].map(|rate| step(rate, None)), [0, 1, 2, 3, 4]);
        let mut now = None;
        let mut seen = |rate| *now.insert(step(rate, now));
        assert_eq!([78, 82, 78, 81, 75, 60, 55, 82].map(&mut seen), [2, 3, 3, 3, 3, 3, 2, 3]);
    }

    #[test]
    fn a_rate_is_short_however_high_it_is() {
        let words = [0, 51, 999, 1_000, 1_453, 9_999, 12_345].map(rate_words);
        assert_eq!(words, ["0/s", "51/s", "999/s", "1.0k/s", "1.4k/s", "9.9k/s", "12k/s"]);
    }
}
