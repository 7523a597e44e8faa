//! A fixed pool of tokens. They are made once, and then only their attributes change: no signal per frame.

use super::super::hop::Shape;
use flow::joined;
use flow::layout::{Path, Px, Text};
use leptos::prelude::document;
use web_sys::Element;

/// How many tokens there are. What does not fit is not drawn; it is in the log all the same.
pub(super) const POOL: usize = 60;

const SVG: &str = "http://www.w3.org/2000/svg";

/// One journey along one line.
pub(super) struct Flight {
    pub edge: String,
    pub path: Path,
    /// Where its words stand still, so that they can be read.
    pub words_at: Text,
    pub back: bool,
    pub begins_ms: f64,
    pub lasts_ms: f64,
    /// A dot of a stream goes round and round.
    pub is_stream: bool,
    /// It stands for a stream by its place alone, as with reduced motion.
    pub is_still: bool,
}

impl Flight {
    /// How far along it is, from 0 to 1; more when it has landed.
    pub fn progress(&self, now_ms: f64) -> f64 {
        (now_ms - self.begins_ms) / self.lasts_ms
    }
}

/// What a token looks like.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub shape: Shape,
    /// The number of its arrival's colour; nothing if that is none of the latest.
    pub hue: &'static str,
    /// Whether something else is in focus.
    pub steps_back: bool,
}

impl Look {
    pub const fn plain(shape: Shape) -> Self {
        Self { shape, hue: "", steps_back: false }
    }
}

/// How long a trail is.
const TRAIL: f32 = 32.0;

/// One token: its trail, its words, and its body, with the number of its arrival in it.
pub(super) struct Token {
    group: Element,
    trail: Element,
    body: Element,
    shape: Element,
    number: Element,
    words: Element,
    pub flight: Option<Flight>,
    is_visible: bool,
}

impl Token {
    fn new() -> Option<Self> {
        let document = document();
        let make = |name: &str| document.create_element_ns(Some(SVG), name).ok();
        let (group, trail, body) = (make("g")?, make("path")?, make("g")?);
        let (shape, number, words) = (make("path")?, make("text")?, make("text")?);
        set(&group, "visibility", "hidden");
        set(&trail, "class", "trail");
        set(&trail, "stroke-dasharray", "32 9999");
        set(&number, "class", "token-number");
        set(&number, "y", "4");
        for (within, part) in
            [(&group, &trail), (&group, &body), (&body, &shape), (&body, &number), (&group, &words)]
        {
            within.append_child(part).ok()?;
        }
        Some(Self { group, trail, body, shape, number, words, flight: None, is_visible: false })
    }

    /// Sets out.
    pub fn start(&mut self, flight: Flight, look: Look, id: &str, words: &str) {
        let Look { shape, hue, steps_back } = look;
        let class = if flight.is_stream { "stream" } else { shape.as_str() };
        let class = joined(&["token token-", class, if steps_back { " steps-back" } else { "" }]);
        set(&self.group, "class", &class);
        set(&self.group, "data-token", id);
        set(&self.shape, "d", outline(shape));
        // What is small, or on its way out, bears no number.
        let number = if matches!(shape, Shape::Event | Shape::Command) { hue } else { "" };
        set(&self.group, "data-hue", number);
        self.number.set_text_content(Some(number));
        let trail = if flight.is_stream { String::new() } else { flight.path.d() };
        set(&self.trail, "d", &trail);
        self.words.set_text_content(Some(words));
        let Text { at, anchor, .. } = flight.words_at;
        set(&self.words, "transform", &format!("translate({} {})", Px(at.x), Px(at.y)));
        set(&self.words, "text-anchor", anchor.as_str());
        self.flight = Some(flight);
        // Shown by its first step, not where the last journey ended.
    }

    /// Whether it stands for something with words on that line.
    pub fn has_words_on(&self, edge: &str) -> bool {
        let is_there = self.flight.as_ref().is_some_and(|flight| flight.edge == edge);
        is_there && self.words.text_content().is_some_and(|words| !words.is_empty())
    }

    /// Changes its words, on a stream whose rate has changed.
    pub fn say(&self, words: &str) {
        self.words.set_text_content(Some(words));
    }

    /// Whether it is a dot of a stream.
    pub fn is_of_stream(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.is_stream)
    }

    /// Whether it is the one with that id.
    pub fn is(&self, id: &str) -> bool {
        self.flight.is_some() && self.group.get_attribute("data-token").is_some_and(|known| known == id)
    }

    /// Goes on along its line; is put away when it has landed.
    pub fn go(&mut self, now_ms: f64) {
        let Some(flight) = &self.flight else { return };
        let progress = flight.progress(now_ms);
        if progress >= 1.0 && !flight.is_stream {
            self.put_away();
            return;
        }
        if flight.is_still && self.is_visible {
            return;
        }
        let share = if flight.is_stream { progress.rem_euclid(1.0) } else { eased(progress.max(0.0)) };
        let share = if flight.back { 1.0 - share } else { share };
        #[expect(clippy::cast_possible_truncation, reason = "a share of a line")]
        let point = flight.path.point(share as f32);
        set(&self.body, "transform", &format!("translate({} {})", Px(point.x), Px(point.y)));
        if !flight.is_stream {
            // It ends where the token is, and fades behind it; on the way back it lies on the other side.
            #[expect(clippy::cast_possible_truncation, reason = "a share of a line")]
            let at = flight.path.length() * share as f32;
            let offset = if flight.back { -at } else { TRAIL - at };
            set(&self.trail, "stroke-dashoffset", &Px(offset).to_string());
        }
        // To say it again at every frame would cost the browser a look at the style.
        if !std::mem::replace(&mut self.is_visible, true) {
            set(&self.group, "visibility", "visible");
        }
    }

    /// Goes back into the pool.
    pub fn put_away(&mut self) {
        (self.flight, self.is_visible) = (None, false);
        set(&self.group, "visibility", "hidden");
        // Removing what is not there is no error.
        let _ = self.group.remove_attribute("data-token");
    }
}

/// Makes the pool inside the given group.
pub(super) fn pool(within: &Element) -> Vec<Token> {
    let tokens: Vec<_> = std::iter::repeat_with(Token::new).take(POOL).flatten().collect();
    for token in &tokens {
        // Appending a new element to one in the page cannot fail.
        let _ = within.append_child(&token.group);
    }
    tokens
}

/// Slow, fast, slow.
fn eased(share: f64) -> f64 {
    if share < 0.5 { 4.0 * share.powi(3) } else { 1.0 - (2.0 - 2.0 * share).powi(3) / 2.0 }
}

const fn outline(shape: Shape) -> &'static str {
    match shape {
        Shape::Event => "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0",
        Shape::Command => "M-5.5 -5.5h11v11h-11z",
        Shape::Http => "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0",
        Shape::Error => "M0 -7.5l7.5 7.5l-7.5 7.5l-7.5 -7.5z",
        Shape::Ack => "M-4 0l3 3.5l5.5 -7",
        Shape::Goods => "M-6 -4.5h12v9h-12zM-6 -1h12",
    }
}

/// The names are plain ASCII, so this cannot fail.
pub(super) fn set(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}
