//! What a diagram consists of, as plain data: things that can be selected, and the marks that each is drawn with.
//!
//! A drawing is made anew whenever the picture changes. What shows it compares it with the one before, and touches only
//! what has changed.

use super::super::selection::Selection;
use flow::Service;
use flow::fault::FaultKind;
use flow::layout::{Anchor, Orientation, Point, Px, Rect};
use std::sync::Arc;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    /// What is said of all of it.
    pub(super) frame: Frame,
    pub(super) edges: Vec<Arc<Thing>>,
    pub(super) nodes: Vec<Arc<Thing>>,
    /// What is held on purpose, above the nodes.
    pub(super) held: Vec<Arc<Thing>>,
    pub(super) queues: Vec<Arc<Thing>>,
    /// What goes around beside the queues: retries, and letters that are parked.
    pub(super) asides: Vec<Arc<Thing>>,
}

/// What is said of a whole diagram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub view_box: String,
    /// How high it is at the least, in CSS pixels: so that its text stays readable.
    pub least_height_px: String,
    pub is_tall: bool,
    pub is_untouched: bool,
    pub is_down: bool,
}

impl Frame {
    pub const fn is_tall(orientation: Orientation) -> bool {
        matches!(orientation, Orientation::Tall)
    }

    /// The style sheet makes an upright one narrow. One that has many rows is higher than wide, and has to stay as wide as
    /// it is: or its text would shrink.
    pub const fn orientation(&self) -> &'static str {
        if self.is_tall { "tall" } else { "wide" }
    }
}

/// What kind of thing it is. With its id, that is its name in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Edge,
    Node,
    Queue,
    /// A step that is held: a button that lets it go.
    Held,
    /// The button that undoes what is broken on purpose at a node.
    Undo,
    /// The letters that are parked beside a queue.
    Tray,
    /// The way around of what is tried again; nothing is done with it.
    Loop,
    /// Words that nothing is done with.
    Words,
}

/// What is broken on purpose at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub service: Service,
    pub kinds: Vec<FaultKind>,
}

/// A thing's name. What bears it stays the same element.
pub(super) type Key = (Kind, String);

/// Something in the diagram.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Thing {
    pub key: Key,
    pub class: &'static str,
    /// Its name for those who do not see it.
    pub spoken: String,
    pub pick: Option<Selection>,
    /// What is mended by it, if it is the button for that.
    pub mends: Option<Broken>,
    pub data: Data,
    pub marks: Vec<Mark>,
}

/// What its `data-` marks say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Data {
    /// Of an edge: what travels on it.
    pub kind: Option<&'static str>,
    /// Of a node: what it is.
    pub role: Option<&'static str>,
    /// Of a node: how it is.
    pub state: Option<&'static str>,
    /// Of a node: how many steps are held there.
    pub held: Option<String>,
    /// Of a node: what is broken on purpose.
    pub fault: Option<String>,
    /// Of a queue: how many messages wait.
    pub ready: Option<String>,
    /// Of a queue: how many are in consumers' hands.
    pub unacked: Option<String>,
    /// Of a held step: at which gate.
    pub gate: Option<&'static str>,
    /// Of a tray or a loop: how many are in it.
    pub count: Option<String>,
}

impl Thing {
    /// Whether it does something when it is clicked.
    pub fn is_button(&self) -> bool {
        !matches!(self.key.0, Kind::Words | Kind::Loop)
    }

    /// The mark at that place.
    pub fn mark(&self, (at, inner): Place) -> Option<&Mark> {
        let mark = self.marks.get(at)?;
        match (inner, &mark.shape) {
            (None, _) => Some(mark),
            (Some(inner), Shape::Group { marks, .. }) => marks.get(inner),
            (Some(_), _) => None,
        }
    }

    /// Whether both are drawn with the same shapes at the same places, whatever their words and colours.
    pub fn has_shapes_of(&self, other: &Self) -> bool {
        have_same_shapes(&self.marks, &other.marks)
    }
}

/// A mark's place: which one of its thing, and which one in that if that is a group.
pub(super) type Place = (usize, Option<usize>);

fn have_same_shapes(some: &[Mark], others: &[Mark]) -> bool {
    some.len() == others.len()
        && some.iter().zip(others).all(|(one, other)| match (&one.shape, &other.shape) {
            (
                Shape::Group { transform, is_hidden, marks },
                Shape::Group { transform: at, is_hidden: hides, marks: inside },
            ) => transform == at && is_hidden == hides && have_same_shapes(marks, inside),
            (one, other) => one == other,
        })
}

/// What is drawn, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Rect {
        rect: Rect,
        /// The radius of its corners.
        rx: Option<&'static str>,
    },
    Circle {
        middle: Point,
        radius: f32,
    },
    Path {
        d: String,
        transform: Option<String>,
        /// What stands at its end.
        marker: Option<String>,
    },
    Text {
        at: Point,
        anchor: Option<&'static str>,
    },
    /// What shows when the pointer rests on what it stands in.
    Title,
    Group {
        transform: Option<String>,
        /// Whether it says nothing that is not said elsewhere.
        is_hidden: bool,
        marks: Vec<Mark>,
    },
}

/// One mark. All but its shape may change while it stays the same element.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub shape: Shape,
    pub class: &'static str,
    /// The words of a text.
    pub words: String,
    /// How a path is dashed.
    pub dash: Option<String>,
    /// What a slot holds.
    pub slot: Option<&'static str>,
    pub pick: Option<Selection>,
}

impl Mark {
    const fn of(class: &'static str, shape: Shape) -> Self {
        Self { shape, class, words: String::new(), dash: None, slot: None, pick: None }
    }

    pub const fn rect(class: &'static str, rect: Rect, rx: Option<&'static str>) -> Self {
        Self::of(class, Shape::Rect { rect, rx })
    }

    pub const fn circle(class: &'static str, middle: Point, radius: f32) -> Self {
        Self::of(class, Shape::Circle { middle, radius })
    }

    pub fn path(class: &'static str, d: impl Into<String>) -> Self {
        Self::of(class, Shape::Path { d: d.into(), transform: None, marker: None })
    }

    /// A path that was drawn around the origin.
    pub fn sign(class: &'static str, d: &str, transform: String) -> Self {
        Self::of(class, Shape::Path { d: d.to_owned(), transform: Some(transform), marker: None })
    }

    /// A line with a tip.
    pub fn line(class: &'static str, d: String, marker: String) -> Self {
        Self::of(class, Shape::Path { d, transform: None, marker: Some(marker) })
    }

    pub fn text(class: &'static str, x: f32, y: f32, words: impl Into<String>) -> Self {
        let shape = Shape::Text { at: Point { x, y }, anchor: None };
        Self { words: words.into(), ..Self::of(class, shape) }
    }

    /// The same text, with that point of it at its place.
    pub fn anchored(mut self, to: &'static str) -> Self {
        if let Shape::Text { anchor, .. } = &mut self.shape {
            *anchor = Some(to);
        }
        self
    }

    pub fn title(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::of("", Shape::Title) }
    }

    pub const fn group(
        class: &'static str,
        transform: Option<String>,
        is_hidden: bool,
        marks: Vec<Self>,
    ) -> Self {
        Self::of(class, Shape::Group { transform, is_hidden, marks })
    }

    /// A blank after a text keeps it apart from the next where they are read as one: the name of a button has to contain
    /// the words that are seen on it (WCAG 2.5.3). A name broken at its dot stays one word.
    pub fn blank(&self) -> &'static str {
        if self.words.ends_with('.') { "" } else { " " }
    }
}

/// The name of an anchor in SVG.
pub(super) const fn anchor(anchor: Anchor) -> &'static str {
    anchor.as_str()
}

pub(super) fn px(length: f32) -> String {
    Px(length).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(words: &str, class: &'static str, x: f32) -> Thing {
        let inside = vec![Mark::text(class, x, 2.0, words)];
        Thing {
            key: (Kind::Node, "catalog".to_owned()),
            class: "node",
            spoken: words.to_owned(),
            pick: None,
            mends: None,
            data: Data::default(),
            marks: vec![Mark::path("", "M0 0"), Mark::group("card-store", None, false, inside)],
        }
    }

    #[test]
    fn words_and_colours_change_in_place_and_what_stands_elsewhere_is_drawn_anew() {
        let before = thing("shows 3", "soft", 1.0);
        assert!(before.has_shapes_of(&thing("shows 4", "", 1.0)));
        assert!(!before.has_shapes_of(&thing("shows 3", "soft", 1.5)));
        assert_eq!(before.mark((1, Some(0))).map(|mark| &*mark.words), Some("shows 3"));
        assert_eq!(before.mark((0, Some(0))), None);
    }

    #[test]
    fn words_are_read_apart_but_for_a_name_that_is_broken_at_its_dot() {
        assert_eq!(Mark::text("", 0.0, 0.0, "Catalog").blank(), " ");
        assert_eq!(Mark::text("", 0.0, 0.0, "catalog.").blank(), "");
    }
}
