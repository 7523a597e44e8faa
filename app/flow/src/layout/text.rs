//! Words in the diagram: where they stand, and how much room they are taken to need.
//!
//! Nothing can be measured on the server, so widths are guesses on the safe side.

use super::{Point, Rect};

/// A piece of text with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Its lines.
    pub lines: Vec<String>,
    /// Where the first line's text is anchored, on its baseline.
    pub at: Point,
    /// Which point of a line that is.
    pub anchor: Anchor,
    /// The room it takes.
    pub rect: Rect,
}

/// Which point of a line of text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "SVG's own words")]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    /// The value of the attribute `text-anchor`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// The height of a line of the smallest text.
pub(crate) const LINE: f32 = 13.0;
/// The width of an average character of the smallest text, on the safe side for the common system fonts.
const CHARACTER: f32 = 6.0;
/// The same for names, which are set bold.
const BOLD_CHARACTER: f32 = 6.9;

/// The widest that a queue's counts become.
pub(crate) const COUNTS: &str = "ready 99999 · unacked 999";
/// The widest that the words on a call's line become.
pub(crate) const CALL: &str = "GET availability · 200 in 999.9 ms";

/// The widest that the rate of a stream becomes.
const RATE: &str = "9.9k/s";

impl Text {
    /// Text of the smallest size. What is wider than `room` is broken after its first dot or colon.
    pub(crate) fn new(text: &str, at: Point, anchor: Anchor, room: f32) -> Self {
        // After it: what stands in front of it names where the rest belongs.
        let lines = match text.find(['.', ':']) {
            Some(at) if width_of(text) > room => vec![text[..=at].to_owned(), text[at + 1..].to_owned()],
            _ => vec![text.to_owned()],
        };
        Self::of_lines(lines, at, anchor)
    }

    /// A name, set bold, with what belongs below it. What is wider than `room` is broken after its first dot or colon.
    pub(crate) fn name(name: &str, below: Option<&str>, at: Point, anchor: Anchor, room: f32) -> Self {
        let mut lines = Self::new(name, at, anchor, room * CHARACTER / BOLD_CHARACTER).lines;
        lines.extend(below.map(str::to_owned));
        Self::set(lines, BOLD_CHARACTER, at, anchor)
    }

    pub(crate) fn of_lines(lines: Vec<String>, at: Point, anchor: Anchor) -> Self {
        Self::set(lines, CHARACTER, at, anchor)
    }

    /// The words of what travels on a line.
    pub(crate) fn passing(at: Point, anchor: Anchor) -> Self {
        Self::of_lines(vec![RATE.to_owned()], at, anchor)
    }

    fn set(lines: Vec<String>, character: f32, at: Point, anchor: Anchor) -> Self {
        let w = lines.iter().map(|line| width_of(line) * character / CHARACTER).fold(0.0, f32::max);
        let x = match anchor {
            Anchor::Start => at.x,
            Anchor::Middle => at.x - w / 2.0,
            Anchor::End => at.x - w,
        };
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let h = lines.len() as f32 * LINE;
        let rect = Rect::new(x, at.y - 10.0, w, h);
        Self { lines, at, anchor, rect }
    }

    pub(crate) fn scaled(mut self, by: f32) -> Self {
        self.at = self.at.scaled(by);
        self.rect = self.rect.scaled(by);
        self
    }
}

/// The text, with an ellipsis for what is beyond so many characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

/// How wide a line of the smallest text is taken to be.
#[expect(clippy::cast_precision_loss, reason = "a label has few characters")]
fn width_of(text: &str) -> f32 {
    text.chars().count() as f32 * CHARACTER
}
